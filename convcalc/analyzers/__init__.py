"""The metrics: one file a family, found by walking the folder. Each turns a shaped graph into columns.

A file defines ``MEASURES``, a tuple of ``Measure``; their ``order`` says where the column stands. Values are of the
whole batch. The definitions are in the language reference under *What is counted*.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Sequence
from functools import cache
from typing import NamedTuple

from convcalc.arith import Number, total
from convcalc.graph import Graph


class Measure(NamedTuple):
    """One metric: how it is called and how it is worked out.

    ``layers`` gives one value per layer of ``graph.layers`` for one sample; ``sized``, in its place, one in bytes for a
    batch in a number format. ``whole``, where given, works the total out of these; otherwise the total is their sum.
    ``batched`` says whether the values of ``layers`` grow with the batch.
    """

    key: str
    title: str
    unit: str
    meaning: str
    order: int
    layers: Callable[[Graph], Sequence[Number]] | None = None
    whole: Callable[[Sequence[Number]], Number] | None = None
    batched: bool = False
    sized: Callable[[Graph, int, str], Sequence[Number]] | None = None

    def values(self, graph: Graph, batch: int = 1, dtype: str = "float32") -> tuple[Sequence[Number], Number]:
        """Return the value of every layer and the total, for a batch in a number format."""
        values = self._values(graph, batch, dtype)
        return values, (self.whole or total)(values)

    def _values(self, graph: Graph, batch: int, dtype: str) -> Sequence[Number]:
        if self.sized is not None:
            return self.sized(graph, batch, dtype)
        assert self.layers is not None
        values = self.layers(graph)
        return [value * batch for value in values] if self.batched and batch != 1 else values


@cache
def measures() -> tuple[Measure, ...]:
    """Return all metrics in the order of their columns."""
    names = sorted(name[:-3] for name in os.listdir(__path__[0]) if name.endswith(".py") and not name.startswith("_"))
    found = [measure for name in names for measure in importlib.import_module(f"{__name__}.{name}").MEASURES]
    return tuple(sorted(found, key=lambda measure: measure.order))
