"""What is around the layers that are compared: inputs, outputs, and layers that only rearrange or resize."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from convcalc.graph.graph import Graph, Node
from convcalc.match.differences import OUTPUT, Difference, Nodes, Side
from convcalc.match.layers import IGNORABLE, Layer


def entering(layer: Layer) -> Iterator[int]:
    """Give the nodes that a layer reads."""
    own = {node.index for node in layer.nodes}
    return (index for node in layer.nodes for index in node.inputs if index not in own)


def sizing(graph: Graph, layer: Layer) -> Iterator[int]:
    """Give the nodes that a layer reads; of a table that reads none but has a size of one, the nearest of that size."""
    yield from entering(layer)
    for node in layer.nodes:
        if node.input_shapes and not node.inputs:
            alike = (each.index for each in graph.nodes[: node.index] if each.shape == node.input_shapes[0])
            yield from deque(alike, 1)


def unlike_inputs(first: Graph, second: Graph) -> tuple[Nodes, Nodes]:
    """Return the inputs of each graph whose shapes no input of the other has."""
    graphs = (first, second)
    shapes = [Counter(tuple(node.shape) for node in graph.inputs) for graph in graphs]
    rest = (shapes[0] - shapes[1], shapes[1] - shapes[0])
    ours, theirs = (
        tuple(node for node in graph.inputs if tuple(node.shape) in unlike)
        for graph, unlike in zip(graphs, rest, strict=True)
    )
    return ours, theirs


def keeping_size(runs: Iterable[Sequence[Layer]]) -> set[int]:
    """Return the layers of runs that give as much as they read, such as blocks around which the input is added."""
    kept = [run for run in runs if run and run[0].nodes[0].input_shapes[:1] == (run[-1].nodes[-1].shape,)]
    return {layer.index for run in kept for layer in run}


def origins(side: Side, partners: Mapping[int, Layer], inputs: Sequence[Node], kept: Collection[int]) -> list[int]:
    """Return for every node the last node before it, or itself, whose output is not that of its partner, or -1.

    Nodes that are not compared, norms, activations and the layers ``kept`` pass on what they read.
    """
    compared = {layer.index: layer for layer in (*side.layers, *side.tables) if layer.kind not in IGNORABLE}
    unlike = {node.index for node in inputs}
    found: list[int] = []
    for node in side.graph.nodes:
        layer, partner = compared.get(node.index), partners.get(node.index)
        if node.op is not None and (layer is None or node.index in kept):
            found.append(max((found[index] for index in node.inputs), default=-1))
            continue
        differs = node.index in unlike if layer is None else partner is None or partner.output != layer.output
        found.append(node.index if differs else -1)
    return found


def unlike_outputs(sides: Sequence[Side], origins: Sequence[Sequence[int]]) -> Iterator[Difference]:
    """Give the outputs of another size, where no layer that is compared is the reason."""
    outputs = [[side.graph.nodes[index] for index in side.graph.outputs.values()] for side in sides]
    if len(outputs[0]) == len(outputs[1]):
        for one, two in zip(*outputs, strict=True):
            if one.shape.elements != two.shape.elements and origins[0][one.index] == origins[1][two.index] == -1:
                yield Difference(OUTPUT, nodes=((one,), (two,)))


def between(
    sides: Sequence[Side], pair: Sequence[Layer], partners: Sequence[Mapping[int, Layer]]
) -> tuple[Nodes, Nodes]:
    """Return the first layers before a pair, which are not compared, that leave different sizes."""
    resized = [
        list(_resizing(side.graph, layer, known)) for side, layer, known in zip(sides, pair, partners, strict=True)
    ]
    for one, two in zip(*resized, strict=False):
        if one.shape != two.shape:
            return (one,), (two,)
    ours, theirs = resized
    return tuple(ours[len(theirs) :][:1]), tuple(theirs[len(ours) :][:1])


def _resizing(graph: Graph, layer: Layer, known: Mapping[int, Layer]) -> list[Node]:
    """Return the layers between a layer and those before it that are compared, if they change the size."""
    seen: dict[int, Node] = {}
    waiting = list(entering(layer))
    while waiting:
        index = waiting.pop()
        node = graph.nodes[index]
        if index not in seen and index not in known and node.op is not None:
            seen[index] = node
            waiting += node.inputs
    return [seen[index] for index in sorted(seen) if seen[index].shape.elements != seen[index].input_shapes[0].elements]
