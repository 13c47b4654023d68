"""The report as a person reads it: title, table of layers, totals, coverage, convention."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from convcalc.number_format import count_of
from convcalc.records import NamedTuple
from convcalc.render.report import header
from convcalc.render.report.cells import CellTexts
from convcalc.render.report.outline import DisplayRow
from convcalc.render.tables.blocks import Block, Paragraph, Table, TableColumn, left_out
from convcalc.render.tables.characters import Characters
from convcalc.render.tables.surface import Surface
from convcalc.report.fold import FoldedReport, TableOptions, fold_report
from convcalc.report.report import Report

SHORTEST_BAR = 3
LONGEST_BAR = 20
PIPED_BAR = 10
GAP = 2
SHORT_LAYER = 12
"""Paths are not cut below this while digits can go."""
SHORTEST_LAYER = 8
"""Nor below this while metrics can."""
MIDDLING_LAYER = 24
MIDDLING_OPERATION = 34


class ColumnPlan(NamedTuple):
    """Which columns a table has and how wide the flexible ones are."""

    metrics: tuple[str, ...]
    bar: int = PIPED_BAR
    share: bool = True
    output: bool = True
    operation: str = "full"
    """``full``, ``brief`` (one word) or nothing."""
    short: bool = False
    """Numbers rounded: 25.56 M."""
    layer: int | None = None
    """The widest that the layer column may be."""
    operation_width: int | None = None


Width = Callable[[str], int]
"""The natural width of a column, heading included: ``layer``, ``operation``, ``brief``, ``output``; of a metric exact
(``KEY``), rounded (``KEY short``) and as shares (``KEY %``: 0 where it has none)."""


def report_blocks(report: Report, view: TableOptions, surface: Surface) -> Iterator[Block]:
    """Return the paragraphs and tables of a report, from top to bottom."""
    glyphs = surface.glyphs
    yield Paragraph(header.name_and_design(report.name, report.design, glyphs), surface.width)
    about = f" {glyphs.text('·')} {header.conditions(report, glyphs)}"
    yield Paragraph([(header.input_to_output(report, glyphs), ""), (about, "dim")], surface.width)
    yield Paragraph()
    if report.rows:
        yield from layers(fold_report(report, view), glyphs, surface.width, repeats=view.repeats)
    else:
        yield surface.line("The design has no layers.")
    yield Paragraph()
    yield header.totals(report, view, glyphs, surface.width)
    if hidden := sum(view.hides_total(key, report.totals) for key in (*report.totals, *report.omitted)):
        yield surface.line(f"{count_of(hidden, 'more total')}: -v, or --columns with their keys.", "dim")
    yield Paragraph()
    if view.every and report.note:
        yield surface.line(" ".join(report.note.split()))
    if not report.is_complete:
        yield Paragraph(header.coverage(report, glyphs), surface.width)
    yield from map(surface.line, header.notes(report))
    yield surface.line(header.convention(report), "dim")


def layers(folded: FoldedReport, glyphs: Characters, width: int | None, *, repeats: bool) -> Iterator[Block]:
    """Return the table of layers and, where a terminal was too narrow for all of it, a line that says what is missing.

    At a terminal it is a tree with subtotals; in a pipe every line has its whole path, so that it can be searched, and
    the lines of a column add up to its total.
    """
    texts = CellTexts(folded, glyphs, as_tree=width is not None, every=repeats)
    full = ColumnPlan(tuple(texts.columns), output=folded.group_by != "op")
    plan = _fit_columns(full, texts.width, width)
    yield Table(list(_columns(texts, plan)), texts.styles(), glyphs.rule, footer_rows=1)
    if hidden := ", ".join(_hidden(texts, full, plan)):
        yield left_out(hidden, width, _used(full, texts.width))
    if width is not None and (note := _folding_note(texts.rows)):
        yield Paragraph([(glyphs.text(f"{note}; --show-repeats shows all."), "dim")], width)


def _folding_note(rows: Sequence[DisplayRow]) -> str:
    """Return what rows stand for others, if any do."""
    if any(row.period > 1 for row in rows):
        return "Rows with × n stand for n equal neighbours and show one, with (p × n) for p in turn, n times"
    if any(row.repeats > 1 for row in rows):
        return "Rows with × n stand for n equal neighbours and show one"
    if any(row.is_cut for row in rows):
        return "Layers that are shown elsewhere or have no values are left out"
    return ""


def flat_table(folded: FoldedReport, glyphs: Characters) -> Table:
    """Return the table for formats that are no text: whole paths, every column, no bars; the last row is the total."""
    texts = CellTexts(folded, glyphs, as_tree=False)
    plan = ColumnPlan(tuple(texts.columns), bar=0, output=folded.group_by != "op")
    return Table(list(_columns(texts, plan)), texts.styles(), footer_rows=1)


def _columns(texts: CellTexts, plan: ColumnPlan) -> Iterator[TableColumn]:
    names = texts.texts("layer")
    if plan.layer is not None and plan.layer < texts.width("layer"):
        names = [texts.glyphs.shorten_path(name, plan.layer) for name in names]
    yield TableColumn(texts.glyphs.truncate(texts.heading("layer"), plan.layer or 80), names)
    if plan.operation:
        name = "brief" if plan.operation == "brief" else "operation"
        shown = texts.texts(name)
        if plan.operation_width and plan.operation == "full":
            shown = [texts.glyphs.truncate(text, plan.operation_width) for text in shown]
        yield TableColumn(texts.heading(name), shown)
    if plan.output:
        yield TableColumn(texts.heading("output"), texts.texts("output"))
    for place, key in enumerate(plan.metrics):
        name = f"{key} short" if plan.short else key
        yield TableColumn(texts.heading(name), texts.texts(name), right=True)
        if texts.texts(f"{key} %"):
            if plan.share:
                yield TableColumn("%", texts.texts(f"{key} %"), right=True, style="dim")
            if plan.bar:
                yield TableColumn("", texts.bars(key, plan.bar), style=f"bar{place % 4}", gap=1)


def _hidden(texts: CellTexts, full: ColumnPlan, plan: ColumnPlan) -> Iterator[str]:
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


# --- what a terminal has room for -------------------------------------------------------------------------------------


def _fit_columns(plan: ColumnPlan, natural: Width, width: int | None) -> ColumnPlan:
    """Return the fullest plan that fits into ``width``.

    What goes, in this order: shares, output shapes, bars, ends of operations, operations, middles of paths, digits,
    then metrics from the last.
    """
    if width is None:
        return plan
    stage = plan
    for stage, least in _stages(plan._replace(bar=SHORTEST_BAR), width):
        room = width - _used(stage._replace(layer=0), natural)
        if room >= min(least or natural("layer"), natural("layer")):
            return _filled(stage._replace(layer=min(room, natural("layer"))), natural, width)
    return stage._replace(layer=1)


def _used(plan: ColumnPlan, natural: Width) -> int:
    """Return how wide the table is under a plan."""
    total = natural("layer") if plan.layer is None else plan.layer
    if plan.operation == "brief":
        total += GAP + natural("brief")
    elif plan.operation:
        total += GAP + min(natural("operation"), plan.operation_width or natural("operation"))
    if plan.output:
        total += GAP + natural("output")
    for key in plan.metrics:
        total += GAP + natural(f"{key} short" if plan.short else key)
        if natural(f"{key} %"):
            total += (GAP + natural(f"{key} %") if plan.share else 0) + (1 + plan.bar if plan.bar else 0)
    return total


def _stages(plan: ColumnPlan, width: int) -> Iterator[tuple[ColumnPlan, int]]:
    """Return plans, each smaller than the one before, and the least width that each leaves to paths (0: all)."""
    yield plan, 0
    least = max(MIDDLING_LAYER, width // 3)
    plan = plan._replace(operation_width=max(MIDDLING_OPERATION, width // 4))
    yield plan, least
    yield (plan := plan._replace(share=False)), least
    yield (plan := plan._replace(output=False)), least
    yield (plan := plan._replace(bar=0)), least
    yield (plan := plan._replace(operation="brief")), least
    yield (plan := plan._replace(operation="")), least
    yield plan, SHORT_LAYER
    yield (plan := plan._replace(short=True)), SHORT_LAYER
    yield plan, SHORTEST_LAYER
    while len(plan.metrics) > 1:
        yield (plan := plan._replace(metrics=plan.metrics[:-1])), SHORTEST_LAYER
    yield plan, 1


def _filled(plan: ColumnPlan, natural: Width, width: int) -> ColumnPlan:
    """Give the room that is left to operations, then to bars."""
    if plan.operation_width and plan.operation == "full":
        spare = width - _used(plan, natural)
        plan = plan._replace(operation_width=min(natural("operation"), plan.operation_width + spare))
    bars = sum(1 for key in plan.metrics if natural(f"{key} %"))
    if not plan.bar or not bars:
        return plan
    return plan._replace(bar=min(LONGEST_BAR, plan.bar + (width - _used(plan, natural)) // bars))
