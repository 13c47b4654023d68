"""A diff as a comment on a pull request: a table of the designs, then each with its layers while there is room."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from convcalc.budget.diff.revisions import KEY_METRICS, DesignDiff, Diff
from convcalc.errors import format_error
from convcalc.metrics.registry import report_metrics
from convcalc.number_format import count_of, format_exact
from convcalc.render.diff.page import ROWS, changed, growth, headline, layers, name, totals
from convcalc.render.tables import markdown_syntax as gfm
from convcalc.render.tables.characters import Characters
from convcalc.render.tables.table import Table, TableColumn

COMMENT = 60_000
"""Characters; GitHub takes 65,536 in a comment."""
CLOSING = 200
"""Characters that are kept for what is said at the end."""
LISTED = 100
"""Designs in the table at the top."""
ERRORS = 20


def diff_comment(diff: Diff, *, ascii_only: bool = False, limit: int = COMMENT) -> str:
    """Return the comment: worst first, and its last line says what was cut."""
    glyphs = Characters(ascii_only)
    parts = [f"### {gfm.text(headline(diff, glyphs))}"]
    room = limit - CLOSING - len(parts[0])
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
        TableColumn("Design", [name(one, glyphs) for one in listed]),
        TableColumn("", [one.change for one in listed]),
    ]
    for key in KEY_METRICS:
        columns.append(TableColumn(titles[key], [_after(one, key) for one in listed], right=True))
        columns.append(TableColumn("%", [_grown(one, key) for one in listed], right=True))
    yield gfm.table(Table(columns, [""] * len(listed)))


def _after(one: DesignDiff, key: str) -> str:
    past = one.after or one.before
    return format_exact(past.totals[key]) if past else ""


def _grown(one: DesignDiff, key: str) -> str:
    return growth(one.before.totals[key], one.after.totals[key]) if one.before and one.after else ""


def _section(one: DesignDiff, glyphs: Characters) -> str:
    """One design: its totals, and its layers folded away behind a word."""
    parts = [f"#### {gfm.text(name(one, glyphs))}: {one.change}"]
    grid = totals(one, glyphs)
    if grid.row_styles:
        parts.append(gfm.table(grid))
    rows = changed(one)
    if rows:
        parts.append(gfm.table(layers(rows[:ROWS], glyphs)))
    if len(rows) > ROWS:
        parts.append(f"{count_of(len(rows) - ROWS, 'smaller change', 'smaller changes')} not shown.")
    return "\n\n".join(parts)
