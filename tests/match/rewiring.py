"""Networks with one wire changed: another join or pool, a branch less, branches swapped, or another layer read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from random import Random
from typing import Any, NamedTuple

from convcalc.errors import SpecError
from convcalc.graph.builder import GraphBuilder
from convcalc.graph.graph import Graph, Node
from convcalc.ops.kinds.add import Add
from convcalc.ops.kinds.avgpool import AvgPool
from convcalc.ops.kinds.maxpool import MaxPool
from convcalc.ops.kinds.mul import Mul
from tests.match.changes import shaped

_OTHER_POOL = {"maxpool": AvgPool.make(kernel=1, axes=2), "avgpool": MaxPool.make(kernel=1, axes=2)}
JOINS = ("add", "mul", "concat")


class Rewiring(NamedTuple):
    """The layer that was changed, and how."""

    node: Node
    what: str


def rewired(graph: Graph, changed: Node, op: Any, inputs: tuple[int, ...]) -> Graph:
    """Build a graph anew in which one layer has another op and reads others, all before it."""
    builder, handles = GraphBuilder(), dict[int, int]()
    for node in graph.nodes:
        if node.op is None:
            handles[node.index] = builder.input(node.path, node.shape, source=node.source)
            continue
        own, read = (op, inputs) if node is changed else (node.op, node.inputs or shaped(graph, node, handles))
        handles[node.index] = builder.add(node.path, own, *(handles[index] for index in read), source=node.source)
        if node is changed and builder.graph({"": handles[node.index]}).nodes[-1].shape != node.shape:
            raise ValueError("another shape")
    for node in graph.layers:
        if node.weight_owner != node.index:
            builder.tie(handles[node.index], handles[node.weight_owner])
    return builder.graph({label: handles[index] for label, index in graph.outputs.items()}, name=graph.name)


def rewirings(graph: Graph, dice: Random) -> Iterator[tuple[Graph, Rewiring]]:
    """Give a graph with one change, for each layer and each change that leave all shapes, in any order."""
    for node in dice.sample(graph.layers, len(graph.layers)):
        ways = list(_ways(graph, node, dice))
        for what, op, inputs in dice.sample(ways, len(ways)):
            try:
                yield rewired(graph, node, op, inputs), Rewiring(node, what)
            except (SpecError, ValueError):
                continue


def _ways(graph: Graph, node: Node, dice: Random) -> Iterator[tuple[str, Any, tuple[int, ...]]]:
    op: Any = node.op
    if op.kind in ("add", "mul") and len(set(node.inputs)) > 1:
        yield "join", Mul() if op.kind == "add" else Add(), node.inputs
        yield "branch", op, node.inputs[:-1]
        yield "branch", op, node.inputs[1:]
    if op.kind == "concat" and len(set(node.inputs)) > 1:
        yield "order", op, node.inputs[::-1]
    if op.kind in _OTHER_POOL and isinstance(op.kernel_size, tuple):
        window = {name: getattr(op, name) for name in ("kernel_size", "stride", "padding")}
        yield "pool", replace(_OTHER_POOL[op.kind], **window), node.inputs
    for place, index in enumerate(node.inputs[: None if op.kind in JOINS else 1]):
        known = _origin(graph, index)
        alike = [each.index for each in graph.nodes[: node.index] if each.shape == graph.nodes[index].shape]
        alike = [each for each in alike if _origin(graph, each) != known and each not in node.inputs]
        for other in dice.sample(alike, min(2, len(alike))):
            yield "wire", op, (*node.inputs[:place], other, *node.inputs[place + 1 :])


def _origin(graph: Graph, index: int) -> object:
    """Return where what a node gives comes from: through what only rearranges, and joins of one branch."""
    node = graph.nodes[index]
    while node.op is not None and len(set(node.inputs)) == 1 and not node.facts.params and not node.facts.multiplies:
        if node.op.kind in ("norm", "act") or (node.op.kind in _OTHER_POOL and node.shape != node.input_shapes[0]):
            break
        node = graph.nodes[node.inputs[0]]
    return node.index if node.inputs or node.op is None else node.shape
