"""Evaluation of one block of a sweep: totals of the metrics, and which points are invalid.

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
from typing import Any, NamedTuple

from convcalc.arith import Ledger, recording
from convcalc.errors import SpecError, SpecErrors, Undecided
from convcalc.metrics.metric import Measure
from convcalc.metrics.registry import measures
from convcalc.spec.document.value_nodes import StructuralError
from convcalc.spec.expressions.values import Quotient
from convcalc.sweep.axes import Block, Ranges, halves
from convcalc.sweep.bounds.bounded_array import BoundedArray, Memo, axis_array
from convcalc.sweep.job import VARIANT, SweepJob

NUMBERS = re.compile(r"\{\}|-?\d+(?:\.\d+)?")
"""Numbers in a sentence, or the places for them."""


class InvalidPoints(NamedTuple):
    """Points that are invalid for one reason: how many, and the number of the first."""

    points: int
    first: int

    def merge(self, other: InvalidPoints) -> InvalidPoints:
        return InvalidPoints(self.points + other.points, min(self.first, other.first))


@dataclass(slots=True)
class BlockColumns:
    """Results of a block: arrays with one axis per axis of the sweep."""

    block: Block
    valid: Any
    """Which points are valid."""
    metrics: dict[str, Any]
    """Metric → totals; meaningless at invalid points."""
    invalid: dict[str, InvalidPoints] = field(default_factory=dict)
    """Reason → the points that fail for it first; see :func:`error_group`."""


def evaluate(job: SweepJob, piece: Block) -> BlockColumns:
    """Evaluate a block; deterministic, in every process."""
    return evaluator(job).evaluate(piece)


@lru_cache(4)
def evaluator(job: SweepJob) -> Evaluator:
    """Return the evaluator of a sweep, cached."""
    return Evaluator(job)


class Evaluator:
    """Evaluates blocks of one sweep; the spec is read once."""

    def __init__(self, job: SweepJob) -> None:
        self.job = job
        self.spec = job.open()
        self.structural = {place for place, axis in enumerate(job.axes) if not axis.is_numeric}
        """Axes that arrays cannot hold, or that a graph asked for plain values of: split at once."""
        wanted = {measure.key: measure for measure in measures()}
        self.measures: list[Measure] = [wanted[key] for key in job.metrics]

    def evaluate(self, piece: Block) -> BlockColumns:
        """Evaluate a block."""
        import numpy

        shape = _shape(piece.ranges)
        found = BlockColumns(
            piece, numpy.ones(shape, bool), {key: numpy.zeros(shape, "int64") for key in self.job.metrics}
        )
        waiting = [piece.ranges]
        while waiting:
            block = waiting.pop()
            parts = list(self.split_structural(block))
            if len(parts) > 1:
                waiting += reversed(parts)
            else:
                waiting += reversed(self._evaluate_part(found, block))
        return found

    def split_structural(self, block: Ranges) -> Iterator[Ranges]:
        """Split a block at the axes that are known to be structural."""
        split = [
            [(at, at + 1) for at in range(first, end)] if place in self.structural else [(first, end)]
            for place, (first, end) in enumerate(block)
        ]
        yield from product(*split)

    def _evaluate_part(self, found: BlockColumns, block: Ranges) -> list[Ranges]:
        """Put the totals of a block in their places, or return the parts that it must be split into."""
        window = tuple(slice(a - c, b - c) for (a, b), (c, _) in zip(block, found.block.ranges, strict=True))
        try:
            totals, refused = self._totals_and_masks(block)
        except SpecErrors as errors:
            asked = [error for error in errors.errors if isinstance(error, StructuralError)]
            if not asked:
                self._mark_invalid(found, window, None, error_group(errors.errors[0].code, errors.errors[0].text))
                return []
            return self._split(block, asked)
        except SpecError as error:
            self._mark_invalid(found, window, None, error_group(error.code, error.text))
            return []
        except Undecided as undecided:
            return self._split(block, [StructuralError("CC411", str(undecided), names=undecided.names)])
        for mask, why in refused:
            self._mark_invalid(found, window, mask, why)
        for key, total in totals.items():
            _store(found.metrics, key, window, total)
        return []

    def _totals_and_masks(self, block: Ranges) -> tuple[dict[str, Any], list[tuple[Any, str]]]:
        """Return the totals of a block's metrics, and masks of the points that are refused, with reasons."""
        totals, ledger = self.totals(self._values(block))
        masks: list[tuple[Any, str]] = [(mask, error_group(code, text)) for mask, code, text in ledger.refused]
        return totals, [(mask.array, why) for mask, why in masks]

    def totals(self, values: dict[str, Any]) -> tuple[dict[str, Any], Ledger]:
        """Return the totals of the metrics for values of the axes of any kind, and what ``require`` noted."""
        variant = values.pop(VARIANT) if self.job.by_variant else self.job.variant
        with recording() as ledger:
            overrides = {**dict(self.job.overrides), **values}
            graph = self.spec.network(variant, self.job.part, overrides=overrides).graph
            totals = {each.key: each.values(graph, self.job.batch, self.job.dtype)[1] for each in self.measures}
        return totals, ledger

    def _values(self, block: Ranges) -> dict[str, Any]:
        """Return the values of all variables: plain where there is one, else an array along its own axis."""
        names, memo = [axis.name for axis in self.job.axes], Memo()
        values: dict[str, Any] = {}
        for place, (axis, (first, end)) in enumerate(zip(self.job.axes, block, strict=True)):
            if end - first == 1:
                values[axis.name] = axis.value(first)
                continue
            array = axis_array(axis.values[first:end], place, names, memo)
            values[axis.name] = array if axis.denominator == 1 else Quotient(array, axis.denominator)
        return values

    def _split(self, block: Ranges, asked: list[StructuralError]) -> list[Ranges]:
        """Split a block where graphs differ: in halves for a condition, else at every value."""
        wide = [place for place, (first, end) in enumerate(block) if end - first > 1]
        names = {name for error in asked if not error.is_condition for name in error.names}
        places = [place for place in wide if self.job.axes[place].name in names]
        if places:
            self.structural.update(places)
            return list(self.split_structural(block))
        conditions = {name for error in asked for name in error.names}
        halved = [place for place in wide if self.job.axes[place].name in conditions] or wide
        place = max(halved, key=lambda place: block[place][1] - block[place][0])
        return halves(block, place)

    def _mark_invalid(self, found: BlockColumns, window: tuple[slice, ...], mask: Any, why: str) -> None:
        """Note points of a window that are no network, unless they have failed before: all of them without a mask."""
        import numpy

        valid = found.valid[window]
        failed = valid.copy() if mask is None else valid & numpy.broadcast_to(mask, valid.shape)
        count = int(numpy.count_nonzero(failed))
        if not count:
            return
        within = numpy.unravel_index(int(numpy.argmax(failed)), valid.shape)
        places = tuple(int(at) + side.start for at, side in zip(within, window, strict=True))
        first = found.block.first + int(numpy.ravel_multi_index(places, found.valid.shape))
        valid &= ~failed
        new = InvalidPoints(count, first)
        found.invalid[why] = found.invalid[why].merge(new) if why in found.invalid else new


def _shape(block: Ranges) -> tuple[int, ...]:
    return tuple(end - first for first, end in block)


def _store(metrics: dict[str, Any], key: str, window: tuple[slice, ...], total: Any) -> None:
    """Write a total in its place; what does not fit 64 bits makes the whole column one of Python ints."""
    column, value = metrics[key], total.array if isinstance(total, BoundedArray) else total
    large = value.dtype == object if isinstance(total, BoundedArray) else not -(2**63) <= value < 2**63
    if large and column.dtype != object:
        column = metrics[key] = column.astype(object)
    column[window] = value


def merge_invalid(one: Mapping[str, InvalidPoints], other: Mapping[str, InvalidPoints]) -> dict[str, InvalidPoints]:
    """Return the invalid points of two blocks."""
    both = dict(one)
    for why, more in other.items():
        both[why] = both[why].merge(more) if why in both else more
    return both


def error_group(code: str, text: str) -> str:
    """Return the key that groups similar errors: code and message without numbers.

    >>> error_group("CC403", "the kernel reaches over 7 but the padded input has only 5")
    'CC403 the kernel reaches over … but the padded input has only …'
    """
    return f"{code} {NUMBERS.sub('…', text)}"
