"""Blocks of the product of all axes: ranges of values, and the numbers of the points in them."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

from convcalc.records import NamedTuple
from convcalc.spec.expressions.values import Quotient
from convcalc.sweep.axes import Axis

MAX_POINTS = 2**62
"""Limit of points: their numbers have 64 bits."""
BLOCK_SIZE = 2**17
"""Points per block: arrays of this size fit a processor's cache."""


class Block(NamedTuple):
    """A block of a sweep whose axes have ``sizes``: a half-open range of values of each axis."""

    ranges: tuple[tuple[int, int], ...]
    sizes: tuple[int, ...]

    @classmethod
    def whole(cls, axes: Sequence[Axis]) -> Block:
        """Return the block of all points."""
        sizes = tuple(len(axis.values) for axis in axes)
        return cls(tuple((0, size) for size in sizes), sizes)

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(end - first for first, end in self.ranges)

    @property
    def size(self) -> int:
        return math.prod(end - first for first, end in self.ranges)

    @property
    def wide(self) -> list[int]:
        """The axes of which it has several values."""
        return [axis for axis, (first, end) in enumerate(self.ranges) if end - first > 1]

    @property
    def first(self) -> int:
        """The number of its first point."""
        return self.number([0] * len(self.sizes))

    def number(self, places: Sequence[Any]) -> int:
        """Return the number of a point from its places in the block."""
        number = 0
        for size, (first, _), place in zip(self.sizes, self.ranges, places, strict=True):
            number = number * size + first + int(place)
        return number

    def numbers(self, places: Sequence[Any]) -> Any:
        """Return the numbers of points from arrays of their places in the block, by axis."""
        number: Any = 0
        for size, (first, _), place in zip(self.sizes, self.ranges, places, strict=True):
            number = number * size + (place + first)
        return number

    def offset(self, part: Block) -> tuple[slice, ...]:
        """Return where a part of it lies in arrays of its shape."""
        pairs = zip(part.ranges, self.ranges, strict=True)
        return tuple(slice(first - start, end - start) for (first, end), (start, _) in pairs)

    def narrowed(self, axis: int, first: int, end: int) -> Block:
        """Return the part with these values of one axis."""
        return self._replace(ranges=(*self.ranges[:axis], (first, end), *self.ranges[axis + 1 :]))

    def common(self, other: Block) -> Block:
        """Return the part that it has in common with another block; it may be empty."""
        pairs = zip(self.ranges, other.ranges, strict=True)
        shared = [(max(first, start), min(end, stop)) for (first, end), (start, stop) in pairs]
        return self._replace(ranges=tuple((first, max(first, end)) for first, end in shared))

    def stretches(self, axis: int, length: int, block: Block) -> Iterator[Block]:
        """Cut one axis into stretches of this length; give those that meet another block there."""
        (first, end), (low, high) = self.ranges[axis], block.ranges[axis]
        passed = max(0, low - first) // length
        for start in range(first + passed * length, min(end, high), length):
            yield self.narrowed(axis, start, min(start + length, end))

    def halves(self, axis: int) -> list[Block]:
        """Split it in the middle of one of its axes."""
        first, end = self.ranges[axis]
        middle = (first + end) // 2
        return [self.narrowed(axis, first, middle), self.narrowed(axis, middle, end)]

    def split(self, axes: Collection[int]) -> Iterator[Block]:
        """Split it at every value of some axes, the last one fastest."""
        cuts = [size if axis in axes else 1 for axis, size in enumerate(self.shape)]
        for number in range(math.prod(cuts)):
            places = enumerate(zip(unravel(number, cuts), self.ranges, strict=True))
            yield self._replace(
                ranges=tuple(
                    (first + at, first + at + 1) if axis in axes else (first, end)
                    for axis, (at, (first, end)) in places
                )
            )


def blocks(axes: Sequence[Axis], limit: int = BLOCK_SIZE) -> Iterator[Block]:
    """Cut the product of all axes into blocks of at most ``limit`` points that follow one another.

    The last axis is the fastest: whole inner axes, a stretch of one axis, one value of each axis before it.
    """
    whole = Block.whole(axes)
    inner, cut = 1, len(axes)
    while cut and inner * whole.sizes[cut - 1] <= limit:
        cut -= 1
        inner *= whole.sizes[cut]
    if not cut:
        yield whole
        return
    size, length = whole.sizes[cut - 1], limit // inner
    for part in whole.split(range(cut - 1)):
        for first in range(0, size, length):
            yield part.narrowed(cut - 1, first, min(first + length, size))


def axis_values(axes: Sequence[Axis], block: Block, make: Callable[[int, Sequence[int]], Any]) -> dict[str, Any]:
    """Return the values of all axes in a block: plain where there is one, else what stands for all of them.

    Args:
        axes: of the sweep; one that is not of numbers is left out where the block has several of its values.
        block: the block.
        make: gives what stands for several integers, from the number of their axis and them.
    """
    values: dict[str, Any] = {}
    for number, (axis, (first, end)) in enumerate(zip(axes, block.ranges, strict=True)):
        if end - first == 1:
            values[axis.name] = axis.value(first)
        elif axis.is_numeric:
            numerators = make(number, axis.values[first:end])
            values[axis.name] = numerators if axis.denominator == 1 else Quotient(numerators, axis.denominator)
    return values


def unravel(number: int, sizes: Sequence[int]) -> list[int]:
    """Return the place on each axis of these sizes that a point has by its number."""
    places = []
    for size in reversed(sizes):
        number, place = divmod(number, size)
        places.append(place)
    return places[::-1]
