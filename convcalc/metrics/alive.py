"""What is in memory while each layer runs."""

from __future__ import annotations

from convcalc.arith import largest
from convcalc.graph.graph import Graph
from convcalc.metrics.memory import alive_bytes
from convcalc.metrics.metric import Detail, Found, Measure

MEASURES: tuple[Measure, ...] = ()
"""None: budgets limit the metric of that name, whose layers have the same values."""


def details(graph: Graph, batch: int, dtype: str) -> Found:
    """peak_activation_bytes of every layer: of its inputs, its output and all tensors that are still needed.

    The largest is the design's; see :func:`convcalc.metrics.memory.alive_bytes`.
    """
    alive = alive_bytes(graph, batch, dtype)
    meaning = "activations in memory while the layer runs, nothing in place; the design has the largest"
    title = "Peak activation bytes"
    return Found((Detail("peak_activation_bytes", title, "bytes", meaning, alive, largest(alive), largest=True),))
