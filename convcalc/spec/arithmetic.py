"""The operators over every kind of number: two ints take the short way, then fractions, then unknown numbers."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from fractions import Fraction
from types import MappingProxyType
from typing import TypeAlias

from convcalc.spec import unknowns
from convcalc.spec.exact import LARGEST_EXPONENT, settle, within
from convcalc.spec.faults import KIND, LIMIT, Fault
from convcalc.spec.guards import require_divisor
from convcalc.spec.kinds import Rational, Value, is_exact, known, require_number, shown

Operation: TypeAlias = Callable[[Value, Value], Value]


def operation(sign: str, exact: Operation, unknown: Operation) -> Operation:
    """Return the operator of a sign, from its rule for exact numbers and its rule for others."""

    def operate(left: Value, right: Value) -> Value:
        if type(left) is int and type(right) is int:
            result = exact(left, right)
            return within(result) if type(result) is int else settle(result)
        if both_exact(sign, left, right):
            return settle(exact(left, right), left, right)
        return unknown(left, right)

    return operate


def both_exact(sign: str, left: Value, right: Value) -> bool:
    """Demand two numbers; return whether both are known."""
    require_number(f"'{sign}'", left, 1)
    require_number(f"'{sign}'", right, 2)
    return is_exact(left) and is_exact(right)


def exact_quotient(left: Rational, right: Rational) -> Rational:
    require_divisor(right)
    return Fraction(left) / right


def exact_floor(left: Rational, right: Rational) -> int:
    require_divisor(right)
    return left // right


def exact_remainder(left: Rational, right: Rational) -> Rational:
    require_divisor(right)
    return left % right


add = operation("+", operator.add, unknowns.add)
subtract = operation("-", operator.sub, unknowns.subtract)
multiply = operation("*", operator.mul, unknowns.multiply)
divide = operation("/", exact_quotient, unknowns.divide)
floor_divide = operation("//", exact_floor, unknowns.floor_divide)
remainder = operation("%", exact_remainder, unknowns.remainder)


def power(base: Value, exponent: Value) -> Value:
    """base^exponent for an integer exponent of at most 64 in size."""
    both_exact("**", base, exponent)
    exponent = known(exponent, "an exponent")
    if not isinstance(exponent, int):
        raise Fault(KIND, f"an exponent must be an integer, not {shown(exponent)}", 2, "sqrt(x) is the square root")
    if abs(exponent) > LARGEST_EXPONENT:
        raise Fault(LIMIT, f"the exponent {exponent} is beyond {LARGEST_EXPONENT}, the limit of expressions", 2)
    if not is_exact(base):
        return unknowns.power(base, exponent)
    if exponent < 0:
        require_divisor(base)
    return settle(Fraction(base) ** exponent, base)


def negate(value: Value) -> Value:
    """−value."""
    require_number("'-'", value, 1)
    return unknowns.negate(value)


BINARY: Mapping[str, Operation] = MappingProxyType(
    {
        "+": add,
        "-": subtract,
        "*": multiply,
        "/": divide,
        "//": floor_divide,
        "%": remainder,
        "**": power,
    }
)
"""Sign → operation."""
