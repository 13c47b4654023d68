"""What stands around the table of layers: which design it is, its totals, and the convention."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from convcalc.number_format import count_of, format_exact, format_short
from convcalc.records import replace
from convcalc.render.tables.blocks import StyledText, Table, TableColumn
from convcalc.render.tables.characters import Characters
from convcalc.report.fold import TableOptions
from convcalc.report.report import CONVENTION_ID, Report

SHOWN_JOINS = 6

MAC_DEFINITION = (
    "multiplies are the multiply–accumulates of conv, linear, matmul, attention and recurrent layers; 1 MAC = 2 FLOPs"
)

WITHOUT_GATES = (
    "receptive fields, strides and offsets without gates, which are the branches of one cell behind a global pool that "
    "a mul takes: {:,} mul left out theirs"
)
ALL_PAIRS = "; attention counts all pairs of queries and keys, also those that a mask hides (not in seen_macs)"
ATTENTIONS = {"attention", "sdpa"}


def name_and_design(name: str, design: str, glyphs: Characters) -> list[StyledText]:
    """Return the network's name and the design as it was typed; the name alone where they are the same."""
    more = [("  ", ""), (glyphs.text(design), "dim")] if design != name else []
    return [(glyphs.text(name), "title"), *more]


def input_to_output(report: Report, glyphs: Characters) -> str:
    """``3×224×224 → 1000``; tensors are named where there are several."""
    return f"{shapes(report.inputs, glyphs)} {glyphs.text('→')} {shapes(report.outputs, glyphs)}"


def conditions(report: Report, glyphs: Characters) -> str:
    """``batch 1 · float32``, and which inputs and variables are not those of the spec."""
    settings = "".join(f" · {name} = {text}" for name, text in report.overrides)
    given = glyphs.text(f"{settings}{given_inputs(report.given)}")
    return f"batch {report.batch:,} {glyphs.text('·')} {glyphs.text(report.dtype)}{given}"


def shapes(shapes: Mapping[str, Sequence[int]], glyphs: Characters) -> str:
    """Return shapes, each with its name where there are several."""
    if len(shapes) == 1:
        return "".join(glyphs.shape(axes) for axes in shapes.values())
    return ", ".join(f"{glyphs.text(name)} {glyphs.shape(axes)}" for name, axes in shapes.items()) or "nothing"


def total_texts(report: Report, view: TableOptions, glyphs: Characters) -> list[Sequence[str]]:
    """Return the metrics of the whole design as columns: title, exact number, short number if it is another, unit."""
    rows, bounds = [], report.lower_bounds
    for column in report.columns:
        if column.key in report.totals and view.shows_total(column.key, report.totals):
            value = report.totals[column.key]
            exact, short = format_exact(value), format_short(value, column.unit)
            brief = "" if short in (exact, f"{exact} B") else short
            rows.append((column.title, f"≥ {exact}" if column.key in bounds else exact, brief, column.unit))
    return [glyphs.texts([row[place] for row in rows]) for place in range(4)]


def totals(report: Report, view: TableOptions, glyphs: Characters, width: int | None) -> Table:
    """Metrics of the whole design: title, exact number, short number, its suffix, unit. Narrow: the first two."""
    titles, exact, short, units = total_texts(report, view, glyphs)
    parts = [
        TableColumn("", titles),
        TableColumn("", exact, right=True, style="total"),
        TableColumn("", [text.partition(" ")[0] for text in short], right=True, gap=3),
        TableColumn("", [text.partition(" ")[2] for text in short], gap=1),
        TableColumn("", units, style="dim"),
    ]
    table = Table(parts, rule=glyphs.rule)
    while width is not None and table.width > width and len(parts) > 2:
        parts = parts[:4] if len(parts) == 5 else parts[:2]
        table = replace(table, columns=parts)
    return table


def notes(report: Report) -> Iterator[str]:
    """What has to be known of columns, those that were asked for and those of memory."""
    if _attends(report):
        yield (
            "Traffic of an attention is that of its inputs, weights, cache and output; what it holds inside is in peak "
            "and training bytes, without scores where it is one kernel (via: fused)."
        )
    if report.misaligned:
        joins = {join.layer: join.paths for join in report.misaligned}
        told = [f"{layer} ({' and '.join(paths)})" for layer, paths in joins.items()]
        names = ", ".join(told[:SHOWN_JOINS]) + (", …" if len(joins) > SHOWN_JOINS else "")
        yield (
            f"Paths whose strides or centres differ meet in {count_of(len(joins), 'join')}; the largest receptive "
            f"field is reported: {names}."
        )
    if report.device is not None:
        yield (
            f"Time bounds are lower bounds from the datasheet of {report.device.name} for layers one after another "
            f"with no cache between them, not measurements: {report.device.source}"
        )
        yield from (f"{report.device.name}: {note}" for note in report.device.notes_on(report.dtype))


def coverage(report: Report, glyphs: Characters) -> list[StyledText]:
    """Which layers the totals leave out."""
    count = len(report.unknown)
    what = "1 layer is" if count == 1 else f"{count:,} layers are"
    names = ", ".join(glyphs.text(path) for path in report.unknown)
    text = f" {what} not counted, so totals marked {glyphs.at_least} are lower bounds: {names}"
    return [("Incomplete:", "warning"), (text, "")]


def convention(report: Report, *others: Report) -> str:
    """One line that says how the numbers of a report were come by, and those of others under the same conditions."""
    fields = "" if report.gated is None else "; " + WITHOUT_GATES.format(len(report.gated))
    attends = any(map(_attends, (report, *others)))
    counted = f"{MAC_DEFINITION}{ALL_PAIRS if attends else ''}"
    return f"Convention {CONVENTION_ID}: {counted}; batch {report.batch:,}; {report.dtype}{fields}."


def _attends(report: Report) -> bool:
    return not ATTENTIONS.isdisjoint([row.op for row in report.rows])


def given_inputs(names: Collection[str]) -> str:
    """Return what a heading says of inputs whose shapes are not those of the spec."""
    return f" · {', '.join(names)} by --input" if names else ""
