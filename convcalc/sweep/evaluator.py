"""One block of a sweep: from its points to the totals of the metrics, and which points are no network.

The formulas run on arrays over all axes of the block. Where one of them needs a plain value (a count of repeats, a
condition that its points do not share), the axes that it depends on are structural: the block is split there, down to
single values if need be, and there is one graph for each.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import product
from math import prod
from typing import Any, NamedTuple

from convcalc.arith import Ledger, recording
from convcalc.errors import SpecError, SpecErrors, Undecided
from convcalc.metrics.metric import Measure
from convcalc.metrics.registry import measures
from convcalc.spec.document.value_nodes import StructuralError
from convcalc.spec.expressions.values import Quotient
from convcalc.sweep.axes import Block, Piece
from convcalc.sweep.bounds.bounded_array import Bounded, Memo, column
from convcalc.sweep.job import VARIANT, Job

NUMBERS = re.compile(r"\{\}|-?\d+(?:\.\d+)?")
"""Numbers in a sentence, or the places for them."""


class Dropped(NamedTuple):
    """Points that are no network for one reason: how many, and the number of the first."""

    points: int
    first: int

    def plus(self, other: Dropped) -> Dropped:
        return Dropped(self.points + other.points, min(self.first, other.first))


@dataclass(slots=True)
class Columns:
    """What was worked out for a block: arrays with an axis for each of the sweep's."""

    piece: Piece
    valid: Any
    """Which points are networks."""
    metrics: dict[str, Any]
    """Metric → totals; at points that are no network they mean nothing."""
    dropped: dict[str, Dropped] = field(default_factory=dict)
    """Reason → the points that fail for it first; see :func:`reason`."""


def evaluate(job: Job, piece: Piece) -> Columns:
    """Work a block out. The same block gives the same columns, in every process."""
    return evaluator(job).columns(piece)


@lru_cache(4)
def evaluator(job: Job) -> Evaluator:
    """Return what works out blocks of a sweep."""
    return Evaluator(job)


