"""The axes of a sweep as they are written, and the blocks that their product is worked out in."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple, TypeAlias

from convcalc.errors import Source, Span, SpecError, quoted
from convcalc.spec.expressions import ExpressionError, parse

FORM, EMPTY = "CC711", "CC713"
HINT = "write width=32,64,128 or size=128..320:32 or alpha=0.25..1.5:0.05"
POINTS = 2**62
"""Most points of a sweep: the number of one has 64 bits."""
CHUNK = 2**17
"""Points of a block: what is worked out for them stays in a processor's cache."""

Bracket = {"[": 1, "(": 1, "]": -1, ")": -1}


@dataclass(frozen=True, slots=True)
class Axis:
    """A variable and its values: numerators over a denominator, or with denominator 0 any plain values."""

    name: str
    values: Sequence[Any]
    denominator: int = 1

    @property
    def numeric(self) -> bool:
        """Whether its values are numbers, which arrays can hold."""
        return self.denominator > 0

    def value(self, index: int) -> Any:
        """Return one value as expressions know it: a whole number is an int."""
        value = self.values[index]
        if self.denominator <= 1:
            return value
        exact = Fraction(value, self.denominator)
        return exact.numerator if exact.denominator == 1 else exact


Block: TypeAlias = tuple[tuple[int, int], ...]
"""For each axis the first of its values and the one after the last."""


class Piece(NamedTuple):
    """A block and the number of its first point."""

    start: int
    block: Block


def read_axis(text: str) -> Axis:
    """Read ``name=value,value…`` or ``name=first..last:step``, also mixed.

    Raises:
        SpecError: CC711 for what is no axis, CC713 for one without values.
    """
    name, equals, written = text.partition("=")
    name = name.strip()
    if not equals or not name:
        raise SpecError(FORM, f"{quoted(text)} is no axis", _span(text, 0, len(text)), hint=HINT)
    values: list[Any] = []
    at = len(text) - len(written)
    for piece in _pieces(written):
        span = _span(text, at, len(piece))
        at += len(piece) + 1
        if ".." in piece:
            values.append(_range(piece, span))
        elif piece.strip():
            values.append(_value(piece, span))
        else:
            raise SpecError(EMPTY, f"the axis {quoted(name)} has an empty value", span, hint=HINT)
    return _axis(name, values)


def _axis(name: str, values: list[Any]) -> Axis:
    """Return the axis of values and ranges of them; one range of integers stays a range."""
    if len(values) == 1 and isinstance(values[0], _Range):
        return Axis(name, values[0].numerators, values[0].denominator)
    flat = [value for each in values for value in (each.exact() if isinstance(each, _Range) else (each,))]
    if not all(isinstance(value, int | Fraction) and not isinstance(value, bool) for value in flat):
        return Axis(name, tuple(flat), 0)
    shared = math.lcm(*(value.denominator for value in flat))
    return Axis(name, tuple(int(value * shared) for value in flat), shared)


class _Range(NamedTuple):
    numerators: range
    denominator: int

    def exact(self) -> Iterator[int | Fraction]:
        return (Fraction(value, self.denominator) for value in self.numerators)


def _range(text: str, span: Span) -> _Range:
    """Read ``first..last:step``; the last is in it where a step ends there. Without a step it is 1."""
    first, _, rest = text.partition("..")
    last, colon, step = rest.partition(":")
    if not first.strip() or not last.strip() or (colon and not step.strip()):
        raise SpecError(FORM, f"{quoted(text)} is no range", span, hint=HINT)
    low, high, by = (_number(part, span) for part in (first, last, step if colon else "1"))
    if by == 0:
        raise SpecError(EMPTY, f"the step of {quoted(text)} is 0", span, hint=HINT)
    shared = math.lcm(low.denominator, by.denominator)
    start, stop, stride = int(low * shared), math.floor(high * shared), int(by * shared)
    if by < 0:
        stop = math.ceil(high * shared)
    found = range(start, stop + (1 if by > 0 else -1), stride)
    if not found:
        raise SpecError(EMPTY, f"the range {quoted(text)} has no values", span, hint=HINT)
    return _Range(found, shared)


def _number(text: str, span: Span) -> Fraction:
    value = _value(text, span)
    if isinstance(value, bool) or not isinstance(value, int | Fraction):
        raise SpecError(FORM, f"{quoted(text)} is no number, as the ends and the step of a range are", span, hint=HINT)
    return Fraction(value)


def _value(text: str, span: Span) -> Any:
    try:
        return parse(text.strip()).evaluate({})
    except ExpressionError as error:
        raise SpecError(FORM, f"{quoted(text)}: {error.text}", span, hint=error.hint) from None


def _pieces(text: str) -> Iterator[str]:
    """Cut at the commas that stand in no bracket."""
    start = depth = 0
    for place, character in enumerate(text):
        depth += Bracket.get(character, 0)
        if character == "," and depth == 0:
            yield text[start:place]
            start = place + 1
    yield text[start:]


def _span(text: str, start: int, length: int) -> Span:
    return Span(Source("axis", text), 1, start + 1, max(1, length))


def count(axes: Sequence[Axis]) -> int:
    """Return how many points a sweep has."""
    return math.prod(len(axis.values) for axis in axes)


def pieces(axes: Sequence[Axis], limit: int = CHUNK) -> Iterator[Piece]:
    """Cut the product of all axes into blocks of at most ``limit`` points that follow one another.

    The last axis is the fastest: whole inner axes, a stretch of one axis, one value of each axis before it.
    """
    sizes = [len(axis.values) for axis in axes]
    inner, cut = 1, len(axes)
    while cut and inner * sizes[cut - 1] <= limit:
        cut -= 1
        inner *= sizes[cut]
    whole = tuple((0, size) for size in sizes[cut:])
    if not cut:
        yield Piece(0, whole)
        return
    length = limit // inner
    stretches = -(-sizes[cut - 1] // length)
    start = 0
    for number in range(math.prod(sizes[: cut - 1]) * stretches):
        outer, stretch = divmod(number, stretches)
        first = stretch * length
        end = min(first + length, sizes[cut - 1])
        yield Piece(start, (*_at(outer, sizes[: cut - 1]), (first, end), *whole))
        start += (end - first) * inner


def _at(number: int, sizes: Sequence[int]) -> list[tuple[int, int]]:
    """Return the one value of each of the outer axes that a number stands for."""
    found = []
    for size in reversed(sizes):
        number, place = divmod(number, size)
        found.append((place, place + 1))
    return found[::-1]


def place(axes: Sequence[Axis], number: int) -> tuple[int, ...]:
    """Return for each axis the value that point ``number`` has, by its place."""
    return tuple(first for first, _ in _at(number, [len(axis.values) for axis in axes]))
