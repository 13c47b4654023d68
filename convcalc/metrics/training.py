"""What training adds to a run: its operations, and the bytes of gradients and of the optimizer."""

from __future__ import annotations

from collections.abc import Sequence

from convcalc.arith import Number
from convcalc.dtypes import bytes_of
from convcalc.graph.graph import Graph
from convcalc.metrics.counts import flops
from convcalc.metrics.metric import Metric

NUMBERS = {"adam": 4, "sgd": 2}
"""Numbers a weight in the number format: itself, its gradient, and the two running means of Adam."""
BYTES = {"mixed": 2 + 2 + 12, "mixed32": 2 + 4 + 12}
"""Bytes a weight, whatever the number format: 16 bits, a gradient of 16 or 32, and in 32 a copy and Adam's two."""


def state_bytes(weights: Number, dtype: str, recipe: str) -> Number:
    """Return the bytes of weights, of their gradients, and of what the optimizer keeps.

    Source: Rajbhandari et al. 2020, ZeRO, section 3.1 (mixed); EleutherAI cookbook, calc_transformer_mem.py (mixed32).
    """
    return BYTES[recipe] * weights if recipe in BYTES else bytes_of(NUMBERS[recipe] * weights, dtype)


def train_flops(graph: Graph) -> Sequence[Number]:
    """3 × flops: forward, the gradient of the inputs, and the gradient of the weights.

    Source: Chowdhery et al. 2022, PaLM, appendix B.

    Not:
        The step of the optimizer; elementwise work. Gradients that nothing needs, such as that of the network's input,
        count as others.

    Called:
        model FLOPs in PaLM, of which the utilization of a device (MFU) is.
    """
    return [3 * value for value in flops(graph)]


METRICS = (
    Metric(
        "train_flops", "Training FLOPs", "operations",
        "3 × FLOPs: forward, and the gradients of inputs and of weights", 45, train_flops, times_batch=True,
    ),
)  # fmt: skip
