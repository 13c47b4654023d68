"""What ``solve`` finds is what counting every point with plain numbers finds, however small the blocks are."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

import convcalc
from convcalc.arith import at_least, at_most, floordiv, record_constraints, require, select
from convcalc.errors import SpecErrors
from convcalc.sweep.axes import read_axis
from convcalc.sweep.block_bounds import bound_block
from convcalc.sweep.bounds.interval import Interval, UnknownBoolean
from convcalc.sweep.evaluator import evaluate
from convcalc.sweep.grid import Block, blocks
from convcalc.sweep.job import make_job
from convcalc.sweep.search import MetricLimit, SolveProblem
from convcalc.sweep.solve import solve

ZIGZAG = """
input: [3, 12, 12]
vars: {w: 8, k: 1}
layers:
  - conv: {out: "8 + 40*(w % 7) - w//2 + (30 if w > 40 else 0)", kernel: k}
  - conv: {out: "make_divisible(0.3*w, 8)", kernel: 3, stride: 2, padding: 1}
  - {conv: [7, 1], when: w % 3 == 0}
"""
"""Grows and shrinks with w; the kernel may be larger than its input, and the channels below 1."""
SAW = ZIGZAG.replace(" + (30 if w > 40 else 0)", "").replace(", when: w % 3 == 0", "")
"""The same with one graph for all values."""
DEEP = """
input: [4, n, n]
vars: {turns: 1, n: 9, wide: 4}
layers:
  - {conv: [wide, 3], repeat: turns}
  - [flatten, linear: 3]
"""
SCALED = """
input: [3, 32, 32]
vars: {alpha: 1, size: 32}
layers:
  - conv: [make_divisible(24*alpha), 3, 2]
  - conv: [round(50*alpha), 1]
  - [avgpool: global, flatten, linear: size]
