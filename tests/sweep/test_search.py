"""What ``solve`` knows of expressions of the same variables: it passes over more, and never over a solution."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

import convcalc
from convcalc.errors import SpecErrors
from convcalc.sweep import evaluator, search
from convcalc.sweep.axes import read_axis
from convcalc.sweep.bounds.interval import Interval, UnknownBoolean
from convcalc.sweep.bounds.rules import Bounds
from convcalc.sweep.bounds.symbolic_terms import AtomTable, bounds_of_terms
from convcalc.sweep.job import make_job
from convcalc.sweep.search import MetricLimit, SolveProblem
from convcalc.sweep.solve import solve

RESNET50 = str(Path(__file__).with_name("resnet50.yaml"))
SPACES = 370


@pytest.fixture
def worked_out(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many points each block has that is worked out point by point."""
    sizes: list[int] = []
    evaluate = evaluator.evaluate

    def noted(job: Any, piece: Any) -> Any:
        sizes.append(piece.size)
        return evaluate(job, piece)

    monkeypatch.setattr(search, "evaluate", noted)
    return sizes


@pytest.mark.parametrize("most", [8_000, 10**6])
def test_conditions_on_one_variable_do_not_stop_the_search(worked_out: list[int], most: int) -> None:
    """Of 64 million points and of 10¹² no more than what one block holds: width and classes both only add params."""
    axes = [read_axis(f"width=1..{most}"), read_axis(f"classes=1..{most}")]
    answer = solve(make_job(RESNET50, axes), SolveProblem((MetricLimit("params", "max", Fraction(50_000_000)),)))
    assert answer.solution is not None
    assert answer.solution.values == {"width": 93, "classes": 135}
    params = [
        convcalc.load(RESNET50, set={"width": width, "classes": classes}).report().totals["params"]
        for width, classes in [(93, 135), (93, 136), (94, 1)]
    ]
    assert params[0] <= 50_000_000 < min(params[1:])
    assert sum(worked_out) <= 300_000


@pytest.mark.parametrize("objective", ["params", "macs", "-macs"])
def test_objectives_too_are_bounded(worked_out: list[int], objective: str) -> None:
    """Of 10¹² points, no more are worked out by themselves than of 16 million."""
    axes = [read_axis("width=1..1000000"), read_axis("classes=1..1000000")]
    bounds = (MetricLimit("params", "max", Fraction(50_000_000)), MetricLimit("params", "min", Fraction(40_000_000)))
    answer = solve(make_job(RESNET50, axes), SolveProblem(bounds, objective=objective))
    assert answer.solution is not None
    assert 40_000_000 <= answer.solution.totals["params"] <= 50_000_000
    assert sum(worked_out) <= 16_000_000 // 10


# --- random spaces ----------------------------------------------------------------------------------------------------


