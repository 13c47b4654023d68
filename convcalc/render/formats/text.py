"""For people: tables with bars at a terminal, whole lines in a pipe. Each kind of result loads its own layout alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convcalc.render.tables.rich_console import render_blocks

if TYPE_CHECKING:
    from convcalc.budget.diff.revisions import Diff
    from convcalc.explain.model import Explanation
    from convcalc.findings import CheckResult
    from convcalc.formula.closed_form import Formula
    from convcalc.match.match import Match
    from convcalc.profiles import Reconciliation
    from convcalc.render.pictures.graph.graph import GraphDiagram
    from convcalc.render.results.row_list import RowStream
    from convcalc.render.tables.surface import Surface
    from convcalc.report.compare import Comparison
    from convcalc.report.fold import TableOptions
    from convcalc.report.report import Report
    from convcalc.report.row_list import Listing
    from convcalc.sweep.solve import SolveResult


def report(report: Report, view: TableOptions, surface: Surface) -> str:
    """Return the table of layers, totals, coverage and convention."""
    from convcalc.render.report.page import report_blocks

    return render_blocks(report_blocks(report, view, surface), surface)


def comparison(comparison: Comparison, surface: Surface) -> str:
    """Return the aligned layers, the totals and a sentence a metric."""
    from convcalc.render.comparison.page import comparison_blocks

    return render_blocks(comparison_blocks(comparison, surface), surface)


def verdict(verdict: CheckResult, surface: Surface) -> str:
    """Return what does not hold, what is used of every limit, what changed, and a count of all."""
    from convcalc.render.check.page import verdict_text

    return verdict_text(verdict, surface)


def stream(listing: Listing, surface: Surface) -> RowStream:
    """Return the table of designs and how many there are, which is written when all are there: columns are as wide as
    their widest entry."""
    from convcalc.render.results.row_list import BufferedRows, listing_blocks

    return BufferedRows(listing, lambda whole: render_blocks(listing_blocks(whole, surface), surface))


def diff(diff: Diff, surface: Surface) -> str:
    """Return each design that changed, with its totals and its layers."""
    from convcalc.render.diff.page import diff_blocks

    return render_blocks(diff_blocks(diff, surface), surface)


def explanation(explanation: Explanation, surface: Surface) -> str:
    """Return every number of a layer with its derivation."""
    from convcalc.render.results.explanation import explanation_blocks

    return render_blocks(explanation_blocks(explanation, surface), surface)


def reconciliation(found: Reconciliation, surface: Surface) -> str:
    """Return every tool with the terms of its total."""
    from convcalc.render.results.reconciliation import reconciliation_blocks

    return render_blocks(reconciliation_blocks(found, surface), surface)


def match(found: Match, surface: Surface) -> str:
    """Return the totals of two designs and their first differences."""
    from convcalc.render.results.match import match_blocks

    return render_blocks(match_blocks(found, surface), surface)


def graph(graph: GraphDiagram, surface: Surface) -> str:
    """Return a line for every box of a graph, inner ones indented."""
    from convcalc.render.results.graph import graph_blocks

    return render_blocks(graph_blocks(graph, surface), surface)


def formula(formula: Formula, surface: Surface) -> str:
    """Return the table of layers with their formulas, the totals and what they rest on."""
    from convcalc.render.results.formula import formula_blocks

    return render_blocks(formula_blocks(formula, surface), surface)


def solution(answer: SolveResult, surface: Surface) -> str:
    """Return the values, their metrics beside the limits, and which limit binds."""
    from convcalc.render.results.solution import solution_blocks

    return render_blocks(solution_blocks(answer, surface), surface)
