"""Views of views as one, and without those that change nothing: what exporters write around an attention."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping

from convcalc.graph.attention import ATTENTION
from convcalc.graph.builder import GraphBuilder
from convcalc.graph.graph import Graph, Node
from convcalc.ops.kinds.param import Param
from convcalc.ops.kinds.reshape import Reshape
from convcalc.ops.make import make
from convcalc.ops.op import Op
from convcalc.records import NamedTuple, replace


class Replacement(NamedTuple):
    """A layer in the place of another, which reads layers of the graph as it was."""

    path: str
    op: Op
    inputs: tuple[int, ...]


def rebuilt(
    graph: Graph, replaced: Mapping[int, Replacement], dropped: Collection[int], aliases: Mapping[int, int]
) -> Graph:
    """Return a graph with some layers replaced.

    Args:
        graph: as it was.
        replaced: the new layers.
        dropped: layers that nothing reads any more.
        aliases: layer → the earlier one that is read in its place.
    """
    builder = GraphBuilder()
    place: dict[int, int] = {}
    for node in graph.nodes:
        new = replaced.get(node.index)
        if node.index in aliases:
            place[node.index] = place[aliases[node.index]]
        elif new is not None:
            inputs = [place[index] for index in new.inputs]
            place[node.index] = builder.append(new.path, new.op, inputs, node.source)
        elif node.index not in dropped:
            place[node.index] = index = len(builder.nodes)
            inputs = [place[each] for each in node.inputs]
            shapes = tuple(builder.nodes[each].shape for each in inputs) if inputs else node.input_shapes
            owner = place[node.weight_owner]
            made = replace(node, index=index, inputs=tuple(inputs), input_shapes=shapes, weight_owner=owner)
            made.beside = place.get(node.beside, -1)
            builder.nodes.append(made)
    outputs = {name: place[index] for name, index in graph.outputs.items()}
    return Graph(builder.nodes, outputs, graph.name, graph.warnings, graph.scopes)


WITHOUT_WINDOWS, WITH_WINDOWS = 2, 3
"""Axes of what an attention reads."""


def without_views(graph: Graph) -> Graph:
    """Return a graph in which a reshape of a reshape is one, and what gives a layer's output again is that."""
    graph = _with_windows(graph)
    roots: list[int] = []
    readers = Counter(index for node in graph.nodes for index in (*node.inputs, node.weight_owner))
    replaced: dict[int, Replacement] = {}
    aliases: dict[int, int] = {}
    dropped: set[int] = set()
    bases: dict[int, int] = {}
    for node in graph.nodes:
        roots.append(roots[node.inputs[0]] if keeps_order(node) else node.index)
        root = graph.nodes[roots[-1]]
        if root is node:
            continue
        before = graph.nodes[node.inputs[0]]
        if root.shape == node.shape:
            aliases[node.index] = root.index
        elif (
            isinstance(root.op, Param) and readers[root.index] == 2 and root.weight_owner == root.index
        ):  # itself, and one view
            op = make("param", shape=tuple(node.shape), learned=root.op.learned)
            replaced[node.index] = Replacement(root.path, op, ())
            dropped.add(root.index)
        elif isinstance(node.op, Reshape) and isinstance(before.op, Reshape) and before.index not in aliases:
            bases[node.index] = base = bases.get(before.index, before.inputs[0])
            replaced[node.index] = Replacement(node.path, node.op, (base,))
    return rebuilt(graph, replaced, dropped, aliases).without_unread()


def keeps_order(node: Node) -> bool:
    """Whether a layer has the elements of its input in their order: one that moves axes of one cell does, too."""
    kind = node.op.kind if node.op is not None else ""
    if kind != "permute":
        return kind in ("reshape", "flatten")
    moved = [axis % len(node.shape) for axis in node.op.axes if node.input_shapes[0][axis] != 1]  # type: ignore[union-attr]
    return moved == sorted(moved)


def _with_windows(graph: Graph) -> Graph:
    """Return a graph in which a picture of a single window has an axis of windows, as those of several have."""
    attentions = [node for node in graph.layers if node.op is not None and node.op.kind == ATTENTION]
    if not any(node.input_shapes[0].rank == WITH_WINDOWS for node in attentions):
        return graph
    return rebuilt(graph, dict(_windows(graph, attentions)), (), {})


def _windows(graph: Graph, attentions: list[Node]) -> Iterator[tuple[int, Replacement]]:
    readers: dict[int, list[Node]] = {}
    for node in graph.nodes:
        for index in node.inputs:
            readers.setdefault(index, []).append(node)
    for node in attentions:
        before, behind = graph.nodes[node.inputs[0]], readers.get(node.index, [])
        is_lone = len(node.inputs) == 1 and readers[before.index] == [node] and node.shape.rank == WITHOUT_WINDOWS
        if is_lone and isinstance(before.op, Reshape) and all(isinstance(each.op, Reshape) for each in behind):
            assert node.op is not None
            yield before.index, Replacement(before.path, Reshape((1, *before.shape)), before.inputs)
            yield node.index, Replacement(node.path, node.op, node.inputs)
