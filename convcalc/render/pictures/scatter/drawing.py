"""The scatter plot: a point a design, and the front of those that no other is better than in everything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from math import sqrt
from typing import Literal
from xml.etree.ElementTree import Element

from convcalc.batch.results import Value
from convcalc.batch.selection import dominates
from convcalc.number_format import count_of
from convcalc.records import NamedTuple
from convcalc.render.pictures.labels import short
from convcalc.render.pictures.palette import RAMP
from convcalc.render.pictures.scatter.places import CELL, Rectangle, Spot, axis, place_labels
from convcalc.render.pictures.svg import Picture, element, fitted, number, picture, text_width

Labels = Literal["auto", "all", "front", "none"]
LABELS: tuple[Labels, ...] = ("auto", "all", "front", "none")
SMALL = 11
RADIUS, LEAST_RADIUS, LARGEST_RADIUS = 4.0, 3.0, 15.0
RIGHT, TOP, BOTTOM = 16, 30, 44
MOST_POINTS = 5000
"""Of more, those that are drawn over each other are one."""
LEGEND = 18
"""Height of a line of colours."""
MOST_COLORS = 8
GAP_X, GAP_Y = 58, 30
"""Between ticks, at least."""


class Point(NamedTuple):
    """One design: its values, its group by colour, and what its title shows."""

    name: str
    x: Value
    y: Value
    size: Value | None = None
    group: str = ""
    title: str = ""
    on_front: bool = False


class Plan(NamedTuple):
    """The titles of axes, and how points are drawn; ``None`` for a logarithmic axis leaves it to the values."""

    x: str
    y: str
    size: str = ""
    log_x: bool | None = None
    log_y: bool | None = None
    labels: Labels = "auto"
    line: tuple[bool, bool] | None = None
    """Whether larger is better in x and in y, where the points of the front are joined."""


def front_of(values: Sequence[Sequence[Value]]) -> list[int]:
    """Return which tuples no other dominates, smaller being better; ties are all kept."""
    order = sorted(range(len(values)), key=lambda place: tuple(values[place]))
    kept: list[int] = []
    for place in order:  # what dominates a tuple comes before it
        if not any(dominates(values[other], values[place]) for other in kept):  # type: ignore[arg-type] # or floats
            kept.append(place)
    return sorted(kept)


def scatter(points: Sequence[Point], plan: Plan, width: float = 900, height: float = 560) -> Picture:
    """Draw points, with the names of as many as find room without overlapping: those of the front first.

    Args:
        points: at least one.
        plan: titles, axes, labels.
        width: in pixels.
        height: in pixels.
    """
    colors = _colors([point.group for point in points])
    largest = max((point.size for point in points if point.size), default=0)
    legend, lines = _legend(colors, plan, points, largest, width)
    top = TOP + LEGEND * lines
    bottom = height - BOTTOM
    vertical = axis([point.y for point in points], bottom, top, plan.log_y)
    ticks_y = vertical.ticks(GAP_Y)
    left = max((text_width(text, SMALL) for _, text in ticks_y), default=0) + 14
    horizontal = axis([point.x for point in points], left, width - RIGHT, plan.log_x)
    spots = [Spot(horizontal.at(point.x), vertical.at(point.y), _radius(point, largest)) for point in points]
    drawn = [*legend, *_grid(horizontal.ticks(GAP_X), ticks_y, (left, top, width - RIGHT, bottom))]
    room = width - RIGHT - 8
    drawn += [
        element("text", fitted(f"{plan.x} →", room, SMALL), class_="muted end tick", x=width - RIGHT, y=height - 8),
        element("text", fitted(f"↑ {plan.y}", room, SMALL), class_="muted tick", x=4, y=top - 14),
    ]
    corners = _front(points, spots, larger=plan.line[0]) if plan.line else []
    if corners:
        path = "L".join(f"{number(x)},{number(y)}" for x, y in corners)
        drawn.append(element("path", class_="frontier", d=f"M{path}"))
    shown = _shown(points, spots)
    names = _texts(points, shown, plan.labels)
    labels = place_labels(
        spots, names, (left + 2, top - 8, width - 2, bottom - 2), lines=_steps(corners),
        strong={place for place in shown if points[place].on_front}, far=plan.labels == "all",
    )  # fmt: skip
    # the front is above others, colours above grey, small ones above large ones
    order = sorted(shown, key=lambda at: (points[at].on_front, points[at].group in colors, -spots[at].radius))
    drawn += [_point(points[place], spots[place], colors, shown[place]) for place in order]
    drawn += [element("text", label.text, class_="name front" if label.strong else "name muted", x=label.x, y=label.y)
              for label in labels.values()]  # fmt: skip
    missing = len(names) - len(labels)
    said = [f"{count_of(len(points), 'point')}: {plan.x} from left to right, {plan.y} upward"]
    said += ["points over each other are drawn once"] if len(shown) < len(points) else []
    said += [f"{count_of(missing, 'name')} found no room"] if missing and plan.labels == "all" else []
    return picture("scatter", drawn, width, height, f"{'; '.join(said)}.")


def _radius(point: Point, largest: Value) -> float:
    """Return a radius by which areas are in the ratio of sizes, but for the smallest."""
    if not largest:
        return RADIUS + point.on_front
    return max(LEAST_RADIUS, LARGEST_RADIUS * sqrt(max(point.size or 0, 0) / largest))


def _shown(points: Sequence[Point], spots: Sequence[Spot]) -> dict[int, int]:
    """Return which points are drawn, and how many more are at the same place: of very many one a square and group."""
    side, found = 0, dict.fromkeys(range(len(points)), 0)
    while len(found) > MOST_POINTS and side < CELL:
        side = 2 * side or 2
        squares: dict[object, int] = {}
        found = {}
        for place, (point, spot) in enumerate(zip(points, spots, strict=True)):
            square = place if point.on_front else (spot.x // side, spot.y // side, point.group)
            first = squares.setdefault(square, place)
            found[first] = found[first] + 1 if first in found else 0
    return found


def _texts(points: Sequence[Point], shown: Iterable[int], labels: Labels) -> dict[int, str]:
    """Return the names to be written, those of the front first, then from the top of the picture down."""
    if labels == "none":
        return {}
    order = sorted(shown, key=lambda place: (not points[place].on_front, points[place].y))
    return {
        place: fitted(points[place].name, 160, SMALL)
        for place in order
        if points[place].name and (labels != "front" or points[place].on_front)
    }


# --- colours ----------------------------------------------------------------------------------------------------------


def _colors(groups: Sequence[str]) -> Mapping[str, str]:
    """Return the class of each group; of many, the largest have colours of their own."""
    counted = Counter(groups)
    if set(counted) <= {""}:
        return {}
    ranked = sorted(counted, key=lambda group: (-counted[group], group))
    shown = sorted(ranked[: MOST_COLORS if len(ranked) <= MOST_COLORS else MOST_COLORS - 1], key=_natural)
    return {group: f"depth{place * RAMP // len(shown)}" for place, group in enumerate(shown)}


def _natural(text: str) -> tuple[float, str]:
    """Sort numbers by their size, ranges of them by where they begin, and words behind."""
    try:
        return float(text.partition(" … ")[0].replace(",", "")), text
    except ValueError:
        return float("inf"), text


def _legend(
    colors: Mapping[str, str], plan: Plan, points: Sequence[Point], largest: Value, width: float
) -> tuple[list[Element], int]:
    """Return the keys of colours and sizes, and in how many lines they are."""
    keys = [(group or "none", color) for group, color in colors.items()]
    if colors and any(point.group not in colors for point in points):
        keys.append(("others", "muted"))
    if plan.size:
        most = short(largest) if isinstance(largest, int) else f"{largest:.3g}"
        keys.append((f"area: {plan.size}, up to {most}", ""))
    found, x, line = [], 4.0, 0
    for text, color in keys:
        shown = fitted(text, width - 34, SMALL)
        wide = text_width(shown, SMALL) + (30 if color else 16)
        if x + wide > width and x > 4:
            x, line = 4.0, line + 1
        y = 10 + LEGEND * line
        if color:
            found.append(element("circle", class_=f"point {color}", cx=x + 5, cy=y, r=5))
        found.append(element("text", shown, class_="muted tick", x=x + 14 if color else x, y=y + 4))
        x += wide
    return found, line + 1 if keys else 0


# --- what is drawn ----------------------------------------------------------------------------------------------------


def _grid(
    across: Sequence[tuple[float, str]], up: Sequence[tuple[float, str]], box: tuple[float, float, float, float]
) -> Iterator[Element]:
    left, top, right, bottom = box
    for x, text in across:
        yield element("path", class_="line", d=f"M{number(x)},{number(top)}V{number(bottom)}")
        yield element("text", text, class_="muted middle tick", x=x, y=bottom + 16)
    for y, text in up:
        yield element("path", class_="line", d=f"M{number(left)},{number(y)}H{number(right)}")
        yield element("text", text, class_="muted end tick", x=left - 7, y=y + 4)


def _point(point: Point, spot: Spot, colors: Mapping[str, str], more: int) -> Element:
    color = colors.get(point.group, "muted") if colors else "params" if point.on_front else "muted"
    kind = f"point front {color}" if point.on_front else f"point {color}"
    circle = element("circle", class_=kind, cx=spot.x, cy=spot.y, r=spot.radius, data_at=point.name)
    others = [f"and {more:,} more here"] if more else []
    circle.append(element("title", "\n".join([point.title or point.name, *others])))
    return circle


def _front(points: Sequence[Point], spots: Sequence[Spot], *, larger: bool) -> list[tuple[float, float]]:
    """Return the corners of the line that joins the front, from the best x to the best y."""
    on_front = [(point.x, spot) for point, spot in zip(points, spots, strict=True) if point.on_front]
    corners: list[tuple[float, float]] = []
    for _, spot in sorted(on_front, key=lambda pair: pair[0], reverse=larger):
        corners += [(spot.x, corners[-1][1])] if corners else []
        corners.append((spot.x, spot.y))
    return corners


def _steps(corners: Sequence[tuple[float, float]]) -> list[Rectangle]:
    """Return the parts of a line as rectangles."""
    return [
        (min(x, then_x) - 1, min(y, then_y) - 1, max(x, then_x) + 1, max(y, then_y) + 1)
        for (x, y), (then_x, then_y) in pairwise(corners)
    ]
