"""Bars: the parameters and the multiplies of every part of a design, or of several designs part by part."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree.ElementTree import Element

from convcalc.records import NamedTuple
from convcalc.render.pictures.labels import NAMES, Part, exact, parts_of, percent, short, title, uncounted
from convcalc.render.pictures.modules import Module, module_tree
from convcalc.render.pictures.svg import Picture, element, picture
from convcalc.render.pictures.text_width import fitted, text_width
from convcalc.report.compare import Comparison
from convcalc.report.comparison_rows import first, select_rows

KEYS = ("params", "macs")
SIZE = 12
ROW, GROUP_GAP, HEAD, FOOT = 20, 8, 30, 20
THICK = 12
GAP = 18
"""Between the columns."""
MOST_ROWS = 30
"""Of a comparison, the places that differ most."""


Cell = tuple[tuple[int, ...], tuple[bool, ...]]
"""The values of a place by ``KEYS``, and whether each is exact."""


class Line(NamedTuple):
    """A row with a bar for each metric; one without values is the heading of those below."""

    label: str
    values: tuple[int, ...] = ()
    texts: tuple[str, ...] = ()
    title: str = ""
    path: str = ""


def bars(root: Module, width: float = 720, depth: int | None = None) -> Picture:
    """Draw a row for every part of a design, in the network's order: its top modules, or those of a depth."""
    lines = [_line(part, root) for part in parts_of(root, KEYS, depth)]
    heads = tuple(f"{short(root.value(key), known=root.is_known(key))} {NAMES[key][1]}" for key in KEYS)
    return _drawn(lines, heads, width, uncounted(root), f"{' and '.join(heads)}, part by part.")


def _line(part: Part, root: Module) -> Line:
    values = tuple(part.values[key] for key in KEYS)
    shares = [percent(part.values[key], root.value(key)) for key in KEYS]
    texts = tuple(
        f"{short(part.values[key], known=part.is_known(key))}  {share}" for key, share in zip(KEYS, shares, strict=True)
    )
    return Line(part.label, values, texts, title(part, root, KEYS), part.path)


def comparison_bars(comparison: Comparison, width: float = 720) -> Picture:
    """Draw the places of several designs that a comparison shows, with a bar for each design that has the place."""
    lines = []
    for path, cells in comparison_rows(comparison):
        lines.append(Line(path))
        for label, (values, known) in cells.items():
            facts = [exact(value, key, known=sure) for value, key, sure in zip(values, KEYS, known, strict=True)]
            texts = tuple(short(value, known=sure) for value, sure in zip(values, known, strict=True))
            lines.append(Line(label, values, texts, "\n".join([f"{path} of {label}", *facts]), path))
    notes = [uncounted(module_tree(report)) for report in comparison.reports if not report.is_complete]
    heads = tuple(NAMES[key][1] for key in KEYS)
    return _drawn(lines, heads, width, "; ".join(notes), f"{', '.join(comparison.labels)}: {' and '.join(heads)}.")


def comparison_rows(comparison: Comparison) -> list[tuple[str, dict[str, Cell]]]:
    """Return the totals and the places of a comparison, each with the values of the designs that have it."""
    chosen = select_rows(comparison.matches, KEYS)
    if len(chosen.rows) > MOST_ROWS:
        chosen = first(chosen, KEYS[0], MOST_ROWS)
    totals = [
        (tuple(report.totals[key] for key in KEYS), tuple(key not in report.lower_bounds for key in KEYS))
        for report in comparison.reports
    ]
    found = [("total", dict(zip(comparison.labels, totals, strict=True)))]
    for row in [*chosen.rows, *([chosen.remainder._replace(path="others")] if chosen.remainder else [])]:
        if row.level == 0:
            cells = {
                label: (tuple(cell.values.get(key, 0) for key in KEYS), tuple(key not in cell.unknown for key in KEYS))
                for label, cell in zip(comparison.labels, row.cells, strict=True)
                if cell
            }
            own = dict.fromkeys(cell.path.rpartition(".")[2] for cell in row.cells if cell)
            places = " / ".join([row.path, *(name for name in own if name != row.path.rpartition(".")[2])])
            found.append((places if not row.last_segment else f"{places} … {row.last_segment}", cells))
    return found


def _drawn(lines: Sequence[Line], heads: tuple[str, ...], width: float, note: str, said: str) -> Picture:
    names = max((text_width(line.label, SIZE, bold=not line.values) for line in lines), default=0)
    left = min(names, width * 0.3) + 14
    column = (width - left - GAP) / 2
    numbers = [
        max((text_width(line.texts[place], SIZE) for line in lines if line.texts), default=0) for place in (0, 1)
    ]
    largest = [max((line.values[place] for line in lines if line.values), default=0) for place in (0, 1)]
    starts = [left, left + column + GAP]
    content = [
        element("text", fitted(head, column, SIZE, bold=True), class_="strong", x=start, y=16)
        for head, start in zip(heads, starts, strict=True)
    ]
    y = float(HEAD)
    for place, line in enumerate(lines):
        if not line.values:
            y += GROUP_GAP if place else 0
            name = fitted(line.label, width - 4, SIZE, bold=True)
            content.append(element("text", name, class_="strong", x=2, y=y + 13))
        else:
            rooms = [max(column - number - 6, 10) for number in numbers]
            content.append(_row(line, y, left - 12, [*zip(starts, rooms, largest, strict=True)]))
        y += ROW
    if not lines:
        none = f"No {'counted ' if note else ''}layer has parameters or multiplies."
        content = [element("text", none, class_="muted", x=4, y=16)]
    if note:
        y += FOOT
        content.append(element("text", fitted(note, width - 4, SIZE), class_="muted", x=2, y=y - 6))
    return picture("bars", content, width, y + 4, said)


def _row(line: Line, y: float, room: float, columns: Sequence[tuple[float, float, int]]) -> Element:
    """Return a row: its label, and for each metric a bar with its number behind it."""
    group = element("g", element("title", line.title), data_at=line.path)
    group.append(element("text", fitted(line.label, room, SIZE), x=2, y=y + 13))
    for key, value, text, (start, most, largest) in zip(KEYS, line.values, line.texts, columns, strict=True):
        length = max(most * (value / largest), 0.5) if value else 0.0
        if value:
            group.append(element("rect", class_=key, x=start, y=y + 3, width=length, height=THICK))
        group.append(element("text", text, class_="muted", x=start + length + 5, y=y + 13))
    return group
