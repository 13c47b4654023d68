"""Every point of a sweep is what a run on plain numbers says of it: totals, or the error."""

from __future__ import annotations

import itertools
import math
import random
from bisect import bisect_left
from collections.abc import Callable, Mapping
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import convcalc
from convcalc.designs.sources import CountOptions, open_spec
from convcalc.errors import SpecError, SpecErrors
from convcalc.sweep import executors
from convcalc.sweep.axes import read_axis
from convcalc.sweep.block_task import BlockTask
from convcalc.sweep.evaluator import evaluate, evaluator
from convcalc.sweep.executors import Engine, processes
from convcalc.sweep.grid import blocks, unravel
from convcalc.sweep.job import make_job
from convcalc.sweep.selection import SelectedPoints, Selection
from convcalc.sweep.where import parse_condition
from tests.conftest import ROOT

RESNET50 = str(ROOT / "tests" / "sweep" / "resnet50.yaml")
WINDOWS = """
input: [3, size, size]
vars: {size: 32, k: 3, g: 1}
layers: [conv: [6, k], maxpool: 2, conv: {out: 12, kernel: k, groups: g}, avgpool: global, flatten, linear: 10]
"""
SHAPED = """
input: [4, n, n]
vars: {n: 16, turns: 2, wide: 8, alpha: 1, bias: true}
layers:
  - {conv: [wide, 3], repeat: turns}
  - {conv: {out: wide + 1, kernel: 1, bias: bias}, when: wide > 12 and n >= 11}
  - {conv: [round(30*alpha), 1], when: n % 2 == 0 or wide < 10}
  - {conv: ["max(1, alpha)*40 // 1 + ceil(alpha/2)", 1]}
  - linear: 4 if n < 9 else 5
"""
HUGE = """
input: [c, n]
vars: {c: 1, n: 1}
layers: [conv: [c, 1], linear: c]
"""
METRICS = (
    "params",
    "buffers",
    "weight_bytes",
    "macs",
    "flops",
    "activations",
    "output_elements",
    "depth",
    "nonlinearities",
)


def written(folder: Path, text: str) -> str:
    path = folder / "model.yaml"
    path.write_text(text)
    return str(path)


def check(design: str, *axes: str, limit: int = 50, **more: Any) -> tuple[int, int]:
    """Compare every point with plain numbers; return how many are networks, and how many are none."""
    job = make_job(design, [read_axis(axis) for axis in axes], metrics=METRICS, **more)
    valid = start = 0
    reasons: dict[str, int] = {}
    for piece in blocks(job.axes, limit):
        columns = evaluate(job, piece)
        assert piece.first == start
        start += columns.valid.size
        assert columns.valid.size <= limit
        for number, stands in enumerate(columns.valid.ravel().tolist(), piece.first):
            point = job.values_at(number)
            variant, codes = point.pop("variant", None), list[str]()
            totals: Mapping[str, int]
            try:
                totals = convcalc.load(design, set=point, variant=variant).report().totals
            except SpecErrors as errors:
                codes, totals = [error.code for error in errors.errors], {}
            assert stands == bool(totals), (point, codes)
            if not stands:
                reasons[codes[0]] = reasons.get(codes[0], 0) + 1
                continue
            valid += 1
            found = {key: int(column.ravel()[number - piece.first]) for key, column in columns.metrics.items()}
            assert found == {key: totals[key] for key in METRICS}, point
        for why, dropped in columns.invalid.items():
            code = why.split(" ")[0]
            reasons[code] = reasons.get(code, 0) - dropped.points
            assert job.errors_at(dropped.first)[0].code == code
    assert start == job.point_count
    assert set(reasons.values()) <= {0}
    return valid, job.point_count - valid


def test_width_size_and_classes_of_resnet50() -> None:
    assert check(RESNET50, "width=8..24:8", "size=33..97:32", "classes=1,10") == (18, 0)