"""
CASES = {
    "zigzag": (ZIGZAG, ("w=1..60",)),
    "zigzag, k": (ZIGZAG, ("w=12..50:2", "k=1..13:4")),
    "k, saw": (SAW, ("k=9..14", "w=3..60:3")),
    "saw": (SAW, ("w=1..200",)),
    "structural": (DEEP, ("turns=0..5", "n=3..14")),
    "structural last": (DEEP, ("wide=1..30", "turns=1..3")),
    "decimals": (SCALED, ("alpha=0.1..2:0.05", "size=1..9:4")),
    "a list": (SCALED, ("alpha=1,0.5,0.75,2,1", "size=7,3")),
}
Row = tuple[tuple[Any, ...], dict[str, int] | None]


@pytest.fixture(scope="module", params=CASES)
def space_of(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Any, list[Row]]:
    """A design, its axes, and every point with its totals, counted by itself."""
    text, written = CASES[request.param]
    path = tmp_path_factory.mktemp("solve") / "model.yaml"
    path.write_text(text)
    axes = [read_axis(axis) for axis in written]
    return str(path), axes, list(counted(str(path), axes))


def counted(design: str, axes: Any) -> Iterator[Row]:
    names = [axis.name for axis in axes]
    for values in itertools.product(*(sorted({a.value(n) for n in range(len(a.values))}) for a in axes)):
        point = dict(zip(names, values, strict=True))
        try:
            yield values, dict(convcalc.load(design, set=point).report().totals)
        except SpecErrors:
            yield values, None


def best(rows: list[Row], question: SolveProblem) -> tuple[Any, ...] | None:
    """What an exhaustive search finds."""
    fitting = fits(rows, question)
    if question.objective:
        key = question.objective.removeprefix("-")
        goals = {values: totals[key] for values, totals in rows if totals}
        edge = (min if question.objective.startswith("-") else max)((goals[values] for values in fitting), default=None)
        fitting = [values for values in fitting if goals[values] == edge]
    return (max if question.largest else min)(fitting, default=None)


def fits(rows: list[Row], question: SolveProblem) -> list[tuple[Any, ...]]:
    return [values for values, totals in rows if totals and not broken(totals, question)]


def broken(totals: dict[str, int], question: SolveProblem) -> list[MetricLimit]:
    return [
        bound
        for bound in question.bounds
        if (totals[bound.metric] > bound.value if bound.kind == "max" else totals[bound.metric] < bound.value)
    ]


def questions(rows: list[Row]) -> Iterator[SolveProblem]:
    """Limits that lie on counts, between them and beyond them."""
    dice = random.Random(4)
    known = [totals for _, totals in rows if totals]
    for number in range(10):
        bounds = []
        for _ in range(dice.randint(1, 3)):
            metric = dice.choice(["params", "macs", "activations", "output_elements"])
            value = Fraction(dice.choice(known)[metric]) + Fraction(dice.choice(["0", "0", "1", "-1", "1/2"]))
            bounds.append(MetricLimit(metric, dice.choice(["max", "max", "min"]), max(value, Fraction(0))))
        objective = [None, None, "macs", "-params", "output_elements"][number % 5]
        yield SolveProblem(tuple(bounds), dice.random() < 0.6, objective)
    yield SolveProblem((), True, "macs")
    middle = sorted(totals["macs"] for totals in known)[len(known) // 3]
    yield SolveProblem(
        (MetricLimit("macs", "max", Fraction(middle)),), True, "depth"
    )  # as deep as each other, all or many
    yield SolveProblem((MetricLimit("macs", "min", Fraction(middle)),), False, "-depth")
    yield SolveProblem((MetricLimit("params", "max", Fraction(0)),), True)
    yield SolveProblem((MetricLimit("params", "max", Fraction(10**12)),), False)


@pytest.mark.parametrize("leaf", [1, 5, 10**6])
def test_answers_are_those_of_an_exhaustive_search(space_of: tuple[str, Any, list[Row]], leaf: int) -> None:
    design, axes, rows = space_of
    totals_of = dict(rows)
    assert any(totals_of.values())
    found = 0
    for question in questions(rows):
        seen: list[int] = []
        answer = solve(make_job(design, axes), question, seen.append, leaf=leaf)
        expected = best(rows, question)
        assert (None if answer.solution is None else tuple(answer.solution.values.values())) == expected, question
        assert answer.fitting_count in (None, len(fits(rows, question)))
        assert leaf < 10**6 or answer.fitting_count is not None
        assert sum(seen) <= len(rows)
        found += expected is not None
        for point in answer.following:
            totals = totals_of[tuple(point.values.values())]
            assert (totals is None) == (point.error is not None)
            assert list(point.violated) == ([] if totals is None else broken(totals, question))
            assert question.objective or not point.is_within_limits
    assert 5 <= found <= 14


def test_a_large_range_is_bisected_and_a_far_larger_one_too() -> None:
    question = SolveProblem((MetricLimit("params", "max", Fraction(20_000_000)),))
    answer = solve(make_job("zoo:resnet18", [read_axis("classes=1..10**15")]), question)
    assert answer.solution is not None
    assert answer.solution.values == {"classes": (20_000_000 - 11_176_512) // 513}  # 512 weights and a bias a class
    assert answer.following[0].violated == question.bounds
    assert answer.fitting_count is None


def test_all_of_a_space_that_is_too_large_to_count() -> None:
    answer = solve(
        make_job("zoo:resnet18", [read_axis("classes=1..10**9")]),
        SolveProblem((MetricLimit("params", "min", Fraction(1)),)),
    )
    assert answer.fitting_count == 10**9
    assert (answer.solution and answer.solution.values, answer.following) == ({"classes": 10**9}, ())


def test_a_peak_in_the_middle_of_a_large_range(tmp_path: Path) -> None:
    """params = n·(3000000 − n) + …: what bisection without a proof would get wrong."""
    path = tmp_path / "hill.yaml"
    path.write_text("input: [n, 1]\nvars: {n: 1}\nlayers: [conv: {out: 3000001 - n, kernel: 1, bias: false}]\n")
    limit = 2_000_000 * 1_000_001
    question = SolveProblem((MetricLimit("params", "min", Fraction(limit)),), largest=True)
    answer = solve(make_job(str(path), [read_axis("n=1..3000000")]), question)
    assert answer.solution is not None
    assert answer.solution.values == {"n": 2_000_000}
    question = SolveProblem((), objective="params")
    answer = solve(make_job(str(path), [read_axis("n=1..3000000")]), question, leaf=64)
    assert answer.solution is not None
    assert answer.solution.values == {"n": 1_500_001}  # as good as 1,500,000, and larger


@pytest.mark.parametrize("axis", ["w=relu,silu", "w=true,false"])
def test_words_have_no_order(tmp_path: Path, axis: str) -> None:
    path = tmp_path / "model.yaml"
    path.write_text(ZIGZAG)
    with pytest.raises(SpecErrors) as caught:
        solve(make_job(str(path), [read_axis(axis)]), SolveProblem((MetricLimit("params", "max", Fraction(1)),)))
    assert [error.code for error in caught.value.errors] == ["CC716"]


def test_no_network_at_all_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "model.yaml"
    path.write_text(ZIGZAG)
    with pytest.raises(SpecErrors) as caught:
        solve(
            make_job(str(path), [read_axis("k=13..20")]), SolveProblem((MetricLimit("params", "max", Fraction(10**9)),))
        )
    assert caught.value.errors[0].code == "CC403"


# --- bounds -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "space_of", ["k, saw", "saw", "structural", "structural last", "decimals"], indirect=True
)  # no open conditions, and axes that ascend: solve sorts the others
def test_bounds_hold_at_every_point(space_of: tuple[str, Any, list[Row]]) -> None:
    design, axes, _ = space_of
    job = make_job(design, axes, metrics=("params", "macs", "depth", "peak_activation_bytes", "traffic_bytes"))
    told = 0
    whole = bound_block(job, Block.whole(job.axes))
    for limit, forms in itertools.product((3, 8, 40), (None, whole.forms if whole else {})):
        for piece in blocks(job.axes, limit):
            columns, known = evaluate(job, piece), bound_block(job, piece, forms)
            if known is None:
                continue
            told += 1
            assert not known.all_valid or columns.valid.all()
            if known.totals is None:
                assert not columns.valid.any()
                continue
            for key, (low, high) in known.totals.items():
                held = columns.metrics[key][columns.valid]
                assert not held.size or (low <= held.min() and held.max() <= high), (key, piece)
    assert told > 5


def test_numbers_within_bounds_are_what_they_stand_for() -> None:
    """Every door of ``arith`` on intervals, against all numbers that they hold."""
    dice = random.Random(1)
    doors = [
        lambda a, b: a + b, lambda a, b: a - b, lambda a, b: a * b, lambda a, b: b - 3 * a, lambda a, b: -a,  # noqa: ARG005
        lambda a, b: a**2, floordiv, at_least, at_most, lambda a, b: select(a < b, a, 5 * b),  # noqa: ARG005
        lambda a, b: select((a == 2) | (b != 1), a, b), lambda a, b: floordiv(a * a, 3), lambda a, b: at_most(7, a),  # noqa: ARG005
    ]  # fmt: skip
    for _ in range(300):
        (low, high), (least, most) = (sorted(dice.randint(-6, 9) for _ in "ab") for _ in "ab")
        left, right = Interval((low, high), ("a",)), Interval((least, most), ("b",))
        for door in doors:
            found = door(left, right)
            for a, b in itertools.product(range(low, high + 1), range(least, most + 1)):
                if door is floordiv and b == 0:
                    continue
                exact = door(a, b)
                assert (found.low if isinstance(found, Interval) else found) <= exact
                assert (found.high if isinstance(found, Interval) else found) >= exact


def test_relations_are_told_only_where_they_are_sure() -> None:
    left, right = Interval((1, 4), ("a",)), Interval((4, 6), ("b",))
    assert (left <= right) is True
    assert (left > right) is False
    assert isinstance(left < right, UnknownBoolean)
    assert (left == left) is True  # noqa: PLR0124 - one number is itself
    assert isinstance(left == Interval((1, 4), ("c",)), UnknownBoolean)
    with record_constraints() as ledger:
        require(left < right, "CC403", "no")
    assert [code for _, code, _ in ledger.violations] == ["CC403"]
    assert select(left > right, left, right) is right  # type: ignore[arg-type]
