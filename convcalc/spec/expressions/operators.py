"""The operators over every kind of number: two ints take the short way, then fractions, then unknown numbers."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from enum import IntEnum, auto
from fractions import Fraction
from typing import TypeAlias

from convcalc import arith
from convcalc.arith import collapse_uniform, is_swept
from convcalc.spec.expressions import symbolic_arithmetic as unknowns
from convcalc.spec.expressions.errors import E_INDEX, E_LIMIT, E_TYPE, OperandError
from convcalc.spec.expressions.symbolic_arithmetic import common_denominator, require_divisor
from convcalc.spec.expressions.values import (
    Value,
    all_exact,
    as_boolean,
    check_magnitude,
    describe_value,
    format_rational,
    is_exact,
    normalize,
    require_number,
    require_plain,
    type_name,
)
from convcalc.spec.limits import LARGEST_EXPONENT, LIST, count_elements

Operation: TypeAlias = Callable[[Value, Value], Value]


def binary_operator(sign: str, exact: Operation, unknown: Operation) -> Operation:
    """Return the operator of a sign, from its rule for exact numbers and its rule for others."""

    def operate(left: Value, right: Value) -> Value:
        if type(left) is int and type(right) is int:
            result = exact(left, right)
            return check_magnitude(result) if type(result) is int else normalize(result)
        if check_numbers(sign, left, right):
            return normalize(exact(left, right), left, right)
        return unknown(left, right)

    return operate


def check_numbers(sign: str, left: Value, right: Value) -> bool:
    """Demand two numbers; return whether both are known."""
    require_number(f"'{sign}'", left, 1)
    require_number(f"'{sign}'", right, 2)
    return is_exact(left) and is_exact(right)


def _exact_division(divide: Operation) -> Operation:
    """Return a division of exact numbers that refuses to divide by 0."""

    def operate(left: Value, right: Value) -> Value:
        require_divisor(right)
        return divide(left, right)

    return operate


add = binary_operator("+", operator.add, unknowns.add)
subtract = binary_operator("-", operator.sub, unknowns.subtract)
multiply = binary_operator("*", operator.mul, unknowns.multiply)
divide = binary_operator("/", _exact_division(Fraction), unknowns.divide)
floor_divide = binary_operator("//", _exact_division(operator.floordiv), unknowns.floor_divide)
remainder = binary_operator("%", _exact_division(operator.mod), unknowns.remainder)


def power(base: Value, exponent: Value) -> Value:
    """base^exponent for an integer exponent of at most 64 in size."""
    check_numbers("**", base, exponent)
    exponent = require_plain(exponent, "an exponent")
    if not isinstance(exponent, int):
        raise OperandError(
            E_TYPE, f"an exponent must be an integer, not {format_rational(exponent)}", 2, "sqrt(x) is the square root"
        )
    if abs(exponent) > LARGEST_EXPONENT:
        raise OperandError(
            E_LIMIT, f"the exponent {exponent} is beyond {LARGEST_EXPONENT}, the limit of expressions", 2
        )
    if not is_exact(base):
        return unknowns.power(base, exponent)
    if exponent < 0:
        require_divisor(base)
    return normalize(Fraction(base) ** exponent, base)


def negate(value: Value) -> Value:
    """−value."""
    require_number("'-'", value, 1)
    return unknowns.negate(value)


BINARY: Mapping[str, Operation] = {
    "+": add, "-": subtract, "*": multiply, "/": divide, "//": floor_divide, "%": remainder, "**": power,
}  # fmt: skip
"""Sign → operation."""


def equal(left: Value, right: Value) -> Value:
    """Whether two values are of one kind and equal: ``1 == true`` is false. A relation where a number is unknown."""
    if type(left) is int and type(right) is int:
        return left == right
    if isinstance(left, tuple) and isinstance(right, tuple):
        return equal_lists(left, right)
    compared = type_name(left)
    if compared != type_name(right):
        return False
    if compared == "number" and not (is_exact(left) and is_exact(right)):
        first, second, _ = common_denominator(left, right)
        return arith.equal(first, second)
    if compared == "boolean":
        require_plain(left, "a condition")
        require_plain(right, "a condition")
    return left == right


def equal_lists(left: tuple[Value, ...], right: tuple[Value, ...]) -> bool:
    """Whether two lists are equal, element by element.

    Lists of lists may share parts, and be deeper and larger by far than what is written: the work is counted.
    """
    pairs: list[tuple[Value, Value]] = [(left, right)]
    elements = 0
    while pairs:
        one, other = pairs.pop()
        if not (isinstance(one, tuple) and isinstance(other, tuple)):
            if not as_boolean("'=='", equal(one, other), 0):
                return False
            continue
        elements += len(one)
        count_elements(len(one))
        if elements > LIST:
            raise OperandError(E_LIMIT, f"lists of more than {LIST} elements in all cannot be compared")
        if len(one) != len(other):
            return False
        if not (all_exact(one) and all_exact(other)):
            pairs.extend(zip(one, other, strict=True))
        elif one != other:
            return False
    return True


def unequal(left: Value, right: Value) -> Value:
    """The opposite of ``equal``."""
    answer = equal(left, right)
    return not answer if isinstance(answer, bool) else ~answer


def logical_not(value: Value) -> Value:
    """``not value``."""
    settled = collapse_uniform(value)
    return ~settled if is_swept(settled) and type_name(settled) == "boolean" else not as_boolean("'not'", settled, 1)


def comparison_operator(sign: str, exact: Operation, unknown: Operation) -> Operation:
    """Return the comparison of a sign, from its rule for exact numbers and its rule for others."""

    def compare(left: Value, right: Value) -> Value:
        if (type(left) is int and type(right) is int) or check_numbers(sign, left, right):
            return exact(left, right)
        first, second, _ = common_denominator(left, right)
        return unknown(first, second)

    return compare


COMPARISONS: Mapping[str, Operation] = {
    "==": equal,
    "!=": unequal,
    "<": comparison_operator("<", operator.lt, arith.less),
    "<=": comparison_operator("<=", operator.le, arith.less_equal),
    ">": comparison_operator(">", operator.gt, lambda left, right: arith.less(right, left)),
    ">=": comparison_operator(">=", operator.ge, lambda left, right: arith.less_equal(right, left)),
}
"""Sign → comparison."""


def index_list(values: Value, index: Value) -> Value:
    """The element of a list at an index from 0; negative ones count from the end."""
    if not isinstance(values, tuple):
        raise OperandError(
            E_INDEX, f"only a list has elements, not {describe_value(values)}", 1, "to multiply, write *"
        )
    index = require_plain(index, "an index")
    if type(index) is not int:
        raise OperandError(E_INDEX, f"an index must be an integer, not {describe_value(index)}", 2)
    if not -len(values) <= index < len(values):
        bounds = f": 0 to {len(values) - 1}, or -{len(values)} to -1" if values else ""
        raise OperandError(E_INDEX, f"index {index} is outside a list of {len(values)}{bounds}", 2)
    return values[index]


class Precedence(IntEnum):
    """How tightly an operator binds: the ones further down bind tighter."""

    LOWEST = auto()
    IF = auto()
    OR = auto()
    AND = auto()
    NOT = auto()
    COMPARISON = auto()
    SUM = auto()
    PRODUCT = auto()
    MINUS = auto()
    POWER = auto()


INFIX_PRECEDENCE: dict[str, Precedence] = {
    "if": Precedence.IF,
    "or": Precedence.OR,
    "and": Precedence.AND,
    **dict.fromkeys(COMPARISONS, Precedence.COMPARISON),
    **dict.fromkeys("+-", Precedence.SUM),
    **dict.fromkeys(("*", "/", "//", "%"), Precedence.PRODUCT),
    "**": Precedence.POWER,
}
"""Operator between two operands → how tightly it binds."""

PREFIX_PRECEDENCE: dict[str, Precedence] = {"not": Precedence.NOT, "-": Precedence.MINUS}
"""Operator before its operand → how tightly it binds."""

OPERATORS = frozenset({*INFIX_PRECEDENCE, *PREFIX_PRECEDENCE, "else"})
