"""The places of a graph: every frame is laid out alone, with ports for what enters and leaves, and is a box outside."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from convcalc.records import NamedTuple
from convcalc.render.pictures.graph.columns import columns
from convcalc.render.pictures.graph.layers import LANE, Item, Layered, Link, Segment
from convcalc.render.pictures.graph.nodes import Node
from convcalc.render.pictures.graph.ordering import order

Direction = Literal["down", "right"]
DIRECTIONS: tuple[Direction, ...] = ("down", "right")
GAP = 16
"""Between nodes beside each other, and between layers at least."""
CLOSE = 4
"""Between ports and what they are straight above or below."""
STEEP = 12
"""Layers are farther apart where lines go far to the side: by a pixel for so many."""
MOST_GAP = 40
PAD = 10
HEAD = 22
"""The height of a frame's heading."""
COSTS = ("params", "macs")
WEIGHT = 2
"""What a layer with costs weighs on a way; others weigh 1."""


class Rectangle(NamedTuple):
    """A place in pixels."""

    x: int
    y: int
    width: int
    height: int


class Bend(NamedTuple):
    """A part of a line: straight to the end of a layer, in a curve to the next one, straight to its end.

    ``across`` is where it begins and ends; ``along`` where it begins, where the curve begins and ends, where it ends.
    """

    across: tuple[int, int]
    along: tuple[int, int, int, int]


class Places(NamedTuple):
    """Where everything is. Lines are given for each frame, one for each box whose output goes on in it."""

    width: int
    height: int
    rectangles: Mapping[Node, Rectangle]
    lines: Sequence[tuple[Node, Node, Sequence[Bend]]]
    """The frame, the box or input whose output it is, and its parts."""
    ports: Mapping[Node, Sequence[int]]
    """Where lines enter a frame, across, from its edge."""
    crossings: int
    bends: int


Sizes = Callable[[Node], tuple[int, int]]
"""Width and height of a box; of a frame, what it has at least for its heading."""


class _Frame(NamedTuple):
    """A frame laid out alone: across and along the lines, from its corner."""

    width: int
    height: int
    at: Mapping[Node, tuple[int, int]]
    lines: Mapping[Node, Sequence[Bend]]
    enters: Mapping[Node, int]
    """Where across the output of a box outside enters."""
    leaves: Mapping[Node, int]


class _Wires:
    """What every frame has inside: lines between its children, what enters, what leaves."""

    def __init__(self, top: Node, edges: Mapping[tuple[Node, Node], None]) -> None:
        self.inside: dict[Node, dict[tuple[Node, Node, Node], None]] = {}
        self.enters: dict[Node, dict[Node, None]] = {}
        self.leaves: dict[Node, dict[Node, None]] = {}
        for source, reader in edges:
            tail, head = source, reader
            while tail.parent is not head.parent:
                if tail.depth > head.depth:
                    tail = self._leave(tail, source)
                elif head.depth > tail.depth:
                    head = self._enter(head, source)
                else:
                    tail, head = self._leave(tail, source), self._enter(head, source)
            self.inside.setdefault(tail.parent or top, {})[tail, head, source] = None

    def _leave(self, node: Node, source: Node) -> Node:
        frame = node.parent
        assert frame is not None
        self.leaves.setdefault(frame, {})[source] = None
        self.inside.setdefault(frame, {})[node, frame, source] = None
        return frame

    def _enter(self, node: Node, source: Node) -> Node:
        frame = node.parent
        assert frame is not None
        self.enters.setdefault(frame, {})[source] = None
        self.inside.setdefault(frame, {})[frame, node, source] = None
        return frame


def place(
    top: Node, inputs: Sequence[Node], edges: Mapping[tuple[Node, Node], None], sizes: Sizes,
    direction: Direction = "down",
) -> Places:  # fmt: skip
    """Return the places of all boxes, frames and lines.

    No box overlaps another, no line passes through a box or a frame that it does not enter, and all lines go on in
    the direction: within a frame lines bend between its layers alone.
    """
    wires = _Wires(top, edges)
    done: dict[Node, _Frame] = {}
    crossings = bends = 0
    for node in reversed(list(top.walk())):
        if node.is_frame:
            children = [*inputs, *node.children] if node is top else node.children
            done[node], crossed, bent = _lay_out(node, children, wires, sizes, done, direction)
            crossings, bends = crossings + crossed, bends + bent
    return _absolute(top, done, sizes, direction, crossings, bends)


def _size(node: Node, done: Mapping[Node, _Frame], sizes: Sizes, direction: Direction) -> Item:
    if node in done:
        return Item(done[node].width, done[node].height, WEIGHT * node.layers)
    width, height = sizes(node)
    weight = WEIGHT if any(map(node.value, COSTS)) else 1
    return Item(width, height, weight) if direction == "down" else Item(height, width, weight)


class _Wired(NamedTuple):
    """A frame's graph, and the numbers of its ports and children in it."""

    graph: Layered
    ins: Mapping[Node, int]
    numbers: Mapping[Node, int]
    outs: Mapping[Node, int]


