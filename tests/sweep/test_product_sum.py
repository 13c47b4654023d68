"""Sums of products: whatever is done to them, every point has what ints give; and selections by block lose nothing."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convcalc import arith
from convcalc.sweep import evaluator as evaluation
from convcalc.sweep.axes import read_axis
from convcalc.sweep.block_task import BlockTask
from convcalc.sweep.bounds import product_sum, terms
from convcalc.sweep.bounds.bounded_array import BoundedArray, axis_array
from convcalc.sweep.bounds.product_sum import ProductSum, array_of
from convcalc.sweep.checkpoint import Progress
from convcalc.sweep.evaluator import Evaluator, evaluate
from convcalc.sweep.executors import processes
from convcalc.sweep.grid import blocks
from convcalc.sweep.job import SweepJob, make_job
from convcalc.sweep.selection import SelectedPoints, Selection

NAMES = ("a", "b", "c")
AXES = ((1, 2, 5), (0, 3), (2, 2**33, 7))
POINTS = list(itertools.product(*AXES))


@pytest.fixture(autouse=True, scope="module", params=[1, product_sum.MAX_TINY_SIZE])
def tiny(request: pytest.FixtureRequest) -> Iterator[None]:
    """Tables as small as these are multiplied out, unless that is not allowed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(product_sum, "MAX_TINY_SIZE", request.param)
        yield


LEAVES = st.sampled_from([0, 1, 2, -3, 4, 2**31]) | st.sampled_from(NAMES)
BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "//": lambda left, right: arith.floordiv(left, arith.at_least(right, 1)),
    "max": arith.at_least,
    "min": arith.at_most,
    "if": lambda left, right: arith.select(arith.less(left, right), left + 1, right * 2),
    "by 4": lambda left, right: arith.ceildiv(8 * left * right + 4 * left, 4),
}
TREES = st.recursive(LEAVES, lambda inner: st.tuples(st.sampled_from(sorted(BINARY)), inner, inner), max_leaves=7)


def worked_out(tree: Any, values: dict[str, Any]) -> Any:
    if isinstance(tree, tuple):
        name, left, right = tree
        return BINARY[name](worked_out(left, values), worked_out(right, values))
    return values.get(tree, tree)


def numbers() -> dict[str, ProductSum]:
    memo: dict[Any, Any] = {}
    return {
        name: ProductSum.of(axis_array(values, axis, NAMES, memo))
        for axis, (name, values) in enumerate(zip(NAMES, AXES, strict=True))
    }


def elements(value: Any) -> list[int]:
    array = value.array() if isinstance(value, ProductSum) else np.array(value, object)
    return [int(each) for each in np.broadcast_to(array, tuple(map(len, AXES))).ravel().tolist()]


@given(TREES)
@settings(max_examples=300, deadline=None)
def test_every_formula_is_that_of_ints(tree: Any) -> None:
    true = [worked_out(tree, dict(zip(NAMES, point, strict=True))) for point in POINTS]
    result = worked_out(tree, numbers())
    assert elements(result) == true
    if isinstance(result, ProductSum):
        assert result.low <= min(true) <= max(true) <= result.high
        fewer = result.merged()
        assert len(fewer.terms) <= len(result.terms)
        assert elements(fewer if any(fewer.terms) else sum(fewer.terms.values())) == true
        places = np.unravel_index(np.arange(len(POINTS)), tuple(map(len, AXES)))
        assert np.broadcast_to(result.values_at(places), len(POINTS)).tolist() == true
        window = (slice(1, 3), slice(0, 2), slice(2, 3))
        part = result.part(window, {})
        inside = np.array(true, object).reshape(tuple(map(len, AXES)))[window]
        array = part.array() if isinstance(part, ProductSum) else np.array(part, object)
        assert np.broadcast_to(array, inside.shape).tolist() == inside.tolist()
        if isinstance(part, ProductSum):
            assert part.low <= inside.min() <= inside.max() <= part.high


@given(TREES, TREES, st.sampled_from([arith.equal, arith.less, arith.less_equal]))
@settings(max_examples=150, deadline=None)
def test_every_comparison_is_that_of_ints(left: Any, right: Any, compare: Any) -> None:
    values = numbers()
    result = compare(worked_out(left, values), worked_out(right, values))
    array = result.array if isinstance(result, BoundedArray) else np.array(result)
    points = [dict(zip(NAMES, point, strict=True)) for point in POINTS]
    true = [compare(worked_out(left, point), worked_out(right, point)) for point in points]
    assert np.broadcast_to(array, tuple(map(len, AXES))).ravel().tolist() == true


