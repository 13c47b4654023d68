"""Branch and bound for ``solve``: blocks of points in the order of preference are skipped, decided or evaluated."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import Any

from convcalc.extras import numpy
from convcalc.records import NamedTuple
from convcalc.sweep.block_bounds import BlockBounds, bound_block, graph_count
from convcalc.sweep.evaluator import evaluate, evaluator
from convcalc.sweep.grid import Block
from convcalc.sweep.job import SweepJob

MAX, MIN = "max", "min"
MAX_COUNTED_POINTS = 2**20
"""Up to so many points, it is also counted how many fit."""
MAX_SMALL_BLOCK = 2**15
"""Evaluating all of so many points takes no longer than halving them along several axes."""
MAX_LEAF_GRAPHS = 16
"""Blocks with at most this many distinct graphs are evaluated point by point."""

Advance = Callable[[int], None]


def no_progress(points: int) -> None:
    """Default progress callback: does nothing."""


class MetricLimit(NamedTuple):
    """A limit on a metric of the whole design, inclusive."""

    metric: str
    kind: str
    """``MAX`` or ``MIN``."""
    value: Fraction
    text: str = ""
    """As it was written."""

    def holds(self, total: Any) -> Any:
        """Whether a total, or each of an array, is within the limit."""
        return total <= self.integer if self.kind == MAX else total >= self.integer

    @property
    def integer(self) -> int:
        """The nearest integer that is allowed: totals are integers."""
        return self.value.__floor__() if self.kind == MAX else self.value.__ceil__()

    def margin(self, total: int) -> Fraction:
        """How far a total is within the limit; below 0, by how much it breaks it."""
        return self.value - total if self.kind == MAX else total - self.value


class SolveProblem(NamedTuple):
    """What is sought: values within limits, the largest or smallest of them, the first variable before the others.

    An ``objective`` comes before that: the metric that is to be as large as possible, or with − before it, as small.
    """

    bounds: tuple[MetricLimit, ...]
    largest: bool = True
    objective: str | None = None

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics that have to be worked out."""
        wanted = (self.objective or "").removeprefix("-")
        return tuple(dict.fromkeys([*(bound.metric for bound in self.bounds), *([wanted] if wanted else [])]))