def test_a_thousand_random_points_of_millions_of_resnet50s() -> None:
    """In the blocks in which the whole space is worked out."""
    job = make_job(RESNET50, [read_axis(axis) for axis in ("width=8..512:8", "size=32..416:2", "classes=1..22000")])
    spec = open_spec(RESNET50)
    drawn = sorted(random.Random(5).sample(range(job.point_count), 1000))
    pieces = list(blocks(job.axes))
    ends = [*(piece.first for piece in pieces[1:]), job.point_count]
    for piece, end in zip(pieces, ends, strict=True):
        inside = drawn[: bisect_left(drawn, end)]
        columns = evaluate(job, piece) if inside else None
        del drawn[: len(inside)]
        for number in inside:
            assert columns
            totals = spec.expand(overrides=job.values_at(number)).report().totals
            found = {key: int(column.ravel()[number - piece.first]) for key, column in columns.metrics.items()}
            assert found == {key: totals[key] for key in found}, job.values_at(number)
            assert {"params", "macs"} <= set(found)
    assert not drawn


def test_decimal_widths_of_mobilenet() -> None:
    assert check("zoo:mobilenet_v2", "alpha=0.35..1.4:0.35", "size=95,96") == (8, 0)


def test_points_that_are_no_network(tmp_path: Path) -> None:
    valid, dropped = check(written(tmp_path, WINDOWS), "size=-1..12", "k=0..4", "g=1..6")
    assert valid > 50
    assert dropped > 100


@pytest.mark.parametrize("limit", [1, 7, 1000])
def test_structural_axes(tmp_path: Path, limit: int) -> None:
    axes = ("turns=0..2", "n=5..13", "alpha=0.5..1.5:0.5", "wide=8,12,16", "bias=true,false")
    valid, dropped = check(written(tmp_path, SHAPED), *axes, limit=limit)
    assert valid + dropped == 486


def test_numbers_where_a_boolean_is_needed_are_the_error_of_a_report(tmp_path: Path) -> None:
    spec = "input: [3, 8, 8]\nvars: {deep: true, c: 4}\nlayers: [conv: [c, 1], {relu: , when: deep}]\n"
    assert check(written(tmp_path, spec), "deep=0..2", "c=1,2") == (0, 6)
    assert check(written(tmp_path, spec), "deep=true,2", "c=1,2") == (2, 2)


def test_numbers_where_a_word_is_needed_are_the_error_of_a_report(tmp_path: Path) -> None:
    spec = "input: [8, 8, 8]\nvars: {kind: relu, c: 4}\nlayers: [conv: {out: c, kernel: 1, act: kind}]\n"
    assert check(written(tmp_path, spec), "kind=0..2", "c=1,2") == (0, 6)
    assert check(written(tmp_path, spec), "kind=prelu,2,none", "c=1,2") == (4, 2)
    assert check(written(tmp_path, spec.replace("act: kind", "norm: {type: kind}")), "kind=batch,2", "c=1,2") == (2, 2)


def test_counts_past_64_bits_and_at_their_edge(tmp_path: Path) -> None:
    edge = f"{2**31 - 1},{2**31},{2**31 + 1},{2**32},3037000499,3037000500,1"
    check(written(tmp_path, HUGE), f"c={edge}", "n=1,2,3,1000000000000000000", limit=100)


def test_variants() -> None:
    assert check("zoo:mobilenet_v2", "size=64,65", "classes=1,2", variants=())[0] == 4 * (
        1 + len(open_spec("zoo:mobilenet_v2").document.variants)
    )


def test_what_is_set_batch_and_part() -> None:
    given = CountOptions({"classes": "7"}, batch=3, dtypes=("int4",))
    job = make_job(f"{RESNET50}#stage4", [read_axis("width=8,16")], given, metrics=("macs", "weight_bytes"))
    (piece,) = blocks(job.axes)
    for number, width in enumerate((8, 16)):
        true = convcalc.load(f"{RESNET50}#stage4", set={"width": width}).report(batch=3, dtype="int4").totals
        assert [column[number] for column in evaluate(job, piece).metrics.values()] == [
            true["macs"],
            true["weight_bytes"],
        ]