def test_a_product_over_three_axes_has_no_array_over_two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(product_sum, "MAX_TINY_SIZE", 1)
    a, b, c = numbers().values()
    cost = (a * a * b + 3 * b) * c + a * b * 9 * a * c
    assert {table.array.size for table in cost.tables} <= {2, 3}
    assert len(cost.merged().terms) == 1, "(10a² + 3) · b · c"


MIXED = """
input: [3, n, n]
vars: {n: 16, k: 3, w: 8, turns: 1}
layers:
  - {conv: [w, k], repeat: turns}
  - {conv: {out: 2*w, kernel: 3}, when: n >= 2*k}
  - {maxpool: 2}
  - {linear: n if n < w else w}
"""
SPACE = ("n=4..15", "w=4..40:4", "turns=1,2", "k=1..4")


def space(folder: Path, text: str, axes: Sequence[str], where: str | None = None) -> SweepJob:
    (folder / "net.yaml").write_text(text)
    job = make_job(str(folder / "net.yaml"), [read_axis(axis) for axis in axes], where=where)
    return job.with_metrics(("params", "macs", "peak_activation_bytes"))


@pytest.mark.parametrize("size", [1, 8, 60])
def test_small_tables_give_the_same_points(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    """Where no more combinations may be in a table, the sweep is split until they fit."""
    job = space(tmp_path, MIXED, SPACE)
    (whole,) = blocks(job.axes)
    true = evaluate(job, whole)
    monkeypatch.setattr(terms, "MAX_TABLE_SIZE", size)
    monkeypatch.setattr(evaluation, "MAX_TABLE_SIZE", size)
    monkeypatch.setattr(evaluation, "MAX_AXIS_SIZE", size)
    monkeypatch.setattr(evaluation, "MAX_KEPT", 1)
    graphs = list(Evaluator(job).graphs(whole))
    assert sum(graph.block.size for graph in graphs) == whole.size
    for graph in graphs:
        window = whole.offset(graph.block)
        assert (np.broadcast_to(graph.valid(), graph.block.shape) == true.valid[window]).all()
        for key, total in graph.totals.items():
            held = np.broadcast_to(array_of(total), graph.block.shape)
            assert (held == true.metrics[key][window])[true.valid[window]].all()


PLAIN = """
input: [w, n]
vars: {w: 1, n: 1, m: 1}
layers: [conv: [m, 1], conv: [w, 1]]
"""


@pytest.mark.parametrize("text", [MIXED, PLAIN])
@pytest.mark.parametrize("limit", [7, 100, 2000])
@pytest.mark.parametrize("where", [None, "params > 3k and n != 9", "macs % 3 == 0"])
@pytest.mark.parametrize(
    "keep",
    [
        Selection("top", ("macs",), 5),
        Selection("top", ("-params",), 40),
        Selection("top", ("-w",), 9, "", ("w",)),
        Selection("pareto", ("params", "macs")),
        Selection("pareto", ("-params", "macs")),
        Selection("pareto", ("params", "-macs", "-peak_activation_bytes")),
        Selection("pareto", ("-n", "macs"), 0, "", ("n",)),
        Selection("pareto", ("-n", "-w"), 0, "", ("n", "w")),
    ],
)
def test_blocks_that_rivals_beat_lose_no_point(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keep: Selection, where: str | None, limit: int, text: str
) -> None:
    monkeypatch.setattr("convcalc.sweep.selection.FEW", 4)
    job = space(
        tmp_path, text, SPACE if text == MIXED else ("n=9,5,30,1,8,8", "m=3,9,1,12,2,2", "w=7,2,9,9,1,4,30,2"), where
    )
    (all_,) = processes(1).run(BlockTask(job), blocks(job.axes))
    ranks = {name: job.ranks(name, all_.points.numbers) for name in keep.axes}
    true = keep.select(SelectedPoints(all_.points.numbers, all_.points.metrics | ranks))
    state = Progress()
    for result in processes(1).run(BlockTask(job, keep), blocks(job.axes, limit), lambda: keep.rivals(state.points)):
        state.add(result, keep)
    state.settle(keep)
    found = state.points
    assert found is not None
    assert found.numbers.tolist() == true.numbers.tolist()
    for key, column in true.metrics.items():
        assert found.metrics[key].tolist() == column.tolist()
