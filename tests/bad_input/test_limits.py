"""Limits are inclusive, and no input takes more than so much work or a few hundred megabytes."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import convcalc
from convcalc.errors import SpecErrors
from convcalc.spec import limits
from tests.bad_input.cases import errors_of, first_lines
from tests.conftest import HANG, ROOT
from tests.work import limited_work

HEAD = "input: [3, 8, 8]\n"
EMPTY = HEAD + "layers: []\n"


def codes(text: str) -> list[str]:
    return [error.code for error in errors_of(text) if not error.code.startswith("CC8")]


def layers(items: str) -> str:
    return f"{HEAD}layers:\n{items}"


def numbered(count: int, entry: str) -> str:
    return ", ".join(entry.format(n) for n in range(count))


def entries(section: str, count: int, entry: str) -> str:
    return f"{section}: {{{numbered(count, entry)}}}\n{EMPTY}"


def named(name: str) -> str:
    return layers(f"  - {{relu: , name: {name}}}\n")


def entering(shape: str) -> str:
    return f"input: [{shape}]\nlayers: [relu]\n"


# --- exactly at the limit works, one more fails -----------------------------------------------------------------------

LIMITS = {
    "file": (EMPTY + "#" * ((1 << 20) - len(EMPTY)), EMPTY + "#" * ((1 << 20) - len(EMPTY) + 1), "CC003", "1 MiB"),
    "file of wide characters": (
        EMPTY + "#" + "日" * 349_515,
        EMPTY + "#" + "日" * 349_516,
        "CC003",
        "1048576 bytes",
    ),
    "depth in brackets": (layers(f"  {'[' * 63}{']' * 63}\n"), layers(f"  {'[' * 64}{']' * 64}\n"), "CC108", "64"),
    "depth in indents": (
        layers("".join(f"{'  ' * n}-\n" for n in range(1, 63)) + "  " * 63 + "- relu\n"),
        layers("".join(f"{'  ' * n}-\n" for n in range(1, 64)) + "  " * 64 + "- relu\n"),
        "CC108",
        "64",
    ),
    "repeat": (layers("  - {seq: [], repeat: 10000}\n"), layers("  - {seq: [], repeat: 10001}\n"), "CC502", "10000"),
    "repeat by columns": (
        layers("  - {seq: [], repeat: {n: range(10000)}}\n"),
        layers("  - {seq: [], repeat: {n: range(10001)}}\n"),
        "CC304",
        "10000",
    ),
    "layers": (
        layers(f"  - {{repeat: 10000, seq: [{'relu, ' * 10}]}}\n"),
        layers(f"  - {{repeat: 10000, seq: [{'relu, ' * 10}]}}\n  - relu\n"),
        "CC503",
        "100000",
    ),
    "fused layers": (
        layers("  - {repeat: 10000, conv: {out: 3, kernel: 1, norm: batch, act: relu}}\n" * 3 + "  - relu\n" * 10_000),
        layers("  - {repeat: 10000, conv: {out: 3, kernel: 1, norm: batch, act: relu}}\n" * 3 + "  - relu\n" * 10_001),
        "CC503",
        "100000",
    ),
    "items": (
        layers(f"  - {{repeat: 1000, seq: [{'[], ' * 998}]}}\n" + "  - []\n" * 999),
        layers(f"  - {{repeat: 1000, seq: [{'[], ' * 998}]}}\n" + "  - []\n" * 1000),
        "CC504",
        "1000000",
    ),
    "list": (
        f"vars: {{a: [{numbered(10_000, '{}')}]}}\n{EMPTY}",
        f"vars: {{a: [{numbered(10_001, '{}')}]}}\n{EMPTY}",
        "CC501",
        "10000",
    ),
    "list in an expression": (
        f"vars: {{a: len(range(10000))}}\n{EMPTY}",
        f"vars: {{a: len(range(10001))}}\n{EMPTY}",
        "CC304",
        "10000",
    ),
    "list of lists": (
        f"vars: {{a: range(100), b: [{numbered(100, 'a')}]}}\n{EMPTY}",
        f"vars: {{a: range(100), b: [{numbered(101, 'a')}]}}\n{EMPTY}",
        "CC501",
        "10000",
    ),
    "expression": (
        f"vars: {{a: {'1+' * 249}11}}\n{EMPTY}",
        f"vars: {{a: {'1+' * 250}1}}\n{EMPTY}",
        "CC304",
        "500",
    ),
    "parentheses": (
        f"vars: {{a: {'(' * 64}1{')' * 64}}}\n{EMPTY}",
        f"vars: {{a: {'(' * 65}1{')' * 65}}}\n{EMPTY}",
        "CC304",
        "64",
    ),
    "number": (f"vars: {{a: {10**18}}}\n{EMPTY}", f"vars: {{a: {10**18 + 1}}}\n{EMPTY}", "CC304", "10^18"),
    "result": (f"vars: {{a: 10**18}}\n{EMPTY}", f"vars: {{a: 10**18 + 1}}\n{EMPTY}", "CC304", "10^18"),
    "denominator": (f"vars: {{a: 1/10**18}}\n{EMPTY}", f"vars: {{a: 1/10**18/2}}\n{EMPTY}", "CC304", "10^18"),
    "exponent": (f"vars: {{a: 1**64}}\n{EMPTY}", f"vars: {{a: 1**65}}\n{EMPTY}", "CC304", "64"),
    "decimal exponent": (f"vars: {{a: 0e64}}\n{EMPTY}", f"vars: {{a: 0e65}}\n{EMPTY}", "CC304", "64"),
    "vars": (entries("vars", 10_000, "v{}: 1"), entries("vars", 10_001, "v{}: 1"), "CC507", "10000"),
    "blocks": (entries("blocks", 10_000, "B{}: []"), entries("blocks", 10_001, "B{}: []"), "CC507", "10000"),
    "variants": (entries("variants", 10_000, "v{}: "), entries("variants", 10_001, "v{}: "), "CC507", "10000"),
    "claims": (
        f"{EMPTY}claims: [{numbered(10_000, '{{params: 1, source: s}}')}]\n",
        f"{EMPTY}claims: [{numbered(10_001, '{{params: 1, source: s}}')}]\n",
        "CC507",
        "10000",
    ),
    "name": (named("n" * 200), named("n" * 201), "CC110", "200"),
    "variable": (f"vars: {{{'n' * 200}: 1}}\n{EMPTY}", f"vars: {{{'n' * 201}: 1}}\n{EMPTY}", "CC110", "200"),
    "block name": (f"blocks: {{{'N' * 200}: []}}\n{EMPTY}", f"blocks: {{{'N' * 201}: []}}\n{EMPTY}", "CC110", "200"),
    "axes": (entering(numbered(64, "1")), entering(numbered(65, "1")), "CC508", "64"),
    "axis": (
        "input: [3, 500000000000000000]\nlayers: [upsample: 2]\n",
        "input: [3, 500000000000000001]\nlayers: [upsample: 2]\n",
        "CC508",
        "1000000000000000000",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("at", "beyond", "code", "named"), LIMITS.values(), ids=LIMITS)
def test_limits_are_inclusive(at: str, beyond: str, code: str, named: str) -> None:
    with limited_work():
        assert codes(at) == []
    with limited_work():
        assert codes(beyond) == [code]
    assert named in first_lines(beyond)[0]


def nested_blocks(count: int, body: str = "[{}]", last: str = "relu") -> str:
    """Blocks that each call the next one, ``count`` deep."""
    calls = [f"B{n}" for n in range(1, count)] + [last]
    return HEAD + "blocks:\n" + "".join(f"  B{n}: {body.format(c)}\n" for n, c in enumerate(calls)) + "layers: [B0]\n"


def test_block_calls() -> None:
    assert codes(nested_blocks(64)) == []
    (error,) = errors_of(nested_blocks(65))
    assert (error.code, len(error.call_stack)) == ("CC506", 64)


def test_columns_and_branches_count_their_turns() -> None:
    assert codes(layers("  - concat: [{each: 10000, slice: {stop: 1}}]\n")) == []
    assert codes(layers("  - concat: [{each: 10001, slice: {stop: 1}}]\n")) == ["CC502"]


@pytest.mark.parametrize("shape", ["flat", "chain"])
def test_imports(tmp_path: Path, shape: str) -> None:
    def write(count: int) -> None:
        for n in range(1, count + 1):
            following = f"import: {{next: i{n + 1}.yaml}}\n" if shape == "chain" and n < count else ""
            (tmp_path / f"i{n}.yaml").write_text(f"{following}blocks: {{B: [relu]}}\n")
        names = range(1, count + 1) if shape == "flat" else [1]
        imports = ", ".join(f"a{n}: i{n}.yaml" for n in names)
        (tmp_path / "root.yaml").write_text(f"import: {{{imports}}}\n{HEAD}layers: [a1.B]\n")

    write(32)
    assert convcalc.load(tmp_path / "root.yaml").graph.layers
    write(33)
    with pytest.raises(SpecErrors, match="CC505: more imported files than the limit of 32"):
        convcalc.load(tmp_path / "root.yaml")


def test_broken_imports_are_read_once(tmp_path: Path) -> None:
    for n in range(16):
        for side in "lr":
            following = f"import: {{l: l{n + 1}.yaml, r: r{n + 1}.yaml}}\n" if n < 15 else "nope: 1\n"
            (tmp_path / f"{side}{n}.yaml").write_text(following)
    (tmp_path / "root.yaml").write_text(f"import: {{l: l0.yaml, r: r0.yaml}}\n{EMPTY}")
    with limited_work(), pytest.raises(SpecErrors) as raised:
        convcalc.load(tmp_path / "root.yaml")
    assert {error.code for error in raised.value.errors} == {"CC116"}


# --- what would never end ---------------------------------------------------------------------------------------------


def doubling(call: str) -> str:
    """Forty blocks that each call the next one twice: 2^40 items, and no layer."""
    bodies = "".join(f"  A{n}: [{call}, {call}]\n".replace("NEXT", f"A{n + 1}") for n in range(40))
    return f"{HEAD}blocks:\n{bodies}  A40: []\nlayers: [A0]\n"


LONG_PATHS = f"""\
{HEAD}blocks:
{"".join(f"  B{n}: [{{B{n + 1}: , name: {'n' * 200}}}]" + chr(10) for n in range(60))}
  B60: [{{relu: , repeat: 10000}}]
