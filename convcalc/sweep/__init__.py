"""Design spaces: the formulas of one spec over the product of axes, on arrays, exactly.

>>> from convcalc.sweep.axes import read_axis
>>> from convcalc.sweep.evaluator import evaluate
>>> from convcalc.sweep.grid import blocks
>>> from convcalc.sweep.job import make_job
>>> job = make_job("zoo:resnet50", [read_axis("classes=10..12")])
>>> columns = evaluate(job, next(blocks(job.axes)))
>>> columns.metrics["params"].tolist(), columns.valid.tolist()
([23528522, 23530571, 23532620], [True, True, True])

``read_axis`` parses an axis, ``make_job`` makes a ``SweepJob`` of a design and axes: plain data that any
process can work with. ``blocks`` cuts the points into blocks in their order, ``evaluate`` evaluates one: arrays
with an axis for each of the sweep's, a mask of the valid points and the reasons of the others.
``executors.Engine.run`` does that for all blocks, wherever the work is done; ``selection.Selection`` selects points.
``solve`` finds the largest or smallest values within limits without going through all points.
"""
