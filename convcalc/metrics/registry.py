"""The metrics: one file a family, found by walking the folder. Each turns a shaped graph into columns.

A file defines ``MEASURES``, a tuple of ``Measure``; their ``order`` says where the column stands. Values are of the
whole batch. The guide ``metrics`` defines them. What is no sum and not for every report is a ``Detail``: files in
``LAZY`` define ``details``, which works out all of theirs at once, and ``MEASURES``, the metrics among them that are
one number for a design.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterable
from functools import cache

from convcalc import metrics
from convcalc.graph.graph import Graph
from convcalc.metrics.metric import Detail, Found, Measure, Misaligned

LAZY = {
    "alive": ("peak_activation_bytes",),
    "intensity": ("arithmetic_intensity",),
    "receptive_field": ("receptive_field", "effective_stride", "offset"),
}
"""File → its details: facts of single layers that are worked out, and whose files are read, when they are asked for."""

SHARED = ("metric", "registry")
"""Files of the folder that hold no family."""

DETAILS = tuple(key for keys in LAZY.values() for key in keys)

WITHOUT_GATES = "without-gates"
"""Asked for beside details, it leaves gates out of receptive fields, strides and offsets."""


def details(graph: Graph, keys: Iterable[str], batch: int = 1, dtype: str = "float32") -> Found:
    """Work out details by their keys, in their usual order."""
    wanted = set(keys)
    found: list[Detail] = []
    misaligned: list[Misaligned] = []
    gated: tuple[str, ...] | None = None
    for name, held in LAZY.items():
        if not wanted.isdisjoint(held):
            ungated = name == "receptive_field" and WITHOUT_GATES in wanted
            file = importlib.import_module(f"{metrics.__name__}.{'_without_gates' if ungated else name}")
            more = file.details(graph, batch, dtype)
            found += [detail for detail in more.details if detail.key in wanted]
            misaligned += more.misaligned
            gated = more.gated if ungated else gated
    return Found(tuple(found), tuple(misaligned), gated)


@cache
def detailed() -> tuple[Measure, ...]:
    """Return the metrics of the lazy files: no sums, but one number for a design, so that it can be limited."""
    return tuple(one for name in LAZY for one in importlib.import_module(f"{metrics.__name__}.{name}").MEASURES)


@cache
def measures() -> tuple[Measure, ...]:
    """Return all metrics in the order of their columns."""
    files = sorted(name[:-3] for name in os.listdir(metrics.__path__[0]) if name.endswith(".py"))
    eager = [name for name in files if not name.startswith("_") and name not in LAZY and name not in SHARED]
    found = [measure for name in eager for measure in importlib.import_module(f"{metrics.__name__}.{name}").MEASURES]
    return tuple(sorted(found, key=lambda measure: measure.order))