class Search:
    """Branch-and-bound search over the blocks of a job, whose axes are in the order of preference."""

    def __init__(self, job: SweepJob, question: SolveProblem, advance: Advance, leaf: int) -> None:
        self.job, self.question, self.advance, self.leaf_size = job, question, advance, leaf
        self.root = Block.whole(job.axes)
        self.saw_valid = False
        """Whether any block may have had a valid point."""
        self.counts = self._leaves_in_order()
        self.known = 0

    def first(self) -> int | None:
        """Return the number of the first point that fits."""
        for points, number in self.counts:
            if points:
                self.known = points
                return number
        return None

    def count(self) -> int | None:
        """Go on after ``first``; return how many points fit, where that is not much work."""
        if self.question.objective is not None:
            self.counts, self.advance = self._leaves_in_order(), no_progress
        if self.job.point_count > MAX_COUNTED_POINTS or graph_count(self.job, self.root) > MAX_LEAF_GRAPHS**2:
            return self.job.point_count if self._decide(bound_block(self.job, self.root)) else None
        return self.known + sum(points for points, _ in self.counts)

    def best(self) -> int | None:
        """Return the number of the first point of all that fit and have the best objective."""
        best: tuple[float, int] | None = None
        waiting: list[tuple[float, int, Block, BlockBounds | None]] = []
        self._push(waiting, self.root)
        while waiting and (best is None or waiting[0][:2] < best):
            _, _, block, known = heapq.heappop(waiting)
            if self._decide(known) is False:
                self.advance(block.size)
            elif self._is_leaf(block, known):
                found = self._best_of(block)
                best = found if best is None or (found is not None and found < best) else best
                self.advance(block.size)
            else:
                for half in block.halves(self._axis_to_halve(block, known)):
                    self._push(waiting, half, known)
        return None if best is None else best[1]

    def _push(
        self,
        waiting: list[tuple[float, int, Block, BlockBounds | None]],
        block: Block,
        whole: BlockBounds | None = None,
    ) -> None:
        """Push a block, a part of the one that is bounded by ``whole``, on the heap, by the lower bound of its cost."""
        known = self._bound(block, whole)
        cost: float = float("-inf")
        if known is not None and known.totals is not None:
            low, high = known.totals[self._goal]
            cost = self._clip_to_limits(-high if self._maximizing else low)
        heapq.heappush(waiting, (cost, block.first, block, known))

    def _clip_to_limits(self, cost: int) -> int:
        """Raise a lower bound of the cost to what limits on the objective itself allow."""
        kind, sign = (MAX, -1) if self._maximizing else (MIN, 1)
        limits = [each for each in self.question.bounds if (each.metric, each.kind) == (self._goal, kind)]
        return max([cost, *(sign * limit.integer for limit in limits)])

    def _bound(self, block: Block, whole: BlockBounds | None, *, renew: bool = True) -> BlockBounds | None:
        """Return the bounds of a block, a part of the one that is bounded by ``whole``."""
        return bound_block(self.job, block, None if whole is None else whole.forms, renew=renew)

    def _axis_to_halve(self, block: Block, known: BlockBounds | None) -> int:
        """Return the axis that moves the totals most, or one that shapes the graph where there are many graphs."""
        structural = evaluator(self.job).structural if graph_count(self.job, block) > MAX_LEAF_GRAPHS else set()
        axes = [axis for axis in block.wide if axis in structural] or block.wide
        if len(axes) == 1:
            return axes[0]
        return max(axes, key=lambda axis: (self._effect(block, known, axis), block.shape[axis]))

    def _effect(self, block: Block, known: BlockBounds | None, axis: int) -> float:
        """Return how much of the range of a total an axis makes up, from 0 to 1, for the total where it is most."""
        if known is None or known.totals is None:
            return 0.0
        first, last = (self._bound(end, known, renew=False) for end in _ends(block, [axis]))
        if first is None or last is None or first.totals is None or last.totals is None:
            return 0.0
        ranges = ((high - low, first.totals[key][1] - last.totals[key][1]) for key, (low, high) in known.totals.items())
        return max((min(1.0, abs(part) / whole) for whole, part in ranges if whole), default=0.0)

    def _is_bisected(self, block: Block, known: BlockBounds | None) -> bool:
        """Whether halving is faster than evaluating all points: every bound is reached at the first or last point."""
        if known is None or known.totals is None or not known.all_valid:
            return False
        if len(block.wide) > 1 and block.size <= MAX_SMALL_BLOCK:
            return False
        corners = [self._bound(corner, known, renew=False) for corner in _ends(block, block.wide)]
        totals = [each.totals for each in corners if each is not None and each.totals is not None]
        reached = {key: {bound for each in totals for bound in each[key]} for key in known.totals}
        return all({*known.totals[key]} == reached[key] for key in reached)

    @property
    def _goal(self) -> str:
        return (self.question.objective or "").removeprefix("-")

    @property
    def _maximizing(self) -> bool:
        """Whether the objective is maximised."""
        return not (self.question.objective or "").startswith("-")

    def _best_of(self, block: Block) -> tuple[int, int] | None:
        """Return the least cost of the points of a block that fit, and the first point that has it."""
        fits, totals = self._evaluate(block)
        places = numpy.flatnonzero(fits)
        if not len(places):
            return None
        reached = totals[self._goal].ravel()[places]
        costs = -reached if self._maximizing else reached
        at = int(numpy.argmin(costs))
        return int(costs[at]), block.number(numpy.unravel_index(int(places[at]), fits.shape))

    def _leaves_in_order(self) -> Iterator[tuple[int, int]]:
        """Give, in the order of the points, how many of a block fit and which is the first."""
        waiting: list[tuple[Block, BlockBounds | None]] = [(self.root, None)]
        while waiting:
            block, whole = waiting.pop()
            known = self._bound(block, whole) if whole is not None or block.size > self.leaf_size else None
            fit = self._decide(known)
            if fit is not None:
                yield (block.size if fit else 0), block.first
            elif self._is_leaf(block, known):
                fits, _ = self._evaluate(block)
                first = numpy.unravel_index(int(numpy.argmax(fits)), fits.shape)
                yield int(numpy.count_nonzero(fits)), block.number(first)
            else:
                waiting += [(half, known) for half in reversed(block.halves(block.wide[0]))]
                continue
            self.advance(block.size)

    def _decide(self, known: BlockBounds | None) -> bool | None:
        """Whether all points of a block fit, or none of them; nothing where neither is sure."""
        if known is None:
            return None
        if known.totals is None:
            return False
        self.saw_valid = True
        sides = [(bound, known.totals[bound.metric]) for bound in self.question.bounds]
        if any(not bound.holds(low if bound.kind == MAX else high) for bound, (low, high) in sides):
            return False
        return True if known.all_valid and all(bound.holds(a) and bound.holds(b) for bound, (a, b) in sides) else None

    def _is_leaf(self, block: Block, known: BlockBounds | None) -> bool:
        """Whether a block is worked out point by point."""
        if block.size == 1:
            return True
        if block.size > self.leaf_size or graph_count(self.job, block) > MAX_LEAF_GRAPHS:
            return False
        return not self._is_bisected(block, known)

    def _evaluate(self, block: Block) -> tuple[Any, dict[str, Any]]:
        """Return which points of a block fit, and the totals of all."""
        columns = evaluate(self.job, block)
        fits = columns.valid.copy()
        self.saw_valid = self.saw_valid or bool(fits.any())
        for bound in self.question.bounds:
            fits &= bound.holds(columns.metrics[bound.metric]).astype(bool)
        return fits, columns.metrics


def _ends(block: Block, axes: Sequence[int]) -> list[Block]:
    """Return the parts of a block at the first and at the last values of some of its axes."""
    first = last = block
    for axis in axes:
        begin, end = block.ranges[axis]
        first, last = first.narrowed(axis, begin, begin + 1), last.narrowed(axis, end - 1, end)
    return [first, last]
