"""Choices of arguments: words where they are taken, ordinary names everywhere else; only the grammar reserves words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import convcalc
from convcalc import ops
from convcalc.designs.validation import validate_file
from convcalc.errors import Source, SpecError, SpecErrors
from convcalc.graph.graph import Graph
from convcalc.ops.source_form import SOURCE_FORMS
from convcalc.spec.document.arguments import choices as choices_of_argument
from convcalc.spec.document.document_reader import read_document
from convcalc.spec.document.syntax_tree import ArgumentValue, Document
from convcalc.spec.expressions.expression import parse
from convcalc.spec.expressions.functions import FUNCTIONS
from convcalc.spec.expressions.vocabulary import INPUT_VARIABLES, KEYWORDS, choices
from convcalc.sweep.axes import read_axis
from convcalc.sweep.where import holds, metrics_used

RESERVED = {*FUNCTIONS, *KEYWORDS, *INPUT_VARIABLES}
TAKEN = [
    (kind, key, word)
    for kind, op in ops.load_all().items()
    for key in ops.arguments_of(op)
    for word in choices_of_argument(op, key)
]
"""Kind, argument, and each word that it takes."""


def graph(text: str, **options: Any) -> Graph:
    return convcalc.load(text=f"input: [4, 8, 8]\n{text}", name="spec.yaml", **options).graph


def params(text: str, **options: Any) -> int:
    return convcalc.load(text=f"input: [4, 8, 8]\n{text}", name="spec.yaml", **options).report().totals["params"]


def document(text: str) -> Document:
    def no_imports(path: str, span: object) -> Document:
        raise AssertionError(path)

    return read_document(Source("spec.yaml", text), no_imports)


def warned(warnings: list[SpecError]) -> list[tuple[str, int, int]]:
    """Code, line and column of each warning."""
    return [(each.code, each.span.line, each.span.column) for each in warnings if each.span]


def types(found: Graph) -> list[Any]:
    """The types of the activations, norms and paddings, in the order of the layers."""
    return [getattr(node.op, "type", None) or getattr(node.op, "padding", "") for node in found.layers]


# --- variables with the names of choices ------------------------------------------------------------------------------


def test_networks_with_sizes_called_area_group_and_layer_load() -> None:
    assert params("vars: {area: 6}\nlayers: [conv: [area, 3]]") == 4 * 6 * 9 + 6
    assert params("vars: {group: 2}\nlayers: [conv: {out: 6, kernel: 3, groups: group}]") == 4 // 2 * 6 * 9 + 6
    repeated = "layers: [{repeat: {layer: [5, 6]}, conv: [layer, 1]}]"
    assert params(repeated) == 4 * 5 + 5 + 5 * 6 + 6
    block = "blocks: {B: {params: {batch: 5}, layers: [conv: [batch, 1]]}}\nlayers: [B, B: {batch: 7}]"
    assert params(block) == 4 * 5 + 5 + 5 * 7 + 7


@pytest.mark.parametrize("word", sorted(choices() - RESERVED))
def test_every_choice_may_name_a_variable_a_parameter_and_a_column(word: str) -> None:
    text = f"""\
vars: {{{word}: 5}}
blocks: {{B: {{params: {{{word}: 2*{word}}}, layers: [conv: [{word} + 1, 1]]}}}}
layers:
  - conv: [{word}, 1]
  - B
  - {{B: {word} + 2, when: {word} == 5}}
  - {{repeat: {{{word}: [2, 3]}}, conv: [{word}, 1], name: "at{{{word}}}"}}
