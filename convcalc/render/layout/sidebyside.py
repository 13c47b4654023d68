"""A table with a few columns for every design, set for one width."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from convcalc.render.layout.entries import counted
from convcalc.render.layout.frame import Block
from convcalc.render.layout.glyphs import Glyphs
from convcalc.render.layout.grid import Column, Grid
from convcalc.render.layout.prose import Prose
from convcalc.render.layout.sides import Side

SHORT_NAME = 8


class Plan(NamedTuple):
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


SEPARATE = Plan(together=False)
BARE = SEPARATE._replace(bar=False, difference=False, ratio=False)
PLANS = (
    Plan(),
    Plan(bar=False),
    SEPARATE,
    SEPARATE._replace(bar=False),
    SEPARATE._replace(bar=False, difference=False),
    BARE,
    BARE._replace(short=True),
    BARE._replace(short=True, name=SHORT_NAME),
)


class Group(NamedTuple):
    """Columns that belong together under a title: one metric in every design."""

    title: str
    sides: Sequence[Side]
    bars: Sequence[Sequence[str]] = ()
    """For every design, where there are any."""


class Sides(NamedTuple):
    """The rows of a table, and its groups of columns. The last ``foot`` rows stand beneath a rule."""

    glyphs: Glyphs
    labels: Sequence[str]
    heading: str
    names: Sequence[str]
    kinds: Sequence[str]
    groups: Sequence[Group]
    foot: int = 0

    def blocks(self, width: int | None) -> Iterator[Block]:
        """Return the fullest tables that fit, and a line that says what did not."""
        plan, tables = self._fitting(width)
        for place, table in enumerate(tables):
            if place:
                yield Prose()
            yield table
        gone = ", ".join(_gone(plan, len(self.labels)))
        if gone:
            yield Prose([(f"Not shown in {width} columns: {gone}; a pipe shows all.", "dim")], width)

    def tables(self, plan: Plan) -> list[Grid]:
        """Return one table for all metrics, or one for each."""
        if plan.together:
            return [self._table(self.groups, plan)]
        return [self._table([group], plan) for group in self.groups]

    def _fitting(self, width: int | None) -> tuple[Plan, list[Grid]]:
        plan = Plan(together=len(self.labels) == 2 or len(self.groups) == 1)
        tables = self.tables(plan)
        if width is not None:
            for plan in self._plans():
                tables = self.tables(plan)
                if max(table.width for table in tables) <= width:
                    break
        return plan, tables

    def _plans(self) -> Iterator[Plan]:
        yield from PLANS
        for designs in range(len(self.labels) - 1, 0, -1):
            yield PLANS[-1]._replace(designs=designs)

    def _table(self, groups: Sequence[Group], plan: Plan) -> Grid:
        columns = [Column(self.heading, self._named(self.names, plan))]
        spans = []
        for group in groups:
            first = len(columns)
            columns += self._columns(group, f"bar{self.groups.index(group) % 4}", plan)
            columns[first] = columns[first]._replace(gap=3 if first > 1 else 2)
            if group.title:
                spans.append((first, len(columns) - 1, group.title))
        return Grid(columns, self.kinds, self.glyphs.rule, foot=self.foot, spans=spans)

    def _columns(self, group: Group, bar: str, plan: Plan) -> Iterator[Column]:
        labels = self._named(self.labels, plan)
        for place, (label, side) in enumerate(zip(labels[: plan.designs], group.sides, strict=False)):
            yield Column(label, side.rounded(self.glyphs) if plan.short else side.numbers(self.glyphs), right=True)
            if plan.bar and group.bars and any(group.bars[place]):
                yield Column("", group.bars[place], gap=1, style=bar)
            if place and plan.difference:
                yield Column("difference", side.differences(self.glyphs), right=True, styles=side.styles())
            if place and plan.ratio:
                yield Column("ratio", side.ratios(), right=True)

    def _named(self, names: Sequence[str], plan: Plan) -> Sequence[str]:
        width = plan.name
        return names if width is None else [self.glyphs.elide(name, width) for name in names]


def _gone(plan: Plan, designs: int) -> Iterator[str]:
    if not plan.difference:
        yield "differences"
    if not plan.ratio:
        yield "ratios"
    if plan.short:
        yield "digits after the fourth"
    if plan.name:
        yield "middles of names"
    if plan.designs is not None:
        yield counted(designs - plan.designs, "design")
