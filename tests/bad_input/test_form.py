"""How errors are shown: first line, source line, carets, hints; what is cut, what is escaped, how many there are."""

from __future__ import annotations

import re

import pytest

from convcalc.errors import Source, Span, SpecError, SpecErrors, escape, format_error, format_errors, quoted
from tests.bad_input.cases import errors_of, first_lines, message

FIRST = re.compile(r"[^:\n]+:[1-9]\d*:[1-9]\d*: (error|warning) CC\d{3}: \S.*")


def carets(lines: list[str]) -> tuple[str, str]:
    """Return the source line as it is shown, and what stands in it above the carets; without wide letters."""
    shown, below = lines[1], lines[2]
    assert re.fullmatch(r" *\^+", below)
    return shown, shown[below.index("^") : len(below)]


# --- the first line ---------------------------------------------------------------------------------------------------


def test_first_line_then_source_then_carets_then_hint() -> None:
    assert message("input: [3, 8, 8]\nlayers:\n  - conv: {out: 8, kernal: 3}\n", "my net.yaml") == [
        "my net.yaml:3:20: error CC203: conv has no attribute 'kernal'; did you mean 'kernel'?",
        "      - conv: {out: 8, kernal: 3}",
        "                       ^^^^^^",
        "  hint: it has out, kernel, stride, padding, dilation, groups, bias, weight_sharing, norm, act",
    ]


def test_a_warning_says_so() -> None:
    (line,) = first_lines("vars: {a: 1}\ninput: [3, 8, 8]\nlayers: [relu]\n")
    assert line == "spec.yaml:1:8: warning CC801: the variable 'a' is never used"


def test_a_second_place_is_named_and_shown() -> None:
    assert message("input: [3, 8, 8]\nlayers:\n  - {relu: , name: a}\n  - {silu: , name: a}\n") == [
        "spec.yaml:4:20: error CC212: the name 'a' is taken by the layer on line 3",
        "      - {silu: , name: a}",
        "                       ^",
        "  spec.yaml:3:20: the first one",
        "      - {relu: , name: a}",
        "                       ^",
    ]


def test_block_calls_stand_below_one_line_each_innermost_first() -> None:
    text = """\
input: [3, 8, 8]
blocks:
  Inner: [conv: [8, 9]]
  Outer: [Inner]
layers:
  - {Outer: , repeat: 2, name: stage}
"""
    assert message(text) == [
        "spec.yaml:3:11: error CC403: the kernel reaches over 9 but the padded input has only 8",
        "      Inner: [conv: [8, 9]]",
        "              ^^^^",
        "  in stage1.inner1 called from spec.yaml:4:11",
        "  in stage1 called from spec.yaml:6:6",
    ]


# --- the source line --------------------------------------------------------------------------------------------------


def test_carets_under_the_exact_extent() -> None:
    shown, blamed = carets(message("input: [3, 8, 8]\nlayers: [conv: [8*(cin + nope), 3]]\n"))
    assert (shown, blamed) == ("    layers: [conv: [8*(cin + nope), 3]]", "nope")


def test_wide_characters_take_two_cells() -> None:
    lines = message("vars: {幅: 8}\ninput: [3, 8, 8]\nlayers: [conv: [幅 + 高さ, 3]]\n")
    assert lines[0].startswith("spec.yaml:3:21: ")
    assert lines[1:3] == ["    layers: [conv: [幅 + 高さ, 3]]", " " * (4 + 21) + "^" * 4]


def test_combining_characters_take_none() -> None:
    lines = message("vars: {'n\u0303\u0301': 8}\ninput: [3, 8, nope]\nlayers: [relu]\n")
    assert lines[2].index("^") == 4 + len("vars: {")


def test_a_tab_is_shown_and_counted() -> None:
    lines = message("input: [3, 8, 8]\nlayers: [conv:\t[nope, 3]]\n")
    assert lines[:3] == [
        "spec.yaml:2:17: error CC201: unknown variable 'nope'; did you mean 'none'?",
        r"    layers: [conv:\x09[nope, 3]]",
        "                       ^^^^",
    ]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["", "BOM"])
def test_line_ends_and_a_byte_order_mark_move_nothing(parser: str, mark: str, end: str) -> None:
    text = mark + end.join(["# é", "input: [3, 8, 8]", "", "layers:", "  - relu", "  - conv: [nope, 3]", ""])
    lines = message(text)
    assert lines[0].startswith("spec.yaml:6:12: ")
    assert carets(lines) == ("      - conv: [nope, 3]", "nope")
    assert not any(character in "\n".join(lines) for character in "\r\ufeff")


