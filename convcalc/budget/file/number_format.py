"""Numbers in the sentences of findings: counts whole, shares and ratios with as many digits as tell them apart.

Everything is rounded from exact rationals, half up, and never in floating point.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from convcalc.budget.file.types import RATIO, SHARE, Limit, Metric

Value = int | Fraction
PLACES = 2
WRITTEN_PLACES = 6
MOST_PLACES = 60
"""Where two shares are alike in so many decimals, the numbers that they are of tell more than any further digit."""


def count(value: Value) -> str:
    """``5612345`` → ``5,612,345``; what is no whole number gets two decimals.

    >>> count(5612345), count(Fraction(5, 2)), count(-1200)
    ('5,612,345', '2.5', '-1,200')
    """
    return f"{value.numerator:,}" if value.denominator == 1 else decimal(value)


def decimal(value: Value, places: int = PLACES) -> str:
    """Round half up to so many decimals; noughts at the end stand only where something was rounded.

    >>> decimal(Fraction(9, 20)), decimal(Fraction(2, 3)), decimal(Fraction(-1, 3)), decimal(Fraction(1999, 1000))
    ('0.45', '0.67', '-0.33', '2.00')
    """
    scale = 10**places
    size = abs(Fraction(value)) * scale
    rounded = (2 * size.numerator + size.denominator) // (2 * size.denominator)
    whole, rest = divmod(rounded, scale)
    tail = f".{rest:0{places}d}" if places else ""
    if rounded == size:
        tail = tail.rstrip("0").rstrip(".")
    return f"{'-' if value < 0 else ''}{whole:,}{tail}"


def ratio(value: Value, places: int = PLACES) -> str:
    """Round as ``decimal`` does, but not what somebody can have written: up to six decimals stand as they are.

    >>> ratio(Fraction(23, 200)), ratio(Fraction(2, 3))
    ('0.115', '0.67')
    """
    written = 10**WRITTEN_PLACES % Fraction(value).denominator == 0
    return decimal(value, WRITTEN_PLACES if written else places)


def percent(value: Value, places: int = PLACES) -> str:
    """``1/49`` → ``2.04 %``; a trace is not nothing.

    >>> percent(Fraction(1, 49)), percent(Fraction(2, 5)), percent(Fraction(1, 10**9)), percent(0)
    ('2.04 %', '40 %', '<0.01 %', '0 %')
    """
    size = 100 * abs(Fraction(value))
    if 0 < size < Fraction(1, 2 * 10**places):
        return f"{'-' if value < 0 else ''}<{decimal(Fraction(1, 10**places), places)} %"
    return f"{decimal(100 * Fraction(value), places)} %"


def measured(metric: Metric, value: Value, limit: Value) -> str:
    """Return a value as it stands beside a limit: a different one never reads the same."""
    if metric.form == SHARE:
        return apart(value, limit, percent)
    return apart(value, limit, ratio) if metric.form == RATIO else apart(value, limit, _counted)


def apart(value: Value, other: Value, form: Callable[[Value, int], str]) -> str:
    """Return ``value`` with two decimals, and as many more as it takes to read unlike ``other``."""
    places = PLACES
    while value != other and places < MOST_PLACES and _plain(form(value, places)) == _plain(form(other, places)):
        places += 1
    return form(value, places)


def _plain(text: str) -> str:
    """Return a number without the noughts at its end: 0.50 is no other number than 0.5."""
    digits, blank, unit = text.partition(" ")
    return (digits.rstrip("0").rstrip(".") if "." in digits else digits) + blank + unit


def _counted(value: Value, places: int) -> str:
    return f"{value.numerator:,}" if value.denominator == 1 else decimal(value, places)


def bound(limit: Limit) -> str:
    """Return a limit as the file writes it, and its digits where a unit hides them.

    ``5.5M`` is plain; how many bytes are 22MiB, few people know.
    """
    plain = limit.text.strip().replace(" ", "")
    if limit.metric.form or "i" not in plain:
        return plain
    return f"{plain} ({count(limit.value)})"


def beyond(metric: Metric, value: Value, limit: Value) -> str:
    """Return how far a value is from its limit: ``112,345 (2.04 %)``; the share is one of the limit."""
    distance = abs(Fraction(value) - Fraction(limit))
    share = f" ({percent(distance / limit)})" if limit else ""
    if metric.form == SHARE:
        return f"{apart(distance, 0, percent).removesuffix(' %')} points{share}"
    return f"{apart(distance, 0, decimal) if metric.form == RATIO else count(distance)}{share}"


def signed(value: Value) -> str:
    """``+12,000``, ``-300``."""
    return f"+{count(value)}" if value > 0 else count(value)
