"""Numbers as people read them. Counts stay exact; only short forms and ratios are rounded, here and nowhere before."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from convcalc.render.tables.characters import Glyphs

SI = ("", "k", "M", "G", "T", "P", "E", "Z", "Y", "R", "Q")
TIMES = ("", "µs", "ms", "s")
IEC = ("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi")


def exact(value: int | Fraction) -> str:
    """``25557032`` → ``25,557,032``; a ratio of counts, which has no exact decimal, gets four digits."""
    if isinstance(value, Fraction) and value.denominator != 1:
        return significant(value, 4)
    return f"{int(value):,}"


def signed(value: int | Fraction) -> str:
    """``+1,024``, ``-223,744``: with an ASCII minus, so that a pipe can read it."""
    return f"+{exact(value)}" if value > 0 else exact(value)


def short(value: int | Fraction, unit: str = "") -> str:
    """``25557032`` → ``25.56 M``, bytes in powers of 1024: ``97.49 MiB``; below a thousand the number itself.

    Nanoseconds become ``31.31 µs``.
    """
    base, names = (1024, IEC) if unit == "bytes" else (1000, TIMES if unit == "ns" else SI)
    suffix = "B" if unit == "bytes" else ""
    size, step = Fraction(value), 0
    while step + 1 < len(names) and _rounds_past(size, base):
        size, step = size / base, step + 1
    digits = exact(size) if step == 0 else significant(size, 4)
    return f"{digits} {names[step]}{suffix}".rstrip()


def _rounds_past(size: Fraction, base: int) -> bool:
    """Tell whether ``size`` would print as ``base`` or more: 999,999 is 1.000 M and not 1,000 k."""
    return abs(size) >= base or (base == 1000 and abs(size) * 10 >= 9999 + Fraction(1, 2))


def percent(thousandths: int, value: int) -> str:
    """Tenths of a percent: ``92`` → ``9.2``; nothing is blank, a trace ``<0.1``, the whole ``100``."""
    if not thousandths:
        return "<0.1" if value else ""
    return "100" if thousandths == 1000 else f"{thousandths // 10}.{thousandths % 10}"


def significant(value: Fraction | int, digits: int = 3) -> str:
    """Round half up to so many digits, never in floating point: ``2.46``, ``0.406``, ``275,000``.

    Zeros at the end mean that something was rounded there: 2 is ``2``, 1.9999 is ``2.00``.
    """
    if not value:
        return "0"
    size = abs(Fraction(value))
    places = digits - 1 - _magnitude(size)
    if _rounded(size, places) >= 10**digits:  # 9.996 gains a digit in front
        places -= 1
    places = max(places, 0)
    scaled = _rounded(size, places)
    whole, rest = divmod(scaled, 10**places)
    tail = f".{rest:0{places}d}" if places else ""
    if scaled == size * 10**places:
        tail = tail.rstrip("0").rstrip(".")
    return f"{'-' if value < 0 else ''}{whole:,}{tail}"


def _magnitude(size: Fraction) -> int:
    """Return the power of ten of the first digit: 2 for 381, -2 for 0.05."""
    guess = len(str(size.numerator)) - len(str(size.denominator))
    return guess if size >= Fraction(10) ** guess else guess - 1


def _rounded(size: Fraction, places: int) -> int:
    scaled = size * Fraction(10) ** places
    return (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)


def ratio(value: Fraction) -> str:
    """Three digits, and as many more as it takes that two different numbers never read ``1.00``."""
    if 0 < value < Fraction(1, 10**6):
        return "<0.000001"
    digits = 3
    text = significant(value, digits)
    while value != 1 and Fraction(text.replace(",", "")) == 1:
        digits += 1
        text = significant(value, digits)
    return text


def each(value: Any, written: Callable[[Any], str], glyphs: Glyphs) -> str:
    """Write what is no sum: a number, a word, or both for every axis, once where all are alike: ``7×3``, ``whole``."""
    if value is None or isinstance(value, str):
        return glyphs.text(value or "")
    if not isinstance(value, tuple):
        return written(value)
    if all(part is None for part in value):
        return ""
    parts = ["?" if part is None else part if isinstance(part, str) else written(part) for part in value]
    return glyphs.text("×".join(dict.fromkeys(parts) if len(set(parts)) == 1 else parts))
