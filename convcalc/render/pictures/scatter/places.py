"""Places in scatter plots: axes from values to pixels, with ticks at round numbers; and labels beside points.

A label is where it overlaps no point and no other label, or left out.
"""

from __future__ import annotations

import math
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction

from convcalc.batch.results import Value
from convcalc.number_format import SI, format_significant
from convcalc.records import NamedTuple
from convcalc.render.pictures.svg import SMALL, text_width

LEAST_RATIO = 50
"""Positive values that differ by more than that get a logarithmic axis by default."""
MARGIN = 0.05
"""Of the axis, on both sides of the values."""
ASCENT, DESCENT = 9, 3
CELL = 40
"""Side of the squares by which neighbours are found."""
MOST = 1500
"""So many labels are tried."""

Rectangle = tuple[float, float, float, float]
"""Left, upper, right and lower edge."""


class ScatterAxis(NamedTuple):
    """One axis: ``low`` and ``high`` are values, or their logarithms to the base 10."""

    low: float
    high: float
    log: bool
    start: float
    end: float
    """Where it begins and ends, in pixels."""

    def at(self, value: Value | Fraction) -> float:
        """Return the place of a value in pixels."""
        at = math.log10(value) if self.log else float(value)
        return self.start + (self.end - self.start) * ((at - self.low) / (self.high - self.low))

    def ticks(self, gap: float) -> list[tuple[float, str]]:
        """Return the places of ticks, at least so far from each other, and their texts."""
        most = max(2, int(self.length / gap))
        values = self._log_ticks(gap) if self.log else _round_values(self.low, self.high, most)
        return [(self.at(value), tick_text(value)) for value in values]

    @property
    def length(self) -> float:
        """How long it is in pixels."""
        return abs(self.end - self.start)

    def _log_ticks(self, gap: float) -> Iterator[Fraction]:
        """Give 1, 2, 5, 10, …; 1, 10, 100, … or fewer where these would be too near; linear ones within a decade."""
        decade = self.length / (self.high - self.low)
        if self.high - self.low < 1:
            yield from _round_values(10**self.low, 10**self.high, max(2, int(self.length / gap / 2)))
            return
        digits = (1, 2, 5) if decade * 0.3 >= gap else (1, 3) if decade * 0.47 >= gap else (1,)
        every = max(1, math.ceil(gap / decade)) if digits == (1,) else 1
        for power in range(math.floor(self.low), math.ceil(self.high) + 1):
            for digit in digits if power % every == 0 else ():
                value = digit * Fraction(10) ** power
                if self.low <= math.log10(value) <= self.high:
                    yield value


def _round_values(least: float, largest: float, most: int) -> Iterator[Fraction]:
    """Give the multiples of 1, 2 or 5 times a power of 10 from ``least`` to ``largest``, at most so many."""
    low, high = Fraction(least), Fraction(largest)
    size = high - low
    power = math.floor(math.log10(size)) - len(str(most))
    steps = (digit * Fraction(10) ** (power + more) for more in range(8) for digit in (1, 2, 5))
    step = next(step for step in steps if size / step < most)
    return (step * place for place in range(math.ceil(low / step), math.floor(high / step) + 1))


def tick_text(value: Fraction) -> str:
    """Return a round number in as many digits as it needs, with its SI prefix.

    >>> [tick_text(Fraction(value)) for value in (0, 500000, 1000000)], tick_text(Fraction(1521, 20))
    (['0', '500k', '1M'], '76.05')
    """
    size, step = value, 0
    while abs(size) >= 1000 and step + 1 < len(SI):
        size, step = size / 1000, step + 1
    texts = (format_significant(size, digits) for digits in range(1, 19))
    text = next((text for text in texts if Fraction(text.replace(",", "")) == size), format_significant(size, 18))
    return f"{text}{SI[step]}"


