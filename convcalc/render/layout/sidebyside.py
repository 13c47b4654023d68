"""Tables with a few columns for every design: the aligned layers, and the totals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import NamedTuple

from convcalc.compare import Comparison, Value
from convcalc.compare.align import Match
from convcalc.compare.overview import overview
from convcalc.fold import DEFAULT_COLUMNS
from convcalc.render.layout.entries import counted
from convcalc.render.layout.frame import Block
from convcalc.render.layout.glyphs import Glyphs
from convcalc.render.layout.grid import Column, Grid
from convcalc.render.layout.prose import Prose
from convcalc.render.layout.sides import Side

BAR = 8
SHORT_NAME = 8
WHOLE = "(whole design)"


class Plan(NamedTuple):
    """Which columns a table of sides has. What goes first is first in ``PLANS``."""

    together: bool = True
    """All metrics in one table, or a table a metric."""
    bar: bool = True
    difference: bool = True
    ratio: bool = True
    short: bool = False
    designs: int | None = None
    """So many designs only."""
    name: int | None = None
    """The widest that names may be."""


PLANS = (
    Plan(),
    Plan(bar=False),
    Plan(together=False),
    Plan(together=False, bar=False),
    Plan(together=False, bar=False, difference=False),
    Plan(together=False, bar=False, difference=False, ratio=False),
    Plan(together=False, bar=False, difference=False, ratio=False, short=True),
)


class Sides:
    """A table with a few columns for every design, at every length that the layout may choose."""

    heading = ""
    foot = 0

    def __init__(self, comparison: Comparison, glyphs: Glyphs) -> None:
        self.comparison = comparison
        self.glyphs = glyphs
        self.labels = [glyphs.text(label) for label in comparison.labels]
        self.texts = cache(self._texts)

    def groups(self) -> list[tuple[str, str]]:
        """Return key and title of what stands side by side in one table."""
        raise NotImplementedError

    def names(self) -> list[str]:
        """Return the first column."""
        raise NotImplementedError

    def kinds(self) -> list[str]:
        """Return the styles of rows."""
        raise NotImplementedError

    def side(self, key: str, place: int) -> Side:
        """Return one design's values."""
        raise NotImplementedError

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

    def _fitting(self, width: int | None) -> tuple[Plan, list[Grid]]:
        plan = Plan(together=len(self.labels) == 2 or len(self.groups()) == 1)
        tables = self.tables(plan)
        if width is None:
            return plan, tables
        for plan in self._plans():
            tables = self.tables(plan)
            if max(table.width for table in tables) <= width:
                break
        return plan, tables

    def _plans(self) -> Iterator[Plan]:
        yield from PLANS
        plan = PLANS[-1]._replace(name=SHORT_NAME)
        yield plan
        for designs in range(len(self.labels) - 1, 0, -1):
            yield plan._replace(designs=designs)

    def tables(self, plan: Plan) -> list[Grid]:
        """Return one table for all metrics, or one for each."""
        groups = self.groups()
        return [self._table(groups, plan)] if plan.together else [self._table([group], plan) for group in groups]

    def _table(self, groups: Sequence[tuple[str, str]], plan: Plan) -> Grid:
        names = self.names()
        if plan.name is not None:
            names = [self.glyphs.elide(name, plan.name) for name in names]
        columns = [Column(self.heading, names)]
        spans = []
        for key, title in groups:
            first = len(columns)
            columns += self._columns(key, plan)
            columns[first] = columns[first]._replace(gap=3 if first > 1 else 2)
            if title:
                spans.append((first, len(columns) - 1, title))
        return Grid(columns, self.kinds(), self.glyphs.rule, foot=self.foot, spans=spans)

    def _columns(self, key: str, plan: Plan) -> Iterator[Column]:
        for place, label in enumerate(self.labels[: plan.designs]):
            name = "short" if plan.short else "exact"
            yield Column(label, self.texts(key, place, name), right=True)
            if plan.bar and any(bars := self.texts(key, place, "bars")):
                yield Column("", bars, gap=1, style=f"bar{[group for group, _ in self.groups()].index(key) % 4}")
            if place and plan.difference:
                styles = self.side(key, place).styles()
                yield Column("difference", self.texts(key, place, "differences"), right=True, styles=styles)
            if place and plan.ratio:
                yield Column("ratio", self.texts(key, place, "ratios"), right=True)

    def _texts(self, key: str, place: int, name: str) -> list[str]:
        side = self.side(key, place)
        match name:
            case "differences":
                return side.differences(self.glyphs)
            case "ratios":
                return side.ratios()
            case "bars":
                return self.bars(key, place)
            case "short":
                return side.rounded(self.glyphs, self.units(key))
        return side.numbers(self.glyphs)

    def units(self, key: str) -> list[str]:
        """Return the unit of every row."""
        raise NotImplementedError

    def bars(self, key: str, place: int) -> list[str]:
        """Return bars, or nothing where they would mean nothing."""
        return []


