"""Operations for every byte that is moved."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from convcalc.arith import Number, is_plain, total
from convcalc.graph.graph import Graph
from convcalc.metrics.counts import flops
from convcalc.metrics.memory import traffic_bytes
from convcalc.metrics.metric import Metric


def arithmetic_intensity(graph: Graph, batch: int, dtype: str) -> tuple[list[Any], Any]:
    """arithmetic_intensity = flops / traffic_bytes, exact, of every layer and of the design (a ratio of its sums).

    Source: Williams, Waterman and Patterson 2009, Roofline, section 3 (operational intensity, without a cache).

    Not:
        A rate: how fast a device runs it, least_time bounds.

    Called:
        operational intensity in the paper of the roofline.
    """
    operations = [batch * value for value in flops(graph)]
    moved = traffic_bytes(graph, batch, dtype)
    values = [exact_ratio(*pair) for pair in zip(operations, moved, strict=True)]
    return values, exact_ratio(total(operations), total(moved))


def exact_ratio(operations: Number, moved: Number) -> Any:
    """Return a quotient: a ``Fraction`` of ints, of symbols an expression; 0 where nothing is moved."""
    if not (is_plain(operations) and is_plain(moved)):
        return operations / moved
    return Fraction(operations, moved) if moved else Fraction(0)


METRICS = DETAILS = (
    Metric(
        "arithmetic_intensity", "Intensity", "flops/byte", "operations for every byte moved: FLOPs / traffic bytes",
        120, values_and_total=arithmetic_intensity, per_layer=True,
    ),
)  # fmt: skip