def axis(values: Sequence[Value], start: float, end: float, log: bool | None) -> ScatterAxis:
    """Return the axis that values need; ``log`` of ``None`` chooses: logarithmic for positive ones of many sizes."""
    least, most = min(values), max(values)
    if log is None:
        log = least > 0 and most > LEAST_RATIO * least
    low, high = (math.log10(least), math.log10(most)) if log else (float(least), float(most))
    if low == high:
        room = 0.5 if log else abs(low) / 2 or 1.0
        low, high = low - room, high + room
    more = (high - low) * MARGIN
    return ScatterAxis(low - more, high + more, log, start, end)


# --- labels -----------------------------------------------------------------------------------------------------------


class Spot(NamedTuple):
    """A point: its centre and its radius."""

    x: float
    y: float
    radius: float


class Label(NamedTuple):
    """A label that found room: its text begins at ``x``, on the base line ``y``."""

    text: str
    x: float
    y: float
    width: float
    strong: bool = False

    @property
    def rectangle(self) -> Rectangle:
        return self.x, self.y - ASCENT, self.x + self.width, self.y + DESCENT


def place_labels(
    spots: Sequence[Spot], texts: Mapping[int, str], bounds: Rectangle, *, lines: Iterable[Rectangle] = (),
    strong: Container[int] = (), far: bool = False,
) -> dict[int, Label]:  # fmt: skip
    """Return where labels are, by the numbers of their points; those that find no room have none.

    Args:
        spots: all points.
        texts: what to write at some points, the most important first.
        bounds: what labels are within.
        lines: what labels may not cross.
        strong: the points whose labels are bold.
        far: whether places further from the point are tried too.
    """
    taken = _Taken()
    circles = ((x - radius, y - radius, x + radius, y + radius) for x, y, radius in spots)
    for rectangle in (*circles, *lines):
        taken.add(rectangle)
    found = {}
    for number, text in list(texts.items())[:MOST]:
        width = text_width(text, SMALL, bold=number in strong)
        for x, y in _places(spots[number], width, far=far):
            label = Label(text, x, y, width, number in strong)
            left, upper, right, lower = place = label.rectangle
            within = left >= bounds[0] and upper >= bounds[1] and right <= bounds[2] and lower <= bounds[3]
            if within and not taken.meets(place):
                found[number] = label
                taken.add(place)
                break
    return found


def _places(spot: Spot, width: float, *, far: bool) -> Iterator[tuple[float, float]]:
    """Give places for a label beside a point: right, left, above, below; then between these, and further away."""
    for more in (0, 10, 22) if far else (0,):
        side, up, down = spot.radius + 3 + more, spot.radius + 4 + more, spot.radius + 1 + ASCENT + more
        yield spot.x + side, spot.y + 4
        yield spot.x - side - width, spot.y + 4
        yield spot.x - width / 2, spot.y - up
        yield spot.x - width / 2, spot.y + down
        for x in (spot.x + spot.radius * 0.7, spot.x - spot.radius * 0.7 - width):
            yield x, spot.y - up
            yield x, spot.y + down


class _Taken:
    """Rectangles that are taken, by the squares that they touch."""

    def __init__(self) -> None:
        self._cells: dict[tuple[int, int], list[Rectangle]] = {}

    @staticmethod
    def _squares(rectangle: Rectangle) -> Iterator[tuple[int, int]]:
        left, top, right, bottom = (int(edge // CELL) for edge in rectangle)
        return ((column, row) for column in range(left, right + 1) for row in range(top, bottom + 1))

    def add(self, rectangle: Rectangle) -> None:
        for square in self._squares(rectangle):
            self._cells.setdefault(square, []).append(rectangle)

    def meets(self, rectangle: Rectangle) -> bool:
        return any(
            rectangle[0] < other[2] and other[0] < rectangle[2] and rectangle[1] < other[3] and other[1] < rectangle[3]
            for square in self._squares(rectangle)
            for other in self._cells.get(square, ())
        )
