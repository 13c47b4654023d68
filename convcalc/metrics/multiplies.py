"""Multiplications, and the operations derived from them."""

from __future__ import annotations

from collections.abc import Sequence

from convcalc.arith import Number
from convcalc.graph.graph import Graph
from convcalc.metrics.metric import Measure


def macs(graph: Graph) -> Sequence[Number]:
    """Σ multiplies of the products of a layer: input with weight, or two activations."""
    return [node.facts.multiplies for node in graph.layers]


def flops(graph: Graph) -> Sequence[Number]:
    """2 × macs: one multiply and one add each."""
    return [2 * value for value in macs(graph)]


MEASURES = (
    Measure(
        "macs", "Multiplies", "multiplications",
        "multiply–accumulates of conv, linear, matmul, attention and recurrent layers; "
        "no bias, norm, activation, pooling or elementwise work",
        30, macs, batched=True,
    ),
    Measure("flops", "FLOPs", "operations", "2 × multiplies: one multiply and one add each", 40, flops, batched=True),
)  # fmt: skip
