"""For pull requests and READMEs: GitHub-flavoured tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convcalc.render.comparison.side_by_side import SideBySidePlan
from convcalc.render.report.header import conditions, convention, coverage, input_to_output, notes, total_texts
from convcalc.render.report.page import flat_table
from convcalc.render.results.row_list import BufferedRows, RowStream, seen
from convcalc.render.results.row_list import grid as listed
from convcalc.render.tables import markdown_syntax as gfm
from convcalc.render.tables.blocks import Table, TableColumn
from convcalc.render.tables.characters import Characters
from convcalc.render.tables.surface import Surface
from convcalc.report.fold import TableOptions, fold_report
from convcalc.report.report import Report
from convcalc.report.row_list import Listing

if TYPE_CHECKING:
    from convcalc.budget.diff.revisions import Diff
    from convcalc.findings import CheckResult
    from convcalc.profiles import Reconciliation
    from convcalc.report.compare import Comparison
    from convcalc.sweep.solve import SolveResult

SIDES = SideBySidePlan(together=False, bar=False)


def report(report: Report, view: TableOptions, surface: Surface) -> str:
    """Return the table of layers, the totals and the convention."""
    glyphs = surface.glyphs
    parts = [f"### {gfm.text(glyphs.text(report.name))}", _about(report, report.name, glyphs)]
    if report.rows:
        parts.append(gfm.table(flat_table(fold_report(report, view), glyphs)))
    titles, exact, short, _ = total_texts(report, view, glyphs)
    columns = [TableColumn("Total", titles), TableColumn("exact", exact, True), TableColumn("short", short, True)]
    parts.append(gfm.table(Table(columns)))
    if not report.is_complete:
        parts.append(gfm.text("".join(text for text, _ in coverage(report, glyphs))))
    parts += [gfm.text(glyphs.text(text)) for text in notes(report)]
    parts.append(gfm.small(convention(report), glyphs))
    return "\n\n".join(parts) + "\n"


def comparison(comparison: Comparison, surface: Surface) -> str:
    """Return the designs, a table a metric, the totals and the sentences."""
    from convcalc.render.comparison import page as aligned
    from convcalc.render.comparison.page import differing
    from convcalc.render.comparison.sentences import comparison_sentences

    glyphs = surface.glyphs
    names = " and ".join(gfm.text(glyphs.text(label)) for label in comparison.labels)
    about = "\n".join(
        f"- **{gfm.text(glyphs.text(label))}**: {_about(report, label, glyphs)}"
        for label, report in zip(comparison.labels, comparison.reports, strict=True)
    )
    parts = [f"### {names}", about]
    if comparison.differing_conditions:
        parts.append(f"**Different inputs:** {gfm.text(differing(comparison, glyphs))}")
    layers, unseen = aligned.layers(comparison, glyphs)
    for grid in layers.tables(SIDES) if len(layers.names) > 1 else ():
        parts += [f"**{gfm.text(title)}**" for _, _, title in grid.group_headings]
        parts.append(gfm.table(grid))
    if unseen:
        parts.append(gfm.small(unseen, glyphs))
    parts += map(gfm.table, aligned.totals(comparison, glyphs).tables(SIDES))
    parts.append("\n".join(f"- {gfm.text(glyphs.text(sentence))}" for sentence in comparison_sentences(comparison)))
    parts.append(gfm.small(convention(*comparison.reports), glyphs))
    return "\n\n".join(parts) + "\n"


def verdict(verdict: CheckResult, surface: Surface) -> str:
    """Return what a check found, for a step summary: at most 900 KiB. ``comment`` is the same, shorter."""
    from convcalc.render.check.markdown_summary import SUMMARY, markdown_summary

    return markdown_summary(verdict, SUMMARY, surface.glyphs)


def stream(listing: Listing, surface: Surface) -> RowStream:
    """Return the table of designs and how many there are, which is written when all are there."""

    def drawn(whole: Listing) -> str:
        table = listed(whole, seen(whole), surface.glyphs)
        return f"{gfm.table(table)}\n\n{whole.size}\n"

    return BufferedRows(listing, drawn)


def diff(diff: Diff, surface: Surface) -> str:
    """Return what changed, for a comment on a pull request: at most 60,000 characters."""
    from convcalc.render.diff.page import diff_comment

    return diff_comment(diff, surface)


def solution(answer: SolveResult, surface: Surface) -> str:
    """Return the values, a table of their metrics, and which limit binds."""
    from convcalc.render.results.solution import solution_comment  # not for reports to load

    return solution_comment(answer, surface)


def reconciliation(found: Reconciliation, surface: Surface) -> str:
    """Return the tools, a line each, with the terms of their totals."""
    from convcalc.render.results.reconciliation import reconciliation_comment  # not for reports to load

    return reconciliation_comment(found, surface)


def _about(report: Report, heading: str, glyphs: Characters) -> str:
    parts = [
        *([gfm.code(glyphs.text(report.design))] if report.design != heading else []),
        gfm.text(input_to_output(report, glyphs)),
        conditions(report, glyphs),
    ]
    return f" {glyphs.text('·')} ".join(parts)
