"""The bridge: which share of the multiplies, and which share of the parameters, each part of a design has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate
from xml.etree.ElementTree import Element

from convcalc.render.pictures.labels import NAMES, PicturePart, facts, parts_of, percent, rounded, short, uncounted
from convcalc.render.pictures.modules import Module
from convcalc.render.pictures.palette import RAMP
from convcalc.render.pictures.svg import SIZE, Picture, element, fitted, footnote, number, picture, text_width

KEYS = ("macs", "params")
BAR = 28
LEAD = 13
"""From a bar to its labels."""
HEIGHT, HEAD, FOOT = 380, 28, 8
LINE = 15.5
"""From one label in a column to the next, at least."""
MIDDLE = 50
"""Room between the bars, at least."""
MOST_LABELS = 14
SMALLEST = 200
"""A part has a label if it has a two-hundredth of the metric."""


class _Side:
    """One bar with its labels."""

    def __init__(self, key: str, root: Module, parts: Sequence[PicturePart], height: float, most: float) -> None:
        """Find its segments and labels; ``most`` is the room for labels."""
        self.key, self.parts, self.height, self.is_left = key, parts, height, key == KEYS[0]
        self.total = sum(part.value(key) for part in parts)
        above = accumulate((part.value(key) for part in parts), initial=0)
        self.edges = [HEAD + (height * (value / self.total) if self.total else 0) for value in above]
        """Where segments begin, and where the last one ends."""
        self.shown = self._labelled()
        self.heading = f"{short(self.total, known=root.is_known(key))} {NAMES[key][1]}"
        self.values = self._names_width(values=True) <= most or not parts
        """Whether labels have values: where names would be cut for them they do without."""
        heading = text_width(self.heading, SIZE, bold=True) - BAR - LEAD + 2  # it reaches over the bar
        self.room = min(max(self._names_width(values=self.values), heading), most)

    def _labelled(self) -> list[int]:
        """Return the places of the parts that have a label: the largest that are not beside each other, then others."""
        sizes = [part.value(self.key) for part in self.parts]
        large = [place for place, size in enumerate(sizes) if SMALLEST * size >= self.total > 0]
        ranked = sorted(large, key=lambda place: -sizes[place])
        most = max(1, min(MOST_LABELS, int(self.height / LINE)))
        apart: list[int] = []
        for place in ranked:
            if all(abs(self.middle(place) - self.middle(other)) >= self.height / most for other in apart):
                apart.append(place)
        return sorted([*apart, *(place for place in ranked if place not in apart)][:most])

    def middle(self, place: int) -> float:
        return (self.edges[place] + self.edges[place + 1]) / 2

    def share(self, part: PicturePart) -> str:
        return percent(part.value(self.key), self.total)

    def numbers_width(self, part: PicturePart, *, values: bool) -> float:
        """Return how wide a label is without its name, with or without its value."""
        value = f"  {rounded(part, self.key)}" if values else " "
        return text_width(value, SIZE) + text_width(self.share(part), SIZE, bold=True)

    def _names_width(self, *, values: bool) -> float:
        """Return how wide the longest label is."""
        shown = [self.parts[place] for place in self.shown]
        widths = (text_width(part.label, SIZE) + self.numbers_width(part, values=values) for part in shown)
        return max(widths, default=0)


def bridge(root: Module, width: float = 470) -> Picture:
    """Draw two bars of one height, multiplies left and parameters right, cut into the parts of a design.

    The height of a segment is its share of the metric; parts are in the network's order, the first on top.
    """
    parts, note = parts_of(root), uncounted(root)
    length = HEIGHT - HEAD - FOOT - (LINE + 4 if note else 0)
    most = (width - 2 * (BAR + LEAD) - MIDDLE) / 2
    sides = [_Side(key, root, parts, length, most) for key in KEYS]
    starts = [sides[0].room + LEAD, width - sides[1].room - LEAD - BAR]
    drawn = [*_segments(root, sides, starts), *_labels(sides[0], starts[0]), *_labels(sides[1], starts[1])]
    said = [f"Each part’s share of {' and '.join(side.heading for side in sides)}, first layer on top"]
    for side in sides:
        if side.total:
            largest = max(parts, key=lambda part: part.value(side.key))
            said.append(f"{largest.label} has {side.share(largest)} of the {NAMES[side.key][1]}")
    return picture("bridge", [*drawn, *footnote(note, width, HEIGHT - 5)], width, HEIGHT, f"{'; '.join(said)}.")


def _segments(root: Module, sides: Sequence[_Side], starts: Sequence[float]) -> Iterator[Element]:
    """Give the ribbon and the segments of every part, and an empty frame for a side without a value."""
    parts = sides[0].parts
    for place, part in enumerate(parts):
        spans = [(side.edges[place], side.edges[place + 1]) for side in sides]
        group = element("g", class_=f"depth{place * RAMP // len(parts)}", data_at=part.path)
        group.append(element("title", "\n".join([part.paths, *facts(part, root, KEYS)])))
        if all(side.total for side in sides):
            group.append(element("path", class_="ribbon", d=_ribbon(spans, starts)))
        for (top, bottom), start in zip(spans, starts, strict=True):
            if bottom > top:
                group.append(element("rect", x=start, y=top, width=BAR, height=max(bottom - top - 0.8, 0.4)))
        yield group
    for side, start in zip(sides, starts, strict=True):
        if not side.total:
            yield element("rect", class_="frame", x=start, y=HEAD, width=BAR, height=side.height)


def _ribbon(spans: Sequence[tuple[float, float]], starts: Sequence[float]) -> str:
    """Return the path of a ribbon from the left segment to the right one."""
    left, right = starts[0] + BAR, starts[1]
    x1, mid, x2 = map(number, (left, (left + right) / 2, right))
    (a, b), (c, d) = (tuple(map(number, span)) for span in spans)
    return f"M{x1},{a}C{mid},{a} {mid},{c} {x2},{c}V{d}C{mid},{d} {mid},{b} {x1},{b}Z"


def _labels(side: _Side, start: float) -> Iterator[Element]:
    """Give the heading of a bar and its labels, each with a line to its segment."""
    end = side.is_left
    yield element("text", side.heading, class_="strong end" if end else "strong", x=start + BAR * end, y=16)
    middles = [side.middle(place) for place in side.shown]
    places = spread(middles, LINE, HEAD + 6, HEAD + side.height - 5)
    bar, near, far = (start - 2, start - LEAD + 3, start - LEAD) if end else (
        start + BAR + 2, start + BAR + LEAD - 3, start + BAR + LEAD)  # fmt: skip
    for place, middle, y in zip(side.shown, middles, places, strict=True):
        part = side.parts[place]
        name = fitted(part.label, side.room - side.numbers_width(part, values=side.values) + 0.1, SIZE)
        strong = element("tspan", side.share(part), class_="strong")
        muted = element("tspan", rounded(part, side.key), class_="muted")
        yield element("path", class_="lead", d=f"M{number(bar)},{number(middle)}L{number(near)},{number(y)}")
        named: list[Element | str] = [name, " ", muted] if side.values else [name]  # a space in a tspan may be dropped
        content = [*named, " ", strong] if end else [strong, " ", *named]
        yield element("text", *content, class_="end" if end else None, data_at=part.path, x=far, y=y + 4)


def spread(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Return places that are as near to those wanted, in least squares, as a gap between neighbours lets them be.

    ``wanted`` rises; the result does too, within ``low`` and ``high`` as far as all find room.

    Source:
        Pool adjacent violators: Ayer et al. (1955), An empirical distribution function for sampling with incomplete
        information.

    >>> spread([0, 1, 50], 10, 0, 100)
    [0, 10, 50]
    """
    pools: list[tuple[float, int]] = []
    for place, value in enumerate(wanted):
        mean, count = value - place * gap, 1
        while pools and pools[-1][0] > mean:
            before, held = pools.pop()
            mean, count = (before * held + mean * count) / (held + count), held + count
        pools.append((mean, count))
    highest = max(low, high - (len(wanted) - 1) * gap)
    means = [min(max(mean, low), highest) for mean, count in pools for _ in range(count)]
    return [mean + place * gap for place, mean in enumerate(means)]