def test_a_mark_moves_nothing_on_its_own_line() -> None:
    assert first_lines("\ufeffinput: [3, nope]\nlayers: []\n")[0].startswith("spec.yaml:1:12: ")


@pytest.mark.parametrize("before", [0, 30, 100, 1000, 5000])
@pytest.mark.parametrize("after", [0, 30, 1000])
def test_a_long_line_is_cut_around_the_place(before: int, after: int) -> None:
    text = f"input: [3, 8, 8]\nlayers: [{'relu, ' * before}rellu{', relu' * after}]\n"
    lines = message(text)
    shown, blamed = carets(lines)
    assert lines[0].startswith(f"spec.yaml:2:{10 + 6 * before}: ")
    assert blamed == "rellu"
    assert len(shown.strip().strip("…")) <= 120
    assert ("…" in shown) is (len(text.split("\n")[1]) > 120)


def test_carets_end_where_the_line_is_cut() -> None:
    lines = message(f"input: [3, 8, 8]\nlayers: [{'r' * 500}]\n")
    assert set(lines[2]) == {" ", "^"}
    assert len(lines[2]) <= len(lines[1])


# --- the words of others ----------------------------------------------------------------------------------------------


def test_a_long_word_is_cut_at_sixty() -> None:
    (line,) = first_lines(f"input: [3, 8, 8]\nlayers: [{'r' * 500}]\n")
    assert line == f"spec.yaml:2:10: error CC204: unknown activation or layer '{'r' * 59}…'"
    assert quoted("r" * 60) == f"'{'r' * 60}'"
    assert quoted("r" * 61) == f"'{'r' * 59}…'"


def test_a_long_expression_is_cut_at_sixty() -> None:
    (line,) = first_lines(f"input: [3, 8, 8]\nlayers: [linear: {'1+' * 100}(1]\n")
    assert f"'{'1+' * 29}1…'" in line


def test_a_long_list_is_cut() -> None:
    (line,) = first_lines("vars: {many: range(9999)}\ninput: [3, 8, 8]\nlayers: [linear: many]\n")
    assert len(line) < 1100


def test_long_hints_are_cut() -> None:
    names = ", ".join(f"variable{n}: {n}" for n in range(5000))
    lines = message_of_variant(f"vars: {{{names}}}\ninput: [variable1]\nlayers: [relu]\n")
    assert max(map(len, lines)) < 1100


def message_of_variant(text: str) -> list[str]:
    return format_errors(errors_of(text, set={"nothing": "1"})).split("\n")


def test_a_word_beyond_a_hundred_characters_is_not_guessed_at() -> None:
    word = "a" * 101
    (line,) = first_lines(f"vars: {{{word[:-1]}b: 8}}\ninput: [3, {word}]\nlayers: [relu]\n")
    assert "did you mean" not in line
    (line,) = first_lines(f"vars: {{{word[:-2]}b: 8}}\ninput: [3, {word[:-1]}]\nlayers: [relu]\n")
    assert "did you mean" in line


HOSTILE = {
    "escape": "\x1b[31mred\x1b[0m",
    "bell": "a\x07b",
    "right to left": "a\u202egnp.exe",
    "isolate": "a\u2066b\u2069",
    "no width": "a\u200bb",
    "line end": "a\nb",
    "line separator": "a\u2028b",
    "next line": "a\x85b",
    "delete": "a\x7fb",
    "private": "a\ue000b",
}


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE)
def test_characters_that_lie_are_shown_escaped(parser: str, hostile: str) -> None:
    in_yaml = "".join(f"\\U{ord(character):08x}" for character in hostile)
    lines = message(f'input: [3, 8, 8]\nlayers: ["{in_yaml}"]\n', name=f"{hostile}.yaml")
    text = "\n".join(lines)
    assert all(character.isprintable() or character == "\n" for character in text)
    assert lines[0].startswith(f"{escape(hostile)}.yaml:2:10: error CC204: ")
    assert quoted(hostile.partition(".")[0])[:-1] in lines[0]


@pytest.mark.parametrize("raw", ["\u202e", "\u2066", "\u200b", "\u00ad"])
def test_raw_characters_that_lie_are_shown_escaped_in_the_source_line(raw: str) -> None:
    lines = message(f"input: [3, 8, 8]\nlayers: [a{raw}b]\n")
    assert raw not in "\n".join(lines)
    assert lines[1] == f"    layers: [a{escape(raw)}b]"
    assert lines[2] == " " * 13 + "^" * len(f"a{escape(raw)}b")


