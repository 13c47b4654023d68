"""A diff as people and programs read it: how many designs, then each that changed with its totals and its layers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from convcalc.budget.diff.layers import LayerChange, group_changes, layer_change_kind
from convcalc.budget.diff.revisions import KEY_METRICS, DesignDiff, Diff, layer_metrics
from convcalc.errors import format_error
from convcalc.metrics.registry import report_metrics
from convcalc.number_format import count_of, format_exact, format_signed, format_significant
from convcalc.records import replace
from convcalc.render.tables import markdown_syntax as gfm
from convcalc.render.tables.blocks import Block, Paragraph, Table, TableColumn, left_out
from convcalc.render.tables.characters import Characters
from convcalc.render.tables.surface import Surface

ROWS = 20
"""Layers of a design that are shown."""
SHORTEST_LAYER = 12
COMMENT = 60_000
"""Characters; GitHub takes 65,536 in a comment."""
CLOSING = 200
"""Characters that are kept for what is said at the end."""
LISTED = 100
"""Designs in the table at the top."""
ERRORS = 20


STYLES = {"grew": "more", "new": "more", "shrank": "fewer", "removed": "fewer", "moved": "dim"}


# --- at a terminal ----------------------------------------------------------------------------------------------------


def diff_blocks(diff: Diff, surface: Surface) -> Iterator[Block]:
    """Return the paragraphs and tables of a diff, from top to bottom."""
    glyphs, width = surface.glyphs, surface.width
    yield surface.line(_headline(diff, glyphs), "title")
    hidden: dict[str, None] = {}
    for design in diff.designs:
        yield Paragraph()
        change = (f"  {design.change}", STYLES.get(design.change, ""))
        yield Paragraph([(_name(design, glyphs), "title"), change], width)
        grid = _totals(design, glyphs)
        if grid.kinds:
            yield _fitting(grid, width, glyphs, hidden, ("%", "Before"))
        rows = _changed(design)
        if rows:
            yield _fitting(_layers(rows[:ROWS], glyphs), width, glyphs, hidden)
        if len(rows) > ROWS:
            more = count_of(len(rows) - ROWS, "smaller change", "smaller changes")
            yield surface.line(f"  {more} not shown", "dim")
    if hidden:
        yield Paragraph()
        yield left_out(", ".join(hidden), width)


def _fitting(
    grid: Table, width: int | None, glyphs: Characters, hidden: dict[str, None], spare: Sequence[str] = ()
) -> Table:
    """Indent a table; drop columns that can be spared, then others from the end, then shorten names, until it fits.

    What is lost is added to ``hidden``.
    """
    grid = replace(grid, indent=2)
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


# --- on a pull request ------------------------------------------------------------------------------------------------


def diff_comment(diff: Diff, surface: Surface) -> str:
    """Return the comment: worst first, and its last line says what was cut."""
    glyphs = surface.glyphs
    parts = [f"### {gfm.text(_headline(diff, glyphs))}"]
    room = COMMENT - CLOSING - len(parts[0])
    sections = [*_errors(diff, glyphs), *_overview(diff.designs, glyphs)]
    sections += [_section(one, glyphs) for one in diff.designs]
    cut = 0
    for section in sections:
        if cut or len(section) + 2 > room:
            cut += 1
            continue
        parts.append(section)
        room -= len(section) + 2
    missing = min(cut, len(diff.designs))
    if missing:
        parts.append(f"{count_of(missing, 'design')} more, cut here: a comment has no room for them.")
    return "\n\n".join(parts) + "\n"


def _errors(diff: Diff, glyphs: Characters) -> Iterator[str]:
    """What could not be read, which is worse than any change."""
    shown = [f"- {gfm.text(glyphs.text(format_error(error).splitlines()[0]))}" for error in diff.errors[:ERRORS]]
    if len(diff.errors) > ERRORS:
        shown.append(f"- and {len(diff.errors) - ERRORS:,} more")
    if shown:
        yield "\n".join(["**Could not be read:**", *shown])


def _overview(designs: Sequence[DesignDiff], glyphs: Characters) -> Iterator[str]:
    """A line a design: its leading totals after, and by how much they changed."""
    if not designs:
        return
    listed = designs[:LISTED]
    titles = {one.key: glyphs.text(one.title) for one in report_metrics()}
    columns = [
        TableColumn("Design", [_name(one, glyphs) for one in listed]),
        TableColumn("", [one.change for one in listed]),
    ]
    for key in KEY_METRICS:
        sides = [[side and side.totals[key] for side in (one.before, one.after)] for one in listed]
        known = [_number(before if after is None else after) for before, after in sides]
        columns.append(TableColumn(titles[key], known, right=True))
        columns.append(TableColumn("%", [growth(before, after) for before, after in sides], right=True))
    yield gfm.table(Table(columns))


def _section(one: DesignDiff, glyphs: Characters) -> str:
    """One design: its totals, and its layers folded away behind a word."""
    parts = [f"#### {gfm.text(_name(one, glyphs))}: {one.change}"]
    grid = _totals(one, glyphs)
    if grid.kinds:
        parts.append(gfm.table(grid))
    rows = _changed(one)
    if rows:
        parts.append(gfm.table(_layers(rows[:ROWS], glyphs)))
    if len(rows) > ROWS:
        parts.append(f"{count_of(len(rows) - ROWS, 'smaller change', 'smaller changes')} not shown.")
    return "\n\n".join(parts)


# --- what both show ---------------------------------------------------------------------------------------------------


def _headline(diff: Diff, glyphs: Characters) -> str:
    """``Changes since 1a2b3c4: 1 changed, 2 added, 12 unchanged``."""
    words = [one.change for one in diff.designs]
    counts = [f"{words.count(word):,} {word}" for word in ("changed", "renamed", "added", "removed") if word in words]
    told = ", ".join([*counts, f"{diff.unchanged:,} unchanged"])
    broken = f"; {count_of(diff.broken, 'file')} invalid in both revisions" if diff.broken else ""
    errors = f"; {count_of(len(diff.errors), 'error')}" if diff.errors else ""
    return glyphs.text(f"Changes since {diff.label}: {told}{broken}{errors}")


def _name(design: DesignDiff, glyphs: Characters) -> str:
    """``models/old.yaml → models/new.yaml``."""
    return glyphs.text(f"{design.old_name} → {design.design}" if design.old_name else design.design)


def _changed(design: DesignDiff) -> list[LayerChange]:
    """Return its layers that changed, the largest first; where params or multiplies did, those alone that have any."""
    rows = group_changes(design.layers, layer_metrics())
    if not any(row.difference(key) for row in rows for key in KEY_METRICS):
        return rows
    return [
        row
        for row in rows
        if any(row.difference(key) or (row.old_path and (row.after or {}).get(key)) for key in KEY_METRICS)
    ]


def _totals(design: DesignDiff, glyphs: Characters) -> Table:
    """Return a line for each metric whose total differs; for a design on one side, the leading ones."""
    rows = []
    for one in report_metrics():
        before, after = (side and side.totals[one.key] for side in (design.before, design.after))
        if before is not None and after is not None:
            if before != after:
                change = format_signed(after - before)
                rows.append((one.title, format_exact(before), format_exact(after), change, growth(before, after)))
        elif one.key in KEY_METRICS:
            rows.append((one.title, _number(before), _number(after), "", ""))
    title, was, now, by, share = zip(*rows, strict=True) if rows else ((),) * 5
    signs = ["fewer" if text.startswith("-") else "more" for text in by]
    columns = [
        TableColumn("Total", glyphs.texts(title)), TableColumn("Before", was, right=True),
        TableColumn("After", now, right=True), TableColumn("Change", by, right=True, styles=signs),
        TableColumn("%", share, right=True, styles=signs),
    ]  # fmt: skip
    return Table(columns, rule=glyphs.rule)


def _number(value: int | None) -> str:
    return "" if value is None else format_exact(value)


def growth(before: int | None, after: int | None) -> str:
    """``+2.04``, in percent; nothing where there was or is nothing, or nothing changed."""
    if not before or after is None or before == after:
        return ""
    share = Fraction(100 * (after - before), before)
    return ("+" if share > 0 else "") + format_significant(share)


def _layers(rows: Sequence[LayerChange], glyphs: Characters) -> Table:
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
        grown = [row.difference(key) for row in rows]
        texts = [format_signed(number) if number else "" for number in grown]
        sides = [[side if side is None else side.get(key, 0) for side in (row.before, row.after)] for row in rows]
        columns.append(TableColumn(glyphs.text(titles[key]), texts, right=True))
        columns.append(TableColumn("%", [growth(before, after) for before, after in sides], right=True))
    return Table(columns, rule=glyphs.rule)


def _layer(row: LayerChange, glyphs: Characters) -> str:
    count = f" ({count_of(row.layers, 'layer')})" if row.layers > 1 else ""
    path = f"{row.old_path} → {row.path}" if row.old_path else row.path
    return glyphs.text(f"{path}{count}")


# --- for programs -----------------------------------------------------------------------------------------------------


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
