"""Numbers as text. Counts stay exact; only short forms and ratios are rounded, here and nowhere else.

Everything is rounded from exact rationals, half up, and never in floating point.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

SI = ("", "k", "M", "G", "T", "P", "E", "Z", "Y", "R", "Q")
TIMES = ("", "µs", "ms", "s")
IEC = ("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi")
DECIMALS = 2
MAX_WRITTEN_DECIMALS = 6
MAX_DECIMALS = 60
"""Most decimals of ``format_unlike``."""

Rational = int | Fraction


# --- counts -----------------------------------------------------------------------------------------------------------


def format_exact(value: Rational) -> str:
    """``25557032`` → ``25,557,032``; a ratio of counts, which has no exact decimal, gets four digits."""
    if isinstance(value, Fraction) and value.denominator != 1:
        return format_significant(value, 4)
    return f"{int(value):,}"


def format_signed(value: Rational) -> str:
    """``+1,024``, ``-223,744``: with an ASCII minus, so that a pipe can read it."""
    return f"+{format_exact(value)}" if value > 0 else format_exact(value)


def format_count(value: Rational) -> str:
    """``5612345`` → ``5,612,345``; other numbers have two decimals.

    >>> format_count(5612345), format_count(Fraction(5, 2)), format_count(-1200)
    ('5,612,345', '2.5', '-1,200')
    """
    return f"{value.numerator:,}" if value.denominator == 1 else format_decimal(value)


def count_of(number: int, noun: str, plural: str = "") -> str:
    """``1 layer``, ``2 layers``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def format_count_or_shape(value: int | tuple[int, ...]) -> str:
    """Return a count with its digits grouped, a shape with its crosses."""
    return f"{value:,}" if isinstance(value, int) else "×".join(map(str, value))


def format_short(value: Rational, unit: str = "") -> str:
    """``25557032`` → ``25.56 M``, bytes in powers of 1024: ``97.49 MiB``; below a thousand the number itself.

    Nanoseconds become ``31.31 µs``.
    """
    base, names = (1024, IEC) if unit == "bytes" else (1000, TIMES if unit == "ns" else SI)
    size, one, step = abs(value.numerator), value.denominator, 0
    past = 20 * base if unit == "bytes" else 19_999  # in twentieths: 999,950 is 1.000 M and not 1,000 k
    while step + 1 < len(names) and 20 * size >= past * one:
        one, step = one * base, step + 1
    digits = _significant(value.numerator, one, 4) if step else format_exact(value)
    return f"{digits} {names[step]}{'B' if unit == 'bytes' else ''}".rstrip()


# --- decimals ---------------------------------------------------------------------------------------------------------


def format_decimal(value: Rational, places: int = DECIMALS) -> str:
    """Round half up to so many decimals; zeros at the end remain only where something was rounded.

    >>> [format_decimal(value) for value in (Fraction(9, 20), Fraction(2, 3), Fraction(-1, 3), Fraction(1999, 1000))]
    ['0.45', '0.67', '-0.33', '2.00']
    """
    return _decimal(value.numerator, value.denominator, places)


def format_significant(value: Rational, digits: int = 3) -> str:
    """Round half up to so many digits: ``2.46``, ``0.406``, ``275,000``.

    Zeros at the end mean that something was rounded there: 2 is ``2``, 1.9999 is ``2.00``.
    """
    return _significant(value.numerator, value.denominator, digits)


def _decimal(number: int, one: int, places: int) -> str:
    """Return a ratio with so many decimals."""
    scale = 10**places
    rounded = _round_half_up(abs(number), one, places)
    whole, rest = divmod(rounded, scale)
    tail = f".{rest:0{places}d}" if places else ""
    if rounded * one == abs(number) * scale:
        tail = tail.rstrip("0").rstrip(".")
    return f"{'-' if number < 0 else ''}{whole:,}{tail}"


