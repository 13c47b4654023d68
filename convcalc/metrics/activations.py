"""Elements that layers put out."""

from __future__ import annotations

from collections.abc import Sequence

from convcalc.arith import Number
from convcalc.graph.graph import Graph
from convcalc.metrics.metric import Measure


def activations(graph: Graph) -> Sequence[Number]:
    """Σ outputs of the products of a layer: what the layers with multiplies put out (attention: its six products).

    Not:
        Outputs of norms, activation functions and pools, which output_elements has too; memory, for they are not alive
        at once.

    Called:
        activations in fvcore and in the paper of RegNet, macts in timm.
    """
    return [node.facts.outputs for node in graph.layers]


def output_elements(graph: Graph) -> Sequence[Number]:
    """Elements of the output of every layer.

    Not:
        What is in memory at once (peak_activation_bytes); what training keeps in a framework that works in place.

    Called:
        the sizes of feature maps; no tool of the profiles has a name for them.
    """
    return [node.facts.elements for node in graph.layers]


MEASURES = (
    Measure(
        "activations", "Activations", "elements", "outputs of the layers that multiply", 50, activations, batched=True
    ),
    Measure(
        "output_elements", "Output elements", "elements", "outputs of all layers", 60, output_elements, batched=True
    ),
)
