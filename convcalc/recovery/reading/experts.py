"""Experts: which join has them among its branches, and which layers they consist of."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from convcalc.graph.graph import Graph, Node
from convcalc.ops.idle import Idle
from convcalc.recovery.items import Item

if TYPE_CHECKING:
    from convcalc.recovery.reading.fuse import Unit


class Experts(NamedTuple):
    """The row of those that do not run, and the first layer of those that do: their layers are all up to that row."""

    idle: Node
    first: int


def note_experts(graph: Graph, units: Sequence[Unit]) -> None:
    """Note experts at the first join that reads the last of those that run."""
    waiting = {node.beside: node for node in graph.layers if isinstance(node.op, Idle)}
    for unit in units if waiting else ():
        for index in unit.inputs if unit.is_join else ():
            node = waiting.get(index)
            if node is not None and unit.nodes[0].index > node.index:
                unit.experts.append(Experts(node, _first_layer(graph, node)))
                del waiting[index]


def _first_layer(graph: Graph, idle: Node) -> int:
    turn = re.compile(rf"{re.escape(_name(idle))}_?\d+(\.|$)")
    at = idle.index
    while turn.match(graph.nodes[at - 1].path):
        at -= 1
    return at


def with_each(item: Item, experts: Sequence[Experts]) -> None:
    """Let the branches of a join that are experts be one, which is an item ``each``."""
    assert item.branches is not None
    for node, _ in experts:
        assert isinstance(node.op, Idle)
        end = item.ends.index(node.beside) + 1
        run = slice(end - node.op.running, end)
        each = Item("each", {"each": node.op.running, "of": node.op.experts}, (node.index,), path=_name(node))
        each.branches, each.ends = item.branches[run], item.ends[run]
        item.branches[run] = [[each]]
        item.ends = (*item.ends[: run.start], node.index, *item.ends[end:])


def _name(idle: Node) -> str:
    """Return the path of experts without the number of each."""
    return idle.path.rpartition(".")[0]
