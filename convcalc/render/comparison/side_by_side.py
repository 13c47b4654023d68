"""What the cells of a comparison say: numbers, differences, ratios, and words where a number would mislead."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence

from convcalc.number_format import count_of, format_exact, format_multiple, format_short, format_signed
from convcalc.records import NamedTuple
from convcalc.render.tables.blocks import Block, Paragraph, Table, TableColumn, left_out, widest
from convcalc.render.tables.characters import Characters
from convcalc.report.compare import Value, ratio


class DesignCell(NamedTuple):
    """The value of one design in one row and metric, beside that of the first."""

    value: Value | None
    first: Value | None
    unit: str
    comparable: bool
    """Whether there is something to be compared with: details of a group that is a single layer elsewhere have not."""
    known: bool
    """Whether the value is complete."""
    certain: bool
    """Whether it is, and that of the first design too."""

    def number(self, glyphs: Characters, *, short: bool) -> str:
        """A number, exact or in its unit, a dash for zero, or blank where there is nothing."""
        if self.value is None:
            return ""
        text = format_short(self.value, self.unit) if short and self.value else format_exact(self.value)
        if not self.known:
            return f"{glyphs.at_least} {text}"
        return text if self.value else glyphs.zero

    def style(self) -> str:
        """A colour for what the sign says too: fewer or more."""
        more = (self.value or 0) - (self.first or 0)
        return "" if not more or not self.comparable else "more" if more > 0 else "fewer"

    def difference(self, glyphs: Characters) -> str:
        """The difference from the first design, signed."""
        if (unclear := self._unclear()) is not None:
            return unclear
        more = (self.value or 0) - (self.first or 0)
        return format_signed(more) if more else glyphs.zero

    def ratio(self, glyphs: Characters) -> str:
        """The ratio to the first design, ``0.422×``, and words where a ratio says nothing."""
        if (unclear := self._unclear()) is not None:
            return unclear
        if self.value is None or self.first is None:
            return "removed" if self.value is None else "new"
        if self.value == self.first:
            return "equal" if self.value else ""
        found = ratio(self.value, self.first)
        return "" if found is None else glyphs.text(f"{format_multiple(found)}×")

    def _unclear(self) -> str | None:
        """Return what stands in place of a comparison that makes no sense or is not known, if it is none."""
        if not self.comparable or (self.value is None and self.first is None):
            return ""
        return None if self.certain else "?"


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


BARE = SideBySidePlan(bar=False, difference=False, ratio=False)

PLANS = (
    SideBySidePlan(),
    SideBySidePlan(bar=False),
    SideBySidePlan(bar=False, difference=False),
    BARE,
    BARE._replace(short=True),
    BARE._replace(short=True, name=SHORT_NAME),
)


class ColumnGroup(NamedTuple):
    """Columns that belong together under a title: one metric in every design."""

    title: str
    sides: Sequence[Sequence[DesignCell]]
    """The cells of every design, row by row."""
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
        found = list(self._fitting(width))
        hidden: dict[str, list[str]] = {}
        for place, (group, plan) in enumerate(found):
            if place:
                yield Paragraph()
            yield self._table(group, plan)
            for what in self._hidden(plan):
                hidden.setdefault(what, []).append(group[0].title.lower())
        if hidden:
            told = [what if len(of) == len(found) else f"{what} of {', '.join(of)}" for what, of in hidden.items()]
            yield left_out(", ".join(told), width, max(self._table(group, PLANS[0]).width for group, _ in found))

    def tables(self, plan: SideBySidePlan) -> list[Table]:
        """Return one table for all metrics, or one for each."""
        if plan.together:
            return [self._table(self.groups, plan)]
        return [self._table([group], plan) for group in self.groups]

    def _fitting(self, width: int | None) -> Iterator[tuple[Sequence[ColumnGroup], SideBySidePlan]]:
        """Give the groups of one table for all metrics, or of one for each, and the fullest plan that fits."""
        together = [plan for plan in PLANS[:2] if width is None or self._table(self.groups, plan).width <= width]
        if together and (width is not None or len(self.labels) == 2):
            yield self.groups, together[0]
        else:
            yield from (([group], self._fullest([group], width)) for group in self.groups)

    def _fullest(self, groups: Sequence[ColumnGroup], width: int | None) -> SideBySidePlan:
        plan = PLANS[0]
        for plan in self._plans():
            if width is None or self._table(groups, plan).width <= width:
                break
        if plan.name is None or width is None:
            return plan
        names = range(plan.name, width)
        room = bisect_right(names, width, key=lambda name: self._table(groups, plan._replace(name=name)).width)
        return plan._replace(name=names[max(room - 1, 0)])

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
            yield TableColumn(label, [cell.number(self.glyphs, short=plan.short) for cell in side], right=True)
            if plan.bar and group.bars and any(group.bars[place]):
                yield TableColumn("", group.bars[place], gap=1, style=bar)
            if place and plan.difference:
                texts, styles = [cell.difference(self.glyphs) for cell in side], [cell.style() for cell in side]
                yield TableColumn("difference", texts, right=True, styles=styles)
            if place and plan.ratio:
                yield TableColumn("ratio", [cell.ratio(self.glyphs) for cell in side], right=True)

    def _named(self, names: Sequence[str], plan: SideBySidePlan) -> Sequence[str]:
        width = plan.name
        return names if width is None else [self.glyphs.shorten_path(name, width) for name in names]

    def _hidden(self, plan: SideBySidePlan) -> Iterator[str]:
        if not plan.difference:
            yield "differences"
        if not plan.ratio:
            yield "ratios"
        if plan.short:
            yield "digits after the fourth"
        if plan.name is not None and plan.name < widest([*self.names, *self.labels]):
            yield "middles of names"
        if plan.designs is not None:
            yield count_of(len(self.labels) - plan.designs, "design")
