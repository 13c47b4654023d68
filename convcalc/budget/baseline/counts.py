"""What a network counts, in the form in which baselines keep it."""

from __future__ import annotations

from collections.abc import Container, Mapping

from convcalc.graph.graph import Graph
from convcalc.metrics.registry import report_metrics
from convcalc.records import NamedTuple


class DesignCounts(NamedTuple):
    """What one design counted in the baseline."""

    totals: Mapping[str, int]
    """By metric."""
    layers: Mapping[str, Mapping[str, int]]
    """Path of every layer that counts anything → metric → value, additive metrics alone, zeros left out."""
    old_name: str = ""
    """How the baseline calls it, where that is another name: the file was renamed since."""


class AcceptedValue(NamedTuple):
    """A value above the limit that somebody took responsibility for."""

    budget: str
    design: str
    metric: str
    value: int
    reason: str


def count_graph(graph: Graph, known: Container[str] | None = None) -> DesignCounts:
    """Return the totals of all metrics, or of those that are known, and what every layer counts of those that are sums.

    A baseline of an earlier version of the program knows fewer.
    """
    paths = [node.path for node in graph.layers]
    totals: dict[str, int] = {}
    layers: dict[str, dict[str, int]] = {}
    for measure in report_metrics():
        if known is not None and measure.key not in known:
            continue
        values, whole = measure.values(graph)
        totals[measure.key] = int(whole)
        for path, value in zip(paths, values, strict=True) if measure.is_additive else ():
            if value:
                layers.setdefault(path, {})[measure.key] = int(value)
    return DesignCounts(totals, layers)
