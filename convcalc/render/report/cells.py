"""The rows of a report's table before they are set: what each cell says, at full length and shortened."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache

from convcalc.number_format import count_of, format_exact, format_per_axis, format_share, format_short
from convcalc.records import NamedTuple
from convcalc.render.tables.characters import Characters
from convcalc.render.tables.table import widest
from convcalc.report.fold import FoldedReport, FoldedRow
from convcalc.report.path_tree import PathNode, build_path_tree, runs, structures

TOP_LEVEL = "(top level)"


class DisplayRow(NamedTuple):
    """One row: a layer, a group with its subtotals, the sum of what is not shown, or the total."""

    layer: str
    operation: str
    brief: str
    """The operation without its lesser arguments, for narrow terminals."""
    output: str
    values: Mapping[str, int]
    style: str = ""
    """``group``, ``zero``, ``rest``, ``total`` or nothing for a layer that counts."""
    layers: int = 1
    unknown: frozenset[str] = frozenset()
    repeats: int = 1
    """How many equal neighbours it is one of."""

    def known(self, key: str) -> int:
        """What is known of it in a metric: nothing of a layer that is not counted."""
        return 0 if self.layers == 1 and key in self.unknown else self.values.get(key, 0)


def entries(folded: FoldedReport, glyphs: Characters, *, as_tree: bool, every: bool = False) -> list[DisplayRow]:
    """Return the rows between the heading and the total: as a tree with subtotals, or flat with whole paths.

    Equal neighbours of the tree are one row with the numbers of one of them, unless ``every`` one is wanted.
    """
    keys = [column.key for column in folded.columns]
    if as_tree and folded.in_network_order:
        additive = [column.key for column in folded.columns if column.is_additive]
        made = list(_outline(build_path_tree(folded.lines, additive), keys, glyphs, every=every))
    else:
        made = [_layer(line, line.path, keys, glyphs) for line in folded.lines]
    return [*made, _rest(folded, folded.remainder)] if folded.remainder else made


def total(folded: FoldedReport) -> DisplayRow:
    """Return the row beneath the table. What is not a sum of layers (a depth) has no place there."""
    report = folded.report
    values = {column.key: report.totals[column.key] for column in folded.columns if column.key in report.totals}
    count = count_of(folded.layers, "layer")
    return DisplayRow("Total", count, count, "", values, "total", folded.layers, report.lower_bounds)


def operation(line: FoldedRow, glyphs: Characters) -> str:
    """Return what a layer does in a few words, or how many layers a line holds."""
    if not line.op:
        return count_of(line.layers, "layer")
    text = f"{line.op} {line.summary}" if line.summary else line.op
    if line.parts:
        text += f" + {', '.join(line.parts)}"
    if line.tied_to:
        text += f", tied to {line.tied_to}"
    if line.unknown:
        text += ", not counted"
    return glyphs.text(text)


def _layer(line: FoldedRow, label: str, keys: Sequence[str], glyphs: Characters) -> DisplayRow:
    style = "" if line.unknown or any(map(line.values.get, keys)) else "zero"
    return DisplayRow(
        glyphs.text(label) or TOP_LEVEL,
        operation(line, glyphs),
        operation(line, glyphs).partition(",")[0],
        glyphs.shape(line.output_shape),
        line.values,
        style,
        line.layers,
        line.unknown,
    )


def _outline(root: PathNode, keys: Sequence[str], glyphs: Characters, *, every: bool) -> Iterator[DisplayRow]:
    """Walk the tree from the top; a chain of groups with one child each is one row, and so are equal neighbours."""
    equal = {} if every else structures(root, keys)
    stack = [(run, 0) for run in reversed(list(runs(root, equal)))]
    while stack:
        (first, last, count), level = stack.pop()
        node, chain = first, ""
        while node.line is None and len(node.children) == 1:
            (node,) = node.children.values()
            chain += f".{node.segment}"
        label = f"{'  ' * level}{first.segment}{chain}"
        if count > 1:
            label += f"{', ' if count == 2 else ' … '}{last.segment}{chain} × {count:,}"
        if node.line and not node.group:
            row = _layer(node.line, label, keys, glyphs)
        else:
            row = _group(node, label, glyphs, whole=node.layers == root.layers)
        yield row._replace(repeats=count)
        stack += [(run, level + 1) for run in reversed(list(runs(node, equal)))]


def _group(node: PathNode, label: str, glyphs: Characters, *, whole: bool) -> DisplayRow:
    """A group that holds everything says nothing that the total does not."""
    style = "group" if whole or any(node.values.values()) or node.unknown else "zero"
    if whole:
        return DisplayRow(glyphs.text(label), "", "", "", {}, style, 0)
    count = count_of(node.layers, "layer")
    if node.line:
        count = f"{operation(node.line, glyphs)}, {count}"
    shape = glyphs.shape(node.output_shape)
    return DisplayRow(glyphs.text(label), count, count, shape, node.values, style, node.layers, node.unknown)


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
