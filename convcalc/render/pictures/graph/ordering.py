"""The order of nodes within the layers of a graph, with few crossings."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator, Sequence
from math import fsum

from convcalc.render.pictures.graph.layers import Layered, Segment

SWEEPS = 12
WORK = 4_000_000
"""Ends of lines that are visited, at most: a graph of very many lines has crossings that more work would undo."""
ROUNDS = 6


def order(graph: Layered) -> int:
    """Put the nodes of every layer in an order with few crossings, and return how many are left.

    Barycentres down and up in turn, then exchanges of neighbours; the best of five beginnings: as it comes, depth first
    from above and from below, and both the other way round.

    Source:
        Sugiyama, Tagawa, Toda (1981), Methods for visual understanding of hierarchical system structures; Gansner et
        al. (1993), A technique for drawing directed graphs.
    """
    best, fewest, left = None, -1, WORK
    for start in _beginnings(graph):
        graph.layers = start
        search = _Search(graph, left)
        found, crossings = search.run()
        if best is None or crossings < fewest:
            best, fewest = found, crossings
        left = search.left
        if not fewest or left <= 0:
            break
    graph.layers = best or []
    return max(fewest, 0)


def _beginnings(graph: Layered) -> Iterator[list[list[int]]]:
    given = [list(layer) for layer in graph.layers]
    yield given
    down = [(segment.tail, segment.head) for segment in graph.segments]
    found = _depth_first(graph, down, given)
    yield found
    yield [layer[::-1] for layer in found]
    found = _depth_first(graph, [(head, tail) for tail, head in down], given[::-1])
    yield found
    yield [layer[::-1] for layer in found]


def _depth_first(graph: Layered, pairs: Sequence[tuple[int, int]], layers: Sequence[Sequence[int]]) -> list[list[int]]:
    """Return the layers with their nodes in the order in which one comes by them."""
    after: dict[int, list[int]] = {}
    for node, other in pairs:
        after.setdefault(node, []).append(other)
    seen: dict[int, None] = {}
    for first in (node for layer in layers for node in layer):
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

    def __init__(self, graph: Layered, left: int) -> None:
        self.left = left
        """The visits that are left."""
        self.layers = [list(layer) for layer in graph.layers]
        self.gaps: list[list[Segment]] = [[] for _ in graph.layers]
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

    def _crossings(self, gap: Sequence[Segment]) -> int:
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
