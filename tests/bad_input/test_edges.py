"""Meaning at the edges: what is allowed although it looks odd, and what is checked although it never runs."""

from __future__ import annotations

from typing import Any

import pytest

import convcalc
from tests.bad_input.cases import errors_of, first_lines

HEAD = "input: [3, 8, 8]\n"


def codes(text: str, **options: Any) -> list[str]:
    return [error.code for error in errors_of(text, **options)]


def paths(items: str, head: str = HEAD, **options: object) -> list[str]:
    """Return the paths of the layers of a network that stands without any warning."""
    network = convcalc.load(text=f"{head}layers:\n{items}", **options)  # type: ignore[arg-type]
    assert network.graph.warnings == []
    return [node.path for node in network.graph.layers]


# --- nothing ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", ["0", "{n: []}", "{n: range(0)}", "cin - 3", '"0"'])
def test_a_repeat_of_nothing_passes_the_value_on(count: str) -> None:
    assert paths(f"  - {{conv: [9, 9], repeat: {count}}}\n  - conv: [8, 3]\n") == ["conv2"]


def test_an_empty_list_passes_the_value_on() -> None:
    assert paths("  - []\n  - [[], []]\n  - {seq: []}\n  - {name: n, seq: []}\n  - conv: [8, 3]\n") == ["conv1"]


def test_a_deleted_item_passes_the_value_on() -> None:
    assert paths("  - {conv: [9, 9], when: cin > 3}\n  - conv: [8, 3]\n") == ["conv2"]


def test_a_deleted_layer_is_no_output() -> None:
    text = HEAD + "vars: {deep: false}\nlayers: [{relu: , name: a, when: deep}, silu]\noutputs: [a]\n"
    assert list(convcalc.load(text=text).graph.outputs) == ["act2"]


@pytest.mark.parametrize("layers", ["[]", "[[]]", "[identity]", "[{relu: , repeat: 0}]"])
def test_a_network_of_no_layers(layers: str) -> None:
    report = convcalc.load(text=f"{HEAD}layers: {layers}\n").report()
    assert (len(report.rows), report.totals["params"], report.totals["macs"]) == (0, 0, 0)


@pytest.mark.parametrize(
    "join",
    [
        "add: []",
        "add: [{relu: , when: cin > 3}]",
        "concat: [{each: 0, relu: }]",
        "mul: [{relu: , repeat: 0}]",
        "concat: {axis: 1, branches: []}",
    ],
)
def test_a_join_without_branches(join: str) -> None:
    (line,) = first_lines(f"{HEAD}layers:\n  - {{name: j, {join}}}\n")
    assert line.startswith("spec.yaml:3:15: error CC415: ")
    assert line.endswith(" has no branch left")


def test_a_join_of_one_branch_keeps_its_row() -> None:
    assert paths("  - add: [{relu: , when: cin > 3}, silu]\n") == ["act2", "add1"]


# --- nulls and quotes -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("null", ["", "null", "{}"])
def test_a_null_argument_is_a_missing_one(null: str) -> None:
    assert codes(f"{HEAD}layers: [conv: {null or '{}'}]\n") == ["CC202"]
    assert codes(f"{HEAD}layers: [{{maxpool: {null}}}]\n") == ["CC408"]
    assert paths("  - conv: {out: 8, kernel: 3, stride: , padding: null}\n") == ["conv1"]
    assert codes(f"{HEAD}blocks: {{A: {{params: {{c: 8}}, layers: [conv: [c, 3]]}}}}\nlayers: [A: {null}]\n") == []


def test_a_null_in_quotes_is_a_word() -> None:
    assert codes(HEAD + 'layers: [conv: ["null", 3]]\n') == ["CC201"]


SECTIONS = ("vars", "variants", "defaults", "blocks", "claims", "outputs", "import", "name", "note", "convcalc")


@pytest.mark.parametrize("section", SECTIONS)
def test_a_section_may_be_null(section: str) -> None:
    assert codes(f"{section}:\n{HEAD}layers: [relu]\n") == []


@pytest.mark.parametrize("quote", ['"', "'"])
def test_quoted_scalars_are_expressions(quote: str) -> None:
    (conv,) = convcalc.load(text=f"{HEAD}layers: [conv: [{quote}2*cin{quote}, {quote}3{quote}]]\n").graph.layers
    assert conv.shape == (6, 6, 6)


def test_quoted_words_and_keys_are_words() -> None:
    assert paths("  - \"relu\"\n  - {'conv': {\"out\": 8, 'kernel': 3}, \"name\": 'a'}\n") == ["act1", "a"]


@pytest.mark.parametrize(("written", "channels"), [("007", 7), ("1e1", 10), ("0.5*8", 4), ("1.0", 1), ("12e-1*5", 6)])
def test_numbers_are_read_by_their_source_text(written: str, channels: int) -> None:
    (conv,) = convcalc.load(text=f"{HEAD}layers: [conv: [{written}, 3]]\n").graph.layers
    assert conv.shape.channels == channels