# --- axes -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("a=1,2,4", [1, 2, 4]),
        ("a=128..320:64", [128, 192, 256, 320]),
        ("a=1..4", [1, 2, 3, 4]),
        ("a=4..1:-2", [4, 2]),
        ("a=0.1..0.3:0.1", [Fraction(1, 10), Fraction(1, 5), Fraction(3, 10)]),
        ("a=0.5..2:0.5", [Fraction(1, 2), 1, Fraction(3, 2), 2]),
        ("a=1..2,8, 1/3", [1, 2, 8, Fraction(1, 3)]),
        ("a=relu,silu", ["relu", "silu"]),
        ("a=[1, 2],[3, 4]", [(1, 2), (3, 4)]),
        ("a=true,1", [True, 1]),
        ("a=2**3..10", [8, 9, 10]),
        ("a=0.5..0.5", [Fraction(1, 2)]),
        ("a=0.5..2:1", [Fraction(1, 2), Fraction(3, 2)]),
        ("a=1k..3k:1k, 2Ki", [1000, 2000, 3000, 2048]),
        ("a=1e3", [1000]),
    ],
)
def test_axes(text: str, values: list[object]) -> None:
    axis = read_axis(text)
    assert axis.name == "a"
    assert [axis.value(number) for number in range(len(axis.values))] == values


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a", "CC711"),
        ("=1", "CC711"),
        ("a=", "CC713"),
        ("a=1,,2", "CC713"),
        ("a=5..1", "CC713"),
        ("a=1..5:0", "CC713"),
        ("a=1..5:-1", "CC713"),
        ("a=1..", "CC711"),
        ("a=1..relu", "CC711"),
        ("a=1..5:", "CC711"),
        ("a=b", "CC711"),
        ("a=1//0", "CC711"),
        ("a=0.1..1", "CC711"),
        ("a=1..2.5", "CC711"),
        ("a=1.5..0.5", "CC711"),
        ("a=1,1/3..2", "CC711"),
        ("a=5m", "CC711"),
    ],
)
def test_bad_axes(text: str, code: str) -> None:
    with pytest.raises(SpecError) as caught:
        read_axis(text)
    assert caught.value.code == code
    assert caught.value.span is not None


@pytest.mark.parametrize(
    ("text", "steps"),
    [("0.1..1", 10), ("0.25..1.5", 6), ("1..2.5", 4), ("1.5..0.5", 3), ("1/3..2", 6), ("0.75..3", 4), ("2.5..-1", 8)],
)
def test_a_range_of_fractions_is_told_a_step_that_reaches_both_ends(text: str, steps: int) -> None:
    with pytest.raises(SpecError) as caught:
        read_axis(f"a={text}", "--for")
    assert caught.value.hint.startswith(f"say the step: {text}:")
    axis = read_axis(f"a={caught.value.hint.removeprefix('say the step: ')}")
    first, last = (Fraction(end) for end in text.split(".."))
    assert (axis.value(0), axis.value(len(axis.values) - 1), len(axis.values)) == (first, last, steps)


@pytest.mark.parametrize(("axes", "code"), [(["widht=1"], "CC712"), (["width=1", "width=2"], "CC714"), ([], "CC713")])
def test_axes_that_do_not_fit_the_spec(axes: list[str], code: str) -> None:
    with pytest.raises(SpecErrors) as caught:
        make_job(RESNET50, [read_axis(axis) for axis in axes])
    assert [error.code for error in caught.value.errors] == [code]
    assert code != "CC712" or "did you mean 'width'?" in str(caught.value)


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 6, 7, 30, 59, 60, 1000])
def test_pieces_are_the_product_in_order(limit: int) -> None:
    axes = [read_axis(axis) for axis in ("a=1..3", "b=1..4", "c=1..5")]
    found: list[tuple[int, ...]] = []
    for piece in blocks(axes, limit):
        points = list(itertools.product(*(range(*side) for side in piece.ranges)))
        assert piece.first == len(found)
        assert len(points) <= limit
        found += points
    assert found == list(itertools.product(range(3), range(4), range(5)))
    assert found == [tuple(unravel(number, [len(axis.values) for axis in axes])) for number in range(60)]


# --- conditions and reductions ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "where",
    [
        "params <= 1.5M and macs <= 100e6",
        "params > 0.5M or alpha < 0.6",
        "not alpha*size >= 60",
        "true",
        "5 < size < 97 and (macs % 2 == 0 or params // 1000 > 900)",
        "1 < 2 and params*params > 10**12",
        "(size if alpha > 0.7 else 3) > 64",
        "depth > 3 and alpha == 1/2",
    ],
)
def test_conditions_are_those_of_plain_numbers(where: str) -> None:
    from convcalc.sweep.where import matching_points, metrics_used

    axes = [read_axis("alpha=0.5..1:0.25"), read_axis("size=64..128:16")]
    job = make_job("zoo:mobilenet_v2", axes, where=where)
    job = job.with_metrics(metrics_used(where, job.axes))
    (piece,) = blocks(job.axes)
    columns = evaluate(job, piece)
    (graph,) = evaluator(job).graphs(piece)
    found = np.broadcast_to(matching_points(job, graph), piece.shape).ravel().tolist()
    for number, is_wanted in enumerate(found):
        scope = job.values_at(number) | {key: int(array.ravel()[number]) for key, array in columns.metrics.items()}
        assert is_wanted is parse_condition(where, scope).evaluate(scope), scope


