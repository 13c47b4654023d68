"""The rows of a report's table before they are set: what each cell says, at full length and shortened."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import repeat

from convcalc.number_format import count_of, format_exact, format_per_axis, format_share, format_short
from convcalc.render.report.outline import TOP_LEVEL, DisplayRow, Outline, operation
from convcalc.render.tables.blocks import widest
from convcalc.render.tables.characters import Characters, each_once
from convcalc.report.fold import FoldedReport, FoldedRow


def entries(folded: FoldedReport, *, as_tree: bool, every: bool = False) -> list[DisplayRow]:
    """Return the rows between the heading and the total that are no lines: a tree with subtotals, and the rest.

    Equal neighbours of the tree are one row with the numbers of one of them, unless ``every`` one is wanted.
    """
    made = list(Outline(folded, every=every).rows()) if as_tree else []
    if rest := folded.remainder:
        label = count_of(rest.layers, "other layer")
        brief = f"{folded.layers - rest.layers:,} of {folded.layers:,}"
        text = f"{brief} layers shown"
        made.append(DisplayRow(label, text, rest.values, "rest", rest.layers, rest.unknown, brief=brief))
    return made


def total(folded: FoldedReport) -> DisplayRow:
    """Return the row beneath the table. What is not a sum of layers (a depth) has no place there."""
    report = folded.report
    values = {column.key: report.totals[column.key] for column in folded.columns if column.key in report.totals}
    count = count_of(folded.layers, "layer")
    return DisplayRow("Total", count, values, "total", folded.layers, report.lower_bounds, brief=count)


HEADINGS = {"layer": ("Layer", "Operation"), "op": ("Operation", "Layers"), "block": ("Block", "Layers")}


class CellTexts:
    """Every text of the table, made when it is first asked for: most layouts need few of them.

    Made a column at a time, and once for equal values: the rows of a large network have few different ones.
    A tree has rows of its own; a flat table has the lines as they are, with whole paths, and rows for the rest and the
    total.
    """

    def __init__(self, folded: FoldedReport, glyphs: Characters, *, as_tree: bool, every: bool = False) -> None:
        as_tree = as_tree and folded.in_network_order
        self.folded = folded
        self.lines: Sequence[FoldedRow] = [] if as_tree else folded.lines
        self.rows = [*entries(folded, as_tree=as_tree, every=every), total(folded)]
        self.both: list[FoldedRow | DisplayRow] = [*self.lines, *self.rows]
        self.glyphs = glyphs
        self.columns = {column.key: column for column in folded.columns}
        first, second = HEADINGS[folded.group_by]
        self.headings = {"layer": first, "operation": second, "brief": second, "output": "Output"}
        self.values = {key: [row.values.get(key) for row in self.both] for key in self.columns}
        self._texts: dict[str, Sequence[str]] = {}
        self._widths: dict[str, int] = {}

    def texts(self, name: str) -> Sequence[str]:
        """Return a column: ``layer``, ``operation``, ``brief``, ``output``, ``KEY``, ``KEY short`` or ``KEY %``."""
        if name not in self._texts:
            self._texts[name] = self._written(name)
        return self._texts[name]

    def width(self, name: str) -> int:
        """Return how wide a column is with its heading."""
        if name not in self._widths:
            self._widths[name] = max(len(self.heading(name)), widest(self.texts(name)))
        return self._widths[name]

    def heading(self, name: str) -> str:
        """Return what stands above a column."""
        key, _, form = name.partition(" ")
        if form == "%":
            return "%" if self.texts(name) else ""
        return self.headings.get(name) or self.glyphs.text(self.columns[key].title)

    def styles(self) -> list[str]:
        """Return the style of every row: of a layer without values ``zero``."""
        counted = map(any, zip(*self.values.values(), strict=True)) if self.values else repeat(False)
        own = [*repeat("", len(self.lines)), *[row.style for row in self.rows]]
        return [
            style or ("" if some or row.unknown else "zero")
            for style, row, some in zip(own, self.both, counted, strict=False)
        ]

    def _written(self, name: str) -> Sequence[str]:
        if name == "layer":
            paths = [line.path or TOP_LEVEL for line in self.lines]
            return self.glyphs.texts([*paths, *[row.layer for row in self.rows]])
        if name == "operation":
            return self.glyphs.texts([*map(operation, self.lines), *[row.operation for row in self.rows]])
        if name == "brief":
            words = [text.partition(",")[0] for text in map(operation, self.lines)]
            briefs = [row.brief or row.operation.partition(",")[0] for row in self.rows]
            return self.glyphs.texts([*words, *briefs])
        if name == "output":
            shape = self.glyphs.shape
            return each_once(lambda axes: "" if axes is None else shape(axes), [row.output_shape for row in self.both])
        key, _, form = name.partition(" ")
        return self._shares(key) if form == "%" else self._numbers(key, short=bool(form))

    def _numbers(self, key: str, *, short: bool) -> list[str]:
        column, glyphs = self.columns[key], self.glyphs
        written = (lambda value: format_short(value, column.unit)) if short else format_exact
        if not column.is_additive:
            texts = each_once(lambda value: format_per_axis(value, written, glyphs.text), self.values[key])
        else:
            texts = each_once(
                lambda value: written(value) if value else "" if value is None else glyphs.zero, self.values[key]
            )
            texts[-1] = "0" if texts[-1] == glyphs.zero else texts[-1]
        if not self.folded.report.unknown:
            return texts
        return [
            self._bound(row, text) if key in row.unknown else text for row, text in zip(self.both, texts, strict=True)
        ]

    def known(self, key: str) -> list[int]:
        """Return what is known of rows in an additive metric: nothing of a layer that is not counted."""
        if not self.folded.report.unknown:
            return [value or 0 for value in self.values[key]]
        return [0 if row.layers == 1 and key in row.unknown else row.values.get(key, 0) for row in self.both]

    def bars(self, key: str, width: int) -> list[str]:
        """Return bars for the layers, the longest for the heaviest: groups, the rest and the total would dwarf them."""
        known, lines = self.known(key), len(self.lines)
        rows = [0 if row.style else value for row, value in zip(self.rows, known[lines:], strict=True)]
        values = [*known[:lines], *rows]
        return self.glyphs.bars(values, width, self.folded.largest(key))

    def _shares(self, key: str) -> list[str]:
        """Percentages of the total; none for the total itself, and no column for what is not a sum of layers."""
        if not self.columns[key].is_additive or not self.folded.report.totals.get(key):
            return []
        return each_once(lambda value: format_share(self.folded.share(key, value), value), [*self.known(key)[:-1], 0])

    def _bound(self, row: FoldedRow | DisplayRow, text: str) -> str:
        """Mark what is not known of a layer, and the number that it is left out of."""
        if row.layers == 1 or not text or text[:1].isalpha():
            return text and "?"
        return f"{self.glyphs.at_least} {text.replace(self.glyphs.zero, '0')}"
