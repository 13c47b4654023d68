"""Weights of a model as a spec can have them: all of its own for every layer, or all those of another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from convcalc.arith import Number, total
from convcalc.errors import Span, SpecError
from convcalc.graph.graph import Graph, LayerFacts, Node
from convcalc.records import replace
from convcalc.shapes import Shape


def separate(graph: Graph) -> Graph:
    """Return a graph whose layers have the biases and scales that a model holds once for several of them.

    Buffers are those of the layers of a spec, so without the scales and zero points of quantised weights. The warnings
    of the graph that is returned say how params and buffers differ; it is the same graph where no layer does.
    """
    nodes = [node if node.op is None else replace(node, facts=_facts(node)) for node in graph.nodes]
    params, buffers = (
        total(count(node) for node in nodes) - total(count(node) for node in graph.nodes)
        for count in (_params, _buffers)
    )
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


def _params(node: Node) -> Number:
    return node.facts.params if node.weight_owner == node.index else 0


def _buffers(node: Node) -> Number:
    return node.facts.buffer_elements if node.weight_owner == node.index else 0


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
