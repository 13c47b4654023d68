"""A split with names is the same network as its slices; a join of one function may be written without branches."""

from __future__ import annotations

import pytest

import convcalc
from convcalc.errors import SpecErrors
from convcalc.metrics.registry import DETAIL_KEYS

SPLITS = {
    "split: {names: [a, b, c], axis: 1}": [(1, 0, 4), (1, 4, 8), (1, 8, 12)],
    "split: {names: [a, b, c], sizes: [3, 1, 2]}": [(0, 0, 3), (0, 3, 4), (0, 4, 6)],
    "split: {names: [a, b, c], sizes: widths, axis: -2}": [(1, 0, 2), (1, 2, 9), (1, 9, 12)],
}
HEAD = """\
input: [6, 12, 5]
vars: {widths: [2, 7, 3]}
layers:
  - {conv: {out: 6, kernel: [3, 1], padding: [1, 0]}, name: x}
"""
TAIL = "  - {flatten: , from: a}\n  - linear: 7\n  - {flatten: , from: b}\n  - {flatten: , from: c}\n"


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.filterwarnings("ignore")
def test_parts_are_slices(split: str) -> None:
    cuts = zip("abc", SPLITS[split], strict=True)
    slices = "".join(
        f"  - {{slice: {{axis: {axis}, start: {start}, stop: {stop}}}, from: x, name: {name}}}\n"
        for name, (axis, start, stop) in cuts
    )
    parts, sliced = (
        convcalc.load(text=HEAD + items + TAIL).report(detailed=DETAIL_KEYS) for items in (f"  - {split}\n", slices)
    )
    assert [(row.path, row.output_shape, row.values) for row in parts.rows] == [
        (row.path, row.output_shape, row.values) for row in sliced.rows
    ]
    assert parts.totals == sliced.totals
    assert [row.op for row in parts.rows].count("split") == 3


def paths(layers: str) -> list[str]:
    return [node.path for node in convcalc.load(text=f"input: [6, 4]\n{layers}").graph.layers]


def test_names_of_parts() -> None:
    """As in a list: transparent by itself, a scope with a name or a repeat."""
    assert paths("layers: [split: {names: [a, b]}, add: [{from: a}, {from: b}]]\n") == ["a", "b", "add1"]
    named = "layers: [{split: {names: [a, b]}, name: s}, add: [{from: s.a}, {from: s.b}]]\n"
    assert paths(named) == ["s.a", "s.b", "add1"]
    turns = "layers: [{split: {names: [a, b]}, repeat: 2, from: input}, {relu: , from: split1_2.b}]\n"
    assert paths(turns) == ["split1_1.a", "split1_1.b", "split1_2.a", "split1_2.b", "act1"]
    each = "layers: [{split: {into: 3, part: i}, repeat: 3, from: input, name: part}, relu]\n"
    assert paths(each) == ["part1", "part2", "part3", "act1"]


def test_parts_of_defaults_of_a_block_and_of_a_turn() -> None:
    text = """\
defaults: {split: {axis: 1}}
blocks:
  Halves:
    layers:
      - split: {names: [left, right]}
      - add: [{from: left}, {from: right}]
layers: [{Halves: , repeat: 2, name: h}]
outputs: [h1.right]
"""
    network = convcalc.load(text=f"input: [6, 4]\n{text}")
    assert network.report().outputs == {"h1.right": (6, 2), "h2.add1": (6, 1)}
    assert paths(text) == ["h1.left", "h1.right", "h1.add1", "h2.left", "h2.right", "h2.add1"]


def refused(layers: str) -> list[tuple[str, int]]:
    with pytest.raises(SpecErrors) as raised:
        convcalc.load(text=f"input: [6, 4]\nlayers:\n{layers}")
    return [(error.code, error.span.line if error.span else 0) for error in raised.value.errors]


SPLIT = "  - {split: {names: [a, b]}, name: s}\n"


@pytest.mark.parametrize(
    ("layers", "errors"),
    [
        (SPLIT, [("CC213", 3)]),  # the network's output
        (f"{SPLIT}  - relu\n", [("CC213", 4)]),
        (f"{SPLIT}  - {{relu: , from: s}}\n", [("CC213", 4)]),
        (f"{SPLIT}  - {{relu: , from: .}}\n", [("CC213", 4)]),
        (f"{SPLIT}  - {{relu: , when: cin > 1}}\n", [("CC213", 4)]),
        (f"{SPLIT}  - {{relu: , repeat: cin, from: s.a}}\n", [("CC213", 4)]),
        (f"{SPLIT}  - {{upsample: {{like: s}}, from: s.a}}\n", [("CC213", 4)]),
        (f"{SPLIT}  - []\n", [("CC213", 4)]),
        (f"{SPLIT}  - add: [identity, {{from: s.a}}]\n", [("CC213", 4)]),
        (f"{SPLIT}  - add: [[], {{from: s.a}}]\n", [("CC213", 4)]),
        ("  - add: [identity, split: {names: [a, b]}]\n", [("CC213", 3)]),
        ("  - concat: [{each: 2, split: {names: [a, b]}}]\n", [("CC213", 3)]),
        ("  - split: {names: [a, b, c, d]}\n  - relu\n", [("CC404", 3)]),  # what follows is not blamed
        ("  - split: {names: [a, b], sizes: [1, 2, 3]}\n", [("CC405", 3)]),
        ("  - split: {names: [a, a]}\n", [("CC212", 3)]),
        ("  - split: {names: [a, b], into: 2}\n", [("CC203", 3)]),
        ("  - split: {names: [a, b], part: 2}\n", [("CC203", 3)]),
        ("  - split: {names: [a, [b]]}\n", [("CC117", 3)]),
        ("  - split: {names: []}\n", [("CC117", 3)]),
        ("  - split: {names: a}\n", [("CC117", 3)]),
        ("  - split: {names: }\n", [("CC117", 3)]),
        ("  - split: {names: [a, -1]}\n", [("CC110", 3)]),
        ("  - split: {names: [a, b], axes: 1}\n", [("CC203", 3)]),
        ("  - split: 2\n", [("CC202", 3)]),
    ],
)  # fmt: skip
def test_several_parts_are_not_read_as_one(layers: str, errors: list[tuple[str, int]]) -> None:
    assert refused(layers) == errors


def test_outputs_name_parts_and_not_the_split() -> None:
    text = f"input: [6, 4]\nlayers:\n{SPLIT}outputs: [s.a, s.b]\n"
    assert convcalc.load(text=text).report().outputs == {"s.a": (3, 4), "s.b": (3, 4)}
    with pytest.raises(SpecErrors, match="CC213"):
        convcalc.load(text=text.replace("[s.a, s.b]", "[s]"))


def test_a_function_of_one_tensor_needs_no_branches() -> None:
    forms = ("elementwise: exp", "elementwise: {type: exp}", "elementwise: {type: exp, branches: [identity]}")
    graphs = [convcalc.load(text=f"input: [6, 4]\nlayers: [relu, {form}]\n").graph for form in forms]
    assert [[(node.path, node.op, node.inputs) for node in graph.layers] for graph in graphs[1:]] == [
        [(node.path, node.op, node.inputs) for node in graphs[0].layers]
    ] * 2
    assert refused("  - elementwise: [identity, identity]\n") == [("CC202", 3)]
    assert refused("  - elementwise\n") == [("CC202", 3)]
    assert refused("  - add\n") == [("CC202", 3)]
    assert refused("  - add: 3\n") == [("CC117", 3)]
