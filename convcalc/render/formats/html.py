"""For notebooks: a fragment, without script or outside resources, in the colours of the page around it.

A verdict is a page.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING

from convcalc.render.comparison import page as aligned
from convcalc.render.comparison.page import differing
from convcalc.render.comparison.sentences import comparison_sentences
from convcalc.render.comparison.side_by_side import SideBySidePlan
from convcalc.render.report.header import conditions, convention, coverage, input_to_output, notes, total_texts
from convcalc.render.report.page import flat_table
from convcalc.render.tables.blocks import Table, TableColumn
from convcalc.render.tables.characters import Characters
from convcalc.render.tables.surface import Surface
from convcalc.report.compare import Comparison
from convcalc.report.fold import TableOptions, fold_report
from convcalc.report.report import Report

if TYPE_CHECKING:
    from convcalc.findings import CheckResult

STYLE = """\
.convcalc table{border-collapse:collapse;margin:.6em 0;font-variant-numeric:tabular-nums}
.convcalc caption{text-align:left;padding:.3em 0}
.convcalc th,.convcalc td{padding:.15em .7em;text-align:left;background:none;white-space:nowrap}
.convcalc .n{text-align:right}
.convcalc thead,.convcalc tfoot{border-block:1px solid currentColor}
.convcalc tbody th{font-weight:normal;font-family:ui-monospace,monospace}
.convcalc tbody .group th{font-weight:bold}
.convcalc .zero,.convcalc small{opacity:.6}
"""
SIDES = SideBySidePlan(bar=False)


def report(report: Report, view: TableOptions, surface: Surface) -> str:
    """Return the table of layers with its total, then all totals and the convention."""
    glyphs = surface.glyphs
    about = f"{_named(report.name, report.design, glyphs)}<br>{_text(input_to_output(report, glyphs), glyphs)}"
    about += f" {glyphs.text('·')} {conditions(report, glyphs)}"
    parts = [*(_table(flat_table(fold_report(report, view), glyphs), about) if report.rows else [f"<p>{about}</p>"])]
    columns = zip(total_texts(report, view, glyphs), (False, True, True, False), strict=True)
    parts += _table(Table([TableColumn("", texts, right) for texts, right in columns]), "")
    if not report.is_complete:
        parts.append(f"<p>{_text(''.join(text for text, _ in coverage(report, glyphs)), glyphs)}</p>")
    parts += [f"<p>{_text(text, glyphs)}</p>" for text in notes(report)]
    return _fragment(parts, convention(report), glyphs)


def comparison(comparison: Comparison, surface: Surface) -> str:
    """Return the aligned layers and the totals, and a sentence a metric."""
    glyphs = surface.glyphs
    parts = [
        f"<p>{_named(label, report.design, glyphs)} {_text(input_to_output(report, glyphs), glyphs)}</p>"
        for label, report in zip(comparison.labels, comparison.reports, strict=True)
    ]
    if comparison.differing_conditions:
        parts.append(f"<p><b>Different inputs:</b> {_text(differing(comparison, glyphs), glyphs)}</p>")
    layers, unseen = aligned.layers(comparison, glyphs)
    for grid in layers.tables(SIDES) if len(layers.names) > 1 else ():
        parts += _table(grid, _text(unseen, glyphs))
    for grid in aligned.totals(comparison, glyphs).tables(SIDES):
        parts += _table(grid, "")
    sentences = "".join(f"<li>{_text(sentence, glyphs)}</li>" for sentence in comparison_sentences(comparison))
    parts.append(f"<ul>{sentences}</ul>")
    return _fragment(parts, convention(*comparison.reports), glyphs)


def verdict(verdict: CheckResult, surface: Surface) -> str:
    """Return a page, with the designs under limits in it."""
    from convcalc.render.web_page.verdict import verdict_page  # notebooks do without

    return verdict_page(verdict)


def _fragment(parts: Sequence[str], note: str, glyphs: Characters) -> str:
    style, small = f"<style>\n{STYLE}</style>", f"<p><small>{_text(note, glyphs)}</small></p>"
    return "\n".join(['<div class="convcalc">', style, *parts, small, "</div>\n"])


def _named(name: str, design: str, glyphs: Characters) -> str:
    return f"<b>{_text(name, glyphs)}</b>" + (f" <code>{_text(design, glyphs)}</code>" if design != name else "")


def _table(grid: Table, caption: str) -> Iterator[str]:
    yield "<table>"
    if caption:
        yield f"<caption>{caption}</caption>"
    if any(column.heading for column in grid.columns):
        yield from _head(grid)
    yield "<tbody>"
    rows = list(zip(grid.kinds, *(column.texts for column in grid.columns), strict=True))
    for kind, *texts in rows[: len(rows) - grid.footer_rows]:
        yield _row(texts, grid, kind)
    yield "</tbody>"
    if grid.footer_rows:
        yield "<tfoot>"
        for _, *texts in rows[len(rows) - grid.footer_rows :]:
            yield _row(texts, grid, "total")
        yield "</tfoot>"
    yield "</table>"


def _head(grid: Table) -> Iterator[str]:
    yield "<thead>"
    if grid.group_headings:
        cells = f'<th rowspan="2" scope="col">{escape(grid.columns[0].heading)}</th>'
        for first, last, title in grid.group_headings:
            cells += f'<th colspan="{last - first + 1}" scope="colgroup">{escape(title)}</th>'
        yield f"<tr>{cells}</tr>"
    columns = grid.columns[1:] if grid.group_headings else grid.columns
    cells = "".join(f'<th scope="col"{_side(column)}>{escape(column.heading)}</th>' for column in columns)
    yield f"<tr>{cells}</tr>"
    yield "</thead>"


def _row(texts: Sequence[str], grid: Table, kind: str) -> str:
    first, *others = texts
    bare = first.lstrip(" ")
    indent = f' style="padding-left:{(len(first) - len(bare)) / 2 + 0.7:g}em"' if len(bare) < len(first) else ""
    cells = f'<th scope="row"{indent}>{escape(bare)}</th>'
    for text, column in zip(others, grid.columns[1:], strict=True):
        cells += f"<td{_side(column)}>{escape(text)}</td>"
    mark = f' class="{kind}"' if kind and kind != "total" else ""
    return f"<tr{mark}>{cells}</tr>"


def _side(column: TableColumn) -> str:
    return ' class="n"' if column.right else ""


def _text(text: str, glyphs: Characters) -> str:
    return escape(glyphs.text(text))
