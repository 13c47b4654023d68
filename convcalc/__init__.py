"""convcalc: exact parameters, multiplies, memory and depth of neural-network architectures, without a framework."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from convcalc import ops
    from convcalc.api import Design, Network, compare, from_graph, load
    from convcalc.budget.check.check_report import CheckReport, check
    from convcalc.errors import SpecError, SpecErrors
    from convcalc.formula.closed_form import Formula
    from convcalc.graph.builder import GraphBuilder
    from convcalc.report.compare import Comparison
    from convcalc.report.report import Report
    from convcalc.sweep.table import SweepTable

__version__ = "0.2.0"
__all__ = [
    "CheckReport", "Comparison", "Design", "Formula", "GraphBuilder", "Network", "Report", "SpecError", "SpecErrors",
    "SweepTable", "__version__", "check", "compare", "from_graph", "load", "ops",
]  # fmt: skip

_HOMES = {
    **dict.fromkeys(("Design", "Network", "compare", "from_graph", "load"), "api"),
    **dict.fromkeys(("CheckReport", "check"), "budget.check.check_report"),
    "Comparison": "report.compare",
    "Formula": "formula.closed_form",
    "GraphBuilder": "graph.builder",
    "Report": "report.report",
    **dict.fromkeys(("SpecError", "SpecErrors"), "errors"),
    "SweepTable": "sweep.table",
}


def __getattr__(name: str) -> Any:
    """Load what is asked for, so that ``convcalc --version`` pays for nothing else."""
    from importlib import import_module

    if name == "ops":
        return import_module("convcalc.ops")
    if name not in _HOMES:
        raise AttributeError(f"module 'convcalc' has no attribute {name!r}")
    return getattr(import_module(f"convcalc.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
