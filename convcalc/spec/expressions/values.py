"""Values of expressions: exact numbers, booleans, keywords and lists; their types and names."""

from __future__ import annotations

from decimal import Context, Decimal
from fractions import Fraction
from math import isqrt
from typing import Any, TypeAlias

from convcalc.arith import collapse_uniform, free_names
from convcalc.errors import Undecided, quoted
from convcalc.quantities import parse_quantity
from convcalc.spec.expressions.errors import E_LIMIT, E_TYPE, OperandError
from convcalc.spec.limits import DECIMALS, LARGEST, LARGEST_EXPONENT

MAX_SHOWN_DENOMINATOR = 10**6

Value: TypeAlias = Any
"""int, Fraction (never a whole one), bool, ``Keyword``, a tuple of values; or an array or a symbolic expression."""

Rational: TypeAlias = int | Fraction


class Keyword(str):
    """A choice of an argument, such as ``relu``."""

    __slots__ = ()


class Quotient:
    """An exact division with an array or a symbolic expression in it, which no number on hand can hold.

    It lives inside one expression, until ``ceil``, ``//`` or the like make it whole again. A denominator that is known
    is an int above 1; an array in its place is positive everywhere.
    """

    __slots__ = ("denominator", "numerator")

    def __init__(self, numerator: Any, denominator: Any) -> None:
        self.numerator = numerator
        self.denominator = denominator

    @property
    def swept(self) -> tuple[str, ...]:
        """The axes of a sweep that it spans."""
        parts = (self.numerator, self.denominator)
        return tuple(sorted({name for part in parts for name in getattr(part, "swept", ())}))


def is_symbolic(value: Value) -> bool:
    """Whether a value is a number, or a truth, that is not known yet: an array or a symbolic expression."""
    return hasattr(value, "dtype") or hasattr(value, "free_symbols")


def is_quotient(value: Value) -> bool:
    return type(value) is Quotient


