"""For people: tables with bars at a terminal, whole lines in a pipe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convcalc.render.layout.stream import Collected, Stream
from convcalc.render.layout.verdict import verdict_text
from convcalc.render.table import (
    comparison_text,
    diff_text,
    explanation_text,
    formula_text,
    listing_text,
    reconciliation_text,
    report_text,
    solution_text,
)

if TYPE_CHECKING:
    from convcalc.budget.diff import Diff
    from convcalc.compare import Comparison
    from convcalc.explain import Explanation
    from convcalc.findings import Verdict
    from convcalc.fold import View
    from convcalc.formula import Formula
    from convcalc.listing import Listing
    from convcalc.profiles import Reconciliation
    from convcalc.render.surface import Surface
    from convcalc.report import Report
    from convcalc.sweep import Answer


def report(report: Report, view: View, surface: Surface) -> str:
    """Return the table of layers, totals, coverage and convention."""
    return report_text(report, view, surface)


def comparison(comparison: Comparison, surface: Surface) -> str:
    """Return the aligned layers, the totals and a sentence a metric."""
    return comparison_text(comparison, surface)


def verdict(verdict: Verdict, surface: Surface) -> str:
    """Return what does not hold, what is used of every limit, what changed, and a count of all."""
    return verdict_text(verdict, surface)


def listing(listing: Listing, surface: Surface) -> str:
    """Return the table of designs and how many there are."""
    return listing_text(listing, surface)


def stream(listing: Listing, surface: Surface) -> Stream:
    """Return a list to be written when all its rows are there: columns are as wide as their widest entry."""
    return Collected(listing, lambda whole: listing_text(whole, surface))


def diff(diff: Diff, surface: Surface) -> str:
    """Return each design that changed, with its totals and its layers."""
    return diff_text(diff, surface)


def explanation(explanation: Explanation, surface: Surface) -> str:
    """Return every number of a layer with its derivation."""
    return explanation_text(explanation, surface)


def reconciliation(found: Reconciliation, surface: Surface) -> str:
    """Return every tool with the terms of its total."""
    return reconciliation_text(found, surface)


def formula(formula: Formula, surface: Surface) -> str:
    """Return the table of layers with their formulas, the totals and what they rest on."""
    return formula_text(formula, surface)


def solution(answer: Answer, surface: Surface) -> str:
    """Return the values, their metrics beside the limits, and which limit binds."""
    return solution_text(answer, surface)
