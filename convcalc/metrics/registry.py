"""The metrics: one file a family, found by walking the folder. Each turns a shaped graph into columns.

A file defines ``METRICS``, a tuple of ``Metric``; their ``order`` says where the column stands. Values are of the
whole batch. The guide ``metrics`` defines them. Details are metrics that are no sums and in no report that does not ask
for them: a file's ``DETAILS`` have what reports show of every layer; ``METRICS`` of ``LAZY_MODULES`` are those
among them that are one number for a design.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Collection, Mapping
from functools import cache
from types import ModuleType

from convcalc import metrics
from convcalc.graph.graph import Graph
from convcalc.metrics.metric import Metric, MisalignedJoin

FIELD_KEYS = ("receptive_field", "effective_stride", "offset")

DETAIL_MODULES = {
    "memory": ("peak_activation_bytes",), "intensity": ("arithmetic_intensity",), "receptive_field": FIELD_KEYS,
}  # fmt: skip
"""File → the keys of its ``DETAILS``."""

LAZY_MODULES = ("intensity", "receptive_field")
"""Files that are read when they are asked for."""

SHARED_MODULES = ("metric", "registry")
"""Files of the folder that hold no family."""

DETAIL_KEYS = tuple(key for keys in DETAIL_MODULES.values() for key in keys)

WITHOUT_GATES = "without-gates"
"""Requested beside details, it leaves gates out of receptive fields, strides and offsets."""

DETAIL_REQUESTS = frozenset((*DETAIL_KEYS, "peak", WITHOUT_GATES))
"""What can be requested of a report of plain numbers; ``peak`` is the tensors alive at the peak."""


def _module(name: str) -> ModuleType:
    return importlib.import_module(f"{metrics.__name__}.{name}")


def detail_metrics_of(keys: Collection[str]) -> list[Metric]:
    """Return details by their keys, in their usual order."""
    found: list[Metric] = []
    for name, defined in DETAIL_MODULES.items():
        if not set(defined).isdisjoint(keys):
            file = _module("_without_gates" if defined == FIELD_KEYS and WITHOUT_GATES in keys else name)
            found += [detail for detail in file.DETAILS if detail.key in keys]
    return found


def misaligned_joins(graph: Graph, keys: Collection[str]) -> tuple[tuple[MisalignedJoin, ...], tuple[str, ...] | None]:
    """Return the joins of paths that disagree, and the products whose gates are left out, where keys ask for fields."""
    if set(FIELD_KEYS).isdisjoint(keys):
        return (), None
    from convcalc.metrics._without_gates import without_gates
    from convcalc.metrics.receptive_field import trace_receptive_fields

    if WITHOUT_GATES not in keys:
        return tuple(trace_receptive_fields(graph)[1]), None
    ungated = without_gates(graph)
    pairs = zip(graph.nodes, ungated.nodes, strict=True)
    return tuple(trace_receptive_fields(ungated)[1]), tuple([node.path for node, other in pairs if node is not other])


@cache
def lazy_metrics() -> tuple[Metric, ...]:
    """Return the metrics of the lazy files: no sums, but one number for a design, so that it can be limited."""
    return tuple(measure for name in LAZY_MODULES for measure in _module(name).METRICS)


@cache
def core_metrics() -> Mapping[str, Metric]:
    """Return the metrics of every report by their keys, in the order of their columns."""
    files = sorted(name[:-3] for name in os.listdir(metrics.__path__[0]) if name.endswith(".py"))
    eager = [name for name in files if not name.startswith("_") and name not in (*LAZY_MODULES, *SHARED_MODULES)]
    found = sorted((each for name in eager for each in _module(name).METRICS), key=lambda measure: measure.order)
    return {measure.key: measure for measure in found}


@cache
def report_metrics() -> tuple[Metric, ...]:
    """Return the metrics of every report in the order of their columns."""
    return tuple(core_metrics().values())
