"""The graph: an order that can be relied on, parts of a network as networks, and shared weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import convcalc
from convcalc.arith import record_constraints
from convcalc.arith.symbols import symbol
from convcalc.errors import SpecError, SpecErrors
from convcalc.graph.graph import Graph, topological_order

# --- order ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("inputs", "order"),
    [
        ([], []),
        ([[], [0], [1]], [0, 1, 2]),
        ([[], [], [], [2, 0]], [0, 1, 2, 3]),  # what is ready keeps its place
        ([[2], [], [1]], [1, 2, 0]),
        ([[1, 1], [], [1]], [1, 0, 2]),  # read twice, waited for once
    ],
)
def test_every_node_stands_behind_its_inputs_otherwise_as_given(inputs: list[list[int]], order: list[int]) -> None:
    assert topological_order(inputs) == order


@pytest.mark.parametrize("inputs", [[[0]], [[1], [0]], [[], [0, 3], [1], [2]]])
def test_a_cycle_is_refused(inputs: list[list[int]]) -> None:
    with pytest.raises(ValueError, match="cycle"):
        topological_order(inputs)


@given(st.integers(1, 12).flatmap(lambda count: st.tuples(st.permutations(range(count)), edges(count))))
def test_any_graph_without_cycles_is_put_in_order(drawn: tuple[list[int], list[tuple[int, int]]]) -> None:
    names, pairs = drawn
    inputs: list[list[int]] = [[] for _ in names]
    for reader, source in pairs:  # from the later to the earlier, under names that do not show which is which
        inputs[names[max(reader, source)]].append(names[min(reader, source)])
    order = topological_order(inputs)
    assert sorted(order) == list(range(len(names)))
    assert all(order.index(source) < order.index(node) for node, sources in enumerate(inputs) for source in sources)


def edges(count: int) -> Any:
    ends = st.integers(0, count - 1)
    return st.lists(st.tuples(ends, ends).filter(lambda pair: pair[0] != pair[1]), max_size=20)


# --- parts ------------------------------------------------------------------------------------------------------------

NETWORK = """\
input: [3, 8, 8]
layers:
  - {conv: {out: 4, kernel: 3, padding: 1, norm: batch, act: relu}, name: stem}
  - name: block
    seq:
      - {conv: [4, 1], name: first}
      - {add: [identity, {conv: [4, 1], tie: first, name: again}, {from: stem}]}
  - {conv: [2, 1], name: left}
  - {conv: [5, 1], name: right, from: block}
outputs: [left, right]
"""


@pytest.fixture(scope="module")
def graph() -> Graph:
    return convcalc.load(text=NETWORK).graph


def paths(graph: Graph) -> list[str]:
    return [node.path for node in graph.layers]


def consistent(graph: Graph) -> bool:
    """Whether indices are places, and everything read or shared stands before its reader."""
    return all(
        node.index == place and node.weight_owner <= place and all(index < place for index in node.inputs)
        for place, node in enumerate(graph.nodes)
    )


def test_the_whole(graph: Graph) -> None:
    assert paths(graph) == [
        "stem", "stem.norm", "stem.act", "block.first", "block.again", "block.add1", "left", "right",
    ]  # fmt: skip
    assert consistent(graph)
    assert graph.all_paths() == {*paths(graph), "block"}
    assert [node.path for node in graph.inputs] == ["input"]


def test_a_part_reads_from_outside_what_it_needs(graph: Graph) -> None:
    part = graph.subgraph("block")
    assert paths(part) == ["block.first", "block.again", "block.add1"]
    assert [(node.path, node.shape) for node in part.inputs] == [("stem.act", (4, 8, 8))]
    assert {label: part.nodes[index].path for label, index in part.outputs.items()} == {"block": "block.add1"}
    assert consistent(part)


def test_a_part_is_a_layer_with_its_fused_layers(graph: Graph) -> None:
    part = graph.subgraph("stem")
    assert paths(part) == ["stem", "stem.norm", "stem.act"]
    assert list(part.outputs.values()) == [3]
    assert paths(graph.subgraph("stem.norm")) == ["stem.norm"]


def test_shared_weights_belong_to_the_first_layer_of_a_part_that_uses_them(graph: Graph) -> None:
    owner, tied = graph.subgraph("block").layers[:2]
    assert tied.weight_owner == owner.index == owner.weight_owner
    (alone,) = graph.subgraph("block.again").layers
    assert alone.weight_owner == alone.index


def test_of_two_loose_ends_the_later_is_the_output_of_a_part() -> None:
    text = """\
