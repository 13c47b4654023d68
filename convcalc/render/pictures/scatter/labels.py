"""Labels beside points: each where it overlaps no point and no other label, or left out."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence

from convcalc.records import NamedTuple
from convcalc.render.pictures.svg import text_width

SIZE = 10.5
ASCENT, DESCENT = 9, 3
CELL = 40
"""Side of the squares by which neighbours are found."""
MOST = 1500
"""So many labels are tried."""

Rectangle = tuple[float, float, float, float]
"""Left, upper, right and lower edge."""


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
        width = text_width(text, SIZE, bold=number in strong)
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
