"""The bridge: which share of the multiplies, and which share of the parameters, each part of a design has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate
from xml.etree.ElementTree import Element

from convcalc.records import NamedTuple
from convcalc.render.pictures.labels import LINE, NAMES, Part, parts_of, percent, short, spread, title, uncounted
from convcalc.render.pictures.modules import Module
from convcalc.render.pictures.palette import RAMP
from convcalc.render.pictures.svg import Picture, element, number, picture
from convcalc.render.pictures.text_width import fitted, text_width

KEYS = ("macs", "params")
SIZE = 12
BAR = 28
LEAD = 13
"""From a bar to its labels."""
HEAD, FOOT = 28, 8
MIDDLE = 50
"""Room between the bars, at least."""
MOST_LABELS = 14
SMALLEST = 200
"""A part has a label if it has a two-hundredth of the metric."""


class _Side(NamedTuple):
    """One bar with its labels."""

    key: str
    root: Module
    parts: Sequence[Part]
    top: float
    height: float
    is_left: bool
    most: float
    """Room for labels, at most."""

    @property
    def total(self) -> int:
        return sum(part.values[self.key] for part in self.parts)

    def edges(self) -> list[float]:
        """Return where segments begin, and where the last one ends."""
        above = accumulate((part.values[self.key] for part in self.parts), initial=0)
        total = self.total
        return [self.top + (self.height * (value / total) if total else 0) for value in above]

    def labelled(self) -> list[int]:
        """Return the places of the parts that have a label: the largest that are not beside each other, then others."""
        edges, total = self.edges(), self.total
        sizes = [part.values[self.key] for part in self.parts]
        large = [place for place, size in enumerate(sizes) if SMALLEST * size >= total > 0]
        most = max(1, min(MOST_LABELS, int(self.height / LINE)))
        apart: list[int] = []
        for place in sorted(large, key=lambda place: -sizes[place]):
            middle = edges[place] + edges[place + 1]
            if all(abs(middle - edges[other] - edges[other + 1]) >= 2 * self.height / most for other in apart):
                apart.append(place)
        others = sorted((place for place in large if place not in apart), key=lambda place: -sizes[place])
        return sorted([*apart, *others][:most])

    def pieces(self, part: Part) -> tuple[str, str]:
        """Return the number and the share of a label."""
        value = part.values[self.key]
        return short(value, known=part.is_known(self.key)), percent(value, self.total)

    def numbers_width(self, part: Part, *, values: bool) -> float:
        """Return how wide a label is without its name, with or without its value."""
        value, share = self.pieces(part)
        return text_width(f"  {value}" if values else " ", SIZE) + text_width(share, SIZE, bold=True)

    def names_width(self, *, values: bool) -> float:
        """Return how wide the longest label is."""
        shown = [self.parts[place] for place in self.labelled()]
        return max(
            (text_width(part.label, SIZE) + self.numbers_width(part, values=values) for part in shown), default=0
        )

    @property
    def values(self) -> bool:
        """Whether labels have values: where names would be cut for them they do without."""
        return self.names_width(values=True) <= self.most or not self.parts

    @property
    def heading(self) -> str:
        return f"{short(self.total, known=self.root.is_known(self.key))} {NAMES[self.key][1]}"

    def room(self) -> float:
        """Return how wide the labels are; the heading reaches over the bar."""
        heading = text_width(self.heading, SIZE, bold=True) - BAR - LEAD + 2
        return min(max(self.names_width(values=self.values), heading), self.most)


def bridge(root: Module, width: float = 470, height: float = 380) -> Picture:
    """Draw two bars of one height, multiplies left and parameters right, cut into the parts of a design.

    The height of a segment is its share of the metric; parts are in the network's order, the first on top.
    """
    parts, note = parts_of(root, KEYS), uncounted(root)
    length = height - HEAD - FOOT - (LINE + 4 if note else 0)
    most = (width - 2 * (BAR + LEAD) - MIDDLE) / 2
    sides = [_Side(key, root, parts, HEAD, length, key == "macs", most) for key in KEYS]
    rooms = [side.room() for side in sides]
    starts = [rooms[0] + LEAD, width - rooms[1] - LEAD - BAR]
    drawn = [*_segments(sides, starts)]
    for side, start, room in zip(sides, starts, rooms, strict=True):
        drawn += _labels(side, start, room)
    if note:
        drawn.append(element("text", fitted(note, width - 4, SIZE), class_="muted", x=2, y=height - 5))
    return picture("bridge", drawn, width, height, _said(sides))


def _said(sides: Sequence[_Side]) -> str:
    """Return what the picture shows, with the largest part of each side."""
    totals = " and ".join(side.heading for side in sides)
    largest = []
    for side in sides:
        part = max(side.parts, key=lambda part: part.values[side.key], default=None)
        if part and part.values[side.key]:
            largest.append(f"{part.label} has {side.pieces(part)[1]} of the {NAMES[side.key][1]}")
    return f"{'; '.join([f'Each part’s share of {totals}, first layer on top', *largest])}."


def _segments(sides: Sequence[_Side], starts: Sequence[float]) -> Iterator[Element]:
    """Give the ribbon and the segments of every part, and an empty frame for a side without a value."""
    edges, parts = [side.edges() for side in sides], sides[0].parts
    for place, part in enumerate(parts):
        spans = [(edge[place], edge[place + 1]) for edge in edges]
        group = element("g", class_=f"depth{place * RAMP // len(parts)}", data_at=part.path)
        group.append(element("title", title(part, sides[0].root, KEYS)))
        if all(side.total for side in sides):
            group.append(element("path", class_="ribbon", d=_ribbon(spans, starts)))
        for (top, bottom), start in zip(spans, starts, strict=True):
            if bottom > top:
                group.append(element("rect", x=start, y=top, width=BAR, height=max(bottom - top - 0.8, 0.4)))
        yield group
    for side, start in zip(sides, starts, strict=True):
        if not side.total:
            yield element("rect", class_="frame", x=start, y=side.top, width=BAR, height=side.height)


def _ribbon(spans: Sequence[tuple[float, float]], starts: Sequence[float]) -> str:
    """Return the path of a ribbon from the left segment to the right one."""
    left, right = starts[0] + BAR, starts[1]
    x1, mid, x2 = map(number, (left, (left + right) / 2, right))
    (a, b), (c, d) = (tuple(map(number, span)) for span in spans)
    return f"M{x1},{a}C{mid},{a} {mid},{c} {x2},{c}V{d}C{mid},{d} {mid},{b} {x1},{b}Z"


def _labels(side: _Side, start: float, room: float) -> Iterator[Element]:
    """Give the heading of a bar and its labels, each with a line to its segment."""
    end = side.is_left
    yield element("text", side.heading, class_="strong end" if end else "strong", x=start + BAR * end, y=16)
    edges, shown = side.edges(), side.labelled()
    middles = [(edges[place] + edges[place + 1]) / 2 for place in shown]
    places = spread(middles, LINE, side.top + 6, side.top + side.height - 5)
    bar, near, far = (start - 2, start - LEAD + 3, start - LEAD) if end else (
        start + BAR + 2, start + BAR + LEAD - 3, start + BAR + LEAD)  # fmt: skip
    values = side.values
    for place, middle, y in zip(shown, middles, places, strict=True):
        part = side.parts[place]
        value, share = side.pieces(part)
        name = fitted(part.label, room - side.numbers_width(part, values=values) + 0.1, SIZE)
        strong, muted = element("tspan", share, class_="strong"), element("tspan", value, class_="muted")
        yield element("path", class_="lead", d=f"M{number(bar)},{number(middle)}L{number(near)},{number(y)}")
        named: list[Element | str] = [name, " ", muted] if values else [name]  # a space in a tspan may be dropped
        content = [*named, " ", strong] if end else [strong, " ", *named]
        yield element("text", *content, class_="end" if end else None, data_at=part.path, x=far, y=y + 4)
