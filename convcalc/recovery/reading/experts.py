"""Experts: which join has them among its branches, and which layers they consist of."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from convcalc.graph.graph import Graph, Node
from convcalc.ops.idle import Idle
from convcalc.records import NamedTuple
from convcalc.recovery.items import Item

if TYPE_CHECKING:
    from convcalc.recovery.reading.fuse import Unit


class Experts(NamedTuple):
    """Those of one ``each``."""

    idle: Node
    """The row of those that do not run."""
    first: int
    """The first layer of those that do: all from it to that row are theirs."""
    shared: frozenset[int]
    """Layers of a single one that runs whose weights all experts share."""


def note_experts(graph: Graph, units: Sequence[Unit]) -> None:
    """Note experts at the first join that reads the last of those that run."""
    waiting = {node.beside: node for node in graph.layers if isinstance(node.op, Idle)}
    for unit in units if waiting else ():
        for index in unit.inputs if unit.is_join else ():
            node = waiting.get(index)
            if node is not None and isinstance(node.op, Idle) and unit.nodes[0].index > node.index:
                first = _first_layer(graph, node)
                unit.experts.append(Experts(node, first, frozenset(_shared(node.op, graph.nodes[first : node.index]))))
                del waiting[index]


def _shared(op: Idle, nodes: Sequence[Node]) -> Iterator[int]:
    """Yield layers with weights that those which do not run have not."""
    idle = list(op.layers) if op.running == 1 else []
    for node in nodes if idle else ():
        if node.weight_owner == node.index and (node.facts.weights or node.facts.buffers):
            if idle and (idle[0].op, idle[0].entering) == (node.op, node.input_shapes):
                del idle[0]
            else:
                yield node.index


def _first_layer(graph: Graph, idle: Node) -> int:
    turn = re.compile(rf"{re.escape(_name(idle))}_?\d+(\.|$)")
    at = idle.index
    while turn.match(graph.nodes[at - 1].path):
        at -= 1
    return at


def with_each(item: Item, experts: Sequence[Experts]) -> None:
    """Let the branches of a join that are experts be one, which is an item ``each``."""
    assert item.branches is not None
    for node, _, shared in experts:
        assert isinstance(node.op, Idle)
        end = item.ends.index(node.beside) + 1
        run = slice(end - node.op.running, end)
        if not all(item.branches[run]):
            continue  # they are in a branch of another join: there is no such spec
        each = Item("each", {"each": node.op.running, "of": node.op.experts}, (node.index,), path=_name(node))
        each.branches, each.ends = item.branches[run], item.ends[run]
        for inner in each.below():
            if not shared.isdisjoint(inner.nodes[:1]):
                inner.modifiers["tie"] = True
        item.branches[run] = [[each]]
        item.ends = (*item.ends[: run.start], node.index, *item.ends[end:])


def _name(idle: Node) -> str:
    """Return the path of experts without the number of each."""
    return idle.path.rpartition(".")[0]
