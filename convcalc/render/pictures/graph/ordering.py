"""The order of nodes within the layers of a graph, with few crossings."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator, Sequence
from math import fsum

from convcalc.render.pictures.graph.layers import Layered, Segment

SWEEPS = 12
WORK = 1_500_000
"""Segments times sweeps, at most: a graph of very many lines is ordered with fewer sweeps."""
ROUNDS = 6


def order(graph: Layered) -> int:
    """Put the nodes of every layer in an order with few crossings, and return how many are left.

    Barycentres down and up in turn, then exchanges of neighbours; the best of two beginnings: as they come, and depth
    first.

    Source:
        Sugiyama, Tagawa, Toda (1981), Methods for visual understanding of hierarchical system structures; Gansner et
        al. (1993), A technique for drawing directed graphs.
    """
    best, fewest = None, -1
    for start in _beginnings(graph):
        graph.layers = start
        search = _Search(graph)
        found, crossings = search.run()
        if best is None or crossings < fewest:
            best, fewest = found, crossings
        if not fewest:
            break
    graph.layers = best or []
    return max(fewest, 0)


def _beginnings(graph: Layered) -> Iterator[list[list[int]]]:
    yield [list(layer) for layer in graph.layers]
    seen: dict[int, None] = {}
    below: dict[int, list[int]] = {}
    for segment in graph.segments:
        below.setdefault(segment.tail, []).append(segment.head)
    for first in (node for layer in graph.layers for node in layer):
        stack = [first]
        while stack:
            node = stack.pop()
            if node not in seen:
                seen[node] = None
                stack += reversed(below.get(node, ()))
    layers: list[list[int]] = [[] for _ in graph.layers]
    for node in seen:
        layers[graph.ranks[node]].append(node)
    yield layers


class _Search:
    """Layers that are put in order."""

    def __init__(self, graph: Layered) -> None:
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
        self.sweeps = max(2, min(SWEEPS, WORK // (len(graph.segments) + 1)))

    def run(self) -> tuple[list[list[int]], int]:
        """Return the best layers found, and their crossings."""
        best, fewest = [list(layer) for layer in self.layers], self.crossings()
        for sweep in range(self.sweeps):
            if not fewest:
                break
            downwards = sweep % 2 == 0
            ranks = range(1, len(self.layers)) if downwards else range(len(self.layers) - 2, -1, -1)
            for rank in ranks:
                self._sort(rank, self.up if downwards else self.down)
            self._exchange()
            crossings = self.crossings()
            if crossings < fewest:
                best, fewest = [list(layer) for layer in self.layers], crossings
        return best, fewest

    def crossings(self) -> int:
        """Return how many pairs of lines cross, all layers together."""
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

    def _sort(self, rank: int, neighbours: dict[int, list[tuple[int, float, float]]]) -> None:
        """Put a layer in the order of the means of what its nodes are joined with; others keep their places."""
        keys = {}
        for place, node in enumerate(self.layers[rank]):
            near = neighbours.get(node)
            keys[node] = fsum(self.places[other] + at for other, at, _ in near) / len(near) if near else float(place)
        self.layers[rank].sort(key=lambda node: keys[node])
        self.places.update((node, place) for place, node in enumerate(self.layers[rank]))

    def _exchange(self) -> None:
        """Exchange neighbours as long as that leaves fewer crossings."""
        for _ in range(ROUNDS):
            better = False
            for layer in self.layers:
                for place in range(len(layer) - 1):
                    left, right = layer[place], layer[place + 1]
                    if self._between(left, right) > self._between(right, left):
                        layer[place], layer[place + 1] = right, left
                        self.places[left], self.places[right] = place + 1, place
                        better = True
            if not better:
                return

    def _between(self, left: int, right: int) -> int:
        """Return how many lines of two neighbours cross if they are in this order."""
        found = 0
        for near in (self.up, self.down):
            ends = sorted(self.places[other] + at for other, at, _ in near.get(right, ()))
            for other, at, _ in near.get(left, ()):
                found += bisect_left(ends, self.places[other] + at)
        return found
