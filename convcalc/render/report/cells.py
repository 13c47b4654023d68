"""The rows of a report's table before they are set: what each cell says, at full length and shortened."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

from convcalc.number_format import count_of, format_exact, format_per_axis, format_share, format_short
from convcalc.render.report.outline import DisplayRow, Outline, layer_row
from convcalc.render.tables.characters import Characters
from convcalc.render.tables.table import widest
from convcalc.report.fold import FoldedReport, FoldedRow


def entries(folded: FoldedReport, glyphs: Characters, *, as_tree: bool, every: bool = False) -> list[DisplayRow]:
    """Return the rows between the heading and the total: as a tree with subtotals, or flat with whole paths.

    Equal neighbours of the tree are one row with the numbers of one of them, unless ``every`` one is wanted.
    """
    if as_tree and folded.in_network_order:
        made = list(Outline(folded, glyphs, every=every).rows())
    else:
        keys = [column.key for column in folded.columns]
        made = [layer_row(line, line.path, keys, glyphs) for line in folded.lines]
    return [*made, _rest(folded, folded.remainder)] if folded.remainder else made


def total(folded: FoldedReport) -> DisplayRow:
    """Return the row beneath the table. What is not a sum of layers (a depth) has no place there."""
    report = folded.report
    values = {column.key: report.totals[column.key] for column in folded.columns if column.key in report.totals}
    count = count_of(folded.layers, "layer")
    return DisplayRow("Total", count, count, "", values, "total", folded.layers, report.lower_bounds)


def _rest(folded: FoldedReport, rest: FoldedRow) -> DisplayRow:
    shown = folded.layers - rest.layers
    label = f"{rest.layers:,} other layers" if rest.layers != 1 else "1 other layer"
    text = f"{shown:,} of {folded.layers:,} layers shown"
    return DisplayRow(
        label, text, text.removesuffix(" layers shown"), "", rest.values, "rest", rest.layers, rest.unknown
    )


HEADINGS = {"layer": ("Layer", "Operation"), "op": ("Operation", "Layers"), "block": ("Block", "Layers")}

BARRED = ""
"""Rows that have a bar are layers: a group, the rest and the total would dwarf them."""


class CellTexts:
    """Every text of the table, made when it is first asked for: most layouts need few of them."""

    def __init__(self, folded: FoldedReport, rows: Sequence[DisplayRow], glyphs: Characters) -> None:
        self.folded = folded
        self.rows = rows
        self.glyphs = glyphs
        self.columns = {column.key: column for column in folded.columns}
        first, second = HEADINGS[folded.group_by]
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
        written = (lambda value: format_short(value, unit)) if form else format_exact
        if not self.columns[key].is_additive:
            texts = [format_per_axis(row.values.get(key), written, self.glyphs.text) for row in self.rows]
        else:
            texts = [self._number(row, row.values.get(key), written) for row in self.rows]
        return [
            self._bound(row, text) if key in row.unknown else text for row, text in zip(self.rows, texts, strict=True)
        ]

    def _width(self, name: str) -> int:
        return max(len(self.heading(name)), widest(self.texts(name)))

    def bars(self, key: str, width: int) -> list[str]:
        """Return bars for the layers, the longest for the heaviest."""
        values = [row.known(key) if row.style == BARRED else 0 for row in self.rows]
        return self.glyphs.bars(values, width, self.folded.largest(key))

    def _shares(self, key: str) -> list[str]:
        """Percentages of the total; none for the total itself, and no column for what is not a sum of layers."""
        if not self.columns[key].is_additive or not self.folded.report.totals.get(key):
            return []
        values = [0 if row.style == "total" else row.known(key) for row in self.rows]
        return list(map(format_share, self.folded.shares(key, values), values))

    def _bound(self, row: DisplayRow, text: str) -> str:
        """Mark what is not known of a layer, and the number that it is left out of."""
        if row.layers == 1 or not text or text[:1].isalpha():
            return text and "?"
        return f"{self.glyphs.at_least} {text.replace(self.glyphs.zero, '0')}"

    def _number(self, row: DisplayRow, value: int | None, form: Callable[[int], str]) -> str:
        if value:
            return form(value)
        if value is None:
            return ""
        return "0" if row.style == "total" else self.glyphs.zero
