"""A graph with other layers in the place of some."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from convcalc.graph.builder import GraphBuilder
from convcalc.graph.graph import Graph
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