class Evaluator:
    """Works out blocks of one sweep; the spec is read once."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.spec = job.open()
        self.structural = {place for place, axis in enumerate(job.axes) if not axis.numeric}
        """Axes that arrays cannot hold, or that a graph asked for plain values of: split at once."""
        wanted = {measure.key: measure for measure in measures()}
        self.measures: list[Measure] = [wanted[key] for key in job.metrics]

    def columns(self, piece: Piece) -> Columns:
        """Work out a block."""
        import numpy

        shape = _shape(piece.block)
        found = Columns(piece, numpy.ones(shape, bool), {key: numpy.zeros(shape, "int64") for key in self.job.metrics})
        waiting = [piece.block]
        while waiting:
            block = waiting.pop()
            parts = list(self.parts(block))
            if len(parts) > 1:
                waiting += reversed(parts)
            else:
                waiting += reversed(self._enter(found, block))
        return found

    def parts(self, block: Block) -> Iterator[Block]:
        """Split a block at the axes that are known to be structural."""
        split = [
            [(at, at + 1) for at in range(first, end)] if place in self.structural else [(first, end)]
            for place, (first, end) in enumerate(block)
        ]
        yield from product(*split)

    def _enter(self, found: Columns, block: Block) -> list[Block]:
        """Put the totals of a block in their places, or return the parts that it must be split into."""
        window = tuple(slice(a - c, b - c) for (a, b), (c, _) in zip(block, found.piece.block, strict=True))
        try:
            totals, refused = self._totals(block)
        except SpecErrors as errors:
            asked = [error for error in errors.errors if isinstance(error, StructuralError)]
            if not asked:
                self._drop(found, window, None, reason(errors.errors[0].code, errors.errors[0].text))
                return []
            return self._split(block, asked)
        except SpecError as error:
            self._drop(found, window, None, reason(error.code, error.text))
            return []
        except Undecided as undecided:
            return self._split(block, [StructuralError("CC411", str(undecided), names=undecided.names)])
        for mask, why in refused:
            self._drop(found, window, mask, why)
        for key, total in totals.items():
            _put(found.metrics, key, window, total)
        return []

    def _totals(self, block: Block) -> tuple[dict[str, Any], list[tuple[Any, str]]]:
        """Return the totals of a block's metrics, and masks of the points that are refused, with reasons."""
        totals, ledger = self.counted(self._values(block))
        masks: list[tuple[Any, str]] = [(mask, reason(code, text)) for mask, code, text in ledger.refused]
        return totals, [(mask.array, why) for mask, why in masks]

    def counted(self, values: dict[str, Any]) -> tuple[dict[str, Any], Ledger]:
        """Return the totals of the metrics for values of the axes of any kind, and what ``require`` noted."""
        variant = values.pop(VARIANT) if self.job.by_variant else self.job.variant
        with recording() as ledger:
            overrides = {**dict(self.job.overrides), **values}
            graph = self.spec.network(variant, self.job.part, overrides=overrides).graph
            totals = {each.key: each.values(graph, self.job.batch, self.job.dtype)[1] for each in self.measures}
        return totals, ledger

    def _values(self, block: Block) -> dict[str, Any]:
        """Return the values of all variables: plain where there is one, else an array along its own axis."""
        names, memo = [axis.name for axis in self.job.axes], Memo()
        values: dict[str, Any] = {}
        for place, (axis, (first, end)) in enumerate(zip(self.job.axes, block, strict=True)):
            if end - first == 1:
                values[axis.name] = axis.value(first)
                continue
            array = column(axis.values[first:end], place, names, memo)
            values[axis.name] = array if axis.denominator == 1 else Quotient(array, axis.denominator)
        return values

    def _split(self, block: Block, asked: list[StructuralError]) -> list[Block]:
        """Split a block where graphs differ: in halves for a condition, else at every value."""
        wide = [place for place, (first, end) in enumerate(block) if end - first > 1]
        names = {name for error in asked if not error.condition for name in error.names}
        places = [place for place in wide if self.job.axes[place].name in names]
        if places:
            self.structural.update(places)
            return list(self.parts(block))
        conditions = {name for error in asked for name in error.names}
        halved = [place for place in wide if self.job.axes[place].name in conditions] or wide
        place = max(halved, key=lambda place: block[place][1] - block[place][0])
        first, end = block[place]
        middle = (first + end) // 2
        return [(*block[:place], half, *block[place + 1 :]) for half in ((first, middle), (middle, end))]

    def _drop(self, found: Columns, window: tuple[slice, ...], mask: Any, why: str) -> None:
        """Note points of a window that are no network, unless they have failed before: all of them without a mask."""
        import numpy

        valid = found.valid[window]
        failed = valid.copy() if mask is None else valid & numpy.broadcast_to(mask, valid.shape)
        count = int(numpy.count_nonzero(failed))
        if not count:
            return
        within = numpy.unravel_index(int(numpy.argmax(failed)), valid.shape)
        places = tuple(int(at) + side.start for at, side in zip(within, window, strict=True))
        first = found.piece.start + int(numpy.ravel_multi_index(places, found.valid.shape))
        valid &= ~failed
        new = Dropped(count, first)
        found.dropped[why] = found.dropped[why].plus(new) if why in found.dropped else new


def _shape(block: Block) -> tuple[int, ...]:
    return tuple(end - first for first, end in block)


def _put(metrics: dict[str, Any], key: str, window: tuple[slice, ...], total: Any) -> None:
    """Write a total in its place; what does not fit 64 bits makes the whole column one of Python ints."""
    column, value = metrics[key], total.array if isinstance(total, Bounded) else total
    large = value.dtype == object if isinstance(total, Bounded) else not -(2**63) <= value < 2**63
    if large and column.dtype != object:
        column = metrics[key] = column.astype(object)
    column[window] = value


def merged(one: Mapping[str, Dropped], other: Mapping[str, Dropped]) -> dict[str, Dropped]:
    """Return the points dropped in two blocks."""
    both = dict(one)
    for why, more in other.items():
        both[why] = both[why].plus(more) if why in both else more
    return both


def reason(code: str, text: str) -> str:
    """Return what failures are told apart by: the code, and the sentence without its numbers.

    >>> reason("CC403", "the kernel reaches over 7 but the padded input has only 5")
    'CC403 the kernel reaches over … but the padded input has only …'
    """
    return f"{code} {NUMBERS.sub('…', text)}"


def points_of(piece: Piece) -> int:
    """Return how many points a block has."""
    return prod(_shape(piece.block))
