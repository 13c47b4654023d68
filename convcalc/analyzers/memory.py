"""What a design takes in memory, in bytes of a number format."""

from __future__ import annotations

from collections.abc import Sequence

from convcalc.analyzers import Measure
from convcalc.analyzers.params import buffers, params
from convcalc.arith import Number
from convcalc.graph import Graph


def stored(graph: Graph) -> Sequence[Number]:
    """Params + buffers of every layer: what is kept of it between two runs."""
    return [weights + state for weights, state in zip(params(graph), buffers(graph), strict=True)]


MEASURES = (
    Measure("weight_bytes", "Weight bytes", "bytes", "params and buffers in the number format", 25, stored, sized=True),
)