input: [3, 8, 8]
layers:
  - {name: pair, seq: [{conv: [4, 1], name: one}, {conv: [5, 1], name: two, from: input}]}
  - concat: [identity, {from: pair.one}]
"""
    pair = convcalc.load(text=text).graph.subgraph("pair")
    assert [pair.nodes[index].path for index in pair.outputs.values()] == ["pair.two"]


def test_a_part_changes_nothing_in_the_whole(graph: Graph) -> None:
    before = [(node.index, node.inputs, node.weight_owner) for node in graph.nodes]
    graph.subgraph("block")
    graph.subgraph("..left")
    assert [(node.index, node.inputs, node.weight_owner) for node in graph.nodes] == before


def test_an_output_brings_what_it_needs_and_no_more(graph: Graph) -> None:
    left = graph.subgraph("..left")
    assert paths(left) == paths(graph)[:-1]
    assert [node.path for node in left.inputs] == ["input"]
    assert list(left.outputs) == ["left"]
    assert paths(graph.subgraph("..right")) == [path for path in paths(graph) if path != "left"]
    assert consistent(left)


def test_a_path_that_is_none_is_refused_with_a_guess(graph: Graph) -> None:
    with pytest.raises(SpecError, match="no layer has the path 'blok'; did you mean 'block'") as raised:
        graph.subgraph("blok")
    assert raised.value.code == "CC211"


# --- shared weights ---------------------------------------------------------------------------------------------------


def tied(first: str, second: str, entering: str = "[4, 8, 8]", **variables: Any) -> convcalc.Network:
    text = f"""\
input: {entering}
vars: {{a: 4, b: 4}}
layers: [{{{first}, name: first}}, {{{second}, name: second, from: input, tie: first}}]
outputs: [first, second]
"""
    return convcalc.load(text=text, set=variables)


@pytest.mark.parametrize(
    ("first", "second", "entering"),
    [
        ("conv: [4, 3]", "conv: {out: 4, kernel: 3, dilation: 2}", "[4, 8, 8]"),
        ("conv: {out: 4, kernel: 1, bias: false}", "deconv: {out: 4, kernel: 1, bias: false}", "[4, 8, 8]"),
        ("norm: batch", "norm: {type: group, groups: 2}", "[4, 8, 8]"),
        ("linear: {out: 5, bias: false}", "embedding: [5, 7]", "[7]"),
    ],
)
def test_layers_of_any_kind_share_weights_of_equal_shapes(first: str, second: str, entering: str) -> None:
    report = tied(first, second, entering).report()
    one, other = report.rows
    assert (one.tied_to, other.tied_to) == (None, "first")
    assert other.values["params"] == 0
    assert report.totals["params"] == one.values["params"] > 0


def test_weights_of_other_shapes_are_not_shared() -> None:
    with pytest.raises(SpecErrors, match=r"weights of second and first differ in shape: \[5, 4, 1, 1\] \[5\] and \[4,"):
        tied("conv: [4, 1]", "conv: [5, 1]")
    with pytest.raises(SpecErrors, match="CC407"):
        tied("conv: [4, 1]", "conv: {out: 4, kernel: 1, bias: false}")


def test_sharing_is_checked_point_by_point() -> None:
    with record_constraints() as ledger:
        totals = tied("conv: [a, 1]", "conv: [b, 1]", a=np.array([4, 5, 6]), b=np.array([4, 6, 6])).report().totals
    masked = np.logical_or.reduce([failed for failed, _, _ in ledger.violations])
    assert masked.tolist() == [False, True, False]
    assert {code for _, code, _ in ledger.violations} == {"CC407"}
    assert [totals["params"][point] for point in (0, 2)] == [4 * 4 + 4, 4 * 6 + 6]


def test_sharing_is_assumed_of_symbols() -> None:
    a, b = symbol("a"), symbol("b")
    with record_constraints() as ledger:
        tied("conv: [a, 1]", "conv: [a, 1]", a=a)
    assert ledger.assumptions == []
    with record_constraints() as ledger:
        tied("conv: [a, 1]", "conv: [b, 1]", a=a, b=b)
    assert [assumption.subs({a: 3}).subs({b: 3}) for assumption in ledger.assumptions] == [True]
