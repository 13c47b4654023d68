"""Squares: several designs to one scale; equal areas are equal numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import sqrt
from xml.etree.ElementTree import Element

from convcalc.records import NamedTuple
from convcalc.render.pictures.labels import LETTERS, exact
from convcalc.render.pictures.modules import COSTS, Module
from convcalc.render.pictures.svg import SIZE, Picture, element, fitted, number, picture, text_width
from convcalc.render.pictures.treemap import Box, Cell, cells, tinted

SIDE = 250
"""Of the largest square, at most."""
GAP = 22
LEAST_SIDE = 130
"""Of the largest square, before squares go on in a further line."""
CAPTION = 48
LEAST_GROUP = (76, 48)
"""A smaller group is one cell."""
LEAST_WIDTH = 84
"""Of a caption, so that a small square's can be read."""
LONGEST_LABEL = 160
"""A longer one is cut where its square is narrower."""


class _Square(NamedTuple):
    """One design in one metric."""

    label: str
    root: Module
    key: str
    side: float
    x: float = 0
    bottom: float = 0

    @property
    def caption(self) -> str:
        return exact(self.root, self.key)

    @property
    def width(self) -> float:
        label = min(text_width(self.label, SIZE, bold=True), LONGEST_LABEL)
        return max(self.side, LEAST_WIDTH, label, text_width(self.caption, SIZE))


def squares(designs: Sequence[tuple[str, Module]], width: float = 1180, side: float = SIDE) -> Picture:
    """Draw every design as a square whose area is its total, divided into its layers in the ratio of theirs.

    Args:
        designs: names and modules.
        width: in pixels, at most; squares that find no room go on below.
        side: of the largest square, at most, in pixels.
    """
    y, right = 0.0, 1.0
    drawn: dict[_Square, list[Cell]] = {}
    for line in _lines(designs, width, side):
        x, height = 0.0, max(square.side for square in line)
        for square in line:
            placed = square._replace(x=x, bottom=y + height)
            box = Box(x, y + height - square.side, square.side, square.side)
            found = cells(square.root, square.key, box, heads=False, least=LEAST_GROUP)
            drawn[placed] = [cell for cell in found if not cell.is_group]
            right = max(right, min(x + square.width, width))
            x += square.width + GAP
        y += height + CAPTION
    shown = [(square.key, cell) for square, divided in drawn.items() for cell in divided if len(cell.modules) == 1]
    maxima = {key: max((cell.value(key) for of, cell in shown if of == key), default=0) for key in LETTERS}
    content = [_drawn(square, width, divided, maxima) for square, divided in drawn.items()]
    said = "; ".join(f"{label}: {' and '.join(exact(root, key) for key in COSTS)}" for label, root in designs)
    return picture("squares", content, right, y, f"To one scale for each metric. {said}.")


def _lines(designs: Sequence[tuple[str, Module]], width: float, side: float) -> list[list[_Square]]:
    """Return the squares line by line: all metrics in one line, or each on its own, or as many as fit in several."""
    most = {key: max((root.value(key) for _, root in designs), default=0) for key in COSTS}

    def made(side: float) -> list[list[_Square]]:
        return [
            [_Square(label, root, key, side * sqrt(root.value(key) / most[key]) if most[key] else 0)
             for label, root in designs]
            for key in COSTS
        ]  # fmt: skip

    def long(line: Sequence[_Square]) -> float:
        return sum(int(10 * (square.width + GAP)) for square in line) / 10 - GAP

    whole = [square for line in made(side) for square in line]
    if long(whole) <= width:
        return [whole]
    while side > LEAST_SIDE and any(long(line) > width for line in made(side)):
        side -= 10
    found = []
    for line in made(side):
        found.append([line[0]])
        for square in line[1:]:
            if long([*found[-1], square]) > width:
                found.append([])
            found[-1].append(square)
    return found


def _drawn(square: _Square, width: float, divided: Sequence[Cell], maxima: Mapping[str, int]) -> Element:
    """Return a square with its caption below; a line for one of no size."""
    x, bottom = square.x, square.bottom
    group = element("g", element("title", f"{square.label}: {square.caption}"), class_=f"by-{LETTERS[square.key]}")
    prefix = f"{square.root.opened.path}."  # of the scope that holds a whole design, which names need not have
    for cell in divided:
        names = (cell.first.path.removeprefix(prefix), cell.first.name)
        group.append(tinted(cell, square.root, square.key, maxima, names))
    if not square.side:
        group.append(element("path", class_="axis", d=f"M{number(x)},{number(bottom)}h{LEAST_WIDTH}"))
    label = fitted(square.label, min(square.width, width - x), SIZE, bold=True)
    group.append(element("text", label, class_="strong", x=x, y=bottom + 17))
    group.append(element("text", square.caption, x=x, y=bottom + 32))
    return group