class Drawn:
    """A random network of two variables, whose layers stand or not by what two expressions of them are."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.axes = [f"a=1..{self.dice.randint(3, 6)}", f"b={self.dice.randint(1, 9)}..{self.dice.randint(10, 12)}:2"]

    def size(self) -> str:
        n = self.dice.randint(1, 4)
        return self.dice.choice([
            "a", "b", f"{n}*a", f"{n}*b", "a*b", f"a + {n}*b", f"max(a, {n}*b)", f"min({n}*a, b)", f"{4 * n}*a//{n}",
            f"({n}*a + b)//2 + 1", "make_divisible(2.5*a, 4)", f"a*a - a + {n}", f"9*b - a*{n}", f"abs(a - b) + {n}",
            f"a % {n} + 1", "round_up(b*1.5, 4)",
        ])  # fmt: skip

    def condition(self) -> str:
        left, right = self.dice.choice(["cin", self.size()]), self.size()
        found = f"{left} {self.dice.choice(['==', '!=', '<', '<=', '>', '>='])} {right}"
        joined = self.dice.choice(["", "", "and", "or"])
        return f"{found} {joined} {self.size()} != {self.size()}" if joined else found

    def layer(self) -> str:
        layer = f"conv: {{out: '{self.size()}', kernel: {self.dice.choice([1, 1, 2])}}}"
        wider = f"conv: {{out: '{self.size()}', kernel: 1}}, when: '{self.condition()}', else: identity"
        return self.dice.choice([
            f"  - {layer}",
            f"  - {{{layer}, when: '{self.condition()}'}}",
            f"  - add: [identity, {{{wider}}}]",
            f"  - {{conv: {{out: '4*({self.size()})', kernel: 1, groups: '{self.dice.choice(['a', 2, 4, 'b'])}'}}}}",
        ])  # fmt: skip

    def text(self) -> str:
        layers = "\n".join(self.layer() for _ in range(self.dice.randint(1, 3)))
        return f"input: ['{self.size()}', 3, 3]\nvars: {{a: 1, b: 1}}\nlayers:\n{layers}\n  - conv: [1, 1]\n"


def rows(design: str, axes: list[Any]) -> Iterator[tuple[tuple[Any, ...], dict[str, int] | None]]:
    """Every point, counted by itself with plain numbers."""
    for values in itertools.product(*([a.value(n) for n in range(len(a.values))] for a in axes)):
        try:
            yield values, dict(convcalc.load(design, set=dict(zip("ab", values, strict=True))).report().totals)
        except SpecErrors:
            yield values, None


def wanted(found: dict[tuple[Any, ...], dict[str, int]], question: SolveProblem) -> tuple[Any, ...] | None:
    """What an exhaustive search finds."""
    holds: dict[str, Callable[[Any, Any], bool]] = {"max": lambda a, b: a <= b, "min": lambda a, b: a >= b}
    fitting = [
        values for values, totals in found.items()
        if all(holds[bound.kind](totals[bound.metric], bound.value) for bound in question.bounds)
    ]  # fmt: skip
    if question.objective:
        goal = question.objective.removeprefix("-")
        edge = (min if question.objective != goal else max)((found[each][goal] for each in fitting), default=None)
        fitting = [values for values in fitting if found[values][goal] == edge]
    return (max if question.largest else min)(fitting, default=None)


def test_random_spaces_are_searched_as_if_by_hand(tmp_path: Path) -> None:
    answered = 0
    for seed in range(SPACES):
        drawn, path = Drawn(seed), tmp_path / f"{seed}.yaml"
        path.write_text(drawn.text())
        axes = [read_axis(text) for text in drawn.axes]
        found = {values: totals for values, totals in rows(str(path), axes) if totals}
        if not found:
            continue
        for objective in (None, "macs", "-params"):
            totals = drawn.dice.choice(list(found.values()))
            bounds = tuple(
                MetricLimit(key, kind, Fraction(totals[key] + drawn.dice.randint(-1, 1)))
                for key, kind in (("params", drawn.dice.choice(["max", "min"])), ("macs", "max"))
            )
            question = SolveProblem(bounds, largest=drawn.dice.random() < 0.5, objective=objective)
            answer = solve(make_job(str(path), axes), question, leaf=drawn.dice.choice([1, 2, 5]))
            point = None if answer.solution is None else tuple(answer.solution.values.values())
            assert point == wanted(found, question), (drawn.text(), drawn.axes, question)
            assert answer.fitting_count in (None, sum(_fits(each, bounds) for each in found.values()))
            answered += 1
    assert answered >= 3 * 300


def _fits(totals: dict[str, int], bounds: tuple[MetricLimit, ...]) -> bool:
    return all(bound.margin(totals[bound.metric]) >= 0 for bound in bounds)


# --- terms ------------------------------------------------------------------------------------------------------------


def both(low: int, high: int) -> tuple[Interval, Interval]:
    """Two variables between the same bounds."""
    known: AtomTable = {}
    return Interval((low, high), ("a",), known), Interval((low, high), ("b",), known)


def test_expressions_of_the_same_variables_are_told_apart() -> None:
    a, b = both(1, 512)
    assert (a == 4 * a) is False
    assert (4 * a > a) is True
    assert (a * b + a == a * (b + 1)) is True
    assert (a + b - b <= a) is True
    assert (8 * a).__array_ufunc__  # the door to floors
    assert isinstance(a == b, UnknownBoolean)
    assert isinstance(4 * a == a + 3, UnknownBoolean)  # they are equal at 1
    assert (a * a >= a) is True
    assert isinstance(a * a > a, UnknownBoolean)


def test_polynomials_reach_what_they_reach() -> None:
    """Bounds of random differences hold every value, and are those values themselves where all terms grow."""
    dice = random.Random(6)
    for _ in range(400):
        low = dice.randint(-4, 6)
        high = low + dice.randint(1, 5)
        a, b = both(low, high)
        n = [dice.randint(-3, 3) for _ in range(6)]

        def value(x: Any, y: Any, n: list[int] = n) -> Any:
            return n[0] * x * x + n[1] * x * y + n[2] * y * y + n[3] * x + n[4] * y + n[5]

        found = value(a, b)
        exact = [value(x, y) for x, y in itertools.product(range(low, high + 1), repeat=2)]
        least, most = tight_bounds(found) if isinstance(found, Interval) else (found, found)
        assert least <= min(exact) <= max(exact) <= most
        if low >= 0 and min(n[:5]) >= 0:
            assert (least, most) == (min(exact), max(exact))


def test_a_difference_that_grows_is_bounded_exactly() -> None:
    """n² − n in 5…9 is 20…72, though n² is 25…81 and n 5…9."""
    n, _ = both(5, 9)
    assert tight_bounds(n * n - n) == (20, 72)


def tight_bounds(number: Interval) -> Bounds:
    """The closest bounds that are known: those of the operations, and of what it is in terms of the axes."""
    least, most = bounds_of_terms(number.terms)
    return max(number.low, least), min(number.high, most)
