"""Learnable weights and other state."""

from __future__ import annotations

from collections.abc import Sequence

from convcalc.arith import Number
from convcalc.graph.graph import Graph
from convcalc.metrics.metric import Measure


def params(graph: Graph) -> Sequence[Number]:
    """Σ elements of the learnable weights; weights shared by several layers count at their owner alone.

    Not:
        Buffers, which are kept and not learned. Whether a weight is frozen does not matter.

    Called:
        parameters in PyTorch, timm and torchinfo; trainable params in Keras, whose total has the buffers in it.
    """
    return [node.facts.params if node.owner == node.index else 0 for node in graph.layers]


def buffers(graph: Graph) -> Sequence[Number]:
    """Σ elements of the state that is kept but not learned (running mean and variance: 2C), at its owner alone.

    Not:
        What training learns; a count of the batches seen.

    Called:
        buffers in PyTorch, non-trainable params in Keras.
    """
    return [node.facts.state if node.owner == node.index else 0 for node in graph.layers]


MEASURES = (
    Measure("params", "Params", "scalars", "learnable weights and biases", 10, params),
    Measure(
        "buffers", "Buffers", "scalars", "state that is kept but not learned: running means and variances", 20, buffers
    ),
)
