"""The type of a metric: its key, title, unit and meaning, and how it measures a graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from convcalc.arith import Number, free_names, largest, less_equal, require, total
from convcalc.errors import SpecError, SpecErrors
from convcalc.graph.graph import Graph
from convcalc.records import NamedTuple


class Metric(NamedTuple):
    """One metric: its names and how it is computed.

    ``per_sample`` gives one value per layer of ``graph.layers`` for one sample; ``per_batch``, in its place, one in
    bytes for a batch in a number format. ``total_of``, where given, works the total out of these, and layers are shown
    none of it; otherwise the total is their sum. ``values_and_total`` gives both at once, where the total does not
    follow from the values: ``None`` is undefined. ``times_batch`` says whether ``per_sample`` grows with the batch.
    """

    key: str
    title: str
    unit: str
    meaning: str
    order: int = 0
    per_sample: Callable[[Graph], Sequence[Number]] | None = None
    total_of: Callable[[Sequence[Number]], Number] | None = None
    times_batch: bool = False
    per_batch: Callable[[Graph, int, str], Sequence[Number]] | None = None
    values_and_total: Callable[[Graph, int, str], tuple[Sequence[Any], Any]] | None = None
    per_layer: bool = False
    """Whether layers have values that do not add up: a ratio, a receptive field. Such columns are shown on request."""
    by_max: bool = False
    """Whether the value of a group is the largest of its layers."""

    @property
    def is_additive(self) -> bool:
        """Whether the total is the sum of the layers."""
        return self.total_of is None and self.values_and_total is None

    def values_of_one(self, graph: Graph, batch: int = 1, dtype: str = "float32") -> tuple[Sequence[Any], Any]:
        """Return the value of every layer of the graph, and the total where each stands for itself alone."""
        if self.values_and_total is not None:
            return self.values_and_total(graph, batch, dtype)
        if self.per_batch is not None:
            values = self.per_batch(graph, batch, dtype)
        else:
            assert self.per_sample is not None
            values = self.per_sample(graph)
            if self.times_batch and not (type(batch) is int and batch == 1):
                values = [value * batch for value in values]
        return values, (self.total_of or total)(values)

    def values(self, graph: Graph, batch: int = 1, dtype: str = "float32") -> tuple[Sequence[Any], Any]:
        """Return the value of every layer and the total, for a batch in a number format.

        A layer that stands for several has their sum.

        Raises:
            SpecErrors: CC411, where there are such layers, and the metric is neither a sum nor the largest of some.
        """
        values, whole = self.values_of_one(graph, batch, dtype)
        if graph.stands_for_itself:
            return values, whole
        times = [node.times for node in graph.layers]
        if self.total_of is largest:  # of each of equal turns it is the same, if there is one
            for each in dict.fromkeys(times):
                require(less_equal(1, each), "CC411", "{} has no {} turns", self.key, each)
            return values, whole
        if not self.is_additive:
            names = ", ".join(free_names(total(times)))
            text = f"{self.key} is no sum: it is not counted where the number of repeats is a symbol ({names})"
            raise SpecErrors([SpecError("CC411", text)])
        every = [value * count for value, count in zip(values, times, strict=True)]
        return every, total(every)


class MisalignedJoin(NamedTuple):
    """A join of paths whose receptive fields are not aligned: the layers that it reads, and in what they differ."""

    layer: str
    axis: int
    paths: tuple[str, ...]
    differ: str
    """``strides`` or ``centres``."""
