"""``--where``: a condition over metrics and axes, in the expression language of specs."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping, Sequence
from typing import Any

from convcalc.errors import Source, Span, SpecError, Undecided, did_you_mean, quoted
from convcalc.extras import numpy
from convcalc.metrics.registry import report_metrics
from convcalc.quantities import QUANTITY, parse_quantity
from convcalc.report.metrics import LEAST_TIME
from convcalc.spec.expressions.closures import Name
from convcalc.spec.expressions.errors import ExpressionError
from convcalc.spec.expressions.expression import Expression, parse
from convcalc.sweep.axes import Axis
from convcalc.sweep.bounds.product_sum import Truths, array_of
from convcalc.sweep.evaluator import GraphResults, axis_numbers
from convcalc.sweep.job import VARIANT, SweepJob, metric_names

INVALID_CONDITION = "CC715"
CLAUSES = re.compile(r"\b(?:and|or|not|if|else)\b")
BYTE_QUANTITY = re.compile(rf"(?<![\w.]){QUANTITY.removesuffix('?')}(?!\w)")
"""A quantity that is written with its B."""


def parse_condition(text: str, known: Container[str]) -> Expression:
    """Read a condition over axes and metrics; numbers are quantities: 5M is 5e6, 2MiB is 2·2²⁰.

    Raises:
        SpecError: CC715 where it is not an expression.
    """
    try:
        return parse(text, known, suffixed=True)
    except ExpressionError as error:
        raise _condition_error(text, error) from None


def metrics_used(text: str | None, axes: tuple[Axis, ...]) -> tuple[str, ...]:
    """Return the metrics that a condition reads; an axis of the same name goes before a metric.

    Raises:
        SpecError: CC715, where it reads what is neither.
    """
    if text is None:
        return ()
    read_axes = [axis for axis in axes if axis.name != VARIANT]
    known = [axis.name for axis in read_axes]
    both = (*known, *metric_names(), *([LEAST_TIME] if axes else []))
    condition = parse_condition(text, both)
    of_words = {
        axis.name: [value for value in axis.values if isinstance(value, str)]
        for axis in read_axes
        if not axis.is_numeric
    }
    words = {word for values in of_words.values() for word in values}
    names = (*condition.names, *(word for word in condition.words if word.text not in words))
    read = dict.fromkeys(name for name, _, _ in names)
    for name in read:
        if name not in both:
            kinds = "neither an axis nor a metric of whole designs" if axes else "not a metric of whole designs"
            said = f"the condition reads '{name}', which is {kinds}{did_you_mean(name, (*both, *words))}"
            at, end = next((at, end) for each, at, end in names if each == name)
            is_word = any(name == word.text for word in condition.words)
            values = (f"{axis} is one of {', '.join(each)}" for axis, each in of_words.items() if each and is_word)
            hint = _suffixed(text, at, end) or "; ".join([*values, f"it may read {', '.join(both)}"])
            raise SpecError(INVALID_CONDITION, said, Span(Source("--where", text), 1, 1 + at, end - at), hint=hint)
    _require_bytes(text, names, known)
    return tuple(name for name in read if name not in known)


def _suffixed(text: str, at: int, end: int) -> str:
    """Return how a quantity is written of which a name is the suffix: ``2 * MiB`` is 2MiB; nothing for other names."""
    suffix = text[at:end]
    if parse_quantity(f"1{suffix}") is None:
        return ""
    number = re.search(r"([0-9][0-9.]*)\s*\*\s*$", text[:at])
    return f"a suffix must follow its number directly: write {number[1] if number else 1}{suffix}"


def _require_bytes(text: str, read: Sequence[Name], axes: Container[str]) -> None:
    """Demand that what is written with a B stands beside a metric of bytes, or an axis, which may count anything."""
    of_bytes = {measure.key for measure in report_metrics() if measure.unit == "bytes"}
    start = 0
    for clause in CLAUSES.split(text):
        start = text.index(clause, start)
        found = BYTE_QUANTITY.search(clause)
        names = [name for name, at, _ in read if start <= at < start + len(clause)]
        if found and names and not any(name in axes or name in of_bytes for name in names):
            span = Span(Source("--where", text), 1, 1 + start + found.start(), len(found[0]))
            verb = "does" if len(set(names)) == 1 else "do"
            shown = " and ".join(dict.fromkeys(names))
            said = f"{shown} {verb} not take a byte suffix: {quoted(found[0])}"
            raise SpecError(INVALID_CONDITION, said, span, hint=f"without the B: {found[0][:-1]}; for 10⁹ write G")


def matching_points(job: SweepJob, graph: GraphResults) -> Any:
    """Return which points are networks and fulfil the condition: an array of truths that broadcasts to their block.

    Raises:
        SpecError: CC715, where the condition cannot be worked out or is none.
    """
    if job.where is None:
        return graph.valid()
    condition = parse_condition(job.where, {*metric_names(), *(axis.name for axis in job.axes)})
    plain = {axis.name for axis in job.axes if not axis.is_numeric}
    if not graph.totals or any(name in plain for name, _, _ in condition.names):
        return _evaluate_point_by_point(job, graph)
    try:
        answer = condition.evaluate({**graph.totals, **axis_numbers(job.axes, graph.block, {})})
    except Undecided:
        return _evaluate_point_by_point(job, graph)
    except ExpressionError as error:
        raise _condition_error(job.where, error) from None
    if not isinstance(answer, bool | Truths):
        raise _not_boolean_error(job.where)
    return graph.valid() & (answer.array if isinstance(answer, Truths) else answer)


def _evaluate_point_by_point(job: SweepJob, graph: GraphResults) -> Any:
    """Decide every point with plain numbers, where arrays leave something open."""
    assert job.where is not None
    valid = numpy.broadcast_to(graph.valid(), graph.block.shape)
    totals = {key: numpy.broadcast_to(array_of(total), graph.block.shape) for key, total in graph.totals.items()}
    found = numpy.zeros_like(valid)
    for place in zip(*numpy.nonzero(valid), strict=True):
        scope = job.values_at(graph.block.number(place))
        scope |= {key: int(array[place]) for key, array in totals.items()}
        found[place] = holds(job.where, scope)
    return found


def holds(text: str, scope: Mapping[str, Any]) -> bool:
    """Whether a condition holds for plain numbers.

    Raises:
        SpecError: CC715, where it cannot be worked out or is none.
    """
    try:
        answer = parse_condition(text, scope).evaluate(scope)
    except ExpressionError as error:
        raise _condition_error(text, error, scope) from None
    if not isinstance(answer, bool):
        raise _not_boolean_error(text)
    return answer


def _condition_error(text: str, error: ExpressionError, scope: Mapping[str, Any] | None = None) -> SpecError:
    at = f" at {', '.join(f'{name}={value}' for name, value in scope.items())}" if scope else ""
    start, length = (0, len(text)) if "\n" in text else (error.start, max(1, error.end - error.start))
    span = Span(Source("--where", text), 1, 1 + start, length)
    return SpecError(INVALID_CONDITION, f"{error.text}{at}", span, error.hint)


def _not_boolean_error(text: str) -> SpecError:
    span = Span(Source("--where", text), 1, 1, len(text))
    return SpecError(INVALID_CONDITION, "a condition is true or false", span, hint="compare: params <= 5e6")
