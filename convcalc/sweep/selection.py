"""Which points stay: all, the non-dominated ones, or the first so many by a metric. Reductions run as blocks come.

Ties are settled by the order of the points: of points with the same metrics the first stays, whatever the engine. So
``pareto`` keeps one point for each non-dominated combination of metrics.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from convcalc.extras import numpy
from convcalc.records import NamedTuple

MAX_RIVALS = 1024
MAX_ROUNDS = 4
"""How often the points of a block are compared with one that beats many."""
MAX_PIVOTS = 16
"""Most points with which whole rows are compared."""
FEW = 1024
"""Points that are sorted as they are."""


class SelectedPoints(NamedTuple):
    """Points by number, in order, and the totals of each: arrays of one axis."""

    numbers: Any
    metrics: dict[str, Any]

    def take(self, places: Any) -> SelectedPoints:
        """Return some of the points."""
        return SelectedPoints(self.numbers[places], {key: column[places] for key, column in self.metrics.items()})

    def __bool__(self) -> bool:
        return len(self.numbers) > 0


class Selection(NamedTuple):
    """``all``; ``pareto`` by some metrics; or ``top`` so many by one. A metric with − before it is better if larger.

    An axis may stand in the place of a metric: then points have its ranks.
    """

    kind: str = "all"
    metrics: tuple[str, ...] = ()
    limit: int = 0
    """How many points stay; of a front all, without a number."""
    order: str = ""
    """The metric by which a front is sorted at last, with its sign; the metrics of the front in their order if none."""

    axes: tuple[str, ...] = ()
    """The keys that are axes."""

    @property
    def keys(self) -> tuple[str, ...]:
        """The metrics and axes without their signs, and that of the order behind them."""
        return tuple(metric.removeprefix("-") for metric in (*self.metrics, self.order) if metric)

    def ordered(self, points: SelectedPoints) -> SelectedPoints:
        """Return what stays at last: of a front that is sorted, the first."""
        if not self.order:
            return points
        column = _signed(points.metrics[self.order.removeprefix("-")], self.order)
        return points.take(_order([column], points.numbers)[: self.limit or None])

    def select(self, points: SelectedPoints) -> SelectedPoints:
        """Return the points that stay: of ``top`` the best first, of ``pareto`` in the order of its metrics."""
        if self.kind == "all" or not points:
            return points
        columns = [_signed(points.metrics[metric.removeprefix("-")], metric) for metric in self.metrics]
        if self.kind == "top":
            return points.take(_order([columns[0]], points.numbers)[: self.limit])
        return points.take(_front(columns, _order(columns, points.numbers)))

    @property
    def compared(self) -> tuple[str, ...]:
        """The metrics and axes by which points are selected."""
        return tuple(metric.removeprefix("-") for metric in self._signed_keys)

    @property
    def _signed_keys(self) -> tuple[str, ...]:
        return {"all": (), "top": self.metrics[:1]}.get(self.kind, self.metrics)

    def rivals(self, points: SelectedPoints | None) -> SelectedPoints | None:
        """Return some of the points selected so far, beside which others may not be selected; nothing if all may be."""
        if self.kind == "all" or not points or (self.kind == "top" and len(points.numbers) < self.limit):
            return None
        if self.kind == "top":
            return points.take(slice(-1, None))
        return points.take(slice(None, None, 1 + len(points.numbers) // MAX_RIVALS))

    def is_beaten(self, rivals: SelectedPoints | None, bounds: Mapping[str, tuple[int, int]], first: int) -> bool:
        """Whether no point from number ``first`` on, with metrics within bounds, is selected beside its rivals."""
        if rivals is None:
            return False
        all_within, any_below = True, rivals.numbers < first
        for metric in self._signed_keys:
            key = metric.removeprefix("-")
            least = bounds[key][0] if key == metric else -bounds[key][1]
            column = _signed(rivals.metrics[key], metric)
            all_within, any_below = all_within & (column <= least), any_below | (column < least)
        return bool((all_within & any_below).any())

    def candidates(self, columns: Mapping[str, Any], chosen: Any, rivals: SelectedPoints | None) -> Any:
        """Return the places of points that may be selected, in order.

        Args:
            columns: what points are compared by, arrays of one shape.
            chosen: which points there are, an array of truths of that shape.
            rivals: points of lower numbers beside which others are not selected.
        """
        held = [columns[key] for key in self.compared]
        others = [rivals.metrics[key] for key in self.compared] if rivals else []
        if self.kind == "all" or any(column.dtype == object for column in (*held, *others)):
            return numpy.flatnonzero(chosen)
        if self.kind == "top":
            return _best(held[0], chosen, self.limit, others[0][-1] if others else None, self.metrics[0])
        signs = self._signed_keys
        return _unbeaten(list(map(_signed, held, signs)), chosen, list(map(_signed, others, signs)))

    def merge(self, one: SelectedPoints | None, *others: SelectedPoints) -> SelectedPoints:
        """Return what stays of several sets of points that have been reduced."""
        sets = [each for each in (one, *others) if each]
        if len(sets) < 2:
            return sets[0] if sets else one or others[0]
        all_ = {key: numpy.concatenate([each.metrics[key] for each in sets]) for key in sets[0].metrics}
        return self.select(SelectedPoints(numpy.concatenate([each.numbers for each in sets]), all_))


def _best(column: Any, chosen: Any, limit: int, rival: Any, metric: str) -> Any:
    """Return the places of points, in order, of which the first so many by a metric are some; none worse than a rival.

    As many rows of the last axis as are sought have a point each that is as good as the worst of their best.
    """
    sign = -1 if metric.startswith("-") else 1
    best = sign * (column.max(axis=-1) if sign < 0 else column.min(axis=-1)).ravel()
    if not chosen.all() or len(best) < limit:
        best = sign * column[chosen]
    limits = [] if rival is None else [sign * rival]
    limits += [numpy.partition(best, limit - 1)[limit - 1]] if len(best) >= limit else []
    if not limits:
        return numpy.flatnonzero(chosen)
    worst = sign * min(limits)
    return numpy.flatnonzero((column >= worst if sign < 0 else column <= worst) & chosen)


def _unbeaten(columns: Sequence[Any], chosen: Any, rivals: Sequence[Any]) -> Any:
    """Return the places of points, in order, without most of those that a rival or another point is as good as.

    First rows of the last axis go whose best values together are worse than a point; then points worse than some.
    """
    if chosen.size > FEW and 1 < chosen.shape[-1] < chosen.size:
        chosen = chosen & ~_beaten_rows(columns, chosen, rivals).reshape(*chosen.shape[:-1], 1)
    places = numpy.flatnonzero(chosen)
    held = [column.ravel()[places] for column in columns]
    for _ in range(MAX_ROUNDS):
        if len(places) <= FEW:
            break
        at = _widest(held, held, 1)[0]
        beaten = numpy.logical_and.reduce([column >= column[at] for column in held])
        beaten[at] = False
        places, held = places[~beaten], [column[~beaten] for column in held]
    return places


def _beaten_rows(columns: Sequence[Any], chosen: Any, rivals: Sequence[Any]) -> Any:
    """Return which rows of the last axis have no point that is better than all of some others in any column."""
    length = chosen.shape[-1]
    rows = [numpy.where(chosen, column, column.max()).reshape(-1, length) for column in columns]
    starts = numpy.arange(0, chosen.size, length)
    best = numpy.concatenate([starts + row.argmin(axis=1) for row in rows])
    points = [row.ravel()[best] for row in rows]
    points = [numpy.concatenate(pair) for pair in zip(points, rivals, strict=True)] if rivals else points
    beaten = numpy.zeros(len(starts), bool)
    corners = [row.min(axis=1) for row in rows]
    for at in _widest(points, rows, min(MAX_PIVOTS, 1 + length // 16)):
        pairs = [(corner, point[at]) for corner, point in zip(corners, points, strict=True)]
        within = numpy.logical_and.reduce([corner >= point for corner, point in pairs])
        beaten |= within & numpy.logical_or.reduce([corner > point for corner, point in pairs])
    return beaten


def _widest(columns: Sequence[Any], others: Sequence[Any], count: int) -> Any:
    """Return the places of points that are as good as most others, if these are spread evenly: the best first."""
    room = numpy.ones(len(columns[0]))
    for column, other in zip(columns, others, strict=True):
        least, most = other.min(), other.max()
        room *= (most - numpy.maximum(column, least)).clip(0) + 1.0
    return numpy.argsort(-room, kind="stable")[:count] if count > 1 else [int(room.argmax())]


def _signed(column: Any, metric: str) -> Any:
    return -column if metric.startswith("-") else column


def _order(columns: list[Any], numbers: Any) -> Any:
    """Return places sorted by the columns, the first before the others, then by the number of the point."""
    if any(column.dtype == object for column in columns):
        rows = list(zip(*(column.tolist() for column in columns), numbers.tolist(), strict=True))
        return numpy.array(sorted(range(len(rows)), key=rows.__getitem__), "int64")
    return numpy.lexsort([numbers, *reversed(columns)])


def _front(columns: list[Any], order: Any) -> Any:
    """Return the places, of those in order, that none before is as good as in every column."""
    held = [column[order] for column in columns]
    if len(held) == 2:
        best = numpy.minimum.accumulate(held[1])
        first = numpy.ones(len(order), bool)
        first[1:] = held[1][1:] < best[:-1]
        return order[first]
    chosen = []
    left = numpy.arange(len(order))
    while len(left):
        chosen.append(left[0])
        beaten = numpy.ones(len(left), bool)
        for column in held:
            beaten &= (column[left] >= column[left[0]]).astype(bool)
        left = left[~beaten]
    return order[chosen]
