"""The places of a graph: every frame is laid out alone, with ports for what enters and leaves, and is a box outside."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Literal

from convcalc.records import NamedTuple
from convcalc.render.pictures.graph.columns import columns
from convcalc.render.pictures.graph.layers import LANE, Layered, Link, NodeBox, order
from convcalc.render.pictures.graph.nodes import GraphBox
from convcalc.render.pictures.modules import has_costs

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

    def moved(self, across: int, along: int) -> Bend:
        (start, end), (first, begins, ends, last) = self
        return Bend((start + across, end + across), (first + along, begins + along, ends + along, last + along))


class Places(NamedTuple):
    """Where everything is. Lines are given for each frame, one for each box whose output goes on in it."""

    width: int
    height: int
    rectangles: Mapping[GraphBox, Rectangle]
    lines: Sequence[tuple[GraphBox, GraphBox, Sequence[Bend]]]
    """The frame, the box or input whose output it is, and its parts."""
    ports: Mapping[GraphBox, Sequence[int]]
    """Where lines enter a frame, across, from its edge."""


Sizes = Callable[[GraphBox], tuple[int, int]]
"""Width and height of a box; of a frame, what it has at least for its heading."""


class _Frame(NamedTuple):
    """A frame laid out alone: across and along the lines, from its corner."""

    width: int
    height: int
    at: Mapping[GraphBox, Rectangle]
    lines: Mapping[GraphBox, Sequence[Bend]]
    enters: Mapping[GraphBox, int]
    """Where across the output of a box outside enters."""
    leaves: Mapping[GraphBox, int]


def place(
    top: GraphBox,
    inputs: Sequence[GraphBox],
    edges: Iterable[tuple[GraphBox, GraphBox]],
    sizes: Sizes,
    direction: Direction = "down",
) -> Places:
    """Return the places of all boxes, frames and lines.

    No box overlaps another, no line passes through a box or a frame that it does not enter, and all lines go on in
    the direction: within a frame lines bend between its layers alone.
    """
    layout = _Layout(top, edges, sizes, is_down=direction == "down")
    for node in reversed(list(top.walk())):
        if node.is_frame:
            layout.add(node, [*inputs, *node.children] if node is top else node.children)
    return layout.places(top)


class _Layout:
    """The frames of a graph, the inner ones first, and what every frame has inside."""

    def __init__(
        self, top: GraphBox, edges: Iterable[tuple[GraphBox, GraphBox]], sizes: Sizes, *, is_down: bool
    ) -> None:
        self.sizes, self.is_down = sizes, is_down
        self.done: dict[GraphBox, _Frame] = {}
        self.inside: defaultdict[GraphBox, dict[tuple[GraphBox, GraphBox, GraphBox], None]] = defaultdict(dict)
        """Lines between the children of a frame, from what enters it and to what leaves it, with their sources."""
        self.enters: defaultdict[GraphBox, dict[GraphBox, None]] = defaultdict(dict)
        self.leaves: defaultdict[GraphBox, dict[GraphBox, None]] = defaultdict(dict)
        for source, reader in edges:
            tail, head = source, reader
            while tail.parent is not head.parent:
                leaves, enters = tail.depth >= head.depth, head.depth >= tail.depth
                if leaves:
                    frame = _frame_of(tail)
                    self.leaves[frame][source] = self.inside[frame][tail, frame, source] = None
                    tail = frame
                if enters:
                    frame = _frame_of(head)
                    self.enters[frame][source] = self.inside[frame][frame, head, source] = None
                    head = frame
            self.inside[tail.parent or top][tail, head, source] = None

    def add(self, frame: GraphBox, children: Sequence[GraphBox]) -> None:
        """Lay out one frame, whose inner frames are done."""
        top = frame.parent is None
        head, side = (0, 0) if top else (HEAD, PAD) if self.is_down else (PAD, HEAD)
        sized = {child: self._size(child) for child in children}
        ins = {source: place for place, source in enumerate(self.enters[frame])}
        numbers = {child: place for place, child in enumerate(sized, len(ins))}
        outs = {source: place for place, source in enumerate(self.leaves[frame], len(ins) + len(sized))}
        items = [*(NodeBox(LANE, head) for _ in ins), *sized.values(), *(NodeBox(LANE, PAD) for _ in outs)]
        links = list(self._links(frame, ins, numbers, outs))
        read = {link.head for link in links}
        for child, at in numbers.items():
            if at not in read and not child.input:  # a parameter is beside the main way
                items[at] = items[at]._replace(weight=0)
        graph = Layered(items, links, len(ins), len(outs))
        order(graph)
        across, bands = _across_and_bands(graph, 0 if ins else head)
        least = 0 if top else self.sizes(frame)[0]
        inner = max((middle + width // 2 for middle, width in zip(across, graph.widths, strict=True)), default=0)
        inner += 0 if top else side + PAD
        width = _even(max(inner, least) if self.is_down else inner)
        length = (bands[-1][1] if bands else 0) + (0 if outs or top else PAD)
        length = _even(length if self.is_down else max(length, least))
        if outs:  # lines go on to the edge
            bands[-1] = bands[-1][0], length
        across = [middle + side + (width - inner) // 2 for middle in across]
        places = {
            child: Rectangle(across[at] - graph.widths[at] // 2, _start(graph, at, bands), *sized[child][:2])
            for child, at in numbers.items()
        }
        lines: dict[GraphBox, list[Bend]] = {}
        for part in graph.segments:
            lines.setdefault(part.source, []).append(_bend(graph, part, across, bands))
        entered, left_at = ({source: across[at] for source, at in ports.items()} for ports in (ins, outs))
        self.done[frame] = _Frame(width, length, places, lines, entered, left_at)

    def _links(
        self,
        frame: GraphBox,
        ins: Mapping[GraphBox, int],
        numbers: Mapping[GraphBox, int],
        outs: Mapping[GraphBox, int],
    ) -> Iterator[Link]:
        for tail, head, source in self.inside[frame]:
            one, other = self.done.get(tail), self.done.get(head)
            tail_at = ins[source] if tail is frame else numbers[tail]
            head_at = outs[source] if head is frame else numbers[head]
            tail_shift = one.leaves[source] - one.width // 2 if one else 0
            head_shift = other.enters[source] - other.width // 2 if other else 0
            yield Link(tail_at, head_at, source, tail_shift, head_shift)

    def _size(self, node: GraphBox) -> NodeBox:
        if node in self.done:
            return NodeBox(self.done[node].width, self.done[node].height, WEIGHT * node.layers)
        width, height = self.sizes(node)
        weight = WEIGHT if has_costs(node) else 1
        return NodeBox(width, height, weight) if self.is_down else NodeBox(height, width, weight)

    def places(self, top: GraphBox) -> Places:
        """Return the places of all frames together."""
        rectangles = {top: Rectangle(0, 0, self.done[top].width, self.done[top].height)}
        lines: list[tuple[GraphBox, GraphBox, Sequence[Bend]]] = []
        for node in top.walk():
            if node not in self.done:
                continue
            x, y, *_ = rectangles[node]
            for child, at in self.done[node].at.items():
                rectangles[child] = at._replace(x=x + at.x, y=y + at.y)
            for source, parts in self.done[node].lines.items():
                lines.append((node, source, [part.moved(x, y) for part in parts]))
        if not self.is_down:
            rectangles = {node: Rectangle(y, x, high, wide) for node, (x, y, wide, high) in rectangles.items()}
        whole = rectangles.pop(top)
        ports = {node: sorted(frame.enters.values()) for node, frame in self.done.items()}
        return Places(whole.width, whole.height, rectangles, lines, ports)


def _frame_of(node: GraphBox) -> GraphBox:
    assert node.parent is not None
    return node.parent


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


def _bend(graph: Layered, part: Link, across: Sequence[int], bands: Sequence[tuple[int, int]]) -> Bend:
    tail, head = part.tail, part.head
    (port, begins), (ends, end) = bands[graph.ranks[tail]], bands[graph.ranks[head]]
    first = _start(graph, tail, bands) + graph.heights[tail]
    first = port if graph.is_port(tail) else begins if graph.is_bend(tail) else first
    last = end if graph.is_bend(head) or graph.is_port(head) else _start(graph, head, bands)
    return Bend((across[tail] + part.tail_shift, across[head] + part.head_shift), (first, begins, ends, last))
