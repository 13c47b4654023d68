"""Graphs as a spec can have them: attention without its views, weights for every layer, scopes where there are none."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping

from convcalc.arith import total
from convcalc.errors import Span, SpecError
from convcalc.graph.attention import ATTENTION
from convcalc.graph.builder import GraphBuilder
from convcalc.graph.graph import Graph, LayerFacts, Node
from convcalc.ops.kinds.param import Param
from convcalc.ops.kinds.reshape import Reshape
from convcalc.ops.make import make
from convcalc.ops.op import Op
from convcalc.records import NamedTuple, replace
from convcalc.shapes import Shape

PREFIX = re.compile(r"(?P<word>(?:[A-Za-z]+_)*?[A-Za-z]+)_?\d+[a-z]?_(?!\d+$)")
"""A word with a number, which something follows; names of frameworks' own end in a number, ``conv2d_1``."""
LEAST_LAYERS, LEAST_SCOPES = 3, 2
"""Layers of a scope, and scopes of a word, for which names are taken as those of scopes."""
STAGES = ("conv", "stage")
"""Endings of words with which names of stages begin: what follows is the block."""


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


def separate(graph: Graph) -> Graph:
    """Return a graph whose layers have the biases and scales that a model holds once for several of them.

    Buffers are those of the layers of a spec, so without the scales and zero points of quantised weights. The warnings
    of the graph that is returned say how params and buffers differ; it is the same graph where no layer does.
    """
    nodes = [node if node.op is None else replace(node, facts=_facts(node)) for node in graph.nodes]
    own = [
        (made.facts, node.facts)
        for made, node in zip(nodes, graph.nodes, strict=True)
        if node.weight_owner == node.index
    ]
    params = total(made.params - facts.params for made, facts in own)
    buffers = total(made.buffer_elements - facts.buffer_elements for made, facts in own)
    if all(made.facts is node.facts for made, node in zip(nodes, graph.nodes, strict=True)):
        return graph
    texts = {
        f"the spec has {params:,} params more: a bias or scale for every layer that reads it": params,
        f"the spec has {abs(buffers):,} buffers {'more' if buffers > 0 else 'fewer'}: norms have statistics, constants "
        "are tables, and quantized weights have no scales": buffers,
    }
    place = next((node.source for node in graph.nodes if node.source is not None), None)
    span = Span(place.source) if place is not None else None
    if any(node.facts.stored for node in graph.nodes):
        texts["the spec does not say in which formats the weights are stored: give its report --dtype"] = 1
    warnings = [SpecError("CC817", text, span) for text, differs in texts.items() if differs]
    return replace(graph, nodes=nodes, warnings=[*graph.warnings, *warnings])


def _facts(node: Node) -> LayerFacts:
    assert node.op is not None
    facts, shapes = node.facts, node.input_shapes
    weights, buffers = node.op.weights(*shapes), node.op.buffers(*shapes)
    lacking = _beyond(weights, facts.weights)
    has_more = lacking and not _beyond(facts.weights, weights) and all(shape.rank == 1 for shape in lacking)
    if not has_more and not facts.stored and Counter(facts.buffers.values()) == Counter(buffers.values()):
        return facts
    return LayerFacts(facts.output, weights if has_more else facts.weights, buffers, facts.products)


def _beyond(left: Mapping[str, Shape], right: Mapping[str, Shape]) -> Counter[Shape]:
    """Return the shapes of one that the other has not, or fewer times."""
    return Counter(left.values()) - Counter(right.values())


def with_scopes(graph: Graph) -> Graph:
    """Return a graph with scopes of the words that several names begin with; the same one where there are none."""
    if graph.scopes:
        return graph
    found = {node.index: _scope(node.path.partition(".")[0]) for node in graph.layers}
    sizes = Counter(found.values())
    large = {each for each, size in sizes.items() if each[0] and size >= LEAST_LAYERS}
    words = Counter(word for _, word in large)
    scopes = {scope: word.title().replace("_", "") for scope, word in large if words[word] >= LEAST_SCOPES}
    if not scopes:
        return graph
    nodes = [
        replace(node, path=f"{scope}.{node.path[len(scope) + 1 :]}") if scope in scopes else node
        for node, scope in ((node, found.get(node.index, ("", ""))[0]) for node in graph.nodes)
    ]
    return replace(graph, nodes=nodes, scopes=scopes)


def _scope(name: str) -> tuple[str, str]:
    """Return what a name begins with up to the number of a block, and the block's word."""
    at, scope, word = 0, "", ""
    while match := PREFIX.match(name, at):
        at, scope, word = match.end(), name[: match.end() - 1], match["word"]
        if not word.endswith(STAGES):
            break
    return scope, word
