"""The type of a metric: its key, title, unit and meaning, and how it measures a graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from convcalc.arith import Number, total
from convcalc.graph.graph import Graph


class Measure(NamedTuple):
    """One metric: its names and how it is computed.

    ``layers`` gives one value per layer of ``graph.layers`` for one sample; ``sized``, in its place, one in bytes for a
    batch in a number format. ``whole``, where given, works the total out of these; otherwise the total is their sum.
    ``both`` gives values and total at once, where the total does not follow from the values: ``None`` is undefined.
    ``batched`` says whether the values of ``layers`` grow with the batch.
    """

    key: str
    title: str
    unit: str
    meaning: str
    order: int = 0
    layers: Callable[[Graph], Sequence[Number]] | None = None
    whole: Callable[[Sequence[Number]], Number] | None = None
    batched: bool = False
    sized: Callable[[Graph, int, str], Sequence[Number]] | None = None
    both: Callable[[Graph, int, str], tuple[Sequence[Any], Any]] | None = None
    of_layers: bool = False
    """Whether layers have values that do not add up: a ratio, a receptive field. Such columns are shown on request."""
    largest: bool = False
    """Whether the value of a group is the largest of its layers."""

    @property
    def additive(self) -> bool:
        """Whether the total is the sum of the layers."""
        return self.whole is None and self.both is None

    def values(self, graph: Graph, batch: int = 1, dtype: str = "float32") -> tuple[Sequence[Any], Any]:
        """Return the value of every layer and the total, for a batch in a number format."""
        if self.both is not None:
            return self.both(graph, batch, dtype)
        if self.sized is not None:
            values = self.sized(graph, batch, dtype)
        else:
            assert self.layers is not None
            values = self.layers(graph)
            if self.batched and batch != 1:
                values = [value * batch for value in values]
        return values, (self.whole or total)(values)


class Misaligned(NamedTuple):
    """A join of paths whose receptive fields are not aligned: the layers that it reads, and in what they differ."""

    layer: str
    axis: int
    paths: tuple[str, ...]
    differ: str
    """``strides`` or ``centres``."""