def _wired(frame: Node, wires: _Wires, sized: Mapping[Node, Item], head: int, done: Mapping[Node, _Frame]) -> _Wired:
    enters, leaves = list(wires.enters.get(frame, ())), list(wires.leaves.get(frame, ()))
    items = [*(Item(LANE, head) for _ in enters), *sized.values(), *(Item(LANE, PAD) for _ in leaves)]
    ins = {source: place for place, source in enumerate(enters)}
    numbers = {child: len(enters) + place for place, child in enumerate(sized)}
    outs = {source: len(enters) + len(sized) + place for place, source in enumerate(leaves)}
    links = []
    for tail, end, source in wires.inside.get(frame, ()):
        one, other = (ins[source] if tail is frame else numbers[tail]), (outs[source] if end is frame else numbers[end])
        tail_shift = done[tail].leaves[source] - done[tail].width // 2 if tail in done else 0
        end_shift = done[end].enters[source] - done[end].width // 2 if end in done else 0
        links.append(Link(one, other, source, tail_shift, end_shift))
    read = {link.head for link in links}
    for child, at in numbers.items():
        if at not in read and not child.input:  # a parameter is beside the main way
            items[at] = items[at]._replace(weight=0)
    return _Wired(Layered(items, links, len(enters), len(leaves)), ins, numbers, outs)


def _lay_out(
    frame: Node, children: Sequence[Node], wires: _Wires, sizes: Sizes, done: Mapping[Node, _Frame],
    direction: Direction,
) -> tuple[_Frame, int, int]:  # fmt: skip
    """Lay out one frame, whose inner frames are done; return its crossings and bends too."""
    top = frame.parent is None
    head, side = (0, 0) if top else (HEAD, PAD) if direction == "down" else (PAD, HEAD)
    sized = {child: _size(child, done, sizes, direction) for child in children}
    graph, ins, numbers, outs = _wired(frame, wires, sized, head, done)
    crossings = order(graph)
    across, bands = _across_and_bands(graph, 0 if ins else head)
    least = 0 if top else sizes(frame)[0]
    pads = 0 if top else side + PAD
    inner = max((middle + width // 2 for middle, width in zip(across, graph.widths, strict=True)), default=0) + pads
    width = _even(max(inner, least) if direction == "down" else inner)
    length = (bands[-1][1] if bands else 0) + (0 if outs or top else PAD)
    length = _even(max(length, least) if direction == "right" else length)
    if outs:  # lines go on to the edge
        bands[-1] = bands[-1][0], length
    left = side + (width - inner) // 2
    across = [middle + left for middle in across]
    lines: dict[Node, list[Bend]] = {}
    for segment in graph.segments:
        lines.setdefault(segment.source, []).append(_bend(graph, segment, across, bands))  # type: ignore[arg-type] # nodes
    made = _Frame(
        width, length,
        {child: (across[at] - graph.widths[at] // 2, _start(graph, at, bands)) for child, at in numbers.items()},
        lines, {source: across[at] for source, at in ins.items()}, {source: across[at] for source, at in outs.items()},
    )  # fmt: skip
    return made, crossings, sum(part.across[0] != part.across[1] for parts in lines.values() for part in parts)


def _even(size: int) -> int:
    return size + size % 2


def _across_and_bands(graph: Layered, begin: int) -> tuple[list[int], list[tuple[int, int]]]:
    """Return where every node is across, and where each layer begins and ends."""
    across = columns(graph, GAP)
    steps, ports = [0] * len(graph.layers), [False] * len(graph.layers)
    for each in graph.segments:
        far = abs(across[each.tail] + each.tail_shift - across[each.head] - each.head_shift)
        rank = graph.ranks[each.tail]
        steps[rank] = max(steps[rank], far)
        ports[rank] = ports[rank] or graph.is_port(each.tail) or graph.is_port(each.head)
    bands, at = [], begin
    for layer, far, port in zip(graph.layers, steps, ports, strict=True):
        height = max(graph.heights[node] for node in layer)
        bands.append((at, at + height))
        at += height + (CLOSE if port and not far else min(MOST_GAP, GAP + far // STEEP))
    return across, bands


def _start(graph: Layered, node: int, bands: Sequence[tuple[int, int]]) -> int:
    begin, end = bands[graph.ranks[node]]
    return begin + (end - begin - graph.heights[node]) // 2


def _bend(graph: Layered, part: Segment, across: Sequence[int], bands: Sequence[tuple[int, int]]) -> Bend:
    tail, head = part.tail, part.head
    (port, begins), (ends, end) = bands[graph.ranks[tail]], bands[graph.ranks[head]]
    first = _start(graph, tail, bands) + graph.heights[tail]
    first = port if graph.is_port(tail) else begins if graph.is_bend(tail) else first
    last = end if graph.is_bend(head) or graph.is_port(head) else _start(graph, head, bands)
    return Bend((across[tail] + part.tail_shift, across[head] + part.head_shift), (first, begins, ends, last))


def _absolute(
    top: Node, done: Mapping[Node, _Frame], sizes: Sizes, direction: Direction, crossings: int, bends: int
) -> Places:
    """Return the places of all frames together."""
    corners = {top: (0, 0)}
    rectangles: dict[Node, Rectangle] = {}
    lines: list[tuple[Node, Node, Sequence[Bend]]] = []
    for node in top.walk():
        if node not in done:
            continue
        x, y = corners[node]
        for child, (across, along) in done[node].at.items():
            corners[child] = x + across, y + along
            size = _size(child, done, sizes, direction)
            found = Rectangle(x + across, y + along, size.width, size.height)
            rectangles[child] = found if direction == "down" else Rectangle(found.y, found.x, found.height, found.width)
        for source, parts in done[node].lines.items():
            moved = [Bend((part.across[0] + x, part.across[1] + x), _moved(part.along, y)) for part in parts]
            lines.append((node, source, moved))
    whole = done[top]
    width, height = (whole.width, whole.height) if direction == "down" else (whole.height, whole.width)
    ports = {node: sorted(frame.enters.values()) for node, frame in done.items()}
    return Places(width, height, rectangles, lines, ports, crossings, bends)


def _moved(along: tuple[int, int, int, int], by: int) -> tuple[int, int, int, int]:
    return along[0] + by, along[1] + by, along[2] + by, along[3] + by
