"""For pull requests and READMEs: GitHub-flavoured tables."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from convcalc.compare import Comparison
from convcalc.fold import View, fold
from convcalc.listing import Listing
from convcalc.render.layout import aligned
from convcalc.render.layout.comparison import differing
from convcalc.render.layout.entries import counted
from convcalc.render.layout.frame import circumstances, convention, coverage, flow, totals
from convcalc.render.layout.glyphs import Glyphs
from convcalc.render.layout.grid import Column, Grid
from convcalc.render.layout.listing import grid as listed
from convcalc.render.layout.listing import seen
from convcalc.render.layout.report import flat
from convcalc.render.layout.sentences import conclusions
from convcalc.render.layout.sidebyside import Plan
from convcalc.render.surface import Surface
from convcalc.report import Report

SPECIAL = re.compile(r"([\\`*_\[\]<>|~&#])")
SIDES = Plan(together=False, bar=False)


def report(report: Report, view: View, surface: Surface) -> str:
    """Return the table of layers, the totals and the convention."""
    glyphs = Glyphs(surface.ascii_only)
    parts = [f"### {_text(glyphs.text(report.name))}", _about(report, glyphs)]
    if report.rows:
        parts.append(_table(flat(fold(report, view), glyphs)))
    parts.append(_totals(report, glyphs))
    if not report.complete:
        parts.append(_text("".join(text for text, _ in coverage(report, glyphs))))
    parts.append(_small(convention(report), glyphs))
    return "\n\n".join(parts) + "\n"


def comparison(comparison: Comparison, surface: Surface) -> str:
    """Return the designs, a table a metric, the totals and the sentences."""
    glyphs = Glyphs(surface.ascii_only)
    names = " and ".join(_text(glyphs.text(label)) for label in comparison.labels)
    about = "\n".join(
        f"- **{_text(glyphs.text(label))}**: {_about(report, glyphs)}"
        for label, report in zip(comparison.labels, comparison.reports, strict=True)
    )
    parts = [f"### {names}", about]
    if comparison.differing:
        parts.append(f"**Not alike:** {_text(differing(comparison, glyphs))}")
    layers, unseen = aligned.layers(comparison, glyphs)
    for grid in layers.tables(SIDES) if len(layers.names) > 1 else ():
        parts += [f"**{_text(title)}**" for _, _, title in grid.spans]
        parts.append(_table(grid))
    if unseen:
        parts.append(_small(unseen, glyphs))
    parts += map(_table, aligned.totals(comparison, glyphs).tables(SIDES))
    parts.append("\n".join(f"- {_text(glyphs.text(sentence))}" for sentence in conclusions(comparison)))
    parts.append(_small(convention(comparison.reports[0]), glyphs))
    return "\n\n".join(parts) + "\n"


def listing(listing: Listing, surface: Surface) -> str:
    """Return the table of designs and how many there are."""
    glyphs = Glyphs(surface.ascii_only)
    table = listed(listing, seen(listing), glyphs)
    return f"{_table(table)}\n\n{counted(len(listing.rows), listing.noun)}\n"


def _about(report: Report, glyphs: Glyphs) -> str:
    parts = [_code(glyphs.text(report.design)), _text(flow(report, glyphs)), circumstances(report, glyphs)]
    return f" {glyphs.text('·')} ".join(parts)


def _totals(report: Report, glyphs: Glyphs) -> str:
    grid = totals(report, glyphs)
    title, exact, short, suffix, _ = (column.texts for column in grid.columns)
    rounded = [" ".join(parts).strip() for parts in zip(short, suffix, strict=True)]
    columns = [Column("Total", title), Column("exact", exact, right=True), Column("short", rounded, right=True)]
    return _table(Grid(columns, grid.kinds))


def _table(grid: Grid) -> str:
    """Return a GFM table: names as code, numbers to the right, the total in bold."""
    head = [_text(column.heading) for column in grid.columns]
    marks = ["--:" if column.right else ":--" for column in grid.columns]
    lines = [_line(head), _line(marks), *_body(grid)]
    return "\n".join(lines)


def _body(grid: Grid) -> Iterator[str]:
    named = grid.foot > 0
    for kind, first, *others in zip(grid.kinds, *(column.texts for column in grid.columns), strict=True):
        if kind == "total":
            yield _line([f"**{_text(text)}**" if text else "" for text in (first, *others)])
        else:
            yield _line([_name(first) if named else _text(first), *map(_text, others)])


def _name(text: str) -> str:
    """A path as code, indented by its depth."""
    bare = text.lstrip(" ")
    return "&emsp;" * ((len(text) - len(bare)) // 2) + _code(bare)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _text(text: str) -> str:
    """Escape what Markdown or HTML would read as markup; a name with an @ would call somebody."""
    return _code(text) if "@" in text else SPECIAL.sub(r"\\\1", text)


def _code(text: str) -> str:
    """A code span, fenced by more backticks than it holds. A bar would end the cell even in there."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * (longest + 1)
    space = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{space}{text}{space}{fence}".replace("|", "\\|") if text else ""


def _small(text: str, glyphs: Glyphs) -> str:
    return f"<sub>{_text(glyphs.text(text))}</sub>"
