"""Exact arithmetic with arrays and symbolic expressions, and its checks of overflow and of division by 0.

NumPy wraps past 2⁶³ and divides by 0 silently. Where an element might, ``Undecided`` is raised, so that the points are
evaluated one by one with plain numbers: each is then right or an error of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import gcd, lcm
from typing import Any

from convcalc import arith
from convcalc.arith import free_names
from convcalc.errors import Undecided
from convcalc.spec.expressions.errors import E_ZERO_DIVISION, OperandError
from convcalc.spec.expressions.values import Quotient, is_exact, is_rounded, normalize
from convcalc.spec.limits import LARGEST


def is_array(value: Any) -> bool:
    return hasattr(value, "dtype")


def is_negative(value: Any) -> bool:
    """Whether a number, or any element of an array, is below 0; of a symbolic expression, whether it surely is."""
    if is_array(value):
        return bool(value.size and value.min() < 0)
    return bool(value < 0 if is_exact(value) else value.is_negative)


def max_magnitude(value: Any) -> int:
    """The largest size of any element; 0 for what cannot overflow, a symbolic expression."""
    if is_exact(value):
        return abs(int(value))
    if not is_array(value) or not value.size:
        return 0
    return max(abs(int(value.min())), abs(int(value.max())))


def require_no_overflow(size: int) -> None:
    """Demand that a result of at most this size stays within the limits of plain numbers."""
    if size > LARGEST:
        raise Undecided("a number that may pass 10^18")


def require_divisor(divisor: Any) -> None:
    """Demand that what divides is not 0, and of an array that one rule of signs holds for all of it.

    Symbols stand for sizes: a divisor made of them is taken to be positive unless it vanishes.
    """
    if is_array(divisor):
        if divisor.size and divisor.min() <= 0:
            raise Undecided("a divisor that may be 0 or negative")
    elif divisor == 0 or (not is_exact(divisor) and divisor.expand() == 0):
        raise OperandError(E_ZERO_DIVISION, "division by zero")


def add(left: Any, right: Any) -> Any:
    """left + right."""
    if is_integer_valued(left) and is_integer_valued(right):
        require_no_overflow(max_magnitude(left) + max_magnitude(right))
        return as_int_if_constant(left + right)
    first, second, denominator = common_denominator(left, right)
    return make_quotient(add(first, second), denominator)


def negate(value: Any) -> Any:
    """−value."""
    return Quotient(-value.numerator, value.denominator) if isinstance(value, Quotient) else -value


def multiply(left: Any, right: Any) -> Any:
    """left · right, with common factors cancelled as far as they are known: n/4·8 is 2n."""
    if is_integer_valued(left) and is_integer_valued(right):
        require_no_overflow(max_magnitude(left) * max_magnitude(right))
        return as_int_if_constant(left * right)
    a, b = as_quotient(left), as_quotient(right)
    first, second = cancel_gcd(a.numerator, b.denominator), cancel_gcd(b.numerator, a.denominator)
    return make_quotient(multiply(first[0], second[0]), multiply(first[1], second[1]))


def divide(left: Any, right: Any) -> Any:
    """left / right, exactly."""
    divisor = as_quotient(right)
    require_divisor(divisor.numerator)
    return multiply(left, Quotient(divisor.denominator, divisor.numerator))


def subtract(left: Any, right: Any) -> Any:
    """left − right."""
    return add(left, negate(right))


def floor_divide(left: Any, right: Any) -> Any:
    """⌊left / right⌋."""
    return floor(divide(left, right))


def remainder(left: Any, right: Any) -> Any:
    """What floor division leaves; it has the sign of the divisor."""
    return subtract(left, multiply(right, floor_divide(left, right)))


def power(base: Any, exponent: int) -> Any:
    """base^exponent for a known exponent."""
    if exponent < 0:
        return divide(1, power(base, -exponent))
    if isinstance(base, Quotient):
        return make_quotient(power(base.numerator, exponent), power(base.denominator, exponent))
    require_no_overflow(max_magnitude(base) ** exponent)
    return as_int_if_constant(base**exponent)


def floor(value: Any) -> Any:
    """The largest integer that is at most x."""
    if is_integer_valued(value):
        return value
    return as_int_if_constant(arith.floordiv(value.numerator, value.denominator))


def ceil(value: Any) -> Any:
    """The smallest integer that is at least x."""
    if is_integer_valued(value):
        return value
    return as_int_if_constant(arith.ceildiv(value.numerator, value.denominator))


def truncate(value: Any) -> Any:
    """The integer part of a value ≥ 0, which what is symbolic is taken to be where nothing shows that it is not."""
    if isinstance(value, Quotient) and is_negative(value.numerator):
        raise Undecided("the integer part of a negative number")
    return floor(value)


def round_half_even(value: Any) -> Any:
    """The nearest integer, and of two the even one: ⌊value + 1/2⌋, less 1 where that was a tie and became odd."""
    if not isinstance(value, Quotient):
        return value
    shifted = as_quotient(add(value, Fraction(1, 2)))
    up = floor(shifted)
    if is_exact(value.denominator) and value.denominator % 2 == 1:
        return up  # an odd denominator cannot tie
    no_tie = arith.at_most(arith.modulo(shifted.numerator, shifted.denominator), 1)
    return up - (1 - no_tie) * arith.modulo(up, 2)


def at_least(value: Any, least: Any) -> Any:
    """max(value, least)."""
    return _extreme(arith.at_least, value, least)


def at_most(value: Any, most: Any) -> Any:
    """min(value, most)."""
    return _extreme(arith.at_most, value, most)


def _extreme(choose: Callable[[Any, Any], Any], left: Any, right: Any) -> Any:
    first, second, denominator = common_denominator(left, right)
    chosen = choose(require_integer(first), require_integer(second))
    return make_quotient(as_int_if_constant(chosen), denominator)


def less_as_int(left: Any, right: Any) -> Any:
    """1 where left < right, else 0: a count, because symbolic conditions within conditions take SymPy minutes."""
    smaller, larger, _ = common_denominator(left, right)
    return arith.at_most(arith.at_least(subtract(larger, smaller), 0), 1)


def common_denominator(left: Any, right: Any) -> tuple[Any, Any, Any]:
    """Return two numerators and the positive denominator they share; so they compare as the two values do."""
    if is_integer_valued(left) and is_integer_valued(right):
        return left, right, 1
    a, b = as_quotient(left), as_quotient(right)
    if is_exact(a.denominator) and is_exact(b.denominator):
        shared = lcm(a.denominator, b.denominator)
        return multiply(a.numerator, shared // a.denominator), multiply(b.numerator, shared // b.denominator), shared
    shared = multiply(a.denominator, b.denominator)
    return multiply(a.numerator, b.denominator), multiply(b.numerator, a.denominator), shared


def require_integer(value: Any) -> Any:
    """Return a value that must be an integer, or raise ``Undecided``."""
    if is_integer_valued(value):
        return value
    raise Undecided("a division", free_names(value))


def as_int_if_constant(value: Any) -> Any:
    """Return a symbolic result as an int where the symbols have cancelled: n − n is 0."""
    return int(value) if getattr(value, "is_Integer", False) else value


def is_integer_valued(value: Any) -> bool:
    return not isinstance(value, Quotient | Fraction)


def as_quotient(value: Any) -> Quotient:
    """Return any number as numerator and denominator."""
    if isinstance(value, Quotient):
        return value
    if isinstance(value, Fraction):
        if is_rounded(value):
            raise Undecided("what an irrational number is multiplied with")
        return Quotient(value.numerator, value.denominator)
    return Quotient(value, 1)


def make_quotient(numerator: Any, denominator: Any) -> Any:
    """Return numerator/denominator with a positive denominator: no quotient where both are known or it divides by 1."""
    if not is_exact(denominator):
        return Quotient(numerator, denominator)
    if is_exact(numerator):
        return normalize(Fraction(numerator, denominator))
    if denominator < 0:
        numerator, denominator = negate(numerator), -denominator
    if hasattr(numerator, "free_symbols") and arith.divides(denominator, numerator) is True:
        return as_int_if_constant(arith.floordiv(numerator, denominator))  # 4·m/4 is m
    return numerator if denominator == 1 else Quotient(numerator, denominator)


def cancel_gcd(numerator: Any, denominator: Any) -> tuple[Any, Any]:
    """Return the two without their common factor, where both are known."""
    if not (is_exact(numerator) and is_exact(denominator)):
        return numerator, denominator
    common = gcd(numerator, denominator)
    return numerator // common, denominator // common
