"""Work on one block of a sweep: its points are selected and written as lines, wherever that is done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from convcalc.extras import numpy
from convcalc.records import NamedTuple, dataclass, field
from convcalc.sweep.bounds.bounded_array import axis_array
from convcalc.sweep.bounds.product_sum import ProductSum, array_of, bounds_of
from convcalc.sweep.evaluator import GraphResults, InvalidPoints, evaluator, merge_invalid
from convcalc.sweep.grid import Block
from convcalc.sweep.job import SweepJob
from convcalc.sweep.selection import SelectedPoints, Selection
from convcalc.sweep.where import matching_points

LineWriter = Callable[[SweepJob, SelectedPoints], str]
"""Formats points as lines."""


FEW = 4
"""Points are worked out one by one where they are less than one in so many of a block."""


class BlockTask(NamedTuple):
    """Work on one block: which points to keep, how to format them. Picklable."""

    job: SweepJob
    selection: Selection = Selection()
    writers: tuple[LineWriter, ...] = ()
    max_points: int | None = None
    """How many of its points come back as numbers; all of them without one."""
    rivals: SelectedPoints | None = None
    """Points of other blocks that keep some of its points from being selected."""


@dataclass(slots=True)
class BlockResult:
    """Result of a block."""

    points: SelectedPoints
    texts: tuple[str, ...]
    kept: int
    valid: int
    size: int
    """All points of the block: selected, not selected and invalid."""
    invalid: dict[str, InvalidPoints] = field(default_factory=dict)


def run_block(task: BlockTask, block: Block) -> BlockResult:
    """Evaluate and select one block: a pure function, so that a lost block can be repeated anywhere."""
    found: list[SelectedPoints] = []
    invalid: dict[str, InvalidPoints] = {}
    for graph in evaluator(task.job).graphs(block):
        invalid = merge_invalid(invalid, graph.invalid_points())
        if graph.totals:
            found.append(_points(task, graph))
    points = task.selection.select(_joined(task, found))
    texts = tuple(write(task.job, points) for write in task.writers)
    valid = block.size - sum(each.points for each in invalid.values())
    return BlockResult(points.take(slice(task.max_points)), texts, len(points.numbers), valid, block.size, invalid)


def run_blocks(task: BlockTask, blocks: Sequence[Block]) -> list[BlockResult]:
    """Run several blocks as one task, to save scheduling."""
    return [run_block(task, block) for block in blocks]


def _points(task: BlockTask, graph: GraphResults) -> SelectedPoints:
    """Return the points of one graph that may be selected."""
    keep, job, shape = task.selection, task.job, graph.block.shape
    keys = {key: _ranks(job, key, graph.block) if key in keep.axes else graph.totals[key] for key in keep.compared}
    if keep.is_beaten(task.rivals, {key: bounds_of(value) for key, value in keys.items()}, graph.block.first):
        return _at(task, graph, numpy.zeros(0, "int64"))
    chosen = numpy.broadcast_to(matching_points(job, graph), shape)
    columns = {key: numpy.broadcast_to(array_of(value), shape) for key, value in keys.items()}
    rivals = task.rivals and task.rivals.take(task.rivals.numbers < graph.block.first)
    return _at(task, graph, keep.candidates(columns, chosen, rivals or None))


def _ranks(job: SweepJob, name: str, block: Block) -> ProductSum | int:
    """Return the order of the points of a block along an axis."""
    names = [axis.name for axis in job.axes]
    place = names.index(name)
    ranks = job.axes[place].ranks(numpy.arange(*block.ranges[place])).tolist()
    return ProductSum.of(axis_array(ranks, place, names, {})) if len(ranks) > 1 else ranks[0]


def _at(task: BlockTask, graph: GraphResults, places: Any) -> SelectedPoints:
    """Return points of a graph by their places in its block, in order."""
    shape, size = graph.block.shape, graph.block.size
    by_axis = numpy.unravel_index(places, shape)
    numbers = graph.block.numbers(by_axis)
    metrics = {}
    for key, total in graph.totals.items():
        if isinstance(total, ProductSum) and FEW * len(places) < size:
            metrics[key] = total.values_at(by_axis)
        else:
            metrics[key] = numpy.broadcast_to(array_of(total), shape).ravel()[places]
    metrics |= {name: task.job.ranks(name, numbers) for name in task.selection.axes}
    return SelectedPoints(numbers, metrics)


def _joined(task: BlockTask, parts: Sequence[SelectedPoints]) -> SelectedPoints:
    """Return the points of all graphs of a block in order."""
    if len(parts) == 1:
        return parts[0]
    names = (*task.job.metrics, *task.selection.axes)
    empty = numpy.zeros(0, "int64")
    numbers = numpy.concatenate([empty, *(part.numbers for part in parts)])
    metrics = {key: numpy.concatenate([empty, *(part.metrics[key] for part in parts)]) for key in names}
    return SelectedPoints(numbers, metrics).take(numpy.argsort(numbers, kind="stable"))
