"""For people: tables with bars at a terminal, whole lines in a pipe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convcalc.render.table import comparison_text, report_text

if TYPE_CHECKING:
    from convcalc.compare import Comparison
    from convcalc.fold import View
    from convcalc.render.surface import Surface
    from convcalc.report import Report


def report(report: Report, view: View, surface: Surface) -> str:
    """Return the table of layers, totals, coverage and convention."""
    return report_text(report, view, surface)


def comparison(comparison: Comparison, surface: Surface) -> str:
    """Return the aligned layers, the totals and a sentence a metric."""
    return comparison_text(comparison, surface)