def test_nothing_is_markup() -> None:
    markup = "[bold]<b>&amp;`*_|{{x}}$%25::"
    (error,) = errors_of(f"input: [3, 8, 8]\nlayers: ['{markup}']\n")
    assert f"'{markup}'" in str(error)


# --- many errors ------------------------------------------------------------------------------------------------------


def bad_lines(count: int) -> str:
    return "input: [3, 8, 8]\nlayers:\n" + "".join(f"  - bad{n}\n" for n in range(count))


@pytest.mark.parametrize(("count", "last"), [(1, None), (20, None), (21, "and 1 more"), (500, "and 480 more")])
def test_twenty_are_shown(count: int, last: str | None) -> None:
    lines = message(bad_lines(count))
    shown = [line for line in lines if FIRST.fullmatch(line)]
    assert [line.split(":")[1] for line in shown] == [str(3 + n) for n in range(min(count, 20))]
    assert (lines[-1] if count > 20 else None) == last


def test_they_are_sorted_by_place() -> None:
    text = "layers: [bad1]\nblocks: {A: [bad2]}\ndefaults: {bad3: {}}\nvars: {a: bad4}\ninput: [bad5]\n"
    lines = first_lines(text)
    assert [line.split(":")[1] for line in lines] == ["1", "2", "3", "4", "5"]


def test_one_place_is_named_once() -> None:
    text = "input: [3, 8, 8]\nblocks: {A: [conv: [8, 9]]}\nlayers: [{concat: [A, A, A]}, {A: , from: input}]\n"
    assert [line.partition(" error")[0] for line in first_lines(text)] == ["spec.yaml:2:14:"]


def test_equal_places_with_different_codes_are_two() -> None:
    span = Span(Source("a", "text"), 1, 1)
    errors = SpecErrors([SpecError("CC301", "b", span), SpecError("CC201", "a", span), SpecError("CC301", "c", span)])
    assert [error.text for error in errors.errors] == ["b", "a"]


STAGES = (
    ("YAML", "  - {a: 1, a: 2}\n", "CC105"),
    ("form", "  - {relu: , name: }\n", "CC114"),
    ("names", "  - rellu\n", "CC204"),
    ("shapes", "  - conv: [8, 9]\n", "CC403"),
)


@pytest.mark.parametrize("earlier", range(len(STAGES)), ids=lambda place: STAGES[place][0])
def test_a_later_stage_is_hidden_while_an_earlier_one_has_errors(earlier: int) -> None:
    text = "input: [3, 8, 8]\nlayers:\n" + "".join(item for _, item, _ in reversed(STAGES[earlier:])) * 2
    assert [error.code for error in errors_of(text)][:1] == [STAGES[earlier][2]]
    assert {error.code for error in errors_of(text)} == {STAGES[earlier][2]}


def test_all_errors_of_a_stage_are_gathered() -> None:
    text = """\
input: [3, nope1, 8]
vars: {a: nope2, b: 1}
variants: {v: {b: nope3, c: 1}}
defaults: {conv: {padding: nope4}, nope5: {}}
blocks: {A: {params: {p: nope6}, layers: [nope7]}, B: [B]}
layers: [conv: [nope8, 3], {relu: , when: nope9}, {relu: , name: "{nope10}"}, A: {q: 1}]
outputs: ["{nope11}"]
claims: [{params: x, source: s}]
"""
    assert sorted(error.code for error in errors_of(text)) == sorted(
        ["CC201"] * 9 + ["CC204"] * 2 + ["CC208", "CC206", "CC207", "CC601"]
    )


def test_what_reads_a_faulty_layer_is_not_blamed_too() -> None:
    text = """\
input: [3, 8, 8]
layers:
  - {conv: [8, 9], name: a}
  - conv: [8, 9]
  - {relu: , from: a}
  - {add: [identity, {from: a}], name: b}
  - {conv: [8, 1], tie: a, from: input}
  - {conv: [8, 10], from: input}
  - {relu: , from: b}
outputs: [b]
"""
    assert [error.span.line for error in errors_of(text) if error.span] == [3, 8]


def test_all_turns_that_fail_alike_are_one_error() -> None:
    text = "input: [3, 8, 8]\nlayers:\n  - {repeat: 10000, conv: [8, 9], from: input}\n"
    assert len(errors_of(text)) == 1


def test_a_hint_is_the_last_line() -> None:
    error = SpecError("CC001", "text", Span(Source("a.yaml", "one\ntwo"), 2, 1, 3), "try this")
    assert format_error(error) == "a.yaml:2:1: error CC001: text\n    two\n    ^^^\n  hint: try this"
