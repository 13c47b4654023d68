"""Points of two metrics as a picture of characters: what nothing beats, from cheap in one to cheap in the other."""

from __future__ import annotations

import math
from collections.abc import Sequence

from convcalc.render.layout.numbers import exact

COLUMNS, LINES = 60, 14
WIDE = 10
"""A metric that spans more than this factor is drawn by its logarithm."""


def scatter(across: Sequence[int], up: Sequence[int], titles: tuple[str, str], *, ascii_only: bool = False) -> str:
    """Return the picture, with the ends of both axes."""
    mark, corner, side, ground = ("*", "+", "|", "-") if ascii_only else ("●", "└", "│", "─")
    cells = [[" "] * COLUMNS for _ in range(LINES)]
    for column, line in zip(_places(across, COLUMNS), _places(up, LINES), strict=True):
        cells[LINES - 1 - line][column] = mark
    names = [exact(max(up)), *[""] * (LINES - 2), exact(min(up))]
    width = max(map(len, names))
    lines = [f"{name:>{width}} {side}{''.join(row).rstrip()}".rstrip() for name, row in zip(names, cells, strict=True)]
    low, high = exact(min(across)), exact(max(across))
    blank = " " * (width + 2)
    lines = [f"{titles[1]}", *lines, f"{' ' * (width + 1)}{corner}{ground * COLUMNS}"]
    lines.append(f"{blank}{low}{' ' * max(1, COLUMNS - len(low) - len(high))}{high}  {titles[0]}")
    return "\n".join(lines) + "\n"


def _places(values: Sequence[int], cells: int) -> list[int]:
    """Return the cell of every value between the least and the greatest."""
    least, most = min(values), max(values)
    logarithmic = least > 0 and most > WIDE * least
    low, high = (math.log(least), math.log(most)) if logarithmic else (0, most - least)
    if low == high:
        return [0] * len(values)
    at = [math.log(value) - low if logarithmic else value - least for value in values]
    return [min(cells - 1, int(place / (high - low) * cells)) for place in at]
