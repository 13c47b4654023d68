"""Axes of a sweep: variables and their values, and how these are written."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterator, Sequence
from fractions import Fraction
from typing import Any

from convcalc.errors import Source, Span, SpecError, closest_match, quoted
from convcalc.extras import numpy
from convcalc.records import NamedTuple, dataclass, field, replace
from convcalc.spec.expressions.errors import ExpressionError
from convcalc.spec.expressions.expression import parse

BAD_AXIS, EMPTY_AXIS = "CC711", "CC713"
AXIS, FOR = "axis", "--for"
"""What an axis is written as: an argument of ``sweep``, or an option of ``solve``."""
AXIS_HINTS = {
    AXIS: "write {0}=32,64,128 or {0}=128..320:32 or {0}=0.25..1.5:0.05",
    FOR: "write --for {0}=1..512 or --for {0}=0.25..2:0.05",
}
BRACKET_DEPTH = {"[": 1, "(": 1, "]": -1, ")": -1}


@dataclass(frozen=True, slots=True)
class Axis:
    """A variable and its values: numerators over a denominator, or with denominator 0 any plain values."""

    name: str
    values: Sequence[Any]
    denominator: int = 1
    argument: str = field(default=AXIS, compare=False, repr=False)
    """What it was written as, for errors."""

    @property
    def is_numeric(self) -> bool:
        """Whether its values are numbers, which arrays can hold."""
        return self.denominator > 0

    def value(self, index: int) -> Any:
        """Return one value as expressions know it: a whole number is an int."""
        value = self.values[index]
        if self.denominator <= 1:
            return value
        exact = Fraction(value, self.denominator)
        return exact.numerator if exact.denominator == 1 else exact

    def integers(self, places: Any) -> Any:
        """Return integer values by an array of their places: of 64 bits, or Python ints where these have more."""
        fits = min(self.values) >= -(2**63) and max(self.values) < 2**63
        if isinstance(self.values, range) and fits:
            return self.values.start + self.values.step * places
        return numpy.array(self.values, "int64" if fits else object)[places]

    def ranks(self, places: Any) -> Any:
        """Return the order of values, by an array of their places: numbers by size, others as they are listed."""
        if isinstance(self.values, range):
            return places if self.values.step > 0 else -places
        ordered = sorted(set(self.values)) if self.is_numeric else dict.fromkeys(self.values)
        ranks = {value: rank for rank, value in enumerate(ordered)}
        return numpy.array([ranks[value] for value in self.values])[places]


def read_axis(text: str, argument: str = AXIS) -> Axis:
    """Read ``name=value,value…`` or ``name=first..last:step``, also mixed; errors name the argument that it is of.

    Raises:
        SpecError: CC711 for what is not an axis, CC713 for one without values.
    """
    name, equals, written = text.partition("=")
    name = name.strip()
    whole = Span(Source(argument, text), 1, 1, max(1, len(text)))
    if not name or not equals:
        lacks = "names no variable" if not name else "has no values"
        who, before = ("an axis", "") if argument == AXIS else (argument, f"{argument} ")
        hint = f"write {before}{name}=1..512" if name.isidentifier() else _hint(whole.source)
        raise SpecError(
            BAD_AXIS, f"{who} takes a variable and its values, and {quoted(text)} {lacks}", whole, hint=hint
        )
    values: list[Any] = []
    at = len(text) - len(written)
    for piece in _split_at_commas(written):
        span = whole._replace(column=at + 1, extent=max(1, len(piece)))
        at += len(piece) + 1
        if ".." in piece:
            values.append(_read_range(piece, span))
        elif piece.strip():
            values.append(read_value(piece, span))
        else:
            raise SpecError(EMPTY_AXIS, f"the axis {quoted(name)} has an empty value", span, hint=_hint(whole.source))
    return replace(join_values(name, values), argument=argument)


def with_variable_hint(error: SpecError, known: Collection[str]) -> SpecError:
    """Return the error of an axis that is none, for a design with these variables: it says which of them is meant."""
    assert error.span
    source, name = error.span.source, _name(error.span.source)
    near = closest_match(name, known)
    if known and name not in known:
        error.text += f"; did you mean {quoted(near)}?" if near else ""
        error.hint = AXIS_HINTS[source.name].format(near) if near else f"variables: {', '.join(known)}"
    return error


def _hint(source: Source) -> str:
    """Return how the axis is written, by its own name where it has one."""
    return AXIS_HINTS[source.name].format(_name(source) or "width")


def _name(source: Source) -> str:
    found = re.match(r"\s*([^\W\d]\w*)", source.text)
    return found[1] if found else ""


def join_values(name: str, values: list[Any]) -> Axis:
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


def _read_range(text: str, span: Span) -> _Range:
    """Read ``first..last:step``; the last is in it where a step ends there. The step is 1 by default, of integers."""
    first, _, rest = text.partition("..")
    last, colon, step = ("", "", "") if re.search(r"^\.|\.\.|:.*:", rest) else rest.partition(":")
    hint = _hint(span.source)
    if not first.strip() or not last.strip() or (colon and not step.strip()):
        raise SpecError(BAD_AXIS, f"{quoted(text)} is not a range", span, hint=hint)
    low, high, by = (_read_number(part, span) for part in (first, last, step if colon else "1"))
    if not colon and low != high and max(low.denominator, high.denominator) > 1:
        said = f"the range {quoted(text.strip())} has no step, which is 1 between integers only"
        raise SpecError(BAD_AXIS, said, span, hint=f"say the step: {text.strip()}:{_suggest_step(low, high)}")
    if by == 0:
        raise SpecError(EMPTY_AXIS, f"the step of {quoted(text)} is 0", span, hint=hint)
    shared = math.lcm(low.denominator, by.denominator)
    start, stop, stride = int(low * shared), math.floor(high * shared), int(by * shared)
    if by < 0:
        stop = math.ceil(high * shared)
    found = range(start, stop + (1 if by > 0 else -1), stride)
    if not found:
        raise SpecError(EMPTY_AXIS, f"the range {quoted(text)} has no values", span, hint=hint)
    return _Range(found, shared)


def _suggest_step(low: Fraction, high: Fraction) -> str:
    """Return the largest step by which both ends are reached from 0: 0.1 for 0.1 and 1."""
    shared = math.lcm(low.denominator, high.denominator)
    step = Fraction(math.gcd(int(low * shared), int(high * shared)), shared) * (1 if low < high else -1)
    return str(step) if float(step) != step and Fraction(str(float(step))) != step else f"{float(step):.15g}"


def _read_number(text: str, span: Span) -> Fraction:
    value = read_value(text, span)
    if isinstance(value, bool) or not isinstance(value, int | Fraction):
        said = f"{quoted(text)} is not a number, as the ends and the step of a range are"
        raise SpecError(BAD_AXIS, said, span, hint=_hint(span.source))
    return Fraction(value)


def read_value(text: str, span: Span) -> Any:
    try:
        return parse(text.strip(), suffixed=True).evaluate({})
    except ExpressionError as error:
        said = error.text if quoted(text.strip()) in error.text else f"{quoted(text)}: {error.text}"
        hint = _hint(span.source) if ":" in text or not error.hint else error.hint
        raise SpecError(BAD_AXIS, said, span, hint=hint) from None


def _split_at_commas(text: str) -> Iterator[str]:
    """Cut at the commas that stand in no bracket."""
    start = depth = 0
    for place, character in enumerate(text):
        depth += BRACKET_DEPTH.get(character, 0)
        if character == "," and depth == 0:
            yield text[start:place]
            start = place + 1
    yield text[start:]
