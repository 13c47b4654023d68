"""Bars: the parameters and the multiplies of every part of a design, or of several designs part by part."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree.ElementTree import Element

from convcalc.records import NamedTuple
from convcalc.render.pictures.labels import NAMES, PicturePart, exact, facts, parts_of, percent, rounded, uncounted
from convcalc.render.pictures.modules import COSTS, Module, module_tree
from convcalc.render.pictures.svg import SIZE, Picture, element, fitted, footnote, picture, text_width
from convcalc.report.compare import Comparison
from convcalc.report.comparison_rows import first, select_rows

ROW, GROUP_GAP, HEAD, FOOT = 20, 8, 30, 20
THICK = 12
GAP = 18
"""Between the columns."""
MOST_ROWS = 30
"""Of a comparison, the places that differ most."""


class Line(NamedTuple):
    """A row with a bar for each metric; one without a part is the heading of those below."""

    label: str
    part: PicturePart | None = None
    texts: Sequence[str] = ()
    title: str = ""


def bars(root: Module, width: float = 720, depth: int | None = None) -> Picture:
    """Draw a row for every part of a design, in the network's order: its top modules, or those of a depth."""
    lines = []
    for part in parts_of(root, depth):
        texts = [f"{rounded(part, key)}  {percent(part.value(key), root.value(key))}" for key in COSTS]
        lines.append(Line(part.label, part, texts, "\n".join([part.paths, *facts(part, root, COSTS)])))
    heads = [f"{rounded(root, key)} {NAMES[key][1]}" for key in COSTS]
    return _drawn(lines, heads, width, uncounted(root), f"{' and '.join(heads)}, part by part.")


def comparison_bars(comparison: Comparison, width: float = 720) -> Picture:
    """Draw the places of several designs that a comparison shows, with a bar for each design that has the place."""
    lines = []
    for path, parts in comparison_rows(comparison):
        lines.append(Line(path))
        for part in parts:
            said = "\n".join([part.paths, *(exact(part, key) for key in COSTS)])
            lines.append(Line(part.label, part, [rounded(part, key) for key in COSTS], said))
    notes = [uncounted(module_tree(report)) for report in comparison.reports if not report.is_complete]
    heads = [NAMES[key][1] for key in COSTS]
    return _drawn(lines, heads, width, "; ".join(notes), f"{', '.join(comparison.labels)}: {' and '.join(heads)}.")


def comparison_rows(comparison: Comparison) -> list[tuple[str, list[PicturePart]]]:
    """Return the totals and the places of a comparison, each with the parts of the designs that have it."""
    chosen = select_rows(comparison.matches, COSTS)
    if len(chosen.rows) > MOST_ROWS:
        chosen = first(chosen, COSTS[0], MOST_ROWS)
    totals = zip(comparison.labels, comparison.reports, strict=True)
    found = [("total", [PicturePart(label, "total", f"total of {label}", report.totals, report.lower_bounds)
                        for label, report in totals])]  # fmt: skip
    for row in [*chosen.rows, *([chosen.remainder._replace(path="others")] if chosen.remainder else [])]:
        if row.level == 0:
            own = dict.fromkeys(cell.path.rpartition(".")[2] for cell in row.cells if cell)
            path = " / ".join([row.path, *(name for name in own if name != row.path.rpartition(".")[2])])
            path += f" … {row.last_segment}" if row.last_segment else ""
            cells = zip(comparison.labels, row.cells, strict=True)
            found.append((path, [PicturePart(label, path, f"{path} of {label}", cell.values, cell.unknown)
                                 for label, cell in cells if cell]))  # fmt: skip
    return found


def _drawn(lines: Sequence[Line], heads: Sequence[str], width: float, note: str, said: str) -> Picture:
    shown = [line for line in lines if line.part]
    names = max((text_width(line.label, SIZE, bold=not line.part) for line in lines), default=0)
    left = min(names, width * 0.3) + 14
    column = (width - left - GAP) / 2
    starts = (left, left + column + GAP)
    columns = []
    for place, (key, start) in enumerate(zip(COSTS, starts, strict=True)):
        number = max((text_width(line.texts[place], SIZE) for line in shown), default=0)
        largest = max((line.part.value(key) for line in shown if line.part), default=0)
        columns.append((start, max(column - number - 6, 10), largest))
    content = [
        element("text", fitted(head, column, SIZE, bold=True), class_="strong", x=start, y=16)
        for head, start in zip(heads, starts, strict=True)
    ]
    y = float(HEAD)
    for place, line in enumerate(lines):
        if line.part:
            content.append(_row(line, line.part, y, left - 12, columns))
        else:
            y += GROUP_GAP if place else 0
            name = fitted(line.label, width - 4, SIZE, bold=True)
            content.append(element("text", name, class_="strong", x=2, y=y + 13))
        y += ROW
    if not lines:
        none = f"No {'counted ' if note else ''}layer has parameters or multiplies."
        content = [element("text", none, class_="muted", x=4, y=16)]
    y += FOOT if note else 0
    return picture("bars", [*content, *footnote(note, width, y - 6)], width, y + 4, said)


def _row(line: Line, part: PicturePart, y: float, room: float, columns: Sequence[tuple[float, float, int]]) -> Element:
    """Return a row: its label, and for each metric a bar with its number behind it."""
    group = element("g", element("title", line.title), data_at=part.path)
    group.append(element("text", fitted(line.label, room, SIZE), x=2, y=y + 13))
    for key, text, (start, most, largest) in zip(COSTS, line.texts, columns, strict=True):
        length = max(most * (part.value(key) / largest), 0.5) if part.value(key) else 0.0
        if length:
            group.append(element("rect", class_=key, x=start, y=y + 3, width=length, height=THICK))
        group.append(element("text", text, class_="muted", x=start + length + 5, y=y + 13))
    return group
