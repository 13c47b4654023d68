"""The report as a person reads it: title, table of layers, totals, coverage, convention."""

from __future__ import annotations

from collections.abc import Iterator

from convcalc.number_format import count_of
from convcalc.render.report.cells import Texts, entries, total
from convcalc.render.report.fit_columns import Plan, fit, used
from convcalc.render.report.header import closing, heading, totals
from convcalc.render.tables.characters import Glyphs
from convcalc.render.tables.paragraph import Block, Prose, left_out
from convcalc.render.tables.surface import Surface
from convcalc.render.tables.table import Column, Grid
from convcalc.report.fold import Folded, View, fold
from convcalc.report.report import Report


def report_blocks(report: Report, view: View, surface: Surface) -> Iterator[Block]:
    """Return the paragraphs and tables of a report, from top to bottom."""
    glyphs = Glyphs(surface.ascii_only)
    yield from heading(report, glyphs, surface.width)
    yield Prose()
    if report.rows:
        yield from layers(fold(report, view), glyphs, surface.width, repeats=view.repeats)
    else:
        yield Prose([("There is nothing to count: the design has no layers.", "")], surface.width)
    yield Prose()
    yield totals(report, view, glyphs, surface.width)
    hidden = sum(not view.shows_total(key) for key in report.totals)
    if hidden:
        yield Prose([(f"{count_of(hidden, 'more total')}: -v, or --columns with their keys.", "dim")], surface.width)
    yield Prose()
    yield from closing(report, glyphs, surface.width)


def layers(folded: Folded, glyphs: Glyphs, width: int | None, *, repeats: bool) -> Iterator[Block]:
    """Return the table of layers and, where a terminal was too narrow for all of it, a line that says what is missing.

    At a terminal it is a tree with subtotals; in a pipe every line has its whole path, so that it can be searched, and
    the lines of a column add up to its total.
    """
    rows = [*entries(folded, glyphs, as_tree=width is not None, every=repeats), total(folded)]
    texts = Texts(folded, rows, glyphs)
    full = Plan(tuple(column.key for column in folded.columns), output=folded.by != "op")
    plan = fit(full, texts.width, width)
    yield Grid(list(_columns(texts, plan)), [row.style for row in rows], glyphs.rule, foot=1)
    hidden = ", ".join(_hidden(texts, full, plan))
    if hidden:
        yield left_out(hidden, width, used(full, texts.width))
    if any(row.repeats > 1 for row in rows):
        yield Prose(
            [
                (
                    glyphs.text("Rows with × n stand for n equal neighbours and show one; --show-repeats shows all."),
                    "dim",
                )
            ],
            width,
        )


def flat(folded: Folded, glyphs: Glyphs) -> Grid:
    """Return the table for formats that are no text: whole paths, every column, no bars; the last row is the total."""
    rows = [*entries(folded, glyphs, as_tree=False), total(folded)]
    plan = Plan(tuple(column.key for column in folded.columns), bar=0, output=folded.by != "op")
    return Grid(list(_columns(Texts(folded, rows, glyphs), plan)), [row.style for row in rows], foot=1)


def _columns(texts: Texts, plan: Plan) -> Iterator[Column]:
    names = texts.texts("layer")
    if plan.layer is not None and plan.layer < texts.width("layer"):
        names = [texts.glyphs.elide(name, plan.layer) for name in names]
    yield Column(texts.glyphs.cut(texts.heading("layer"), plan.layer or 80), names)
    if plan.operation:
        name = "brief" if plan.operation == "brief" else "operation"
        shown = texts.texts(name)
        if plan.operation_width and plan.operation == "full":
            shown = [texts.glyphs.cut(text, plan.operation_width) for text in shown]
        yield Column(texts.heading(name), shown)
    if plan.output:
        yield Column(texts.heading("output"), texts.texts("output"))
    for place, key in enumerate(plan.metrics):
        name = f"{key} short" if plan.short else key
        yield Column(texts.heading(name), texts.texts(name), right=True)
        if texts.texts(f"{key} %"):
            if plan.share:
                yield Column("%", texts.texts(f"{key} %"), right=True, style="dim")
            if plan.bar:
                yield Column("", texts.bars(key, plan.bar), style=f"bar{place % 4}", gap=1)


def _hidden(texts: Texts, full: Plan, plan: Plan) -> Iterator[str]:
    barred = any(texts.texts(f"{key} %") for key in full.metrics)
    if barred and not plan.share:
        yield "shares"
    if full.output and not plan.output:
        yield "output shapes"
    if barred and not plan.bar:
        yield "bars"
    if not plan.operation:
        yield "operations"
    elif plan.operation == "brief" or (plan.operation_width or 999) < texts.width("operation"):
        yield "ends of operations"
    if plan.layer is not None and plan.layer < texts.width("layer"):
        yield "middles of names"
    if plan.short:
        yield "digits after the fourth"
    yield from (texts.heading(key) for key in full.metrics[len(plan.metrics) :])
