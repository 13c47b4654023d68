"""The two tables of a comparison: the layers as they are aligned, and the totals."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from convcalc.number_format import count_of
from convcalc.render.comparison.sentences import comparison_sentences, noun_of
from convcalc.render.comparison.side_by_side import ColumnGroup, DesignCell, SideBySideTable
from convcalc.render.report.header import convention, input_to_output, shapes
from convcalc.render.tables.blocks import Block, Paragraph, Table, TableColumn, either
from convcalc.render.tables.characters import Characters
from convcalc.render.tables.surface import Surface
from convcalc.report.align_layers import AlignedRow
from convcalc.report.compare import Comparison, MetricComparison, Value
from convcalc.report.comparison_rows import ComparisonRows, first, select_rows
from convcalc.report.report import Report

BAR = 8

WHOLE = "(whole design)"


def layers(comparison: Comparison, glyphs: Characters) -> tuple[SideBySideTable, str]:
    """Return the rows worth seeing, and a line on those that are not shown; without rows there is no table to draw."""
    metrics, top = comparison.columns, comparison.view.top
    chosen = select_rows(comparison.matches, [metric.column.key for metric in metrics])
    if top is not None and metrics:
        chosen = first(chosen, metrics[0].column.key, top)
    rows = [*chosen.rows, *([chosen.remainder] if chosen.remainder else [])]
    names = [_name(match, glyphs, whole=top is not None) for match in chosen.rows]
    sides = SideBySideTable(
        glyphs,
        [glyphs.text(label) for label in comparison.labels],
        "Layer",
        [*names, *(["Others"] if chosen.remainder else []), "Total"],
        [*("zero" if match.equal else "" for match in rows), "total"],
        [_group(comparison, metric, rows, glyphs) for metric in metrics],
        footer_rows=1,
    )
    return sides, _unseen(chosen, metrics)


def totals(comparison: Comparison, glyphs: Characters) -> SideBySideTable:
    """Return every metric of the whole designs, one a row."""
    metrics = comparison.totals
    sides = list(zip(*(_total(comparison, metric) for metric in metrics), strict=True))
    labels = [glyphs.text(label) for label in comparison.labels]
    names = [glyphs.text(metric.column.title) for metric in metrics]
    return SideBySideTable(glyphs, labels, "Total", names, [""] * len(names), [ColumnGroup("", sides)])


def _total(comparison: Comparison, metric: MetricComparison) -> list[DesignCell]:
    known = [metric.column.key not in report.lower_bounds for report in comparison.reports]
    return _cells(metric, metric.values, known)


def _cells(
    metric: MetricComparison, values: Sequence[Value | None], known: Sequence[bool], *, comparable: bool = True
) -> list[DesignCell]:
    """Return a row of one metric, a cell for each design."""
    return [
        DesignCell(value, values[0], metric.column.unit, comparable, own, own and known[0])
        for value, own in zip(values, known, strict=True)
    ]


def _name(match: AlignedRow, glyphs: Characters, *, whole: bool) -> str:
    """The segment, indented, or the ``whole`` path; where names differ, all; of a run, the first and the last."""
    segments = dict.fromkeys(cell.path if whole else cell.path.rpartition(".")[2] for cell in match.cells if cell)
    name = " / ".join(segments) if match.path else WHOLE
    if match.last_segment:
        name = f"{name} … {match.last_segment}"
    return "  " * match.level + glyphs.text(name)


def _group(
    comparison: Comparison, metric: MetricComparison, rows: Sequence[AlignedRow], glyphs: Characters
) -> ColumnGroup:
    key, lines = metric.column.key, []
    for match in rows:
        known = [cell is None or key not in cell.unknown for cell in match.cells]
        lines.append(_cells(metric, match.values(key), known, comparable=not match.splits_a_layer))
    sides = list(zip(*lines, _total(comparison, metric), strict=True))
    return ColumnGroup(glyphs.text(metric.column.title), sides, _bars(key, rows, len(sides), glyphs))


def _bars(key: str, rows: Sequence[AlignedRow], designs: int, glyphs: Characters) -> list[list[str]]:
    """Bars for the places at the top, on one scale for all designs, and a blank for the total."""
    tops = [match.values(key) if match.level == 0 else (0,) * designs for match in rows]
    drawn = glyphs.bars([value or 0 for values in tops for value in values], BAR)
    return [[*drawn[place::designs], ""] for place in range(designs)]


def _unseen(chosen: ComparisonRows, metrics: Sequence[MetricComparison]) -> str:
    """Say which layers the table leaves out."""
    nouns = either([noun_of(metric.column).many for metric in metrics])
    parts = []
    if chosen.without_value:
        verb = "is" if chosen.without_value == 1 else "are"
        parts.append(f"{count_of(chosen.without_value, 'layer')} without {nouns} {verb} not shown")
    if chosen.collapsed_groups:
        verb = "shows" if chosen.collapsed_groups == 1 else "show"
        parts.append(f"{count_of(chosen.collapsed_groups, 'group')} that are identical {verb} sums only")
    return f"{'; '.join(parts)}; --json has every layer." if parts else ""


def comparison_blocks(comparison: Comparison, surface: Surface) -> Iterator[Block]:
    """Return the paragraphs and tables of a comparison, from top to bottom."""
    glyphs, width = surface.glyphs, surface.width
    yield from _designs(comparison, glyphs, width)
    yield Paragraph()
    aligned, unseen = layers(comparison, glyphs)
    if len(aligned.names) > 1:
        yield from aligned.blocks(width)
        if unseen:
            yield surface.line(unseen, "dim")
        yield Paragraph()
    yield from totals(comparison, glyphs).blocks(width)
    view, given = comparison.view, comparison.reports[0].totals
    if hidden := sum(view.hides_total(metric.column.key, given) for metric in comparison.metrics):
        yield surface.line(f"{count_of(hidden, 'more total')}: -v, or --columns with their keys.", "dim")
    yield Paragraph()
    yield from map(surface.line, comparison_sentences(comparison))
    yield Paragraph()
    yield surface.line(convention(*comparison.reports), "dim")


def _designs(comparison: Comparison, glyphs: Characters, width: int | None) -> Iterator[Block]:
    """Name the designs, one a line, and say what makes them hard to compare."""
    reports = comparison.reports
    named = list(zip(comparison.labels, reports, strict=True))
    columns = [
        TableColumn("", [glyphs.text(label) for label in comparison.labels], style="title"),
        TableColumn("", [input_to_output(report, glyphs) for report in reports]),
        TableColumn("", [glyphs.text(one.name) * (one.name not in {label, one.design}) for label, one in named]),
        TableColumn("", [glyphs.text(one.design) * (one.design != label) for label, one in named], style="dim"),
    ]
    table = Table([column for column in columns if any(column.texts)])
    if width is None or table.width <= width:
        yield table
    else:
        for label, *texts in zip(*(column.texts for column in table.columns), strict=True):
            styles = [column.style for column in table.columns[1:]]
            spans = [(f"  {text}", style) for text, style in zip(texts, styles, strict=True) if text]
            yield Paragraph([(label, "title"), *spans], width)
    if comparison.differing_conditions:
        yield Paragraph([("Different inputs:", "warning"), (f" {differing(comparison, glyphs)}", "")], width)


def differing(comparison: Comparison, glyphs: Characters) -> str:
    """``naive reads 192×28×28; reduced reads 256×28×28``."""
    told: dict[str, Callable[[Report], str]] = {
        "inputs": lambda report: f"takes {shapes(report.inputs, glyphs)}",
        "batch": lambda report: f"batch {report.batch:,}",
        "dtype": lambda report: glyphs.text(report.dtype),
    }
    return "; ".join(
        f"{glyphs.text(label)} {', '.join(told[what](report) for what in comparison.differing_conditions)}"
        for label, report in zip(comparison.labels, comparison.reports, strict=True)
    )
