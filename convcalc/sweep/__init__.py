"""Design spaces: the formulas of one spec over the product of axes, on arrays, exactly.

>>> job = make_job("zoo:resnet50", [read_axis("classes=10..12")])
>>> columns = evaluate(job, next(blocks(job.axes)))
>>> columns.metrics["params"].tolist(), columns.valid.tolist()
([23528522, 23530571, 23532620], [True, True, True])

``read_axis`` parses an axis, ``make_job`` makes a ``SweepJob`` of a design and axes: plain data that any
process can work with. ``blocks`` cuts the points into blocks in their order, ``evaluate`` evaluates one: arrays
with an axis for each of the sweep's, a mask of the valid points and the reasons of the others.
``Engine.run`` does that for all blocks, wherever the work is done; ``Selection`` selects points. ``solve`` finds the
largest or smallest values within limits without going through all points.
"""

from __future__ import annotations

from convcalc.sweep.axes import Axis, Block, blocks, point_count, read_axis
from convcalc.sweep.checkpoint import Checkpoint, Progress, SavedProgress
from convcalc.sweep.evaluator import BlockColumns, InvalidPoints, error_group, evaluate
from convcalc.sweep.executors import (
    BlockResult,
    BlockTask,
    Engine,
    cluster,
    processes,
    require_arrays,
    run_block,
    serial,
)
from convcalc.sweep.fingerprint import facts
from convcalc.sweep.job import CountOptions, SweepJob, make_job, metric_names
from convcalc.sweep.search import MetricLimit, SolveProblem
from convcalc.sweep.selection import SelectedPoints, Selection
from convcalc.sweep.solve import Candidate, SolveResult, solve
from convcalc.sweep.where import metrics_used, parse_condition

__all__ = [
    "Axis", "Block", "BlockColumns", "BlockResult", "BlockTask", "Candidate", "Checkpoint", "CountOptions",
    "Engine", "InvalidPoints", "MetricLimit", "Progress", "SavedProgress", "SelectedPoints", "Selection",
    "SolveProblem", "SolveResult", "SweepJob", "blocks", "cluster", "error_group", "evaluate", "facts", "make_job",
    "metric_names", "metrics_used", "parse_condition", "point_count", "processes", "read_axis", "require_arrays",
    "run_block", "serial", "solve",
]  # fmt: skip
