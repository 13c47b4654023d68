"""Numbers in the sentences of findings: counts whole, shares and ratios with as many digits as tell them apart.

Everything is rounded from exact rationals, half up, and never in floating point.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from convcalc.budget.file.types import RATIO_SUFFIX, SHARE_SUFFIX, Limit, LimitedMetric

Value = int | Fraction
DECIMALS = 2
MAX_WRITTEN_DECIMALS = 6
MAX_DECIMALS = 60
"""Where two shares are alike in so many decimals, the numbers that they are of tell more than any further digit."""


def format_count(value: Value) -> str:
    """``5612345`` → ``5,612,345``; what is no whole number gets two decimals.

    >>> format_count(5612345), format_count(Fraction(5, 2)), format_count(-1200)
    ('5,612,345', '2.5', '-1,200')
    """
    return f"{value.numerator:,}" if value.denominator == 1 else format_decimal(value)


def format_decimal(value: Value, places: int = DECIMALS) -> str:
    """Round half up to so many decimals; noughts at the end stand only where something was rounded.

    >>> [format_decimal(value) for value in (Fraction(9, 20), Fraction(2, 3), Fraction(-1, 3), Fraction(1999, 1000))]
    ['0.45', '0.67', '-0.33', '2.00']
    """
    scale = 10**places
    size = abs(Fraction(value)) * scale
    rounded = (2 * size.numerator + size.denominator) // (2 * size.denominator)
    whole, rest = divmod(rounded, scale)
    tail = f".{rest:0{places}d}" if places else ""
    if rounded == size:
        tail = tail.rstrip("0").rstrip(".")
    return f"{'-' if value < 0 else ''}{whole:,}{tail}"


def format_ratio(value: Value, places: int = DECIMALS) -> str:
    """Round as ``decimal`` does, but not what somebody can have written: up to six decimals stand as they are.

    >>> format_ratio(Fraction(23, 200)), format_ratio(Fraction(2, 3))
    ('0.115', '0.67')
    """
    written = 10**MAX_WRITTEN_DECIMALS % Fraction(value).denominator == 0
    return format_decimal(value, MAX_WRITTEN_DECIMALS if written else places)


def format_percent(value: Value, places: int = DECIMALS) -> str:
    """``1/49`` → ``2.04 %``; a trace is not nothing.

    >>> [format_percent(value) for value in (Fraction(1, 49), Fraction(2, 5), Fraction(1, 10**9), 0)]
    ['2.04 %', '40 %', '<0.01 %', '0 %']
    """
    size = 100 * abs(Fraction(value))
    if 0 < size < Fraction(1, 2 * 10**places):
        return f"{'-' if value < 0 else ''}<{format_decimal(Fraction(1, 10**places), places)} %"
    return f"{format_decimal(100 * Fraction(value), places)} %"


def format_value(metric: LimitedMetric, value: Value, limit: Value) -> str:
    """Return a value as it stands beside a limit: a different one never reads the same."""
    if metric.suffix == SHARE_SUFFIX:
        return format_unlike(value, limit, format_percent)
    return (
        format_unlike(value, limit, format_ratio)
        if metric.suffix == RATIO_SUFFIX
        else format_unlike(value, limit, _format_count_or_decimal)
    )


def format_unlike(value: Value, other: Value, form: Callable[[Value, int], str]) -> str:
    """Return ``value`` with two decimals, and as many more as it takes to read unlike ``other``."""
    places = DECIMALS
    while (
        value != other
        and places < MAX_DECIMALS
        and _without_trailing_zeros(form(value, places)) == _without_trailing_zeros(form(other, places))
    ):
        places += 1
    return form(value, places)


def _without_trailing_zeros(text: str) -> str:
    """Return a number without the noughts at its end: 0.50 is no other number than 0.5."""
    digits, blank, unit = text.partition(" ")
    return (digits.rstrip("0").rstrip(".") if "." in digits else digits) + blank + unit


def _format_count_or_decimal(value: Value, places: int) -> str:
    return f"{value.numerator:,}" if value.denominator == 1 else format_decimal(value, places)


def format_limit(limit: Limit) -> str:
    """Return a limit as the file writes it, and its digits where a unit hides them.

    ``5.5M`` is plain; how many bytes are 22MiB, few people know.
    """
    plain = limit.text.strip().replace(" ", "")
    if limit.metric.suffix or "i" not in plain:
        return plain
    return f"{plain} ({format_count(limit.value)})"


def format_excess(metric: LimitedMetric, value: Value, limit: Value) -> str:
    """Return how far a value is from its limit: ``112,345 (2.04 %)``; the share is one of the limit."""
    distance = abs(Fraction(value) - Fraction(limit))
    share = f" ({format_percent(distance / limit)})" if limit else ""
    if metric.suffix == SHARE_SUFFIX:
        return f"{format_unlike(distance, 0, format_percent).removesuffix(' %')} points{share}"
    is_ratio = metric.suffix == RATIO_SUFFIX
    return f"{format_unlike(distance, 0, format_decimal) if is_ratio else format_count(distance)}{share}"


def format_signed(value: Value) -> str:
    """``+12,000``, ``-300``."""
    return f"+{format_count(value)}" if value > 0 else format_count(value)
