"""The one form and the limits of exact numbers, and the one way to round irrational ones."""

from __future__ import annotations

from decimal import Context, Decimal
from fractions import Fraction
from math import isqrt

from convcalc.errors import quoted
from convcalc.quantities import quantity
from convcalc.spec.faults import LIMIT, Fault
from convcalc.spec.kinds import Rational

LARGEST = 10**18
LARGEST_EXPONENT = 64
DECIMALS = 30


def literal(text: str) -> Rational:
    """Return the value of a number as it is written: digits, decimals, exponent; perhaps a suffix.

    An exponent beyond 64 is refused without being worked out.
    """
    if not text[-1:].isdecimal():
        return _limited(text, quantity(text) or 0)
    digits, _, exponent = text.lower().partition("e")
    if exponent and abs(int(exponent)) > LARGEST_EXPONENT:
        raise Fault(LIMIT, f"the exponent of {quoted(text)} is beyond {LARGEST_EXPONENT}, the limit of expressions")
    integer, _, decimals = digits.partition(".")
    shift = int(exponent or 0) - len(decimals)
    return _limited(text, int(integer + decimals) * Fraction(10) ** shift)


def _limited(text: str, number: Rational) -> Rational:
    try:
        return settle(number)
    except Fault:
        raise Fault(LIMIT, f"{quoted(text)} is beyond the limit of expressions: 10^18, or 18 decimals") from None


def within(number: int) -> int:
    """Return an integer of at most 10¹⁸ in size."""
    if -LARGEST <= number <= LARGEST:
        return number
    raise Fault(LIMIT, "the result is beyond 10^18, the limit of expressions")


def settle(result: Rational, *operands: Rational) -> Rational:
    """Return the result of an operation in its one form and within limits: a whole number is an int.

    Numerator and denominator are at most 10¹⁸. Only rounded numbers have longer ones; what is computed from those is
    rounded again, and only its size is limited.
    """
    if any(map(was_rounded, operands)):
        return rounded(Fraction(result))
    if result.denominator == 1:
        return within(result.numerator)
    if result.denominator <= LARGEST and -LARGEST <= result.numerator <= LARGEST:
        return result
    raise Fault(LIMIT, "the numerator or denominator of the result is beyond 10^18, the limit of expressions")


def was_rounded(number: Rational) -> bool:
    """Whether a number exceeds the limits of exact fractions, so that it must come from rounding."""
    return isinstance(number, Fraction) and (number.denominator > LARGEST or abs(number.numerator) > LARGEST)


def rounded(number: Fraction) -> Rational:
    """Return the number rounded half to even at 30 decimals, at most 10¹⁸ in size."""
    result = round(number, DECIMALS)
    within(int(result))
    return result.numerator if result.denominator == 1 else result


def square_root(number: Rational) -> Rational:
    """√number for a number ≥ 0: exact where that is rational, else to 30 decimals."""
    root = Fraction(isqrt(number.numerator), isqrt(number.denominator))
    if root * root == number:
        return settle(root, number)
    scaled = number * 100**DECIMALS
    below = isqrt(int(scaled))
    nearest = below + 1 if (2 * below + 1) ** 2 < 4 * scaled else below  # no tie: its root would be rational
    return rounded(Fraction(nearest, 10**DECIMALS))


def binary_logarithm(number: Rational) -> Rational:
    """log₂ number for a number > 0: exact for powers of two, else to 30 decimals."""
    if is_power_of_two(number.numerator) and is_power_of_two(number.denominator):
        return number.numerator.bit_length() - number.denominator.bit_length()
    # 90 digits are far more than 30 decimals of a logarithm below 200 need, and decimal rounds ln correctly everywhere
    context = Context(prec=90)
    quotient = context.divide(Decimal(number.numerator), Decimal(number.denominator))
    return rounded(Fraction(context.divide(context.ln(quotient), context.ln(Decimal(2)))))


def is_power_of_two(number: int) -> bool:
    return number & (number - 1) == 0
