"""Parts of an expression, compiled: each is a Python closure that works its value out from the variables in scope.

Arithmetic does not know the places of its operands. They are known here, so an ``OperandError`` gets its place here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from convcalc.arith import collapse_uniform, free_names, is_swept
from convcalc.errors import Undecided
from convcalc.records import NamedTuple, dataclass, replace
from convcalc.spec.expressions.errors import ExpressionError, OperandError, TextRange
from convcalc.spec.expressions.messages import unknown_name
from convcalc.spec.expressions.operators import Operation, index_list
from convcalc.spec.expressions.values import Value, as_boolean, require_no_quotient, type_name

Variables: TypeAlias = Mapping[str, Any]
Evaluator: TypeAlias = Callable[[Variables], Value]


class Name(NamedTuple):
    """A name, and its place in the text."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Compiled:
    """A part of an expression: how to evaluate it, and its place."""

    run: Evaluator
    place: TextRange
    values: tuple[tuple[int, Name], ...] = ()
    """The names that may be its value (depth 0), an element of it (1), an element of an element (2) and so on."""


def compile_constant(value: Value, place: TextRange) -> Compiled:
    """A number, a boolean or a word."""
    return Compiled(lambda _: value, place)


def compile_variable(name: Name) -> Compiled:
    """The value that a name has in scope."""
    text, place = name.text, (name.start, name.end)

    def run(scope: Variables) -> Value:
        try:
            return scope[text]
        except KeyError:
            raise unknown_name(text, place, scope) from None

    return Compiled(run, place, ((0, name),))


def compile_list(elements: Sequence[Compiled], place: TextRange) -> Compiled:
    """``[a, b, …]``."""
    runs = [element.run for element in elements]
    values = tuple((depth + 1, name) for element in elements for depth, name in element.values)
    return Compiled(lambda scope: tuple([require_no_quotient(run(scope)) for run in runs]), place, values)


def compile_index(elements: Compiled, index: Compiled, place: TextRange) -> Compiled:
    """``a[b]``."""
    values = tuple((depth - 1, name) for depth, name in elements.values if depth)
    return replace(compile_call(index_list, place, [elements, index], place), values=values)


def compile_call(
    operation: Callable[..., Value], sign: TextRange, operands: Sequence[Compiled], place: TextRange
) -> Compiled:
    """An operation on operands that are all evaluated first: an operator, a function, an index."""
    places = (sign, *(operand.place for operand in operands))
    runs = [operand.run for operand in operands]
    if len(runs) == 2:
        return Compiled(_call_of_two(operation, runs[0], runs[1], places), place)

    def run(scope: Variables) -> Value:
        try:
            return operation(*[operand(scope) for operand in runs])
        except OperandError as error:
            raise error.at(places) from None

    return Compiled(run, place)


def _call_of_two(operation: Operation, first: Evaluator, second: Evaluator, places: Sequence[TextRange]) -> Evaluator:
    """Nearly all operations have two operands: without a list of them, half the time."""

    def run(scope: Variables) -> Value:
        try:
            return operation(first(scope), second(scope))
        except OperandError as error:
            raise error.at(places) from None

    return run


def compile_comparison(
    comparisons: Sequence[Operation], signs: Sequence[TextRange], operands: Sequence[Compiled], place: TextRange
) -> Compiled:
    """``a < b < c``: neighbours are compared until one comparison fails; every operand is evaluated at most once."""
    if len(comparisons) == 1:
        return compile_call(comparisons[0], signs[0], operands, place)
    first, *others = (operand.run for operand in operands)
    neighbours = zip(signs, operands, operands[1:], strict=False)
    places = [(sign, left.place, right.place) for sign, left, right in neighbours]
    steps = list(zip(comparisons, others, places, strict=True))

    def run(scope: Variables) -> Value:
        answer, left = True, first(scope)
        for compare, operand, around in steps:
            try:
                if not as_boolean("a comparison", answer, 0):
                    return False
                right = operand(scope)
                answer, left = compare(left, right), right
            except OperandError as error:
                raise error.at(around) from None
        return answer

    return Compiled(run, place)


def compile_logical(word: str, sign: TextRange, left: Compiled, right: Compiled, place: TextRange) -> Compiled:
    """``a and b``, ``a or b``: the second is evaluated only where the first does not decide."""
    first, second, places, decisive = left.run, right.run, (sign, left.place, right.place), word == "or"

    def run(scope: Variables) -> Value:
        try:
            one = collapse_uniform(first(scope))
            if is_swept(one):
                return _pointwise(one, lambda: second(scope), decisive)
            if as_boolean(f"'{word}'", one, 1) is decisive:
                return decisive
            other = second(scope)
            return other if is_swept(other) else as_boolean(f"'{word}'", other, 2)
        except OperandError as error:
            raise error.at(places) from None

    return Compiled(run, place)


def _pointwise(one: Any, second: Callable[[], Value], decisive: bool) -> Value:
    """Join two truths point by point; what fails in the second might not be evaluated at any point that fails."""
    try:
        other = second()
    except (OperandError, ExpressionError):
        raise Undecided("a condition", free_names(one)) from None
    if type_name(one) != "boolean" or type_name(other) != "boolean":
        raise Undecided("a condition", free_names(one))
    return one | other if decisive else one & other


def compile_conditional(then: Compiled, condition: Compiled, otherwise: Compiled, place: TextRange) -> Compiled:
    """``a if condition else b``: only the one that is chosen is evaluated."""
    decide, places, one, other = condition.run, (place, condition.place), then.run, otherwise.run

    def run(scope: Variables) -> Value:
        try:
            taken = as_boolean("'if'", decide(scope), 1)
        except OperandError as error:
            raise error.at(places) from None
        return one(scope) if taken else other(scope)

    return Compiled(run, place, then.values + otherwise.values)
