"""The largest or smallest values of variables within limits, exactly, however the counts grow and shrink.

>>> from fractions import Fraction
>>> from convcalc.sweep.axes import read_axis
>>> from convcalc.sweep.job import make_job
>>> asked = SolveProblem((MetricLimit("params", "max", Fraction(24_000_000)),))
>>> answer = solve(make_job("zoo:resnet50", [read_axis("classes=1..1000")]), asked)
>>> answer.solution.values, answer.solution.totals["params"], answer.fitting_count
({'classes': 240}, 23999792, 240)

Points are visited in the order of preference, in blocks. A block whose bounds break a limit (see ``block_bounds``) is
skipped, one whose bounds keep all of them is settled at its first point, and any other is halved, until it is small
enough to evaluate every point of it and halving it further would not be faster. What is skipped is proved to hold no
solution, so that the answer is that of an exhaustive search; of a count that grows with the variable, the halving is a
bisection.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from convcalc.errors import Source, Span, SpecError, SpecErrors, quoted
from convcalc.records import NamedTuple, replace
from convcalc.sweep.axes import Axis
from convcalc.sweep.grid import BLOCK_SIZE
from convcalc.sweep.job import SweepJob
from convcalc.sweep.search import Advance, MetricLimit, Search, SolveProblem, no_progress


class Candidate(NamedTuple):
    """One point: its totals in plain numbers, or why it is invalid."""

    values: dict[str, Any]
    totals: dict[str, int]
    violated: tuple[MetricLimit, ...] = ()
    error: SpecError | None = None
    step: str = ""
    """The variable that is moved on to come here."""

    @property
    def is_within_limits(self) -> bool:
        return self.error is None and not self.violated


class SolveResult(NamedTuple):
    """Result of a search."""

    job: SweepJob
    """Its axes are in the order of preference: the best value first."""
    question: SolveProblem
    solution: Candidate | None
    following: tuple[Candidate, ...] = ()
    """For each variable that has one the next value, the others as in the solution."""
    last: Candidate | None = None
    """Without a solution, the point that is preferred least."""
    fitting_count: int | None = None
    """How many points fit, where that is known."""


def solve(
    job: SweepJob, question: SolveProblem, advance: Advance = no_progress, *, leaf: int = BLOCK_SIZE
) -> SolveResult:
    """Find the preferred point of a job within limits; ``leaf`` is how many points are worked out at once.

    Raises:
        SpecErrors: CC716 for an axis that is not of numbers; all errors of the only point there is, or of the least
            preferred one where no point is a network.
    """
    job = replace(_in_preference_order(job, largest=question.largest), metrics=question.metrics)
    search = Search(job, question, advance, leaf)
    number = search.first() if question.objective is None else search.best()
    fitting = search.count()
    if number is None:
        last = _candidate(job, question, job.point_count - 1)
        if last.error and not search.saw_valid:
            raise SpecErrors(job.errors_at(job.point_count - 1))
        return SolveResult(job, question, None, last=last, fitting_count=0)
    solution = _candidate(job, question, number)
    assert solution.is_within_limits, "arrays and plain numbers agree"
    following = tuple(_candidate(job, question, after, step) for after, step in _next_points(job, number))
    return SolveResult(job, question, solution, following, fitting_count=fitting)


def _in_preference_order(job: SweepJob, *, largest: bool) -> SweepJob:
    """Return the job with every axis in the order of preference, each value once."""
    errors = []
    for axis in job.axes:
        if not axis.is_numeric:
            text = f"{quoted(axis.name)} has values that are no numbers: there is no largest or smallest of them"
            span = Span(Source(axis.argument, axis.name), 1, 1, max(1, len(axis.name)))
            errors.append(SpecError("CC716", text, span, hint="`convcalc sweep` goes through any values"))
    if errors:
        raise SpecErrors(errors)
    return replace(job, axes=tuple(_sort_axis(axis, falling=largest) for axis in job.axes))


def _sort_axis(axis: Axis, *, falling: bool) -> Axis:
    if isinstance(axis.values, range):
        return replace(axis, values=axis.values if (axis.values.step < 0) == falling else axis.values[::-1])
    return replace(axis, values=tuple(sorted(set(axis.values), reverse=falling)))


def _next_points(job: SweepJob, number: int) -> Iterator[tuple[int, str]]:
    """Give the next preferred value of every variable that has one: the number of the point, and the variable."""
    stride = 1
    found = []
    for axis in reversed(job.axes):
        if number // stride % len(axis.values):
            found.append((number - stride, axis.name))
        stride *= len(axis.values)
    yield from reversed(found)


def _candidate(job: SweepJob, question: SolveProblem, number: int, step: str = "") -> Candidate:
    point = job.values_at(number)
    try:
        network, batch = job.expand(job.open(), dict(point))
        network.require_counted(job.metrics)
        totals = dict(network.report(batch=batch, dtype=job.dtype).totals)
        totals |= {each.key: each.values(network.graph, batch, job.dtype)[1] for each in job.measures()}
    except SpecErrors as errors:
        return Candidate(point, {}, error=errors.errors[0], step=step)
    broken = tuple(bound for bound in question.bounds if not bound.holds(totals[bound.metric]))
    return Candidate(point, totals, broken, step=step)
