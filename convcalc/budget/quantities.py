"""Quantities as people write them in budgets: ``5.5M``, ``22MiB``, ``40%``. All of them exact."""

from __future__ import annotations

import re
from fractions import Fraction

SUFFIXES = {
    "": 1,
    "k": 10**3,
    "K": 10**3,
    "M": 10**6,
    "G": 10**9,
    "T": 10**12,
    "Ki": 2**10,
    "Mi": 2**20,
    "Gi": 2**30,
    "Ti": 2**40,
}
BYTES = "B"
UNITS = {"ns": 1, "us": 10**3, "µs": 10**3, "ms": 10**6, "s": 10**9}
_DECIMAL = r"[0-9]{1,30}(?:\.[0-9]{1,30})?"
QUANTITY = rf"{_DECIMAL}(?:{'|'.join(filter(None, SUFFIXES))})?{BYTES}?"
TIME = rf"{_DECIMAL}(?:{'|'.join(UNITS)})"
PERCENT = rf"{_DECIMAL}%"
RATIO = rf"{_DECIMAL}%?"
_NUMBER, _SUFFIX = re.compile(_DECIMAL), re.compile(QUANTITY)


def quantity(text: str) -> Fraction | None:
    """Return what a number with a suffix is worth, or nothing where it is none; see :func:`is_of_bytes`.

    Examples:
        >>> quantity("5.5M"), quantity("22MiB"), quantity("5e6")
        (Fraction(5500000, 1), Fraction(23068672, 1), None)
    """
    if not _SUFFIX.fullmatch(text):
        return None
    number = _NUMBER.match(text)
    assert number
    return Fraction(number[0]) * SUFFIXES[text[number.end() :].removesuffix(BYTES)]


def duration(text: str) -> Fraction | None:
    """Return the nanoseconds of a time with its unit, or nothing where the text is none.

    Examples:
        >>> duration("2.5ms"), duration("40us"), duration("2.5")
        (Fraction(2500000, 1), Fraction(40000, 1), None)
    """
    number = _NUMBER.match(text)
    unit = UNITS.get(text[number.end() :]) if number else None
    return Fraction(number[0]) * unit if number and unit else None


def is_of_bytes(text: str) -> bool:
    """Whether a quantity is written with ``B``: it counts bytes, and nothing else may be limited by it."""
    return text.endswith(BYTES)


def percent(text: str) -> Fraction | None:
    """Return the share that a percentage is, or nothing where the text is none: it must carry its ``%``.

    Examples:
        >>> percent("40%"), percent("0.4")
        (Fraction(2, 5), None)
    """
    return Fraction(text[:-1]) / 100 if text.endswith("%") and _NUMBER.fullmatch(text[:-1]) else None


def ratio(text: str) -> Fraction | None:
    """Return a plain decimal or a percentage as a ratio, or nothing where the text is neither.

    Examples:
        >>> ratio("0.45") == ratio("45%")
        True
    """
    return Fraction(text) if _NUMBER.fullmatch(text) else percent(text)


def as_percent(text: str) -> str:
    """Return a plain decimal as the percentage that was probably meant: ``0.02`` is ``2%``."""
    whole, _, decimals = text.partition(".")
    digits = decimals.ljust(2, "0")
    shown = f"{whole}{digits[:2]}".lstrip("0") or "0"
    rest = digits[2:].rstrip("0")
    return f"{shown}.{rest}%" if rest else f"{shown}%"