"""
    found = graph(text)
    assert [node.shape.channels for node in found.layers] == [5, 11, 8, 2, 3]
    assert found.warnings == []


def test_the_words_are_those_of_the_ops() -> None:
    """What three ops declare, word by word; and what the grammar needs, no argument takes."""
    assert {"relu6", "area", "lrn", "valid", "global", "channels", "scalar", "none", "subclass"} <= choices()
    assert {word for _, _, word in TAKEN} | set(SOURCE_FORMS) == choices()
    assert choices().isdisjoint({*KEYWORDS, *INPUT_VARIABLES, "True", "False"})


# --- in the argument that takes it ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "key", "word"), TAKEN)
def test_a_choice_wins_over_a_variable_in_its_argument(kind: str, key: str, word: str) -> None:
    name = word if word not in RESERVED else "other"
    text = f"vars: {{{name}: 3}}\ndefaults:\n  {kind}: {{{key}: {word}}}\nlayers: [conv: [{name}, 1]]\n"
    read = document(text)
    given = read.defaults[kind][key]
    assert isinstance(given, ArgumentValue)
    assert given.value.evaluate({name: 3}) == word
    assert given.value.names == frozenset()
    column = len(f"  {kind}: {{{key}: ") + 1
    assert warned(read.warnings) == ([("CC807", 3, column)] if name == word else [])


@pytest.mark.parametrize("word", SOURCE_FORMS)
def test_a_form_wins_over_a_variable_in_via(word: str) -> None:
    found = graph(f"vars: {{{word}: 3}}\nlayers:\n  - {{conv: [{word}, 1], via: {word}}}")
    assert [node.source_form for node in found.layers] == [word]
    assert warned(found.warnings) == [("CC807", 4, len(f"  - {{conv: [{word}, 1], via: ") + 1)]


def test_the_warning_says_how_to_read_the_variable() -> None:
    found = graph("vars: {area: 3}\nlayers: [conv: [area, 1], upsample: {scale: 2, mode: area}]")
    (warning,) = found.warnings
    assert str(warning).startswith("spec.yaml:3:54: warning CC807: 'area' is a choice of this argument, and not the ")
    assert warning.hint == "to use the variable, give it another name"


@pytest.mark.parametrize(
    ("written", "padding", "is_warned"),
    [
        ("half", "half", True),
        ("(half)", "half", True),
        ("half if first else 0", "half", True),
        ("0 if half == 1 else half", "half", True),
        ("'[half, same][0]'", "half", True),
        ("'[[0, half], [1]](0)[1]'", "half", True),
        ("'[0, same](half - 1)'", "same", False),
        ("half - 1", ((1, 1), (1, 1)), False),
        ("'max(half, 1)'", ((2, 2), (2, 2)), False),
        ("[half, 1]", ((2, 2), (1, 1)), False),
        ("[[half, 0], half]", ((2, 0), (2, 2)), False),
        ("'[half, 1] if first else half'", ((2, 2), (1, 1)), True),
        ("1 if half > 1 else 0", ((1, 1), (1, 1)), False),
    ],
)
def test_a_choice_is_a_word_where_it_may_be_the_value(written: str, padding: object, is_warned: bool) -> None:
    text = f"vars: {{half: 2, first: true}}\nlayers:\n  - conv: {{out: half, kernel: 5, padding: {written}}}\n"
    text = text if "first" in written else text.replace(", first: true", "")
    found = graph(text)
    assert types(found) == [padding]
    assert [code for code, _, _ in warned(found.warnings)] == ["CC807"] * is_warned


def test_parameters_columns_and_turns_hide_nothing_of_an_argument() -> None:
    block = "blocks: {B: {params: {relu: 6}, layers: [conv: {out: relu, kernel: 1, act: relu}]}}\n"
    found = graph(f"{block}layers: [B: 5, B]")
    assert [node.shape.channels for node in found.layers] == [5, 5, 6, 6]
    assert types(found)[1::2] == ["relu", "relu"]
    assert len(found.warnings) == 1  # one text, however often the block is called
    found = graph("layers: [{repeat: {batch: [5, 6]}, conv: {out: batch, kernel: 1, norm: {type: batch}}}]")
    assert types(found)[1::2] == ["batch", "batch"]
    assert len(found.warnings) == 1


def test_an_activation_that_is_an_item_is_no_variable() -> None:
    found = graph("vars: {relu: 5}\nlayers: [conv: [relu, 1], relu, {relu: , when: relu == 5}]")
    assert types(found)[1:] == ["relu", "relu"]
    assert found.warnings == []


def test_none_is_a_choice_like_others() -> None:
    found = graph("vars: {none: 5}\nlayers: [conv: {out: none, kernel: 1, act: none}]")
    assert [node.shape.channels for node in found.layers] == [5]
    assert [warning.code for warning in found.warnings] == ["CC807"]
    assert types(graph("vars: {act: none}\nlayers: [{act: act}, relu]")) == ["relu"]


def test_a_library_says_what_is_hidden_in_it(tmp_path: Path) -> None:
    library = "vars: {area: 3}\nblocks:\n  Up: [conv: [area, 1], upsample: {scale: 2, mode: area}]\n"
    (tmp_path / "lib.yaml").write_text(library, encoding="utf-8")
    main = tmp_path / "main.yaml"
    main.write_text("import: {lib: lib.yaml}\ninput: [4, 8, 8]\nlayers: [lib.Up]\n", encoding="utf-8")
    column = library.splitlines()[2].rindex("area") + 1
    assert warned(convcalc.load(str(main)).graph.warnings) == [("CC807", 3, column)]
    (warning,) = validate_file(str(tmp_path / "lib.yaml")).warnings
    assert f"lib.yaml:3:{column}: warning CC807" in warning


# --- elsewhere --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "layers: [conv: {out: 5, kernel: 1, act: gelu if 1 < 2 else relu}]",
        "vars: {a: gelu}\nlayers: [conv: {out: 5, kernel: 1, act: a}]",
        "vars: {a: relu, b: gelu if a == relu else relu}\nlayers: [conv: {out: 5, kernel: 1, act: b}]",
        "vars: {all: [relu, gelu]}\nlayers: [{conv: {out: 5, kernel: 1, act: all(i + 1)}, repeat: 1}]",
        "blocks: {B: {params: {a}, layers: [conv: {out: 5, kernel: 1, act: a}]}}\nlayers: [B: gelu]",
        "blocks: {B: {params: {a: gelu}, layers: [conv: {out: 5, kernel: 1, act: a}]}}\nlayers: [B]",
        "layers: [{repeat: {a: [gelu]}, conv: {out: 5, kernel: 1, act: a}}]",
        "vars: {a: relu}\nlayers: [conv: [5, 1], {gelu: , when: a == relu}, {relu: , when: a != relu}]",
        "defaults: {conv: {act: gelu}}\nlayers: [conv: [5, 1]]",
        "vars: {relu: gelu}\nblocks: {B: {params: {a}, layers: [conv: [5, 1], act: a]}}\nlayers: [B: relu]",
    ],
)
def test_words_are_handed_on(text: str) -> None:
    found = graph(text)
    assert [getattr(node.op, "type", "conv") for node in found.layers] == ["conv", "gelu"]


def test_variants_and_overrides_give_words() -> None:
    text = "vars: {a: relu, silu: 5}\nvariants: {g: {a: gelu}, s: {a: silu}}\nlayers: [conv: [silu, 1], act: a]"
    assert types(graph(text, variant="g"))[1] == "gelu"
    assert types(graph(text, variant="s"))[1] == "silu"  # the variable comes after a, which cannot read it
    assert types(graph(text, set={"a": "elu"}))[1] == "elu"
    later = "vars: {silu: 5, a: relu}\nvariants: {s: {a: silu}}\nlayers: [conv: [silu, 1], act: a]"
    with pytest.raises(SpecErrors, match=r"type must be one of relu, .*, not 5"):
        graph(later, variant="s")  # outside of the argument it is the variable
    assert types(graph("vars: {a: relu}\nlayers: [act: a]", set={"a": "gelu if 1 < 2 else relu"})) == ["gelu"]


def test_conditions_of_sweeps_compare_words() -> None:
    axes = (read_axis("act=relu,gelu"), read_axis("area=1..3"))
    assert axes[0].values == ("relu", "gelu")
    assert metrics_used("act == relu and area > 1 or params < 5", axes) == ("params",)
    assert holds("act == relu and area > 1", {"act": axes[0].value(0), "area": 2}) is True
    assert holds("act == relu and area > 1", {"act": axes[0].value(1), "area": 2}) is False


def test_unknown_names_are_still_unknown() -> None:
    for text, wanted in [("relux", "relu"), ("areaa", "area"), ("modul", "module")]:
        with pytest.raises(SpecErrors, match=f"CC201: unknown variable '{text}'; did you mean '{wanted}'"):
            graph(f"layers: [conv: [{text}, 3]]")
    with pytest.raises(SpecErrors, match="CC410: out must be an integer, not the word 'half'"):
        graph("layers: [conv: [half, 3]]")


# --- what stays reserved ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", sorted(RESERVED))
def test_what_the_grammar_needs_is_refused(word: str) -> None:
    for text in (
        f"vars: {{{word}: 3}}\nlayers: [relu]",
        f"blocks: {{B: {{params: {{{word}: 3}}, layers: [relu]}}}}\nlayers: [B]",
        f"layers: [{{repeat: {{{word}: [1]}}, relu: }}]",
    ):
        with pytest.raises(SpecErrors) as caught:
            graph(text)
        assert [error.code for error in caught.value.errors] == ["CC111"]


def test_a_function_is_a_word_where_an_argument_takes_its_name() -> None:
    taken = parse("max if max(width, 1) > 2 else sum", {"width"}, ("max", "sum"))
    assert [taken.evaluate({"width": width}) for width in (2, 3)] == ["sum", "max"]
    assert taken.names == (("width", 11, 16),)
    for text in ("2*max", "max + max(1, 2)", "[max]", "max == 1"):
        with pytest.raises(Exception, match=r"'max' is a function: write max\(x, y, …\)"):
            parse(text)
