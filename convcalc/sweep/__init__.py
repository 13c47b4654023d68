"""Design spaces: the formulas of one spec over the product of axes, on arrays, exactly.

>>> job = space("zoo:resnet50", [read_axis("classes=10..12")])
>>> columns = evaluate(job, next(pieces(job.axes)))
>>> columns.metrics["params"].tolist(), columns.valid.tolist()
([23528522, 23530571, 23532620], [True, True, True])

``read_axis`` reads an axis as it is written, ``space`` makes a ``Job`` of a design and axes: plain data that any
process can work with. ``pieces`` cuts the points into blocks in their order, ``evaluate`` works a block out: arrays
with an axis for each of the sweep's, a mask of the points that are networks and the reasons of the others.
``Engine.run`` does that for all blocks, wherever the work is done, and ``Keep`` reduces what comes. ``solve`` finds the
largest or smallest values within limits without going through all points.
"""

from __future__ import annotations

from convcalc.sweep.axes import Axis, Piece, count, pieces, read_axis
from convcalc.sweep.checkpoint import Journal, Known, State
from convcalc.sweep.evaluator import Columns, Dropped, evaluate, reason
from convcalc.sweep.executors import Engine, Result, Task, cluster, here, processes, require_arrays, work
from convcalc.sweep.fingerprint import facts
from convcalc.sweep.job import Circumstances, Job, metric_names, space
from convcalc.sweep.search import Bound, Question
from convcalc.sweep.selection import Keep, Points
from convcalc.sweep.solve import Answer, Point, solve
from convcalc.sweep.where import condition, needed

__all__ = [
    "Answer", "Axis", "Bound", "Circumstances", "Columns", "Dropped", "Engine", "Job", "Journal", "Keep", "Known",
    "Piece", "Point", "Points", "Question", "Result", "State", "Task", "cluster", "condition", "count", "evaluate",
    "facts", "here", "metric_names", "needed", "pieces", "processes", "read_axis", "reason", "require_arrays", "solve",
    "space", "work",
]  # fmt: skip