layers: [B0]
"""

ENDLESS = {
    "calls": (doubling("NEXT"), "CC504"),
    "calls in lists": (doubling("[[NEXT]]"), "CC504"),
    "calls in branches": (doubling("{concat: [NEXT]}"), "CC504"),
    "calls in repeats": (doubling("{NEXT: , repeat: 2}"), "CC504"),
    "repeats": (layers("  - " + "{repeat: 10000, seq: [" * 20 + "]}" * 20), "CC504"),
    "empty repeats": (layers("  - {repeat: 10000, seq: [{repeat: 10000, seq: []}]}\n"), "CC504"),
    "powers": (f"vars: {{a: {'9**' * 60}9}}\n{EMPTY}", "CC304"),
    "exponents": (f"vars: {{a: 1e999999999}}\n{EMPTY}", "CC304"),
    "huge numbers": (f"vars: {{a: {'9' * 490}}}\n{EMPTY}", "CC304"),
    "ranges": (f"vars: {{a: range(10**18)}}\n{EMPTY}", "CC304"),
    "shared lists": (
        "vars: {a0: [1, 1], " + ", ".join(f'a{n}: "[a{n - 1}, a{n - 1}]"' for n in range(1, 60)) + f"}}\n{EMPTY}",
        "CC501",
    ),
    "axes of huge shapes": (layers(f"  - reshape: [{'1000000000000000000, ' * 300}1]\n"), "CC508"),
    "growing axes": (layers("  - {upsample: 1000000, repeat: 10000}\n"), "CC508"),
    "long paths": (LONG_PATHS, "CC509"),
    "brackets": ("[" * 500_000, "CC108"),
    "closed brackets": ("[" * 250_000 + "]" * 250_000, "CC108"),
    "braces": ("{a: " * 250_000, "CC108"),
    "lists": ("- " * 500_000, "CC108"),
    "questions": ("? " * 500_000, "CC108"),
    "indents": ("\n".join(" " * n + "a:" for n in range(1400)), "CC108"),
    "aliases": ("a: &a [" + "*a, " * 20_000 + "]", "CC102"),
    "a deep alias bomb": (
        "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 99)),
        "CC102",
    ),
    "duplicate keys": ("{" + "a: , " * 200_000 + "}", "CC105"),
    "unknown keys": ("".join(f"k{n}:\n" for n in range(120_000)), "CC116"),
    "unknown words": (layers("  [" + ",".join(f"a{n}" for n in range(140_000)) + "]"), "CC204"),
    "unknown variables among many": (
        f"vars: {{{numbered(9999, 'variable{}: 1')}}}\n" + layers(f"  [{numbered(9_000, 'linear: varable{}')}]"),
        "CC201",
    ),
    "unknown references": (layers("  - {repeat: 10000, relu: }\n  - {repeat: 10000, relu: , from: nope}\n"), "CC210"),
    "errors of every turn": (layers("  - {repeat: 10000, conv: [4, 9], from: input}\n" * 20), "CC403"),
    "rings": (
        HEAD + "blocks:\n" + "".join(f"  B{n}: [B{n + 1}, B{n * 7 % 9000}, B{n * 13 % 9000}]\n" for n in range(9000))
        + "  B9000: []\nlayers: []\n",
        "CC206",
    ),
    "chains": (nested_blocks(9000), "CC506"),
    "a long line": (layers(f"  [{'relu,' * 100_000}relu]\n"), "CC503"),
    "colons": (": " * 500_000, "CC101"),
    "quotation": ('"' * 1_000_001, "CC101"),
    "comments": ("#\n" * 500_000, "CC115"),
    "line ends": ("\r" * 1_000_000, "CC115"),
    "blanks": (" " * 1_000_000, "CC115"),
    "one word": ("a" * 1_000_000, "CC115"),
    "an unclosed bracket": ("a: [" + "b, " * 300_000, "CC101"),
    "escapes": (f'name: "{chr(92)}x4{chr(92)}' + "x41" * 100_000, "CC101"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "code"), ENDLESS.values(), ids=ENDLESS)
def test_it_ends_soon(text: str, code: str) -> None:
    assert len(text) <= 1 << 20
    with limited_work():
        errors = errors_of(text)
    assert errors[0].code == code


@pytest.mark.parametrize("name", ["brackets", "braces", "lists", "questions", "indents", "aliases", "colons", "powers"])
def test_it_ends_soon_with_both_parsers(parser: str, name: str) -> None:
    text, code = ENDLESS[name]
    with limited_work():
        assert errors_of(text)[0].code == code


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? ", "[{b: "])
@pytest.mark.parametrize("count", [65, 999, 1000, 1001, 3000])
@pytest.mark.parametrize("ending", ["", "]", "@", "é: *a"])
def test_too_deep_is_said_where_it_begins(parser: str, opening: str, count: int, ending: str) -> None:
    """Whatever a parser thinks of the depth itself, and of what stands behind the place."""
    error = errors_of(opening * count + ending)[0]
    place = len(opening) * (64 if len(opening) < 5 else 32) + 1
    assert (error.code, error.span and error.span[1:3]) == ("CC108", (1, place))


FINE = {
    "a huge repeat of an empty list": layers("  - {seq: [], repeat: 10000}\n" * 20),
    "a huge repeat of nothing": layers("  - {repeat: 10000, seq: [{relu: , repeat: 0}]}\n"),
    "a wide join": layers("  - concat: [{each: 10000, identity: }]\n"),
    "many variables": f"vars: {{v0: 1, {', '.join(f'v{n}: v{n - 1} + 1' for n in range(1, 10_000))}}}\n{EMPTY}",
    "many parameters": f"{HEAD}blocks:\n"
    + "".join(f"  B{n}: {{params: {{{numbered(9999, 'p{}')}}}, layers: []}}\n" for n in range(12))
    + "layers: []\n",
    "many variables in many turns": f"vars: {{{numbered(9999, 'v{}: 1')}}}\n"
    + layers("  - {repeat: 10000, seq: [{repeat: 10, seq: []}, linear: {out: din + i*0, axis: -1}]}\n"),
    "many variants": f"vars: {{{numbered(9999, 'v{}: 1')}}}\n"
     f"variants: {{{', '.join(f'n{n}: {{v{n}: v{n - 1}}}' for n in range(1, 9999))}}}\n{EMPTY}",
    "ties": layers("  - {conv: [3, 1], repeat: 10000, tie: true}\n"),
    "outputs that nothing reads": layers("  - {relu: , repeat: 10000, from: input}\n"),
}  # fmt: skip


@pytest.mark.parametrize("text", FINE.values(), ids=FINE)
def test_it_works_soon(text: str) -> None:
    assert len(text) <= 1 << 20
    with limited_work():
        assert codes(text) == []


# --- nesting ----------------------------------------------------------------------------------------------------------

NESTING = {
    "lists": ("[", "]", 60),
    "series": ("{seq: [", "]}", 30),
    "named series": ("{name: n, seq: [", "]}", 30),
    "joins": ("{add: [", "]}", 30),
    "joins with branches": ("{concat: {branches: [", "]}}", 20),
    "repeats": ("{repeat: 1, seq: [", "]}", 30),
    "columns": ("{repeat: {a: [1]}, seq: [", "]}", 30),
    "branches": ("{concat: [{each: 1, seq: [", "]}]}", 15),
    "conditions": ("{when: cin == 3, seq: [", "]}", 30),
    "others": ("{relu: , when: cin != 3, else: ", "}", 60),
    "other series": ("{relu: , when: cin != 3, else: {seq: [", "]}}", 20),
}


@pytest.mark.parametrize(("opening", "closing", "depth"), NESTING.values(), ids=NESTING)
def test_64_calls_with_bodies_nested_as_deep_as_yaml_may_be(opening: str, closing: str, depth: int) -> None:
    body = f"[{opening * depth}{{}}{closing * depth}]".replace("{}", "CALL").replace("{", "{{").replace("}", "}}")
    text = nested_blocks(64, body.replace("CALL", "{}"))
    with limited_work():
        assert codes(text) == []
    assert convcalc.load(text=text).graph.layers[-1].path


def test_a_value_as_deep_as_yaml_may_be() -> None:
    assert codes(f"vars: {{a: {'[' * 62}1{']' * 62}}}\n{EMPTY}") == []
    assert codes(f"vars: {{a: {'[' * 63}1{']' * 63}}}\n{EMPTY}") == ["CC108"]


def test_an_expression_as_deep_as_it_may_be() -> None:
    for opening, closing in (("(", ")"), ("[", "]"), ("abs(", ")"), ("-(", ")"), ("not (", ")")):
        inner = "true" if opening == "not (" else "1"
        assert codes(f"vars: {{a: '{opening * 64}{inner}{closing * 64}'}}\n{EMPTY}") == []


@pytest.mark.parametrize(
    ("condition", "fits"),
    [
        ("sum(range(i + 90)) < 0", 5),
        ("wide == range(i + 90)", 5),
        ("max(wide) < i", 10),
        ("len(wide) < i", 100),
    ],
)
def test_elements_of_all_lists_together(condition: str, fits: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A million items that each sum ten thousand numbers would take minutes."""
    monkeypatch.setattr(limits, "LIST_ELEMENTS", 1100)
    for turns, expected in ((fits, []), (fits + 8, [] if fits == 100 else ["CC501"])):
        item = f'{{repeat: {turns}, relu: , when: "{condition}"}}'
        assert codes(f"vars: {{wide: range(90)}}\n{layers(f'  - {item}')}") == expected


