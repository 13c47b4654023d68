"""Multiplications, and the operations derived from them."""

from __future__ import annotations

from collections.abc import Sequence

from convcalc.arith import Number
from convcalc.graph.graph import Graph
from convcalc.metrics.metric import Measure


def macs(graph: Graph) -> Sequence[Number]:
    """Σ multiplies of the products of a layer: input with weight, or two activations.

    Not:
        FLOPs, of which each is two; adding biases, norms, activation functions, pools and other elementwise work, whose
        elements some tools count.

    Called:
        FLOPs in the papers of ResNet and EfficientNet, in fvcore and in torchvision's tables (GFLOPS); mult-adds in
        those of MobileNet and in torchinfo; MACs elsewhere.
    """
    return [node.facts.multiplies for node in graph.layers]


def flops(graph: Graph) -> Sequence[Number]:
    """2 × macs: one multiply and one add each.

    Not:
        FLOPS, operations in a second, which a device has; what fvcore and many papers call FLOPs, which are macs;
        elementwise work.

    Called:
        FLOPs in PyTorch's flop counter, DeepSpeed, calflops and TensorFlow's profiler, some of which count elementwise
        work too.
    """
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