@pytest.mark.parametrize(
    "written", ["0x8", "0o7", "0b1", "1_000", "+8", "8.", ".5", "~", ".inf", ".nan", "1:30", "8,5"]
)
def test_numbers_of_other_languages_are_none(written: str) -> None:
    assert codes(f"{HEAD}layers:\n  - linear: {written}\n")[0] in {"CC301", "CC303"}


@pytest.mark.parametrize("written", ["yes", "no", "on", "off", "True", "FALSE", "None"])
def test_booleans_of_other_languages_are_none(written: str) -> None:
    assert codes(f"{HEAD}layers:\n  - {{relu: , when: {written}}}\n") in (["CC201"], ["CC305"])


@pytest.mark.parametrize("when", ["1", "0", "cin", "cin - 3", "none", "[true]"])
def test_what_is_no_boolean(when: str) -> None:
    assert set(codes(f'{HEAD}layers:\n  - {{relu: , when: "{when}"}}\n')) == {"CC413"}
    assert codes(f'{HEAD}layers:\n  - conv: {{out: 8, kernel: 3, bias: "{when}"}}\n') == ["CC410"]


def test_an_activation_may_be_a_key() -> None:
    assert paths("  - {relu: , name: r}\n  - {silu: null, repeat: 2}\n  - {gelu: {}, when: cin == 3}\n") == [
        "r",
        "act2_1",
        "act2_2",
        "act3",
    ]


def test_none_passes_its_input_on() -> None:
    assert paths("  - act: none\n  - norm: none\n  - conv: {out: 8, kernel: 3, norm: none, act: none}\n") == ["conv1"]


def test_half_on_an_even_kernel_is_rounded_down_and_warns() -> None:
    network = convcalc.load(text=HEAD + "layers: [conv: {out: 8, kernel: [2, 3], padding: half}]\n")
    assert network.graph.layers[0].shape == (8, 7, 8)
    assert [str(warning).partition("CC805")[0] for warning in network.graph.warnings] == ["<text>:2:10: warning "]


def test_half_on_an_even_kernel_warns_once_for_a_place() -> None:
    assert codes(HEAD + "layers: [{conv: {out: 8, kernel: 2, padding: half}, repeat: 4}]\n") == ["CC805"]


# --- what never runs is read all the same -----------------------------------------------------------------------------

NEVER = {
    "a variant that is not chosen": "vars: {k: 1}\nvariants: {v: {k: BAD}}\nlayers: [conv: [8, k]]\n",
    "a false when": "vars: {deep: false}\nlayers: [{conv: [8, BAD], when: deep}]\n",
    "an else that is not taken": "layers: [{relu: , when: cin == 3, else: {conv: [8, BAD]}}]\n",
    "a block never called": "blocks: {A: [conv: [8, BAD]]}\nlayers: [relu]\n",
    "a default never needed": "blocks: {A: {params: {p: BAD}, layers: [conv: [p, 1]]}}\nlayers: [A: 8]\n",
    "a repeat of nothing": "layers: [{conv: [8, BAD], repeat: 0}]\n",
    "defaults of a kind that is not there": "defaults: {linear: {bias: BAD}}\nlayers: [relu]\n",
}


@pytest.mark.parametrize("text", NEVER.values(), ids=NEVER)
def test_names_are_checked_where_nothing_runs(text: str) -> None:
    assert codes(HEAD + text.replace("BAD", "nope")) == ["CC201"]
    assert codes(HEAD + text.replace("BAD", '"("')) == ["CC302"]


@pytest.mark.parametrize("text", NEVER.values(), ids=NEVER)
def test_values_are_not_worked_out_where_nothing_runs(text: str) -> None:
    assert not {code for code in codes(HEAD + text.replace("BAD", "1/0")) if code < "CC8"}


@pytest.mark.parametrize(
    ("item", "code"),
    [
        ("conv: {out: 8, kernel: 3, strid: 1}", "CC203"),
        ("conv: 8", "CC202"),
        ("rellu: ", "CC204"),
        ("Nope: 8", "CC204"),
        ("relu: , silu: ", "CC123"),
        ("relu: , name: a.b", "CC110"),
        ("norm: {type: batch, groups: 2}", "CC203"),
        ("relu: , from: a..b", "CC113"),
    ],
)
def test_items_are_checked_where_nothing_runs(item: str, code: str) -> None:
    assert codes(f"{HEAD}vars: {{deep: false}}\nlayers: [{{{item}, when: deep}}]\n") == [code]
    assert codes(f"{HEAD}blocks: {{A: [{{{item}}}]}}\nlayers: [relu]\n") == [code]


# --- modifiers --------------------------------------------------------------------------------------------------------


def test_from_of_a_deleted_item_is_not_looked_up() -> None:
    head = HEAD + "vars: {deep: false}\n"
    assert paths("  - {relu: , from: nowhere, when: deep}\n  - silu\n", head) == ["act2"]


def test_from_is_looked_up_where_when_asks_for_what_enters() -> None:
    assert codes(HEAD + "layers: [{relu: , from: nowhere, when: cin > 3}]\n") == ["CC210"]


