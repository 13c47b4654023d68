"""A graph as a picture: boxes with their operation, name and shape, tinted by a metric, in frames."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import ceil
from xml.etree.ElementTree import Element

from convcalc.records import dataclass
from convcalc.render.pictures.graph.nesting import PAD, Bend, Direction, Places, Rectangle
from convcalc.render.pictures.graph.nodes import GraphBox
from convcalc.render.pictures.labels import NAMES, facts, letters_of, operation_label, percent
from convcalc.render.pictures.modules import COSTS, has_costs
from convcalc.render.pictures.palette import tint
from convcalc.render.pictures.svg import SIZE, SMALL, Picture, element, fitted, number, picture, text_width

BOX, PILL = 40, 20
"""Heights of boxes: with two lines, and with one, of what has neither parameters nor multiplies."""
NARROW, USUAL, WIDE = 88, 132, 220
"""Widths of boxes in pixels: the least, that of all in a design with labels that fit, and the greatest."""
ROOM = 16
"""Left and right of a label together."""
NOTE = 20
STACK = 3
"""How far the box behind a box is shifted."""
KEYS = (*COSTS, "output_elements")


def labels(node: GraphBox, shapes: Mapping[str, Sequence[int]] | None = None) -> tuple[str, str]:
    """Return the two lines of a box: its operation or its name with its layers, and its own name with its shape."""
    if node.input:
        shape = (shapes or {}).get(node.input, ())
        return " · ".join(filter(None, (node.input, shape_text(shape)))), ""
    mark = "" if node.known else " ≥"
    times = times_text(node)
    if not node.is_run:
        return f"{node.name}{mark}", f"{node.layers:,} layers · {shape_text(node.shape)}"
    if node.first.only is None:
        return f"{node.name}{times} · {operation_label(node.first)}{mark}", shape_text(node.shape)
    what = operation_label(node.first)
    if is_pill(node):
        return f"{what}{times}", ""
    return f"{what}{times}{mark}", f"{node.name} · {shape_text(node.shape)}"


def shape_text(shape: Sequence[int]) -> str:
    """``64×56×56``; a dash where nothing is put out."""
    return "–" if 0 in shape else "×".join(map(str, shape))


def is_pill(node: GraphBox) -> bool:
    """Whether a box has one line: an input, or a layer without parameters and multiplies."""
    if node.input:
        return True
    return node.is_run and node.first.only is not None and node.known and not has_costs(node)


def title(node: GraphBox, root: GraphBox, by: str) -> str:
    """Return all that a box stands for, exactly."""
    if node.input:
        return node.input
    what = operation_label(node.first) if node.is_run else f"{node.layers:,} layers"
    values = facts(node, root, [key for key in dict.fromkeys((*KEYS, by)) if key in NAMES])
    return "\n".join([f"{node.paths}{times_text(node)}", f"{what} → {shape_text(node.shape)}", *values])


def times_text(node: GraphBox) -> str:
    """`` ×6`` for several."""
    return f" ×{node.times:,}" if node.times > 1 else ""


class Sizes:
    """How large boxes and headings are: boxes of one frame have one width, where their labels let them."""

    def __init__(self, shapes: Mapping[str, Sequence[int]]) -> None:
        self.shapes = shapes
        self.usual: dict[GraphBox | None, int] = {}

    def __call__(self, node: GraphBox) -> tuple[int, int]:
        if node.is_frame:
            text, share = heading(node, node)
            return 2 * min(ceil(max(text_width(text, SIZE, bold=True), text_width(share, SMALL)) + PAD + 6), USUAL), 0
        wanted = self._wanted(node)
        if is_pill(node):
            return wanted, PILL
        if node.parent not in self.usual:
            beside = node.parent.children if node.parent else ()
            widths = [self._wanted(child) for child in beside if not child.is_frame and not is_pill(child)]
            self.usual[node.parent] = max((min(width, USUAL) for width in widths), default=USUAL)
        return max(wanted, self.usual[node.parent]), BOX

    def _wanted(self, node: GraphBox) -> int:
        first, second = labels(node, self.shapes)
        width = ceil(max(text_width(first, SIZE), text_width(second, SMALL))) + ROOM
        return min(WIDE, max(NARROW, width + width % 2))


def heading(node: GraphBox, root: GraphBox, by: str = "macs") -> tuple[str, str]:
    """Return the name of a frame, and its share of the whole."""
    share = f"{'' if node.is_known(by) else '≥ '}{percent(node.value(by), root.value(by))}" if by in NAMES else ""
    return f"{node.name}{times_text(node)}", share


@dataclass(frozen=True)
class Painter:
    """Elements of a picture."""

    top: GraphBox
    """The design."""
    places: Places
    """Where everything is."""
    shapes: Mapping[str, Sequence[int]]
    """Those of the inputs."""
    by: str
    """The metric of tints at first, or ``none``."""
    direction: Direction
    largest: Mapping[str, int]
    """The values that tints are shares of."""

    def picture(self, inputs: Sequence[GraphBox], note: str) -> Picture:
        """Return the picture, with what the design reads, and a note above it."""
        boxes = self.top.boxes()
        content = [*self.frames(), *self.lines(), *map(self.box, [*inputs, *boxes])]
        width, height = self.places.width + 2 * STACK, self.places.height + 2 * STACK
        if note:
            height += NOTE
            width = max(width, ceil(text_width(note, SMALL)))
            above = element("text", note, class_="small muted", x=0, y=10)
            content = [above, element("g", *content, transform=f"translate(0,{NOTE})")]
        way = "top to bottom" if self.direction == "down" else "left to right"
        tinted = f", tinted by {NAMES[self.by][1]}" if self.by in NAMES else ""
        kind = f"graph by-{letters_of(self.by).get(self.by, 'none')}"
        return picture(kind, content, width, height, f"Graph of {len(boxes):,} boxes, {way}{tinted}.", margin=4)

    def frames(self) -> Iterator[Element]:
        """Give the frames, outer ones first."""
        for node in self.top.walk():
            if node.is_frame and node is not self.top:
                at = self.places.rectangles[node]
                for shift in (2 * STACK, STACK)[: node.times - 1][::-1]:
                    yield _rectangle("stack", at, 8, shift)
                yield self._frame(node, at)

    def _frame(self, node: GraphBox, at: Rectangle) -> Element:
        group = element("g", element("title", title(node, self.top, self.by)), class_="module", data_at=node.path)
        group.append(_rectangle("frame", at, 8))
        name, share = heading(node, self.top, self.by)
        rooms = self._rooms(node, at)
        wanted = text_width(name, SIZE, bold=True)
        enough = (room for room in rooms if room[1] - room[0] >= wanted)
        left, right = next(enough, None) or max(rooms, key=lambda room: room[1] - room[0])
        shown = fitted(name, right - left, SIZE, bold=True)
        group.append(element("text", shown, class_="strong", x=at.x + left, y=at.y + 15))
        last = rooms[-1]
        taken = left + text_width(shown, SIZE, bold=True) + 8 if last == (left, right) else last[0]
        if share and last[1] - taken >= text_width(share, SMALL):
            group.append(element("text", share, class_="small muted end", x=at.x + last[1], y=at.y + 15))
        return group

    def _rooms(self, node: GraphBox, at: Rectangle) -> list[tuple[float, float]]:
        """Return where no line passes through the heading, from left to right."""
        ports = self.places.ports[node] if self.direction == "down" else ()
        edges = [PAD - 5.0, *(port + sign * 5.0 for port in ports for sign in (-1, 1)), at.width - PAD + 1.0]
        return list(zip(edges[::2], edges[1::2], strict=True))

    def lines(self) -> Iterator[Element]:
        for _, source, parts in self.places.lines:
            yield element("path", class_="edge", data_from=source.path, d="".join(map(self._path, parts)))

    def _path(self, part: Bend) -> str:
        """Return a part of a line; both ends of its curve have the direction of the graph."""
        (start, end), (first, begins, ends, last) = part.across, part.along
        down = self.direction == "down"

        def point(across: int, along: float) -> str:
            return ",".join(map(number, (across, along) if down else (along, across)))

        on = "V" if down else "H"
        if start == end:
            return f"M{point(start, first)}{on}{number(last)}"
        middle = (begins + ends) / 2
        before = f"{on}{number(begins)}" if begins > first else ""
        after = f"{on}{number(last)}" if last > ends else ""
        curve = f"C{point(start, middle)} {point(end, middle)} {point(end, ends)}"
        return f"M{point(start, first)}{before}{curve}{after}"

    def box(self, node: GraphBox) -> Element:
        at, pill = self.places.rectangles[node], is_pill(node)
        tints = {f"data_{letter}": str(tint(node.value(key), self.largest[key]))
                 for key, letter in letters_of(self.by).items()}  # fmt: skip
        marks = {"class_": "input"} if node.input else {"data_at": node.path, **tints}
        group = element("g", element("title", title(node, self.top, self.by)), **marks)
        radius = at.height // 2 if pill else 6
        for shift in (2 * STACK, STACK)[-(min(node.times, 3) - 1) :] if node.times > 1 else ():
            group.append(_rectangle("stack", at, radius, shift))
        group.append(_rectangle("stack" if node.input else "box tint", at, radius))
        first, second = labels(node, self.shapes)
        room = at.width - ROOM + 0.5
        if pill:
            text = fitted(first, room, SIZE)
            group.append(element("text", text, class_="middle", x=at.x + at.width / 2, y=at.y + 14))
        else:
            group.append(element("text", fitted(first, room, SIZE), x=at.x + 8, y=at.y + 16))
            group.append(element("text", fitted(second, room, SMALL), class_="small", x=at.x + 8, y=at.y + 31))
        return group


def _rectangle(kind: str, at: Rectangle, radius: int, shift: int = 0) -> Element:
    """Return a rectangle with round corners."""
    return element("rect", class_=kind, x=at.x + shift, y=at.y + shift, width=at.width, height=at.height, rx=radius)