def brute_front(rows: list[tuple[int, ...]]) -> set[int]:
    """Numbers of the rows that no other row is as good as in all columns; of equal ones the first."""
    found = set()
    for number, row in enumerate(rows):
        others = (other for place, other in enumerate(rows) if place != number)
        beaten = any(all(o <= r for o, r in zip(other, row, strict=True)) and other != row for other in others)
        if not beaten and row not in rows[:number]:
            found.add(number)
    return found


@pytest.mark.parametrize("metrics", [("a",), ("a", "b"), ("-a", "b"), ("a", "b", "-c")])
@pytest.mark.parametrize("dtype", ["int64", "object"])
@pytest.mark.parametrize("parts", [1, 3, 40])
def test_pareto_fronts(metrics: tuple[str, ...], dtype: str, parts: int) -> None:
    dice = np.random.default_rng(7)
    columns = {key: dice.integers(0, 12, 120).astype(dtype) for key in "abc"}
    keep, kept = Selection("pareto", metrics), None
    for some in np.array_split(np.arange(120), parts):
        kept = keep.merge(
            kept, keep.select(SelectedPoints(some, {key: column[some] for key, column in columns.items()}))
        )
    signed = [-columns[key[1:]] if key.startswith("-") else columns[key] for key in metrics]
    assert kept is not None
    assert set(kept.numbers.tolist()) == brute_front(list(zip(*(column.tolist() for column in signed), strict=True)))


@pytest.mark.parametrize("metric", ["a", "-a"])
@pytest.mark.parametrize("parts", [1, 3, 40])
def test_top(metric: str, parts: int) -> None:
    column = np.random.default_rng(3).integers(0, 20, 120)
    keep, kept = Selection("top", (metric,), 15), None
    for some in np.array_split(np.arange(120), parts):
        kept = keep.merge(kept, keep.select(SelectedPoints(some, {"a": column[some]})))
    sign = -1 if metric == "-a" else 1
    assert kept is not None
    assert kept.numbers.tolist() == sorted(range(120), key=lambda number: (sign * int(column[number]), number))[:15]


def test_results_come_in_order_and_nothing_is_lost() -> None:
    job = make_job(RESNET50, [read_axis("width=8..64:8"), read_axis("size=32..96:16")])
    results = list(processes(1).run(BlockTask(job), blocks(job.axes, 7)))
    assert np.concatenate([result.points.numbers for result in results]).tolist() == list(range(job.point_count))


class Fragile(Executor):
    """Runs tasks when their results are asked for, and breaks at some of those that it is given."""

    given = waiting = most = 0

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        Fragile.given += 1
        if Fragile.given in (2, 5):
            raise BrokenExecutor
        Fragile.waiting += 1
        Fragile.most = max(Fragile.most, Fragile.waiting)
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


def test_executors_that_break_lose_nothing_and_hold_few_blocks() -> None:
    """A block that a broken executor does not take is not passed over."""
    job = make_job(RESNET50, [read_axis("width=8..64:8"), read_axis("size=32..96:16")])
    numbers = []
    for result in Engine(0, Fragile, 3).run(BlockTask(job), blocks(job.axes, 2)):
        Fragile.waiting -= 1
        numbers += result.points.numbers.tolist()
    assert numbers == list(range(job.point_count))
    assert Fragile.most <= 3 + 2 * 2, "two of three that were lost twice"


@pytest.mark.parametrize("worth", [0.0, math.inf])
def test_others_start_only_where_the_rest_is_worth_it(monkeypatch: pytest.MonkeyPatch, worth: float) -> None:
    job = make_job(RESNET50, [read_axis("width=8..64:8")])
    started: list[int] = []

    def start() -> Executor:
        started.append(1)
        return ThreadPoolExecutor(1)

    monkeypatch.setattr(executors, "SECONDS_WORTH_WORKERS", worth)
    results = list(Engine(1e-9, start, 3).run(BlockTask(job), blocks(job.axes, 2)))
    assert np.concatenate([result.points.numbers for result in results]).tolist() == list(range(job.point_count))
    assert len(started) == (worth == 0)
