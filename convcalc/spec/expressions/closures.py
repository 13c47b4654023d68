"""Parts of an expression, compiled: each is a Python closure that works its value out from the variables in scope.

Arithmetic does not know where its operands stand. Here that is known, so here a ``Fault`` gets its place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from convcalc.arith import agreed, is_swept, names_of
from convcalc.errors import Undecided
from convcalc.spec.expressions.errors import ExpressionError, Fault, Place
from convcalc.spec.expressions.messages import unknown_name
from convcalc.spec.expressions.operators import Operation
from convcalc.spec.expressions.values import Value, finished, kind, truth

Scope: TypeAlias = Mapping[str, Any]
Run: TypeAlias = Callable[[Scope], Value]


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of an expression: how to evaluate it and where it stands."""

    run: Run
    place: Place


def constant(value: Value, place: Place) -> Part:
    """A number, a boolean or a symbol."""
    return Part(lambda _: value, place)


def variable(name: str, place: Place) -> Part:
    """The value that a name has in scope."""

    def run(scope: Scope) -> Value:
        try:
            return scope[name]
        except KeyError:
            raise unknown_name(name, place, scope) from None

    return Part(run, place)


def listed(elements: Sequence[Part], place: Place) -> Part:
    """``[a, b, …]``."""
    runs = [element.run for element in elements]
    return Part(lambda scope: tuple([finished(run(scope)) for run in runs]), place)


def applied(operation: Callable[..., Value], sign: Place, operands: Sequence[Part], place: Place) -> Part:
    """An operation on operands that are all evaluated first: an operator, a function, an index."""
    places = (sign, *(operand.place for operand in operands))
    runs = [operand.run for operand in operands]
    if len(runs) == 2:
        return Part(_applied_to_two(operation, runs[0], runs[1], places), place)

    def run(scope: Scope) -> Value:
        try:
            return operation(*[operand(scope) for operand in runs])
        except Fault as fault:
            raise fault.at(places) from None

    return Part(run, place)


def _applied_to_two(operation: Operation, first: Run, second: Run, places: Sequence[Place]) -> Run:
    """Nearly all operations have two operands; without a list of them they take half the time."""

    def run(scope: Scope) -> Value:
        try:
            return operation(first(scope), second(scope))
        except Fault as fault:
            raise fault.at(places) from None

    return run


def compared(comparisons: Sequence[Operation], signs: Sequence[Place], operands: Sequence[Part], place: Place) -> Part:
    """``a < b < c``: neighbours are compared until one comparison fails; every operand is evaluated at most once."""
    if len(comparisons) == 1:
        return applied(comparisons[0], signs[0], operands, place)
    first, *others = (operand.run for operand in operands)
    neighbours = zip(signs, operands, operands[1:], strict=False)
    places = [(sign, left.place, right.place) for sign, left, right in neighbours]
    steps = list(zip(comparisons, others, places, strict=True))

    def run(scope: Scope) -> Value:
        answer, left = True, first(scope)
        for compare, operand, around in steps:
            try:
                if not truth("a comparison", answer, 0):
                    return False
                right = operand(scope)
                answer, left = compare(left, right), right
            except Fault as fault:
                raise fault.at(around) from None
        return answer

    return Part(run, place)


def logical(word: str, sign: Place, left: Part, right: Part, place: Place) -> Part:
    """``a and b``, ``a or b``: the second is evaluated only where the first does not decide."""
    first, second, places, decisive = left.run, right.run, (sign, left.place, right.place), word == "or"

    def run(scope: Scope) -> Value:
        try:
            one = agreed(first(scope))
            if is_swept(one):
                return _pointwise(one, lambda: second(scope), decisive)
            if truth(f"'{word}'", one, 1) is decisive:
                return decisive
            other = second(scope)
            return other if is_swept(other) else truth(f"'{word}'", other, 2)
        except Fault as fault:
            raise fault.at(places) from None

    return Part(run, place)


def _pointwise(one: Any, second: Callable[[], Value], decisive: bool) -> Value:
    """Join two truths point by point; what fails in the second might not be evaluated at any point that fails."""
    try:
        other = second()
    except (Fault, ExpressionError):
        raise Undecided("a condition", names_of(one)) from None
    if kind(one) != "boolean" or kind(other) != "boolean":
        raise Undecided("a condition", names_of(one))
    return one | other if decisive else one & other


def chosen(then: Part, condition: Part, otherwise: Part, place: Place) -> Part:
    """``a if condition else b``: only the one that is chosen is evaluated."""
    decide, places, one, other = condition.run, (place, condition.place), then.run, otherwise.run

    def run(scope: Scope) -> Value:
        try:
            taken = truth("'if'", decide(scope), 1)
        except Fault as fault:
            raise fault.at(places) from None
        return one(scope) if taken else other(scope)

    return Part(run, place)