class Layers(Sides):
    """The aligned layers, and the totals of the same columns beneath them."""

    heading = "Layer"
    foot = 1

    def __init__(self, comparison: Comparison, glyphs: Glyphs) -> None:
        super().__init__(comparison, glyphs)
        chosen = [metric for metric in comparison.metrics if metric.column.key in DEFAULT_COLUMNS]
        self.metrics = {metric.column.key: metric for metric in chosen}
        self.chosen = overview(comparison.matches, list(self.metrics))
        self.matches = self.chosen.rows

    def unseen(self) -> str:
        """Say which layers the table leaves out."""
        parts = []
        free, folded = self.chosen.free, self.chosen.folded
        if free:
            verb = "is" if free == 1 else "are"
            parts.append(f"{counted(free, 'layer')} without params or multiplies {verb} not shown")
        if folded:
            verb = "shows" if folded == 1 else "show"
            parts.append(f"{counted(folded, 'group')} without differences inside {verb} sums only")
        return f"{'; '.join(parts)}; --json has every layer." if parts else ""

    def groups(self) -> list[tuple[str, str]]:
        return [(key, self.glyphs.text(metric.column.title)) for key, metric in self.metrics.items()]

    def names(self) -> list[str]:
        return [*map(self._name, self.matches), "Total"]

    def kinds(self) -> list[str]:
        return [*("zero" if match.equal else "" for match in self.matches), "total"]

    def _name(self, match: Match) -> str:
        segments = dict.fromkeys(cell.path.rpartition(".")[2] for cell in match.cells if cell)
        name = " / ".join(segments) if match.path else WHOLE
        if match.until:
            name = f"{name} … {match.until}"
        return "  " * match.level + self.glyphs.text(name)

    def side(self, key: str, place: int) -> Side:
        values = [match.values(key) for match in self.matches]
        totals = self.metrics[key].values
        complete = [report.complete for report in self.comparison.reports]
        known = [[not cell or cell.known for cell in match.cells] for match in self.matches] + [complete]
        return Side(
            values=[*(value[place] for value in values), totals[place]],
            first=[*(value[0] for value in values), totals[0]],
            comparable=[*(not match.detail for match in self.matches), True],
            known=[row[place] for row in known],
            certain=[row[place] and row[0] for row in known],
        )

    def units(self, key: str) -> list[str]:
        return [self.metrics[key].column.unit] * (len(self.matches) + 1)

    def bars(self, key: str, place: int) -> list[str]:
        """The places at the top, on one scale for all designs."""
        tops = [match.values(key) if match.level == 0 else () for match in self.matches]
        drawn = self.glyphs.bars([value or 0 for values in tops for value in values], BAR)
        bars = iter(drawn)
        return [*([next(bars) for _ in values][place] if values else "" for values in tops), ""]


class Totals(Sides):
    """Every metric of the whole designs, one a row."""

    heading = "Total"

    def groups(self) -> list[tuple[str, str]]:
        return [("", "")]

    def names(self) -> list[str]:
        return [self.glyphs.text(metric.column.title) for metric in self.comparison.metrics]

    def kinds(self) -> list[str]:
        return ["" for _ in self.comparison.metrics]

    def units(self, key: str) -> list[str]:
        return [metric.column.unit for metric in self.comparison.metrics]

    def side(self, key: str, place: int) -> Side:
        values: list[Value | None] = [metric.values[place] for metric in self.comparison.metrics]
        first: list[Value | None] = [metric.values[0] for metric in self.comparison.metrics]
        complete = [report.complete for report in self.comparison.reports]
        count = len(values)
        known = [complete[place]] * count
        return Side(values, first, [True] * count, known, [complete[place] and complete[0]] * count)


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