def type_name(value: Value) -> str:
    """Return ``number``, ``boolean``, ``symbol`` or ``list``; arrays of truths and symbolic relations are booleans."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | Fraction | Quotient):
        return "number"
    if isinstance(value, str):
        return "symbol"
    if isinstance(value, tuple):
        return "list"
    if not is_symbolic(value):
        raise TypeError(f"expressions have no values of type {type(value).__name__}")
    is_truth = any(getattr(value, flag, False) for flag in ("is_Boolean", "is_Relational"))  # of SymPy
    dtype = getattr(value, "dtype", None)
    return "boolean" if is_truth or getattr(dtype, "kind", "") == "b" else "number"


def is_exact(number: Value) -> bool:
    """Whether a number is known: an int or a Fraction, neither an array nor symbolic."""
    return isinstance(number, int | Fraction)


def all_integers(values: tuple[Value, ...]) -> bool:
    """Whether all values are ints, found at the speed that long lists ask for."""
    return set(map(type, values)) <= {int}


def all_exact(values: tuple[Value, ...]) -> bool:
    """Whether all values are ints or Fractions, found at the speed that long lists ask for."""
    return set(map(type, values)) <= {int, Fraction}


def require_plain(value: Value, needed: str) -> Value:
    """Return a value that must be plain, or raise ``Undecided`` saying what needs it."""
    if isinstance(value, Quotient) or is_symbolic(value):
        raise Undecided(needed, free_names(value))
    return value


def require_no_quotient(value: Value) -> Value:
    """Return a value that may leave its expression, or raise ``Undecided`` for a division that was left open."""
    if type(value) is Quotient:
        raise Undecided("a division", free_names(value))
    return value


def require_number(who: str, value: Value, operand: int) -> None:
    """Demand a number of whoever has the value as an operand."""
    if type_name(value) != "number":
        raise OperandError(E_TYPE, f"{who} needs numbers, not {describe_value(value)}", operand)


def as_boolean(who: str, value: Value, operand: int) -> bool:
    """Return the truth of a boolean. 1 and 0 are none; that of a symbolic relation is not known yet.

    Nor is that of an array, unless it is one of a sweep whose points agree.
    """
    if isinstance(value, bool):
        return value
    if type_name(value) == "boolean":
        if isinstance(settled := collapse_uniform(value), bool):
            return settled
        raise Undecided("a condition", free_names(value))
    text = f"{who} needs booleans, not {describe_value(value)}"
    raise OperandError(E_TYPE, text, operand, "a comparison such as x != 0 is a boolean")


def describe_value(value: Value) -> str:
    """Name a value with its kind, for a sentence."""
    if isinstance(value, tuple):
        return f"a list of {len(value)}"
    if isinstance(value, str):
        return f"the word '{value}'"
    if isinstance(value, bool):
        return f"the boolean {str(value).lower()}"
    return f"the number {format_rational(value)}" if is_exact(value) else f"a {type_name(value)} that is not known yet"


def format_rational(number: Rational) -> str:
    """Write a number as it is, or with six digits where it would be too long to read."""
    return str(number) if number.denominator <= MAX_SHOWN_DENOMINATOR else f"{float(number):.6g}"


def parse_number(text: str) -> Rational:
    """Return the value of a number as it is written: digits, decimals, exponent; perhaps a suffix.

    An exponent beyond 64 is refused without being worked out.
    """
    if text.isdecimal():
        return _limited(text, int(text))
    if not text[-1:].isdecimal():
        return _limited(text, parse_quantity(text) or 0)
    digits, _, exponent = text.lower().partition("e")
    if exponent and abs(int(exponent)) > LARGEST_EXPONENT:
        beyond = f"the exponent of {quoted(text)} is beyond {LARGEST_EXPONENT}, the limit of expressions"
        raise OperandError(E_LIMIT, beyond)
    integer, _, decimals = digits.partition(".")
    shift = int(exponent or 0) - len(decimals)
    return _limited(text, int(integer + decimals) * Fraction(10) ** shift)


def _limited(text: str, number: Rational) -> Rational:
    try:
        return normalize(number)
    except OperandError:
        beyond = f"{quoted(text)} is beyond the limit of expressions: 10^18, or 18 decimals"
        raise OperandError(E_LIMIT, beyond) from None


def check_magnitude(number: int) -> int:
    """Return an integer of at most 10¹⁸ in size."""
    if -LARGEST <= number <= LARGEST:
        return number
    raise OperandError(E_LIMIT, "the result is beyond 10^18, the limit of expressions")


def normalize(result: Rational, *operands: Rational) -> Rational:
    """Return the result of an operation in canonical form, within limits: a whole number is an int.

    Numerator and denominator are at most 10¹⁸. Only rounded numbers have longer ones; what is computed from those is
    rounded again, and only its size is limited.
    """
    if any(map(is_rounded, operands)):
        return round_to_limit(Fraction(result))
    if result.denominator == 1:
        return check_magnitude(result.numerator)
    if result.denominator <= LARGEST and -LARGEST <= result.numerator <= LARGEST:
        return result
    raise OperandError(E_LIMIT, "the numerator or denominator of the result is beyond 10^18, the limit of expressions")


def is_rounded(number: Rational) -> bool:
    """Whether a number exceeds the limits of exact fractions, so that it must come from rounding."""
    return isinstance(number, Fraction) and (number.denominator > LARGEST or abs(number.numerator) > LARGEST)


def round_to_limit(number: Fraction) -> Rational:
    """Return the number rounded half to even at 30 decimals, at most 10¹⁸ in size."""
    result = round(number, DECIMALS)
    check_magnitude(int(result))
    return result.numerator if result.denominator == 1 else result


def square_root(number: Rational) -> Rational:
    """√number for a number ≥ 0: exact where that is rational, else to 30 decimals."""
    root = Fraction(isqrt(number.numerator), isqrt(number.denominator))
    if root * root == number:
        return normalize(root, number)
    scaled = number * 100**DECIMALS
    below = isqrt(int(scaled))
    nearest = below + 1 if (2 * below + 1) ** 2 < 4 * scaled else below  # no tie: its root would be rational
    return round_to_limit(Fraction(nearest, 10**DECIMALS))


def binary_logarithm(number: Rational) -> Rational:
    """log₂ number for a number > 0: exact for powers of two, else to 30 decimals."""
    if is_power_of_two(number.numerator) and is_power_of_two(number.denominator):
        return number.numerator.bit_length() - number.denominator.bit_length()
    # 90 digits are far more than 30 decimals of a logarithm below 200 need, and decimal rounds ln correctly everywhere
    context = Context(prec=90)
    quotient = context.divide(Decimal(number.numerator), Decimal(number.denominator))
    return round_to_limit(Fraction(context.divide(context.ln(quotient), context.ln(Decimal(2)))))


def is_power_of_two(number: int) -> bool:
    return number & (number - 1) == 0