def test_name_from_and_repeat_hold_for_else() -> None:
    item = "{conv: [8, 3], when: not first, else: relu, repeat: 2, name: a, from: stem}"
    items = f"  - {{conv: [8, 1], name: stem}}\n  - {item}\n"
    assert paths(items + "outputs: [a1]\n") == ["stem", "a1", "a2"]


def test_else_may_be_a_block_of_several_inputs() -> None:
    head = HEAD + "blocks: {Up: {inputs: [skip], layers: [add: [identity, {from: skip}]]}}\n"
    item = "  - {Up: , from: [., input], when: cin > 3, else: Up}\n"
    assert paths(f"  - relu\n{item}", head) == ["act1", "up2.add1"]
    item = "  - {Up: , from: [., input], when: cin > 3, else: [silu]}\n"
    assert paths(f"  - relu\n{item}", head) == ["act1", "act2"]


def test_from_alone_is_an_identity() -> None:
    assert paths("  - {conv: [8, 3], name: a}\n  - {from: input}\n  - {conv: [8, 3]}\noutputs: [a]\n") == ["a", "conv2"]


def test_a_tie_in_else_shares_the_weights_of_its_own_first_turn() -> None:
    items = "  - {relu: , when: i > 5, else: {conv: [3, 1], tie: true}, repeat: 4, name: a}\n"
    network = convcalc.load(text=f"{HEAD}layers:\n{items}")
    assert {node.weight_owner for node in network.graph.layers} == {1}
    assert network.report().totals["params"] == 12


def test_columns_hide_and_are_worked_out_together() -> None:
    head = "vars: {a: 8, i: 4}\n" + HEAD
    items = "  - {repeat: {a: '[a, 2*a]', first: [true, true]}, conv: [a + i, 1], when: first}\n"
    network = convcalc.load(text=f"{head}layers:\n{items}")
    assert [node.shape.channels for node in network.graph.layers] == [8, 17]


# --- names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a", "1x1", "_", "3", "a-b", "名前", "é", "Ω1", "n" * 200, "conv", "input1", "Input"])
def test_names_that_are_allowed(name: str) -> None:
    assert paths(f"  - {{relu: , name: {name}}}\n") == [name]


@pytest.mark.parametrize("name", ["'input'", "a.b", "a b", "-a", "''", '"a\\tb"', "a/b", "a#b", "a@b", "é!", "⅓x+"])
def test_names_that_are_not(name: str) -> None:
    assert codes(f"{HEAD}layers:\n  - {{relu: , name: {name}}}\n") == ["CC110"]


def test_names_are_compared_in_one_normal_form() -> None:
    composed, decomposed = "\u00e9", "e\u0301"
    items = f"  - {{relu: , name: {decomposed}}}\n  - {{silu: , from: {composed}}}\n"
    assert paths(items) == [composed, "act2"]
    assert codes(f"{HEAD}layers: [{{relu: , name: {composed}}}, {{relu: , name: {decomposed}}}]\n") == ["CC212"]
    declared = f"vars: {{{decomposed}: 8}}\nvariants: {{{decomposed}: {{{composed}: 4}}}}\n"
    text = f"{declared}{HEAD}layers: [conv: [{composed}, 3]]\n"
    network = convcalc.load(text=text, variant=composed, set={decomposed: "2"})
    assert network.graph.layers[0].shape.channels == 2
    text = f"{HEAD}blocks: {{{decomposed.upper()}: {{params: {{{decomposed}}}, layers: [conv: [{composed}, 3]]}}}}\n"
    assert codes(f"{text}layers: [{composed.upper()}: {{{composed}: 8}}]\n") == []
    assert codes(f"{text}layers: [{decomposed.upper()}: 8]\n") == []


def test_an_expression_can_read_every_variable_that_may_be_named() -> None:
    for name in ("x", "_x", "é", "é", "名前", "x1", "Ω"):
        assert codes(f"vars: {{{name}: 8}}\n{HEAD}layers: [conv: [{name}, 3]]\n") == []
    for name in ("x²", "1x", "x-y", "x.y", "²", "x\u0301\u0301\u0327" * 3):
        assert codes(f"vars: {{{name}: 8}}\n{HEAD}layers: [relu]\n") == ["CC110"]


def test_the_name_of_a_file_is_text() -> None:
    for name in ("f(x) = {x}", "a {", "} b", "{1/0", "50%", "[a]"):
        text = f"name: '{name}'\n{HEAD}layers: [relu]\n"
        assert convcalc.load(text=text).graph.name == name


# --- versions of the language -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["1", '"1"'])
def test_this_version(version: str) -> None:
    assert codes(f"convcalc: {version}\n{HEAD}layers: [relu]\n") == []


@pytest.mark.parametrize("version", ["2", "1.0", "[1]"])
def test_other_versions(version: str) -> None:
    assert codes(f"convcalc: {version}\n{HEAD}layers: [relu]\n") == ["CC120"]
