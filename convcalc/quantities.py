"""Quantities with suffixes, read exactly and alike everywhere: ``5.5M``, ``22MiB``, ``1e9``, ``40%``.

    number   := digits [. digits] [e [+ or -] digits]
    quantity := number [k K M G T P Ki Mi Gi Ti Pi] [B]

k to P are powers of 1000 and Ki to Pi of 1024; K is k, all other letters are those of SI and IEC. Spaces are not
allowed. ``B`` is for metrics in bytes only.
"""

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
    "P": 10**15,
    "Ki": 2**10,
    "Mi": 2**20,
    "Gi": 2**30,
    "Ti": 2**40,
    "Pi": 2**50,
}
BYTES = "B"
UNITS = {"ns": 1, "us": 10**3, "µs": 10**3, "ms": 10**6, "s": 10**9}
MAX_DIGITS = 30
DECIMAL = rf"[0-9]{{1,{MAX_DIGITS}}}(?:\.[0-9]{{1,{MAX_DIGITS}}})?"
NUMBER = rf"{DECIMAL}(?:[eE][-+]?[0-9]{{1,2}})?"
SUFFIX = "|".join(sorted(filter(None, SUFFIXES), key=len, reverse=True))
AMOUNT = rf"{NUMBER}(?:{SUFFIX})?"
"""A quantity without ``B``."""
QUANTITY = rf"{AMOUNT}{BYTES}?"
TIME = rf"{NUMBER}(?:{'|'.join(UNITS)})"
PERCENT = rf"{DECIMAL}%"
RATIO = rf"(?:{NUMBER}|{PERCENT})"
FORM = "digits, perhaps with a point, an exponent, a suffix (k, M, G, T, P or Ki, Mi, Gi, Ti, Pi), and a B for bytes"
_GROUPED = r"[0-9]{1,3}(?:[,_'’   ][0-9]{3})+"
_LOOSE = rf"({NUMBER})\s*([A-Za-zµ]{{0,3}})"
_MEANT = {f"{suffix}{b}".lower(): f"{suffix}{b}" for suffix in SUFFIXES for b in ("", BYTES) if suffix != "K"}


def parse_quantity(text: str) -> Fraction | None:
    """Return the value of a number with a suffix, or ``None`` where the text is none; see :func:`has_byte_suffix`.

    Examples:
        >>> parse_quantity("5.5M"), parse_quantity("22MiB"), parse_quantity("5e6"), parse_quantity("5 M")
        (Fraction(5500000, 1), Fraction(23068672, 1), Fraction(5000000, 1), None)
    """
    if not re.fullmatch(QUANTITY, text):
        return None
    number = re.match(NUMBER, text)
    assert number
    return Fraction(number[0]) * SUFFIXES[text[number.end() :].removesuffix(BYTES)]


def parse_positive_integer(text: str) -> int | None:
    """Return a quantity that is a positive integer without unit, or ``None`` where the text is none.

    Examples:
        >>> [parse_positive_integer(text) for text in ("32", "1k", "0", "2.5", "1kB")]
        [32, 1000, None, None, None]
    """
    if text.isascii() and text.isdecimal() and len(text) <= MAX_DIGITS:
        return int(text) or None
    value = None if has_byte_suffix(text) else parse_quantity(text)
    return value.numerator if value and value.denominator == 1 else None


def parse_duration(text: str) -> Fraction | None:
    """Return the nanoseconds of a time with its unit, or ``None`` where the text is none.

    Examples:
        >>> parse_duration("2.5ms"), parse_duration("40us"), parse_duration("2.5")
        (Fraction(2500000, 1), Fraction(40000, 1), None)
    """
    number = re.match(NUMBER, text)
    unit = UNITS.get(text[number.end() :]) if number else None
    return Fraction(number[0]) * unit if number and unit else None


def has_byte_suffix(text: str) -> bool:
    """Whether a quantity is written with ``B``, which is for metrics in bytes only."""
    return text.endswith(BYTES)


def parse_percentage(text: str) -> Fraction | None:
    """Return the ratio of a percentage, or ``None`` where the text is none: it must have its ``%``.

    Examples:
        >>> parse_percentage("40%"), parse_percentage("0.4")
        (Fraction(2, 5), None)
    """
    return Fraction(text[:-1]) / 100 if re.fullmatch(PERCENT, text) else None


def parse_ratio(text: str) -> Fraction | None:
    """Return a plain number or a percentage as a ratio, or ``None`` where the text is neither.

    Examples:
        >>> parse_ratio("0.45") == parse_ratio("45%") == parse_ratio("4.5e-1")
        True
    """
    return Fraction(text) if re.fullmatch(NUMBER, text) else parse_percentage(text)


def decimal_to_percentage(text: str) -> str:
    """Return a plain number as the percentage that was probably meant: ``0.02`` is ``2%``."""
    number, _, exponent = text.lower().partition("e")
    whole, _, decimals = number.partition(".")
    places = len(decimals) - int(exponent or 0) - 2
    digits = f"{whole}{decimals}{'0' * -places}".zfill(places + 1)
    end = len(digits) - max(places, 0)
    shown, rest = digits[:end].lstrip("0") or "0", digits[end:].rstrip("0")
    return f"{shown}.{rest}%" if rest else f"{shown}%"


def intended_quantity(text: str) -> str:
    """Return the correct form of a quantity with a space, grouped digits or wrong case; else an empty text.

    Examples:
        >>> [intended_quantity(text) for text in ("2 mib", "25,557,032", "5m", "five")]
        ['2MiB', '25557032', '5M', '']
    """
    if re.fullmatch(_GROUPED, text):
        return re.sub(r"[^0-9]", "", text)
    found = re.fullmatch(_LOOSE, text)
    suffix = _MEANT.get(found[2].lower()) if found else None
    return f"{found[1]}{suffix}" if found and suffix is not None else ""