def _significant(number: int, one: int, digits: int) -> str:
    """Return a ratio with so many digits."""
    if not number:
        return "0"
    size = abs(number)
    places = digits - 1 - _magnitude(size, one)
    if _round_half_up(size, one, places) >= 10**digits:  # 9.996 gains a digit in front
        places -= 1
    return _decimal(number, one, max(places, 0))


def _magnitude(size: int, one: int) -> int:
    """Return the power of ten of the first digit of a ratio: 2 for 381, -2 for 0.05."""
    guess = len(str(size)) - len(str(one))
    return guess if size * 10 ** max(-guess, 0) >= one * 10 ** max(guess, 0) else guess - 1


def _round_half_up(size: int, one: int, places: int) -> int:
    """Return a ratio in units of its last decimal, which is in front of the point if there are fewer than none."""
    size, one = size * 10 ** max(places, 0), one * 10 ** max(-places, 0)
    return (2 * size + one) // (2 * one)


def format_ratio(value: Rational, places: int = DECIMALS) -> str:
    """Round as ``format_decimal`` does, but keep numbers of up to six decimals as they are.

    >>> format_ratio(Fraction(23, 200)), format_ratio(Fraction(2, 3))
    ('0.115', '0.67')
    """
    written = 10**MAX_WRITTEN_DECIMALS % Fraction(value).denominator == 0
    return format_decimal(value, MAX_WRITTEN_DECIMALS if written else places)


def format_multiple(value: Fraction) -> str:
    """Three digits, and as many more as needed for a ratio of different numbers not to read ``1.00``."""
    if 0 < value < Fraction(1, 10**6):
        return "<0.000001"
    digits = 3
    text = format_significant(value, digits)
    while value != 1 and Fraction(text.replace(",", "")) == 1:
        digits += 1
        text = format_significant(value, digits)
    return text


def format_percent(value: Rational, places: int = DECIMALS) -> str:
    """``1/49`` → ``2.04 %``; a small share is not 0.

    >>> [format_percent(value) for value in (Fraction(1, 49), Fraction(2, 5), Fraction(1, 10**9), 0)]
    ['2.04 %', '40 %', '<0.01 %', '0 %']
    """
    size = 100 * abs(Fraction(value))
    if 0 < size < Fraction(1, 2 * 10**places):
        return f"{'-' if value < 0 else ''}<{format_decimal(Fraction(1, 10**places), places)} %"
    return f"{format_decimal(100 * Fraction(value), places)} %"


def format_share(thousandths: int, value: int) -> str:
    """Tenths of a percent: ``92`` → ``9.2``; 0 is blank, less than a tenth ``<0.1``, the whole ``100``."""
    if not thousandths:
        return "<0.1" if value else ""
    return "100" if thousandths == 1000 else f"{thousandths // 10}.{thousandths % 10}"


def format_unlike(value: Rational, other: Rational, form: Callable[[Rational, int], str]) -> str:
    """Return ``value`` with two decimals, and as many more as needed to differ from ``other``."""
    places = DECIMALS
    while (
        value != other
        and places < MAX_DECIMALS
        and _without_trailing_zeros(form(value, places)) == _without_trailing_zeros(form(other, places))
    ):
        places += 1
    return form(value, places)


def _without_trailing_zeros(text: str) -> str:
    """Return a number without the zeros at its end: 0.50 and 0.5 are equal."""
    digits, blank, unit = text.partition(" ")
    return (digits.rstrip("0").rstrip(".") if "." in digits else digits) + blank + unit


def format_per_axis(value: Any, written: Callable[[Any], str], text: Callable[[str], str]) -> str:
    """Format a number or a word, or one of them for each axis, once where all are equal: ``7×3``, ``whole``."""
    if value is None or isinstance(value, str):
        return text(value or "")
    if not isinstance(value, tuple):
        return written(value)
    if all(part is None for part in value):
        return ""
    parts = ["?" if part is None else part if isinstance(part, str) else written(part) for part in value]
    return text("×".join(dict.fromkeys(parts) if len(set(parts)) == 1 else parts))
