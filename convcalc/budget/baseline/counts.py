"""What a network counts, in the form in which baselines keep it."""

from __future__ import annotations

from convcalc.budget.baseline.types import DesignCounts
from convcalc.graph.graph import Graph
from convcalc.metrics.registry import report_metrics


def count_graph(graph: Graph) -> DesignCounts:
    """Return the totals of all metrics, and what every layer counts of those that are sums."""
    paths = [node.path for node in graph.layers]
    totals: dict[str, int] = {}
    layers: dict[str, dict[str, int]] = {}
    for measure in report_metrics():
        values, whole = measure.values(graph)
        totals[measure.key] = int(whole)
        for path, value in zip(paths, values, strict=True) if measure.is_additive else ():
            if value:
                layers.setdefault(path, {})[measure.key] = int(value)
    return DesignCounts(totals, layers)
