"""What the cells of a comparison say: numbers, differences, ratios, and words where a number would mislead."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from convcalc.number_format import count_of, format_exact, format_short, format_signed
from convcalc.number_format import format_multiple as ratio_text
from convcalc.render.tables.characters import Characters
from convcalc.render.tables.paragraph import Block, Paragraph, left_out
from convcalc.render.tables.table import Table, TableColumn
from convcalc.report.compare import Value, difference, ratio


class DesignColumn(NamedTuple):
    """The values of one design in one metric, row by row, beside those of the first."""

    values: Sequence[Value | None]
    first: Sequence[Value | None]
    units: Sequence[str]
    comparable: Sequence[bool]
    """Whether a row has something to be compared with: details of a group that is a single layer elsewhere have not."""
    known: Sequence[bool]
    """Whether the values are complete."""
    certain: Sequence[bool]
    """Whether those of the first design are complete too."""

    def numbers(self, glyphs: Characters) -> list[str]:
        """The values, exact."""
        return [
            _value(value and format_exact(value), glyphs, known=known)
            for value, known in zip(self.values, self.known, strict=True)
        ]

    def rounded(self, glyphs: Characters) -> list[str]:
        """The values, short, in their units."""
        return [
            _value(value and format_short(value, unit), glyphs, known=known)
            for value, unit, known in zip(self.values, self.units, self.known, strict=True)
        ]

    def differences(self, glyphs: Characters) -> list[str]:
        """The differences from the first design, signed."""
        return [self._difference(row, glyphs) for row in range(len(self.values))]

    def ratios(self) -> list[str]:
        """The ratios to the first design, and words where a ratio says nothing."""
        return [self._ratio(row) for row in range(len(self.values))]

    def styles(self) -> list[str]:
        """Colours for what the signs say too: fewer or more."""
        return [self._style(row) for row in range(len(self.values))]

    def _style(self, row: int) -> str:
        more = difference(self.values[row] or 0, self.first[row] or 0)
        return "" if not more or not self.comparable[row] else "more" if more > 0 else "fewer"

    def _difference(self, row: int, glyphs: Characters) -> str:
        value, first = self.values[row], self.first[row]
        if not self.comparable[row] or (value is None and first is None):
            return ""
        if not self.certain[row]:
            return "?"
        more = (value or 0) - (first or 0)
        return format_signed(more) if more else glyphs.zero

    def _ratio(self, row: int) -> str:
        value, first = self.values[row], self.first[row]
        if not self.comparable[row] or (value is None and first is None):
            return ""
        if not self.certain[row]:
            return "?"
        if value is None or first is None:
            return "removed" if value is None else "new"
        if value == first:
            return "equal" if value else ""
        found = ratio(value, first)
        return "" if found is None else ratio_text(found)


def _value(text: str | Value | None, glyphs: Characters, *, known: bool) -> str:
    """Return a number, a dash for zero, or blank where there is nothing."""
    if text is None:
        return ""
    if not known:
        return f"{glyphs.at_least} {text}"
    return str(text) if text else glyphs.zero


SHORT_NAME = 8


class SideBySidePlan(NamedTuple):
    """Which columns a table of sides has. What goes first is first in ``PLANS``."""

    together: bool = True
    """All metrics in one table, or a table a metric."""
    bar: bool = True
    difference: bool = True
    ratio: bool = True
    short: bool = False
    name: int | None = None
    """The widest that names may be."""
    designs: int | None = None
    """So many designs only."""


SEPARATE = SideBySidePlan(together=False)

BARE = SEPARATE._replace(bar=False, difference=False, ratio=False)

PLANS = (
    SideBySidePlan(),
    SideBySidePlan(bar=False),
    SEPARATE,
    SEPARATE._replace(bar=False),
    SEPARATE._replace(bar=False, difference=False),
    BARE,
    BARE._replace(short=True),
    BARE._replace(short=True, name=SHORT_NAME),
)


class ColumnGroup(NamedTuple):
    """Columns that belong together under a title: one metric in every design."""

    title: str
    sides: Sequence[DesignColumn]
    bars: Sequence[Sequence[str]] = ()
    """For every design, where there are any."""


class SideBySideTable(NamedTuple):
    """The rows of a table, and its groups of columns. The last ``footer_rows`` stand beneath a rule."""

    glyphs: Characters
    labels: Sequence[str]
    heading: str
    names: Sequence[str]
    row_styles: Sequence[str]
    groups: Sequence[ColumnGroup]
    footer_rows: int = 0

    def blocks(self, width: int | None) -> Iterator[Block]:
        """Return the fullest tables that fit, and a line that says what did not."""
        plan, tables = self._fitting(width)
        for place, table in enumerate(tables):
            if place:
                yield Paragraph()
            yield table
        gone = ", ".join(_hidden_columns(plan, len(self.labels)))
        if gone:
            yield left_out(gone, width)

    def tables(self, plan: SideBySidePlan) -> list[Table]:
        """Return one table for all metrics, or one for each."""
        if plan.together:
            return [self._table(self.groups, plan)]
        return [self._table([group], plan) for group in self.groups]

    def _fitting(self, width: int | None) -> tuple[SideBySidePlan, list[Table]]:
        plan = SideBySidePlan(together=len(self.labels) == 2 or len(self.groups) == 1)
        tables = self.tables(plan)
        if width is not None:
            for plan in self._plans():
                tables = self.tables(plan)
                if max(table.width for table in tables) <= width:
                    break
        return plan, tables

    def _plans(self) -> Iterator[SideBySidePlan]:
        yield from PLANS
        for designs in range(len(self.labels) - 1, 0, -1):
            yield PLANS[-1]._replace(designs=designs)

    def _table(self, groups: Sequence[ColumnGroup], plan: SideBySidePlan) -> Table:
        columns = [TableColumn(self.heading, self._named(self.names, plan))]
        spans = []
        for group in groups:
            first = len(columns)
            columns += self._columns(group, f"bar{self.groups.index(group) % 4}", plan)
            columns[first] = columns[first]._replace(gap=3 if first > 1 else 2)
            if group.title:
                spans.append((first, len(columns) - 1, group.title))
        return Table(columns, self.row_styles, self.glyphs.rule, footer_rows=self.footer_rows, group_headings=spans)

    def _columns(self, group: ColumnGroup, bar: str, plan: SideBySidePlan) -> Iterator[TableColumn]:
        labels = self._named(self.labels, plan)
        for place, (label, side) in enumerate(zip(labels[: plan.designs], group.sides, strict=False)):
            yield TableColumn(label, side.rounded(self.glyphs) if plan.short else side.numbers(self.glyphs), right=True)
            if plan.bar and group.bars and any(group.bars[place]):
                yield TableColumn("", group.bars[place], gap=1, style=bar)
            if place and plan.difference:
                yield TableColumn("difference", side.differences(self.glyphs), right=True, styles=side.styles())
            if place and plan.ratio:
                yield TableColumn("ratio", side.ratios(), right=True)

    def _named(self, names: Sequence[str], plan: SideBySidePlan) -> Sequence[str]:
        width = plan.name
        return names if width is None else [self.glyphs.shorten_path(name, width) for name in names]


def _hidden_columns(plan: SideBySidePlan, designs: int) -> Iterator[str]:
    if not plan.difference:
        yield "differences"
    if not plan.ratio:
        yield "ratios"
    if plan.short:
        yield "digits after the fourth"
    if plan.name:
        yield "middles of names"
    if plan.designs is not None:
        yield count_of(designs - plan.designs, "design")
