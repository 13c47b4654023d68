"""For people: tables with bars at a terminal, whole lines in a pipe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convcalc.render.layout.verdict import verdict_text
from convcalc.render.table import comparison_text, listing_text, report_text

if TYPE_CHECKING:
    from convcalc.compare import Comparison
    from convcalc.findings import Verdict
    from convcalc.fold import View
    from convcalc.listing import Listing
    from convcalc.render.surface import Surface
    from convcalc.report import Report


def report(report: Report, view: View, surface: Surface) -> str:
    """Return the table of layers, totals, coverage and convention."""
    return report_text(report, view, surface)


def comparison(comparison: Comparison, surface: Surface) -> str:
    """Return the aligned layers, the totals and a sentence a metric."""
    return comparison_text(comparison, surface)


def verdict(verdict: Verdict, surface: Surface) -> str:
    """Return what does not hold, what is known to be loose, and how many claims hold."""
    return verdict_text(verdict)


def listing(listing: Listing, surface: Surface) -> str:
    """Return the table of designs and how many there are."""
    return listing_text(listing, surface)
