"""Elements that layers put out."""

from __future__ import annotations

from collections.abc import Sequence

from convcalc.arith import Number
from convcalc.graph.graph import Graph
from convcalc.metrics.metric import Measure


def activations(graph: Graph) -> Sequence[Number]:
    """Σ outputs of the products of a layer: what the layers with multiplies put out (attention: its six products)."""
    return [node.facts.outputs for node in graph.layers]


def output_elements(graph: Graph) -> Sequence[Number]:
    """Elements of the output of every layer."""
    return [node.facts.elements for node in graph.layers]


MEASURES = (
    Measure(
        "activations", "Activations", "elements", "outputs of the layers that multiply", 50, activations, batched=True
    ),
    Measure(
        "output_elements", "Output elements", "elements", "outputs of all layers", 60, output_elements, batched=True
    ),
)
