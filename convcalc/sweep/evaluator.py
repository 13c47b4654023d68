"""Evaluation of a sweep: totals of the metrics, and which points are invalid.

The formulas run on sums of products of tables over single axes, once for the whole sweep; every block is worked out
from these. Where a formula needs a plain value (a count of repeats, a condition that its points do not share), the axes
that it depends on are structural: the sweep is split there, down to single values if need be, and there is one graph
for each. It is also split where an axis has too many values for a table, or where what is no sum of products has too
many combinations of several axes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache, reduce
from math import prod
from typing import Any

from convcalc.arith import ConstraintLog, record_constraints
from convcalc.errors import SpecError, SpecErrors, Undecided
from convcalc.extras import numpy
from convcalc.metrics.metric import Metric
from convcalc.records import NamedTuple, dataclass, field
from convcalc.spec.document.value_nodes import StructuralError
from convcalc.sweep.axes import Axis
from convcalc.sweep.bounds.bounded_array import Memo, axis_array
from convcalc.sweep.bounds.product_sum import ProductSum, ResultMemo, array_of
from convcalc.sweep.bounds.terms import MAX_TABLE_SIZE, TooManyPoints, Window, window_of
from convcalc.sweep.grid import Block, axis_values
from convcalc.sweep.job import SweepJob

NO_RATE = "CC733"
MAX_AXIS_SIZE = 2**16
"""Most values of an axis in one walk, which remembers all tables over one axis."""
MAX_KEPT = 2**22
"""Most numbers of 64 bits that are kept in the results of blocks, and as many in those of operations."""
NUMBERS = re.compile(r"\{\}|-?\d+(?:\.\d+)?")
"""Numbers in a sentence, or the places for them."""


class InvalidPoints(NamedTuple):
    """Points that are invalid for one reason: how many, and the number of the first."""

    points: int
    first: int


@dataclass(slots=True, frozen=True)
class GraphResults:
    """Results of a block that has one graph: the totals of metrics, and masks of its points with why they are invalid.

    A point that several masks mark is invalid for the first reason. The mask ``True`` is all points.
    """

    block: Block
    totals: Mapping[str, ProductSum | int]
    invalid: Sequence[tuple[Any, str]] = ()
    pieces: Memo = field(default_factory=dict)
    """Parts of its tables that have been asked for."""

    def part(self, block: Block) -> GraphResults:
        """Return the results of a part of the block."""
        window = self.block.offset(block)
        totals = {
            key: total.part(window, self.pieces) if isinstance(total, ProductSum) else total
            for key, total in self.totals.items()
        }
        return GraphResults(block, totals, list(_masks_within(self.invalid, window)))

    def valid(self) -> Any:
        """Return which points are valid: an array that broadcasts to the block's shape."""
        masks = [mask for mask, _ in self.invalid]
        return numpy.logical_not(reduce(numpy.logical_or, masks)) if masks else numpy.array(True)

    def invalid_points(self) -> dict[str, InvalidPoints]:
        """Return the invalid points by reason; see :func:`error_group`."""
        found: dict[str, InvalidPoints] = {}
        known: Any = numpy.array(False)
        for mask, why in self.invalid:
            failed = numpy.broadcast_to(mask & ~known, self.block.shape)
            known = known | mask
            if count := int(numpy.count_nonzero(failed)):
                first = self.block.number(numpy.unravel_index(int(numpy.argmax(failed)), failed.shape))
                found = merge_invalid(found, {why: InvalidPoints(count, first)})
        return found


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
    """Evaluate every point of a block; deterministic, in every process."""
    zeros = {key: numpy.zeros(block.shape, "int64") for key in job.metrics}
    columns = BlockColumns(block, numpy.ones(block.shape, bool), zeros)
    for graph in evaluator(job).graphs(block):
        window = block.offset(graph.block)
        columns.valid[window] = graph.valid()
        columns.invalid = merge_invalid(columns.invalid, graph.invalid_points())
        for key, total in graph.totals.items():
            value = array_of(total)
            if value.dtype == object and columns.metrics[key].dtype != object:
                columns.metrics[key] = columns.metrics[key].astype(object)
            columns.metrics[key][window] = value
    return columns


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
        self._joined: list[frozenset[int]] = []
        """Axes over which a table is needed: split until it is small enough."""
        self._known: dict[Block, GraphResults | int] = {}
        """Blocks that have one graph, or the axis at which they are halved; the last used last."""
        self._results = ResultMemo()
        """Of operations: graphs that differ in other axes do the same with the values of an axis."""

    def graphs(self, block: Block, region: Block | None = None) -> Iterator[GraphResults]:
        """Give the results of the parts of a block that have one graph each; perhaps in a region of the sweep alone."""
        region = region or Block.whole(self.job.axes)
        while (parts := self._parts(region, block)) is None:
            graph = self._graph(region)
            if graph is not None:
                yield graph.part(block.common(region))
                return
        for part in parts:
            yield from self.graphs(block, part)

    def _parts(self, region: Block, block: Block) -> Iterable[Block] | None:
        """Return the parts that a region has to be split into, as far as is known yet, if a block meets them."""
        shape = region.shape
        for axis in region.wide:
            if axis in self.structural or shape[axis] > MAX_AXIS_SIZE:
                return region.stretches(axis, 1 if axis in self.structural else MAX_AXIS_SIZE, block)
        for spans in self._joined:
            size = prod(shape[axis] for axis in spans)
            if size > MAX_TABLE_SIZE:
                axis = min(axis for axis in spans if shape[axis] > 1)
                return region.stretches(axis, max(1, MAX_TABLE_SIZE * shape[axis] // size), block)
        known = self._known.get(region)
        return [half for half in region.halves(known) if half.common(block).size] if isinstance(known, int) else None

    def _graph(self, region: Block) -> GraphResults | None:
        """Return the results of a region, or note where it has to be split."""
        known = self._known.pop(region, None)
        if known is None:
            known = self._walk(region)
            is_last = isinstance(known, GraphResults) and region.size == self.job.point_count
            self._results.forget(over=0 if is_last else MAX_KEPT)
            while self._known and sum(map(_weight, self._known.values())) > MAX_KEPT:
                self._known.pop(next(iter(self._known)))
        if known is not None:
            self._known[region] = known
        return known if isinstance(known, GraphResults) else None

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

    def _walk(self, region: Block) -> GraphResults | int | None:
        """Run the formulas over a region."""
        try:
            totals, ledger = self.totals(axis_numbers(self.job.axes, region, self._results))
        except SpecErrors as errors:
            if structural := structural_errors(errors):
                return self._split(region, structural)
            if errors.errors[0].code == NO_RATE:  # it says nothing of the points
                raise
            return GraphResults(region, {}, [(True, error_group(errors.errors[0].code, errors.errors[0].text))])
        except Undecided as undecided:
            return self._split(region, [StructuralError("CC411", str(undecided), names=undecided.names)])
        except TooManyPoints as table:
            self._joined.append(table.spans)
            return None
        violations: list[tuple[Any, str, str]] = list(ledger.violations)
        merged = {key: total.merged() if isinstance(total, ProductSum) else total for key, total in totals.items()}
        return GraphResults(region, merged, [(mask.array, error_group(code, text)) for mask, code, text in violations])

    def _split(self, region: Block, errors: Sequence[StructuralError]) -> int | None:
        """Note the structural axes of a region; without one, return the axis at which it is halved, for a condition."""
        if self.mark_structural(region, errors):
            return None
        names = {name for error in errors for name in error.names}
        halved = [axis for axis in region.wide if self.job.axes[axis].name in names] or region.wide
        return max(halved, key=region.shape.__getitem__)


def structural_errors(errors: SpecErrors) -> list[StructuralError]:
    """Return the errors of values that shape the graph."""
    return [error for error in errors.errors if isinstance(error, StructuralError)]


def axis_numbers(axes: Sequence[Axis], block: Block, memo: Memo) -> dict[str, Any]:
    """Return the values of all axes in a block: plain where there is one, else a table over their own axis."""
    names = [axis.name for axis in axes]

    def number(place: int, values: Sequence[int]) -> ProductSum:
        key = ("axis", place, *block.ranges[place])
        if key not in memo:
            memo[key] = ProductSum.of(axis_array(values, place, names, memo))
        return memo[key]  # type: ignore[no-any-return]

    return axis_values(axes, block, number)


def _masks_within(masks: Iterable[tuple[Any, str]], window: Window) -> Iterator[tuple[Any, str]]:
    """Give the parts of masks within a window that mark anything."""
    for mask, why in masks:
        part = mask if mask is True else mask[window_of(window, mask)]
        if part is True or part.any():
            yield part, why


def _weight(known: GraphResults | int) -> int:
    """Return how much memory results take, in numbers of 64 bits."""
    if isinstance(known, int):
        return 64
    tables = [table for total in known.totals.values() if isinstance(total, ProductSum) for table in total.tables]
    return 4096 + sum(table.size for table in tables) + sum(getattr(mask, "size", 1) for mask, _ in known.invalid)


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
