"""The receptive field along one axis of the input, and how fields combine at joins."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from math import gcd, lcm
from typing import Any, TypeAlias

from convcalc.arith import Number, is_plain, less, select
from convcalc.graph.graph import Graph, Node
from convcalc.metrics._window_reads import ReadPattern
from convcalc.metrics.metric import MisalignedJoin
from convcalc.records import NamedTuple

WHOLE = "whole"
NO_INPUT = "nothing"
"""The axis of what depends on no input: a learned table."""
MAX_PERIOD = 4096
"""Cells of a period; an axis with a longer one is not followed any further."""
MAX_READ_PERIOD = 64
"""The longest period of what a layer reads whose cells are worked out one by one."""


class FieldSequence(NamedTuple):
    """The input cells that the cells of one period depend on, and by how many those of the next period are shifted."""

    low: tuple[Number, ...]
    high: tuple[Number, ...]
    step: Number

    @property
    def size(self) -> Any:
        """The receptive field: the largest of the period."""
        sizes = [high - low + 1 for low, high in zip(self.low, self.high, strict=True)]
        return sizes[0] if len(sizes) == 1 else max(0, *sizes)

    @property
    def stride(self) -> Any:
        """Input cells from one cell to the next; behind an upsampling perhaps a fraction."""
        if len(self.low) == 1:
            return self.step
        exact = Fraction(self.step, len(self.low))
        return exact.numerator if exact.denominator == 1 else exact

    def end_at(self, cell: Number, ends: tuple[Number, ...]) -> Number:
        """Return where the field of any cell begins or ends."""
        if len(ends) == 1:
            return ends[0] + cell * self.step
        turn, place = divmod(cell, len(ends))
        return ends[place] + turn * self.step

    def read(self, reading: ReadPattern) -> FieldSequence | None:
        """Return the axis of a layer that reads this one."""
        before = len(self.low)
        if reading.is_identity or (before == 1 and not self.first_is_nonempty):
            return self
        turns = before // gcd(before, reading.step) if before > 1 else 1
        period = reading.period * turns
        if period > MAX_PERIOD:
            return None
        cells = [reading.cells(cell) for cell in range(period)]
        step = self.step * reading.step if before == 1 else self.step * (turns * reading.step // before)
        if before > 1 and not self.is_monotonic:
            if period * before > MAX_PERIOD * MAX_READ_PERIOD:
                return None
            ends = [self.union_of(first, last, reading.dilation) for first, last in cells]
        else:
            ends = [(self.end_at(first, self.low), self.end_at(last, self.high)) for first, last in cells]
        if reading.period > 1:
            ends = [(low, low - 1) if first > last else (low, high)
                    for (low, high), (first, last) in zip(ends, cells, strict=True)]  # fmt: skip
        return FieldSequence(tuple([low for low, _ in ends]), tuple([high for _, high in ends]), step)

    @property
    def first_is_nonempty(self) -> bool:
        """Whether the first cell depends on any: not in a gap of a transposed convolution."""
        low, high = self.low[0], self.high[0]
        return not (is_plain(low) and is_plain(high) and low > high)

    @property
    def is_monotonic(self) -> bool:
        """Whether no field begins or ends before that of the cell before it, and none is empty."""
        lows, highs = (*self.low, self.low[0] + self.step), (*self.high, self.high[0] + self.step)
        full = all(low <= high for low, high in zip(self.low, self.high, strict=True))
        return full and all(a <= b for ends in (lows, highs) for a, b in pairwise(ends))

    def union_of(self, first: int, last: int, every: int) -> tuple[int, int]:
        """Return where the fields of several cells begin and end; empty ones do not count."""
        read, span = range(first, last + 1, every), len(self.low)
        low = min((self.end_at(cell, self.low) for cell in read[:span] if self._full(cell)), default=None)
        high = max((self.end_at(cell, self.high) for cell in read[-span:] if self._full(cell)), default=None)
        if low is None or high is None:
            low = self.end_at(first, self.low)
            return low, low - 1
        return low, high

    def _full(self, cell: int) -> bool:
        place = cell % len(self.low)
        return bool(self.low[place] <= self.high[place])


AxisField: TypeAlias = FieldSequence | str | None
"""The receptive field along one input axis: cells, ``whole``, ``nothing`` (no input), or ``None`` (unknown)."""
INPUT_FIELD = FieldSequence((0,), (0,), 1)
AxisOrder: TypeAlias = tuple[int, ...]
"""For every axis of the input, on which axis of the tensor it lies: 1, 2, … until they are permuted."""


# --- joins ------------------------------------------------------------------------------------------------------------


def join_fields(
    graph: Graph,
    node: Node,
    entering: Sequence[tuple[AxisField, ...]],
    order: AxisOrder,
    misaligned: list[MisalignedJoin],
) -> tuple[AxisField, ...]:
    """Return the fields behind a join, which adds, concatenates or multiplies; record the paths that disagree."""
    names = [graph.nodes[index].path for index in node.inputs]
    joined: list[AxisField] = []
    for axis, meeting in enumerate(zip(*entering, strict=True)):
        spread = [_broadcast(node, branch, order[axis], place) for branch, place in enumerate(meeting)]
        joined.append(_largest(spread))
        if joined[-1] != WHOLE and (found := _disagreement(spread)):
            differ, branches = found
            paths = tuple(dict.fromkeys(names[branch] for branch in branches))
            misaligned.append(MisalignedJoin(node.path, axis, paths, differ))
    return tuple(joined)


def _broadcast(node: Node, branch: int, axis: int, place: AxisField) -> AxisField:
    """A size-1 branch broadcast along the axis has no position: its field is the whole axis."""
    sizes, leaving = node.input_shapes[branch], node.shape
    one = len(sizes) == len(leaving) and axis < len(sizes) and is_plain(sizes[axis]) and sizes[axis] == 1
    many = one and not (is_plain(leaving[axis]) and leaving[axis] == 1)
    return WHOLE if many and isinstance(place, FieldSequence) else place


def _largest(places: Sequence[AxisField]) -> AxisField:
    """Return the largest field; the whole axis is larger than an unknown field, and that than a known one."""
    if WHOLE in places:
        return WHOLE
    if None in places:
        return None
    found = [place for place in places if isinstance(place, FieldSequence)]
    if not found:
        return NO_INPUT
    largest = found[0]
    for other in found[1:]:
        if other is not largest:
            largest = _larger(largest, other)
    return largest


def _larger(one: FieldSequence, other: FieldSequence) -> FieldSequence:
    """Return the axis with the larger field; sizes may be arrays or symbols."""
    larger = less(one.size, other.size)
    if isinstance(larger, bool) or len(one.low) + len(other.low) > 2:
        return other if larger is True else one
    low, high, step = (
        select(larger, b, a)
        for a, b in ((one.low[0], other.low[0]), (one.high[0], other.high[0]), (one.step, other.step))
    )
    return FieldSequence((low,), (high,), step)


def _disagreement(places: Sequence[AxisField]) -> tuple[str, list[int]] | None:
    """Return in what paths differ, and which of them differ from the first; undecided sizes count as equal."""
    found = [(branch, place) for branch, place in enumerate(places) if isinstance(place, FieldSequence)]
    if len(found) < 2 or all(place is found[0][1] for _, place in found):
        return None
    (first, kept), *others = found
    for differ, agree in (("strides", _same_stride), ("centres", _same_centres)):
        apart = [branch for branch, place in others if not agree(kept, place)]
        if apart:
            return differ, [first, *apart]
    return None


def _same_stride(one: FieldSequence, other: FieldSequence) -> bool:
    return _agree(one.step * len(other.low), other.step * len(one.low))


def _same_centres(one: FieldSequence, other: FieldSequence) -> bool:
    """Whether every field of the period that two axes have in common has the same middle, here taken twice."""

    def middle(axis: FieldSequence, cell: int) -> Number:
        return axis.end_at(cell, axis.low) + axis.end_at(cell, axis.high)

    return all(_agree(middle(one, cell), middle(other, cell)) for cell in range(lcm(len(one.low), len(other.low))))


def _agree(one: Number, other: Number) -> bool:
    return not (is_plain(one) and is_plain(other)) or one == other