def test_chains_of_operators() -> None:
    for chain in (
        "1" + "+1" * 249,
        "2" + "**1" * 165,
        "1" + " if true else 1" * 30,
        "1" + "<2" * 200,
        "true" + " and true" * 50,
    ):
        assert codes(f"vars: {{a: {chain}}}\n{EMPTY}") == []


# --- memory -----------------------------------------------------------------------------------------------------------

LARGE = {
    "2^40 items that are counted one by one": doubling("{NEXT: , when: cin == 3}"),
    "100,000 layers": layers(f"  - {{repeat: 10000, seq: [{'relu, ' * 10}]}}\n"),
    "100,000 unknown words": ENDLESS["unknown words"][0],
    "long paths": LONG_PATHS,
}


@pytest.mark.parametrize("text", LARGE.values(), ids=LARGE)
def test_memory_stays_below_500_megabytes(text: str) -> None:
    program = """\
        import sys
        import convcalc
        from convcalc.errors import SpecErrors
        try:
            convcalc.load(text=sys.stdin.read())
        except SpecErrors:
            pass
        try:
            status = dict(line.split(":", 1) for line in open("/proc/self/status"))
            used = int(status["VmHWM"].split()[0]) // 1024  # of this program alone: Linux inherits ru_maxrss
        except FileNotFoundError:
            import resource
            used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> (20 if sys.platform == "darwin" else 10)
        sys.exit(f"{used} MB" if used >= 500 else 0)
    """
    process = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        input=text.encode(),
        cwd=ROOT,
        capture_output=True,
        timeout=HANG,
        check=False,
    )
    assert (process.returncode, process.stderr.decode()) == (0, "")
