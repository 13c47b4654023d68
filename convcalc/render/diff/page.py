"""A diff as people read it: how many designs, then each that changed with its totals and its layers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from convcalc.budget.diff.layers import LayerChange, group_changes, layer_change_kind
from convcalc.budget.diff.revisions import KEY_METRICS, DesignDiff, Diff, layer_metrics
from convcalc.metrics.registry import report_metrics
from convcalc.number_format import count_of, format_exact, format_signed, format_significant
from convcalc.records import replace
from convcalc.render.tables.characters import Characters
from convcalc.render.tables.paragraph import Block, Paragraph, left_out
from convcalc.render.tables.surface import Surface
from convcalc.render.tables.table import Table, TableColumn

ROWS = 20
"""Layers of a design that are shown."""
SHORTEST_LAYER = 12
STYLES = {"grew": "more", "new": "more", "shrank": "fewer", "removed": "fewer", "moved": "dim"}


def diff_blocks(diff: Diff, surface: Surface) -> Iterator[Block]:
    """Return the paragraphs and tables of a diff, from top to bottom."""
    glyphs, width = Characters(surface.ascii_only), surface.width
    yield Paragraph([(headline(diff, glyphs), "title")], width)
    hidden: dict[str, None] = {}
    for design in diff.designs:
        yield Paragraph()
        yield Paragraph([(name(design, glyphs), "title"), (f"  {design.change}", STYLES.get(design.change, ""))], width)
        grid = totals(design, glyphs)
        if grid.row_styles:
            yield replace(_fitting(grid, width, glyphs, hidden, ("%", "Before")), indent=2)
        rows = changed(design)
        if rows:
            yield replace(_fitting(layers(rows[:ROWS], glyphs), width, glyphs, hidden), indent=2)
        if len(rows) > ROWS:
            yield Paragraph(
                [(f"  {count_of(len(rows) - ROWS, 'smaller change', 'smaller changes')} not shown", "dim")], width
            )
    if hidden:
        yield Paragraph()
        yield left_out(", ".join(hidden), width)


def headline(diff: Diff, glyphs: Characters) -> str:
    """``Changes since 1a2b3c4: 1 changed, 2 added, 12 unchanged``."""
    words = [one.change for one in diff.designs]
    counts = [f"{words.count(word):,} {word}" for word in ("changed", "renamed", "added", "removed") if word in words]
    told = ", ".join([*counts, f"{diff.unchanged:,} unchanged"])
    broken = f"; {count_of(diff.broken, 'file')} invalid in both revisions" if diff.broken else ""
    errors = f"; {count_of(len(diff.errors), 'error')}" if diff.errors else ""
    return glyphs.text(f"Changes since {diff.label}: {told}{broken}{errors}")


def name(design: DesignDiff, glyphs: Characters) -> str:
    """``models/old.yaml → models/new.yaml``."""
    return glyphs.text(f"{design.old_name} → {design.design}" if design.old_name else design.design)


def changed(design: DesignDiff) -> list[LayerChange]:
    """Return its layers that changed, the largest first; where params or multiplies did, those alone that have any."""
    rows = group_changes(design.layers, layer_metrics())
    if not any(row.difference(key) for row in rows for key in KEY_METRICS):
        return rows
    return [row for row in rows if any(row.difference(key) or (row.old_path and _has(row, key)) for key in KEY_METRICS)]


def _has(row: LayerChange, key: str) -> bool:
    return bool(row.after and row.after.get(key))


def totals(design: DesignDiff, glyphs: Characters) -> Table:
    """Return a line for each metric whose total differs; for a design on one side, the leading ones."""
    before, after = design.before, design.after
    shown = [one for one in report_metrics() if _differs(design, one.key)]
    lines = [(glyphs.text(one.title), *_sides(before and before.totals[one.key], after and after.totals[one.key]))
             for one in shown]  # fmt: skip
    title, was, now, by, share = zip(*lines, strict=True) if lines else ((),) * 5
    signs = ["fewer" if text.startswith("-") else "more" for text in by]
    columns = [
        TableColumn("Total", title), TableColumn("Before", was, right=True), TableColumn("After", now, right=True),
        TableColumn("Change", by, right=True, styles=signs), TableColumn("%", share, right=True, styles=signs),
    ]  # fmt: skip
    return Table(columns, [""] * len(lines), glyphs.rule)


def _differs(design: DesignDiff, key: str) -> bool:
    if design.before is None or design.after is None:
        return key in KEY_METRICS
    return design.before.totals[key] != design.after.totals[key]


def _sides(before: int | None, after: int | None) -> tuple[str, str, str, str]:
    if before is None or after is None:
        return _number(before), _number(after), "", ""
    return format_exact(before), format_exact(after), format_signed(after - before), growth(before, after)


def _number(value: int | None) -> str:
    return "" if value is None else format_exact(value)


def growth(before: int, after: int) -> str:
    """``+2.04``, in percent; nothing where there was nothing, or nothing changed."""
    if not before or before == after:
        return ""
    share = Fraction(100 * (after - before), before)
    return ("+" if share > 0 else "") + format_significant(share)


def layers(rows: Sequence[LayerChange], glyphs: Characters) -> Table:
    """Return a line for each layer or scope that changed."""
    titles = {one.key: one.title for one in report_metrics()}
    keys = [key for key in KEY_METRICS if any(row.difference(key) for row in rows)]
    if not keys:
        keys = [key for key in titles if any(row.difference(key) for row in rows)][:2]
    columns = [
        TableColumn("Layer", [_layer(row, glyphs) for row in rows]),
        TableColumn("", [row.change for row in rows], styles=[STYLES[row.change] for row in rows]),
    ]
    for key in keys:
        columns.append(TableColumn(glyphs.text(titles[key]), [_difference(row, key) for row in rows], right=True))
        columns.append(TableColumn("%", [_share(row, key) for row in rows], right=True))
    return Table(columns, [""] * len(rows), glyphs.rule)


def _layer(row: LayerChange, glyphs: Characters) -> str:
    count = f" ({count_of(row.layers, 'layer')})" if row.layers > 1 else ""
    path = f"{row.old_path} → {row.path}" if row.old_path else row.path
    return glyphs.text(f"{path}{count}")


def _difference(row: LayerChange, key: str) -> str:
    difference = row.difference(key)
    return format_signed(difference) if difference else ""


def _share(row: LayerChange, key: str) -> str:
    if row.before is None or row.after is None:
        return ""
    return growth(row.before.get(key, 0), row.after.get(key, 0))


def _fitting(
    grid: Table, width: int | None, glyphs: Characters, hidden: dict[str, None], spare: Sequence[str] = ()
) -> Table:
    """Drop the columns that can be spared, then others from the end, then shorten names, until a table fits.

    What is lost is added to ``hidden``.
    """
    if width is None:
        return grid
    columns = list(grid.columns)
    least = min(columns[0].width, SHORTEST_LAYER)
    waiting = list(spare)
    while len(columns) > 3 and _width(columns) - columns[0].width + least > width:
        heading = waiting.pop(0) if waiting else columns[-1].heading
        columns.remove(next(column for column in reversed(columns) if column.heading == heading))
        hidden[heading] = None
    room = max(1, width - (_width(columns) - columns[0].width))
    if room < columns[0].width:
        hidden["middles of names"] = None
    texts = [glyphs.shorten_path(text, room) for text in columns[0].texts]
    return replace(grid, columns=[columns[0]._replace(texts=texts), *columns[1:]])


def _width(columns: Sequence[TableColumn]) -> int:
    return 2 + sum(column.width + column.gap for column in columns) - columns[0].gap


def diff_facts(diff: Diff) -> dict[str, object]:
    """Return a diff as what JSON has words for, without its errors."""
    designs = map(_design_facts, diff.designs)
    return {"against": diff.label, "unchanged": diff.unchanged, "broken": diff.broken, "designs": designs}


def _design_facts(one: DesignDiff) -> dict[str, object]:
    layers = [
        {"path": pair.path, "was": pair.old_path, "change": change, "before": pair.before, "after": pair.after}
        for pair in one.layers
        if (change := layer_change_kind(pair, layer_metrics()))
    ]
    sides = {"before": one.before and one.before.totals, "after": one.after and one.after.totals}
    return {"design": one.design, "was": one.old_name, "change": one.change, "totals": sides, "layers": layers}
