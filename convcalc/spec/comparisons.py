"""``== != < <= > >=``: anything can be equal or not, only numbers have an order."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from types import MappingProxyType

from convcalc import arith
from convcalc.arith import agreed, is_swept
from convcalc.spec.arithmetic import Operation, both_exact
from convcalc.spec.faults import LIMIT, Fault
from convcalc.spec.kinds import Value, all_exact, is_exact, kind, known, truth
from convcalc.spec.limits import LIST
from convcalc.spec.unknowns import same_denominator


def equal(left: Value, right: Value) -> Value:
    """Whether two values are of one kind and equal: ``1 == true`` is false. A relation where a number is unknown."""
    if type(left) is int and type(right) is int:
        return left == right
    if isinstance(left, tuple) and isinstance(right, tuple):
        return equal_lists(left, right)
    compared = kind(left)
    if compared != kind(right):
        return False
    if compared == "number" and not (is_exact(left) and is_exact(right)):
        first, second, _ = same_denominator(left, right)
        return arith.equal(first, second)
    if compared == "boolean":
        known(left, "a condition")
        known(right, "a condition")
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
            if not truth("'=='", equal(one, other), 0):
                return False
            continue
        elements += len(one)
        if elements > LIST:
            raise Fault(LIMIT, f"lists of more than {LIST} elements in all cannot be compared")
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


def inverse(value: Value) -> Value:
    """``not value``."""
    settled = agreed(value)
    return ~settled if is_swept(settled) and kind(settled) == "boolean" else not truth("'not'", settled, 1)


def order(sign: str, exact: Operation, unknown: Operation) -> Operation:
    """Return the comparison of a sign, from its rule for exact numbers and its rule for others."""

    def compare(left: Value, right: Value) -> Value:
        if (type(left) is int and type(right) is int) or both_exact(sign, left, right):
            return exact(left, right)
        first, second, _ = same_denominator(left, right)
        return unknown(first, second)

    return compare


COMPARISONS: Mapping[str, Operation] = MappingProxyType(
    {
        "==": equal,
        "!=": unequal,
        "<": order("<", operator.lt, arith.less),
        "<=": order("<=", operator.le, arith.less_equal),
        ">": order(">", operator.gt, lambda left, right: arith.less(right, left)),
        ">=": order(">=", operator.ge, lambda left, right: arith.less_equal(right, left)),
    }
)
"""Sign → comparison."""
