"""One graph in layers: every line goes from a layer to a lower one, and through the layers between as a bend point.

Within the layers nodes are in an order with few crossings.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain
from math import fsum
from typing import Any

from convcalc.records import NamedTuple

LANE = 2
"""How wide a bend point is."""
SWEEPS = 12
WORK = 4_000_000
"""Ends of lines that are visited, at most: a graph of very many lines has crossings that more work would undo."""
ROUNDS = 6


class NodeBox(NamedTuple):
    """A node to be placed: how wide it is across, and how high along the lines; ``weight`` is what ways are long by."""

    width: int
    height: int
    weight: int = 1


class Link(NamedTuple):
    """A line from one item to another, or a part of it, from a layer to the next one.

    Lines of one ``source`` and tail are one line that branches.
    """

    tail: int
    head: int
    source: Any
    tail_shift: int = 0
    """Where the line leaves the tail, from its middle."""
    head_shift: int = 0


class Layered:
    """Items and bend points in layers. Items are numbered as they were given, bend points behind them."""

    def __init__(self, items: Sequence[NodeBox], links: Sequence[Link], first: int = 0, last: int = 0) -> None:
        """Find the layers.

        Args:
            items: what is placed.
            links: lines, without a cycle.
            first: so many items at the beginning are alone in the first layer.
            last: so many at the end are alone in the last.
        """
        self.items = len(items)
        self.widths = [item.width for item in items]
        self.heights = [item.height for item in items]
        self.weights = [item.weight for item in items]
        self.ports = range(first), range(len(items) - last, len(items))
        self.ranks = _ranks(len(items), links, first, last)
        self.segments: list[Link] = []
        """The parts of lines."""
        self.shortcuts: set[int] = set()
        """Bend points of lines that branch: what they lead past is read elsewhere too."""
        self._join(links)
        self.layers: list[list[int]] = [[] for _ in range(max(self.ranks, default=-1) + 1)]
        for node, rank in enumerate(self.ranks):
            self.layers[rank].append(node)

    def is_bend(self, node: int) -> bool:
        return node >= self.items

    def is_port(self, node: int) -> bool:
        return any(node in ports for ports in self.ports)

    def _join(self, links: Sequence[Link]) -> None:
        """Lead every line through the layers, with one trunk for all that leave one place."""
        trunks: dict[tuple[int, object], list[int]] = {}
        targets = Counter((link.tail, link.source) for link in links)
        for link in sorted(links, key=lambda link: (link.tail, self.ranks[link.head])):
            tail, head, source, tail_shift, head_shift = link
            trunk = trunks.setdefault((tail, source), [tail])
            while self.ranks[trunk[-1]] < self.ranks[head] - 1:
                bend = len(self.widths)
                self.widths.append(LANE)
                self.heights.append(0)
                self.weights.append(0)
                self.ranks.append(self.ranks[trunk[-1]] + 1)
                if targets[tail, source] > 1:
                    self.shortcuts.add(bend)
                self.segments.append(Link(trunk[-1], bend, source, tail_shift if len(trunk) == 1 else 0))
                trunk.append(bend)
            at = self.ranks[head] - 1 - self.ranks[tail]
            self.segments.append(Link(trunk[at], head, source, 0 if at else tail_shift, head_shift))


def _ranks(count: int, links: Sequence[Link], first: int, last: int) -> list[int]:
    """Return the layer of every item: one below the lowest that it reads; one that reads nothing is near its reader."""
    below: list[list[int]] = [[] for _ in range(count)]
    waiting = [0] * count
    for link in links:
        below[link.tail].append(link.head)
        waiting[link.head] += 1
    loose = [not each for each in waiting]
    ranks = [int(first > 0 and node >= first) for node in range(count)]
    ready = [node for node in range(count) if loose[node]]
    for node in ready:  # which grows
        for head in below[node]:
            ranks[head] = max(ranks[head], ranks[node] + 1)
            waiting[head] -= 1
            if not waiting[head]:
                ready.append(head)
    if last:
        lowest = max(ranks[: count - last], default=0) + 1
        ranks[count - last :] = [lowest] * last
    for node in reversed(ready):
        if loose[node] and node >= first and below[node]:
            ranks[node] = max(ranks[node], min(ranks[head] for head in below[node]) - 1)
    return ranks


# --- order ------------------------------------------------------------------------------------------------------------


def order(graph: Layered) -> int:
    """Put the nodes of every layer in an order with few crossings, and return how many are left.

    Barycentres down and up in turn, then exchanges of neighbours; the best of five beginnings: as it comes, depth first
    from above and from below, and both the other way round.

    Source:
        Sugiyama, Tagawa, Toda (1981), Methods for visual understanding of hierarchical system structures; Gansner et
        al. (1993), A technique for drawing directed graphs.
    """
    best, fewest, left = graph.layers, -1, WORK
    for start in _beginnings(graph):
        search = _Search(graph, start, left)
        found, crossings = search.run()
        if fewest < 0 or crossings < fewest:
            best, fewest = found, crossings
        left = search.left
        if not fewest or left <= 0:
            break
    graph.layers = best
    return max(fewest, 0)


def _beginnings(graph: Layered) -> Iterator[list[list[int]]]:
    yield graph.layers
    down = [(segment.tail, segment.head) for segment in graph.segments]
    up = [(head, tail) for tail, head in down]
    for pairs, layers in ((down, graph.layers), (up, graph.layers[::-1])):
        found = _depth_first(graph, pairs, layers)
        yield found
        yield [layer[::-1] for layer in found]


def _depth_first(graph: Layered, pairs: Sequence[tuple[int, int]], layers: Sequence[Sequence[int]]) -> list[list[int]]:
    """Return the layers with their nodes in the order in which one comes by them."""
    after: dict[int, list[int]] = {}
    for node, other in pairs:
        after.setdefault(node, []).append(other)
    seen: dict[int, None] = {}
    for first in chain.from_iterable(layers):
        stack = [first]
        while stack:
            node = stack.pop()
            if node not in seen:
                seen[node] = None
                stack += reversed(after.get(node, ()))
    found: list[list[int]] = [[] for _ in layers]
    for node in seen:
        found[graph.ranks[node]].append(node)
    return found


class _Search:
    """Layers that are put in order."""

    def __init__(self, graph: Layered, layers: Sequence[Sequence[int]], left: int) -> None:
        self.left = left
        """The visits that are left."""
        self.layers = [list(layer) for layer in layers]
        self.gaps: list[list[Link]] = [[] for _ in graph.layers]
        self.up: dict[int, list[tuple[int, float, float]]] = {}
        self.down: dict[int, list[tuple[int, float, float]]] = {}
        """The neighbours of a node: which, where the line meets them, where it meets the node, from −½ to ½."""
        for segment in graph.segments:
            self.gaps[graph.ranks[segment.tail]].append(segment)
            tail = segment.tail_shift / (graph.widths[segment.tail] + 1)
            head = segment.head_shift / (graph.widths[segment.head] + 1)
            self.down.setdefault(segment.tail, []).append((segment.head, head, tail))
            self.up.setdefault(segment.head, []).append((segment.tail, tail, head))
        self.places = {node: place for layer in self.layers for place, node in enumerate(layer)}

    def run(self) -> tuple[list[list[int]], int]:
        """Return the best layers found, and their crossings."""
        best, fewest = [list(layer) for layer in self.layers], self.crossings()
        for sweep in range(SWEEPS):
            if not fewest or self.left <= 0:
                break
            downwards = sweep % 2 == 0
            ranks = range(1, len(self.layers)) if downwards else range(len(self.layers) - 2, -1, -1)
            for rank in ranks:
                self._sort(rank, self.up if downwards else self.down, reverse=sweep % 4 > 1)
            self._exchange()
            crossings = self.crossings()
            if crossings < fewest:
                best, fewest = [list(layer) for layer in self.layers], crossings
        return best, fewest

    def crossings(self) -> int:
        """Return how many pairs of lines cross, all layers together."""
        self.left -= 2 * sum(map(len, self.gaps))
        return sum(self._crossings(gap) for gap in self.gaps)

    def _crossings(self, gap: Sequence[Link]) -> int:
        ends = sorted(
            (self.places[each.tail], each.tail_shift, self.places[each.head], each.head_shift) for each in gap
        )
        seen: list[tuple[int, float]] = []
        found, begun = 0, 0
        for place, end in enumerate(ends):
            if ends[begun][:2] != end[:2]:  # lines of one beginning do not cross
                for earlier in ends[begun:place]:
                    insort(seen, earlier[2:])
                begun = place
            found += len(seen) - bisect_right(seen, end[2:])
        return found

    def _sort(self, rank: int, neighbours: dict[int, list[tuple[int, float, float]]], *, reverse: bool) -> None:
        """Put a layer in the order of the means of what its nodes are joined with; others keep their places.

        Equal ones keep their order, or are reversed.
        """
        keys = {}
        order_of = {node: -place if reverse else place for place, node in enumerate(self.layers[rank])}
        for place, node in enumerate(self.layers[rank]):
            near = neighbours.get(node)
            self.left -= len(near or ())
            keys[node] = fsum(self.places[other] + at for other, at, _ in near) / len(near) if near else float(place)
        self.layers[rank].sort(key=lambda node: (keys[node], order_of[node]))
        self.places.update((node, place) for place, node in enumerate(self.layers[rank]))

    def _exchange(self) -> None:
        """Exchange neighbours as long as that leaves fewer crossings."""
        for _ in range(ROUNDS):
            better = False
            for layer in self.layers:
                for place in range(len(layer) - 1):
                    left, right = layer[place], layer[place + 1]
                    if self.left > 0 and self._between(left, right) > self._between(right, left):
                        layer[place], layer[place + 1] = right, left
                        self.places[left], self.places[right] = place + 1, place
                        better = True
            if not better or self.left <= 0:
                return

    def _between(self, left: int, right: int) -> int:
        """Return how many lines of two neighbours cross if they are in this order."""
        found = 0
        for near in (self.up, self.down):
            ends = sorted(self.places[other] + at for other, at, _ in near.get(right, ()))
            others = near.get(left, ())
            self.left -= len(ends) + len(others) + 1
            for other, at, _ in others:
                found += bisect_left(ends, self.places[other] + at)
        return found
