"""The texts of a report's table, at every length that the layout may choose, and how wide they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

from convcalc.fold import Folded
from convcalc.render.layout.entries import Entry
from convcalc.render.layout.glyphs import Glyphs
from convcalc.render.layout.grid import widest
from convcalc.render.layout.numbers import each, exact, percent, short

HEADINGS = {"layer": ("Layer", "Operation"), "op": ("Operation", "Layers"), "block": ("Block", "Layers")}
BARRED = ""
"""Rows that have a bar are layers: a group, the rest and the total would dwarf them."""


class Texts:
    """Every text of the table, made when it is first asked for: most layouts need few of them."""

    def __init__(self, folded: Folded, rows: Sequence[Entry], glyphs: Glyphs) -> None:
        self.folded = folded
        self.rows = rows
        self.glyphs = glyphs
        self.columns = {column.key: column for column in folded.columns}
        first, second = HEADINGS[folded.by]
        self.headings = {"layer": first, "operation": second, "brief": second, "output": "Output"}
        self.texts = cache(self._texts)
        self.width = cache(self._width)

    def heading(self, name: str) -> str:
        """Return what stands above a column."""
        key, _, form = name.partition(" ")
        if form == "%":
            return "%" if self.texts(name) else ""
        return self.headings.get(name) or self.glyphs.text(self.columns[key].title)

    def _texts(self, name: str) -> list[str]:
        """Return a column: ``layer``, ``operation``, ``brief``, ``output``, ``KEY``, ``KEY short`` or ``KEY %``."""
        if name in self.headings:
            return [getattr(row, name) for row in self.rows]
        key, _, form = name.partition(" ")
        if form == "%":
            return self._shares(key)
        unit = self.columns[key].unit
        written = (lambda value: short(value, unit)) if form else exact
        if self.columns[key].of_layers:
            return [each(row.values.get(key), written, self.glyphs) for row in self.rows]
        return self._numbers(key, written)

    def _width(self, name: str) -> int:
        return max(len(self.heading(name)), widest(self.texts(name)))

    def bars(self, key: str, width: int) -> list[str]:
        """Return bars for the layers, the longest for the heaviest."""
        values = [row.values.get(key, 0) if row.style == BARRED else 0 for row in self.rows]
        return self.glyphs.bars(values, width, self.folded.largest(key))

    def _shares(self, key: str) -> list[str]:
        """Percentages of the total; none for the total itself, and no column for what is no sum of layers."""
        if not self.columns[key].additive or not self.folded.report.totals.get(key):
            return []
        values = [0 if row.style == "total" else row.values.get(key, 0) for row in self.rows]
        return list(map(percent, self.folded.shares(key, values), values))

    def _numbers(self, key: str, form: Callable[[int], str]) -> list[str]:
        return [self._number(row, row.values.get(key), form) for row in self.rows]

    def _number(self, row: Entry, value: int | None, form: Callable[[int], str]) -> str:
        if not row.known:
            return "?" if row.layers == 1 else f"{self.glyphs.at_least} {form(value or 0)}"
        if value:
            return form(value)
        if value is None:
            return ""
        return "0" if row.style == "total" else self.glyphs.nothing
