"""Evaluation of one block of a sweep: totals of the metrics, and which points are invalid.

The formulas run on arrays over all axes of the block. Where one of them needs a plain value (a count of repeats, a
condition that its points do not share), the axes that it depends on are structural: the block is split there, down to
single values if need be, and there is one graph for each.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from convcalc.arith import ConstraintLog, record_constraints
from convcalc.errors import SpecError, SpecErrors, Undecided
from convcalc.metrics.metric import Metric
from convcalc.records import NamedTuple, dataclass, field
from convcalc.spec.document.value_nodes import StructuralError
from convcalc.spec.expressions.values import Quotient
from convcalc.sweep.axes import Axis
from convcalc.sweep.bounds.bounded_array import BoundedArray, Memo, axis_array, fits_int64
from convcalc.sweep.grid import Block
from convcalc.sweep.job import SweepJob

NO_RATE = "CC733"
NUMBERS = re.compile(r"\{\}|-?\d+(?:\.\d+)?")
"""Numbers in a sentence, or the places for them."""


class InvalidPoints(NamedTuple):
    """Points that are invalid for one reason: how many, and the number of the first."""

    points: int
    first: int


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


def evaluate(job: SweepJob, block: Block) -> BlockColumns:
    """Evaluate a block; deterministic, in every process."""
    return evaluator(job).evaluate(block)


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
        self.measures: list[Metric] = job.measures()

    def evaluate(self, block: Block) -> BlockColumns:
        """Evaluate a block."""
        import numpy

        zeros = {key: numpy.zeros(block.shape, "int64") for key in self.job.metrics}
        columns = BlockColumns(block, numpy.ones(block.shape, bool), zeros)
        waiting = [block]
        while waiting:
            part = waiting.pop()
            parts = list(part.split(self.structural))
            waiting += reversed(parts if len(parts) > 1 else self._evaluate_part(columns, part))
        return columns

    def _evaluate_part(self, columns: BlockColumns, part: Block) -> list[Block]:
        """Put the totals of a part of a block in their places, or return the parts that it must be split into."""
        window = columns.block.offset(part)
        try:
            totals, ledger = self.totals(axis_arrays(self.job.axes, part, Memo()))
        except SpecErrors as errors:
            if structural := structural_errors(errors):
                return self._split(part, structural)
            if errors.errors[0].code == NO_RATE:  # it says nothing of the points
                raise
            _mark_invalid(columns, window, True, error_group(errors.errors[0].code, errors.errors[0].text))
            return []
        except Undecided as undecided:
            return self._split(part, [StructuralError("CC411", str(undecided), names=undecided.names)])
        masks: list[tuple[Any, str, str]] = list(ledger.violations)
        for mask, code, text in masks:
            _mark_invalid(columns, window, mask.array, error_group(code, text))
        for key, total in totals.items():
            _store(columns.metrics, key, window, total)
        return []

    def totals(self, values: dict[str, Any]) -> tuple[dict[str, Any], ConstraintLog]:
        """Return the totals of the metrics for values of the axes of any kind, and what ``require`` noted.

        Raises:
            SpecErrors: why no point is valid, or with structural errors that there are several graphs.
            Undecided: where there are several graphs as well.
        """
        with record_constraints() as ledger:
            network, batch = self.job.expand(self.spec, values)
            network.require_counted(self.job.metrics)
            graph = network.graph
            try:
                totals = {each.key: each.values(graph, batch, self.job.dtype)[1] for each in self.measures}
            except SpecError as error:
                raise SpecErrors([error]) from None
        return totals, ledger

    def mark_structural(self, block: Block, errors: Iterable[StructuralError]) -> bool:
        """Note the axes of a block of which graphs asked for plain values; return whether there is one."""
        names = {name for error in errors if not error.is_condition for name in error.names}
        axes = {axis for axis in block.wide if self.job.axes[axis].name in names}
        self.structural |= axes
        return bool(axes)

    def _split(self, block: Block, errors: Sequence[StructuralError]) -> list[Block]:
        """Split a block where graphs differ: in halves for a condition, else at every value."""
        if self.mark_structural(block, errors):
            return list(block.split(self.structural))
        names = {name for error in errors for name in error.names}
        halved = [axis for axis in block.wide if self.job.axes[axis].name in names] or block.wide
        return block.halves(max(halved, key=block.shape.__getitem__))


def structural_errors(errors: SpecErrors) -> list[StructuralError]:
    """Return the errors of values that shape the graph."""
    return [error for error in errors.errors if isinstance(error, StructuralError)]


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


def axis_arrays(axes: Sequence[Axis], block: Block, memo: Memo) -> dict[str, Any]:
    """Return the values of all axes in a block: plain where there is one, else an array along its own axis."""
    names = [axis.name for axis in axes]
    return axis_values(axes, block, lambda number, values: axis_array(values, number, names, memo))


def _mark_invalid(columns: BlockColumns, window: tuple[slice, ...], mask: Any, why: str) -> None:
    """Note the points of a window that a mask marks as invalid, unless they have failed before."""
    import numpy

    valid = columns.valid[window]
    failed = valid & numpy.broadcast_to(mask, valid.shape)
    count = int(numpy.count_nonzero(failed))
    if not count:
        return
    within = numpy.unravel_index(int(numpy.argmax(failed)), valid.shape)
    first = columns.block.number([int(at) + side.start for at, side in zip(within, window, strict=True)])
    valid &= ~failed
    columns.invalid = merge_invalid(columns.invalid, {why: InvalidPoints(count, first)})


def _store(metrics: dict[str, Any], key: str, window: tuple[slice, ...], total: Any) -> None:
    """Write a total in its place; what does not fit 64 bits makes the whole column one of Python ints."""
    column, value = metrics[key], total.array if isinstance(total, BoundedArray) else total
    large = value.dtype == object if isinstance(total, BoundedArray) else not fits_int64((value, value))
    if large and column.dtype != object:
        column = metrics[key] = column.astype(object)
    column[window] = value


def merge_invalid(one: Mapping[str, InvalidPoints], other: Mapping[str, InvalidPoints]) -> dict[str, InvalidPoints]:
    """Return the invalid points of two blocks."""
    both = dict(one)
    for why, more in other.items():
        known = both.get(why, InvalidPoints(0, more.first))
        both[why] = InvalidPoints(known.points + more.points, min(known.first, more.first))
    return both


def error_group(code: str, text: str) -> str:
    """Return the key that groups similar errors: code and message without numbers.

    >>> error_group("CC403", "the kernel reaches over 7 but the padded input has only 5")
    'CC403 the kernel reaches over … but the padded input has only …'
    """
    return f"{code} {NUMBERS.sub('…', text)}"
