"""Which cells of the input a cell of a layer looks at: receptive field, effective stride and offset, axis by axis.

For a layer and an axis of the input, the cells that output cell i looks at reach from ``low(i)`` to ``high(i)``,
counted from the first cell of the input; negative ones lie in the padding. Both are periodic: ``low(i + P) = low(i) +
step``. P is 1 until something is enlarged; behind an upsampling cells take turns, and the largest field of a period is
reported.

A window of extent e = d·(k − 1) + 1, stride s and padding p before reads the cells i·s − p … i·s − p + e − 1 of what
enters. For P = 1, with the field r, the stride j and the padding q = −low(0) of what enters, this is the folding
r' = r + (k − 1)·d·j, j' = j·s, q' = q + p·j. Source: Araujo, Norris and Sim 2019, Computing Receptive Fields of
Convolutional Neural Networks.

At a join the largest field wins. Paths whose strides or centres disagree there are misaligned and reported by name. An
axis of which everything is read (a global pool, attention, a linear layer over a flattened map) has the mark ``whole``,
and one that can no longer be followed (cells rearranged by reshape or permute, joined along the axis) has none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import gcd, lcm
from typing import Any, NamedTuple, TypeAlias

from convcalc.analyzers import Detail, Found, Misaligned
from convcalc.analyzers._reading import Reading, readings
from convcalc.arith import Number, is_plain, less, select
from convcalc.graph import Graph, Node

WHOLE = "whole"
NOTHING = "nothing"
"""The axis of what depends on no input: a learned table."""
LONGEST = 4096
"""Cells of a period; an axis with a longer one is not followed any further."""
ALL_TOKENS = ("attention", "lstm", "gru", "rnn")
SCATTERING = ("reshape", "permute", "flatten", "matmul", "custom")
KNOWN_PRODUCTS = ("linear",)


class Axis(NamedTuple):
    """The cells that the cells of one period look at, and how far on those of the next one are."""

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

    def reaching(self, cell: Number, ends: tuple[Number, ...]) -> Number:
        """Return where the field of any cell begins or ends."""
        if len(ends) == 1:
            return ends[0] + cell * self.step
        turn, place = divmod(cell, len(ends))
        return ends[place] + turn * self.step

    def read(self, reading: Reading) -> Axis | None:
        """Return the axis of a layer that reads this one."""
        before = len(self.low)
        turns = before // gcd(before, reading.advance) if before > 1 else 1
        period = reading.period * turns
        if period > LONGEST:
            return None
        cells = [reading.cells(cell) for cell in range(period)]
        step = self.step * reading.advance if before == 1 else self.step * (turns * reading.advance // before)
        low = tuple([self.reaching(first, self.low) for first, _ in cells])
        high = tuple([self.reaching(last, self.high) for _, last in cells])
        return Axis(low, high, step)


Place: TypeAlias = Axis | str | None
"""What is known of one axis of the input: numbers, ``whole``, ``nothing``, or not a thing."""
FIRST = Axis((0,), (0,), 1)


def details(graph: Graph, batch: int, dtype: str) -> Found:  # noqa: ARG001 - the form of all lazy files
    """receptive_field, effective_stride and offset of every layer, in cells of the input, a value an axis.

    The offset is the first input cell that output cell 0 looks at: minus the padding folded so far.
    """
    places, misaligned = fields(graph)
    unit = "input cells"
    kept = [places[node.index] for node in graph.layers]
    sizes, strides, offsets = ([tuple([fact(one) for one in axes]) for axes in kept] for fact in FACTS)
    return Found(
        (
            Detail("receptive_field", "Receptive field", unit, "cells of the input that one cell looks at", sizes),
            Detail("effective_stride", "Stride", unit, "cells of the input from one cell to the next", strides),
            Detail("offset", "Offset", unit, "first cell of the input that the first cell looks at", offsets),
        ),
        tuple(misaligned),
    )


def _size(place: Place) -> Any:
    return place.size if isinstance(place, Axis) else 0 if place == NOTHING else place


def _stride(place: Place) -> Any:
    return place.stride if isinstance(place, Axis) else None


def _offset(place: Place) -> Any:
    return place.low[0] if isinstance(place, Axis) else None


FACTS = (_size, _stride, _offset)


def fields(graph: Graph) -> tuple[list[tuple[Place, ...]], list[Misaligned]]:
    """Return the places of every node, and the joins at which paths disagree. Several inputs lie upon one another."""
    axes = max((node.shape.rank - 1 for node in graph.inputs), default=0)
    places: list[tuple[Place, ...]] = []
    misaligned: list[Misaligned] = []
    for node in graph.nodes:
        if node.op is None:
            own = node.shape.rank - 1
            places.append((FIRST,) * own + (None,) * (axes - own))
        elif not node.op.reads:
            places.append((NOTHING,) * axes)
        else:
            entering = [places[index] for index in node.inputs]
            joined = _joined(graph, node, entering, misaligned) if len(entering) > 1 else entering[0]
            places.append(_after(node, joined))
    return places, misaligned


# --- layers -----------------------------------------------------------------------------------------------------------


def _after(node: Node, entering: tuple[Place, ...]) -> tuple[Place, ...]:
    """Return the places of a layer, given those of what enters it."""
    op = node.op
    assert op is not None
    kind, x = op.kind, node.input_shapes[0]
    if kind in ALL_TOKENS and x.rank == 2:
        return tuple([place if place == NOTHING else WHOLE for place in entering])
    if kind == "linear" and x.rank == 1:
        return tuple([WHOLE if place is None else place for place in entering])
    read = readings(op, node.input_shapes, node.shape)
    if read is not None and x.rank - 1 == len(entering):
        return tuple([_through(place, reading) for place, reading in zip(entering, read, strict=True)])
    if _scatters(node):
        return tuple([place if isinstance(place, str) or _is_point(node) else None for place in entering])
    mixed = mixes(node)
    return tuple([_mixed(place, axis + 1 in mixed) for axis, place in enumerate(entering)])


def _through(place: Place, reading: Reading | str | None) -> Place:
    if place == NOTHING or reading == WHOLE:
        return place if place == NOTHING else WHOLE
    if not isinstance(place, Axis):
        return place
    return place.read(reading) if isinstance(reading, Reading) else None


def _mixed(place: Place, everything: bool) -> Place:
    return WHOLE if everything and place != NOTHING else place


def _scatters(node: Node) -> bool:
    """Whether the cells of a layer are not those of what enters: they are rearranged, or it is not known how."""
    op = node.op
    assert op is not None
    if op.kind in SCATTERING or (op.kind == "concat" and _tensor_axis(node) != 0):
        return True
    return bool(node.facts.products) and op.kind not in KNOWN_PRODUCTS


def _is_point(node: Node) -> bool:
    """Whether everything that enters stands at one place, so that rearranging it moves nothing."""
    return len(node.inputs) == 1 and all(is_plain(size) and size == 1 for size in node.input_shapes[0].spatial)


def mixes(node: Node) -> frozenset[int]:
    """Return the axes of the tensor along which every cell looks at all others, for a layer that has no window."""
    op, x = node.op, node.input_shapes[0]
    assert op is not None
    if op.kind == "linear":
        return frozenset((x.rank - 1,))
    if op.kind == "softmax":
        return frozenset((_tensor_axis(node),))
    if op.kind == "norm":
        found = op.attributes(*node.input_shapes)
        if found["type"] in ("group", "instance"):
            return frozenset(range(x.rank))
        return frozenset(x.axis(axis) for axis in found.get("axis", ()))
    return frozenset()


def _tensor_axis(node: Node) -> int:
    return node.input_shapes[0].axis(getattr(node.op, "axis", 0))


# --- joins ------------------------------------------------------------------------------------------------------------


def _joined(
    graph: Graph, node: Node, entering: Sequence[tuple[Place, ...]], misaligned: list[Misaligned]
) -> tuple[Place, ...]:
    names = [graph.nodes[index].path for index in node.inputs]
    joined: list[Place] = []
    for axis, meeting in enumerate(zip(*entering, strict=True)):
        spread = [_spread(node, branch, axis, place) for branch, place in enumerate(meeting)]
        joined.append(_largest(spread))
        if joined[-1] != WHOLE and (found := _disagreement(spread)):
            differ, branches = found
            paths = tuple(dict.fromkeys(names[branch] for branch in branches))
            misaligned.append(Misaligned(node.path, axis, paths, differ))
    return tuple(joined)


def _spread(node: Node, branch: int, axis: int, place: Place) -> Place:
    """What has one place and is read at many says the same everywhere: no cell is nearer to it than another."""
    sizes, leaving = node.input_shapes[branch], node.shape
    one = len(sizes) == len(leaving) and axis + 1 < len(sizes) and is_plain(sizes[axis + 1]) and sizes[axis + 1] == 1
    many = one and not (is_plain(leaving[axis + 1]) and leaving[axis + 1] == 1)
    return WHOLE if many and isinstance(place, Axis) else place


def _largest(places: Sequence[Place]) -> Place:
    """Return the axis with the largest field; everything wins over that, and what is not known over numbers."""
    if WHOLE in places:
        return WHOLE
    if None in places:
        return None
    found = [place for place in places if isinstance(place, Axis)]
    if not found:
        return NOTHING
    largest = found[0]
    for other in found[1:]:
        largest = other if other is not largest and _is_larger(other, largest) is True else _either(largest, other)
    return largest


def _is_larger(one: Axis, other: Axis) -> Any:
    return less(other.size, one.size)


def _either(one: Axis, other: Axis) -> Axis:
    """Return the larger of two axes whose sizes may be arrays or symbols."""
    larger = _is_larger(other, one)
    if isinstance(larger, bool) or len(one.low) + len(other.low) > 2:
        return one
    low, high, step = (
        select(larger, b, a)
        for a, b in ((one.low[0], other.low[0]), (one.high[0], other.high[0]), (one.step, other.step))
    )
    return Axis((low,), (high,), step)


def _disagreement(places: Sequence[Place]) -> tuple[str, list[int]] | None:
    """Return in what paths differ, and which do from the first; undecided sizes do not."""
    found = [(branch, place) for branch, place in enumerate(places) if isinstance(place, Axis)]
    if len(found) < 2 or all(place is found[0][1] for _, place in found):
        return None
    (first, kept), *others = found
    for differ, agree in (("strides", _same_stride), ("centres", _same_centres)):
        apart = [branch for branch, place in others if not agree(kept, place)]
        if apart:
            return differ, [first, *apart]
    return None


def _same_stride(one: Axis, other: Axis) -> bool:
    return _agree(one.step * len(other.low), other.step * len(one.low))


def _same_centres(one: Axis, other: Axis) -> bool:
    return all(_agree(a, b) for a, b in zip(_centres(one, other), _centres(other, one), strict=True))


def _centres(axis: Axis, other: Axis) -> Iterator[Number]:
    """Twice the middle of every field of the period that two axes have in common."""
    for cell in range(lcm(len(axis.low), len(other.low))):
        yield axis.reaching(cell, axis.low) + axis.reaching(cell, axis.high)


def _agree(one: Number, other: Number) -> bool:
    return not (is_plain(one) and is_plain(other)) or one == other
