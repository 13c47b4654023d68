"""Where the nodes of a layered graph are across: straight lines first, then as near as possible to what they join."""

from __future__ import annotations

from bisect import bisect_left, insort
from graphlib import TopologicalSorter
from itertools import pairwise
from math import floor, fsum

from convcalc.render.pictures.graph.layers import Layered, Link

PASSES = 60
FEW = 2
NEAR = 12
"""A line that is nearly straight is made so, if that moves a column by so many pixels at most."""


def columns(graph: Layered, gap: int) -> list[int]:
    """Return the middle of every node across, in whole pixels; the leftmost edge is at 0.

    Nodes in a row, each the only or by far the deepest that the other is joined with, are one column: their lines are
    straight. Columns keep the order of the layers and the gap, and are near the mean of what they are joined with.
    """
    return _Columns(graph, gap).run()


def _straight(graph: Layered) -> list[Link]:
    """Return the segments that are drawn straight: bend points first, then those between one and one, then the main."""
    below, above = _depths(graph)
    found = []
    for segment in graph.segments:
        outs, ins = below[segment.tail], above[segment.head]
        bends = graph.is_bend(segment.tail) + graph.is_bend(segment.head)
        if bends == 2:
            found.append((0, segment))
        elif _leads(graph, outs, segment.head) and _leads(graph, ins, segment.tail):
            found.append((1 + (len(outs) + len(ins) > 2) + bends, segment))
    accepted: list[Link] = []
    taken: list[set[int]] = [set(), set()]
    places = {node: place for layer in graph.layers for place, node in enumerate(layer)}
    straight: list[list[tuple[int, int]]] = [[] for _ in graph.layers]
    for _, segment in sorted(found, key=lambda each: (each[0], graph.ranks[each[1].tail], places[each[1].tail])):
        ends = places[segment.tail], places[segment.head]
        others = straight[graph.ranks[segment.tail]]
        at = bisect_left(others, ends)
        crossed = (at and others[at - 1][1] >= ends[1]) or (at < len(others) and others[at][1] <= ends[1])
        if segment.tail in taken[0] or segment.head in taken[1] or crossed:
            continue
        taken[0].add(segment.tail)
        taken[1].add(segment.head)
        insort(others, ends)
        accepted.append(segment)
    return accepted


def _leads(graph: Layered, depths: dict[int, int], node: int) -> bool:
    """Whether a node is alone or deeper than all others; of three branches none is, and shortcuts are no branches."""
    others = [other for other in depths if other != node]
    few = sum(other not in graph.shortcuts for other in others) < FEW
    return few and all(depths[node] > depths[other] for other in others)


def _depths(graph: Layered) -> tuple[dict[int, dict[int, int]], dict[int, dict[int, int]]]:
    """Return for every node what it leads to and what leads to it, each with the weight of the way on."""
    count = len(graph.widths)
    to_end, from_start = [0] * count, [0] * count
    downwards = sorted(graph.segments, key=lambda segment: graph.ranks[segment.tail])
    for segment in downwards:
        weight = from_start[segment.tail] + graph.weights[segment.tail]
        from_start[segment.head] = max(from_start[segment.head], weight)
    below: dict[int, dict[int, int]] = {}
    above: dict[int, dict[int, int]] = {}
    for segment in reversed(downwards):
        weight = to_end[segment.head] + graph.weights[segment.head]
        to_end[segment.tail] = max(to_end[segment.tail], weight)
        below.setdefault(segment.tail, {})[segment.head] = weight
        above.setdefault(segment.head, {})[segment.tail] = from_start[segment.tail] + graph.weights[segment.tail]
    return below, above


class _Columns:
    """Nodes in columns, and how far columns are apart at least."""

    def __init__(self, graph: Layered, gap: int) -> None:
        self.graph = graph
        count = len(graph.widths)
        self.column, self.offset = list(range(count)), [0] * count
        straight = _straight(graph)
        for segment in sorted(straight, key=lambda segment: graph.ranks[segment.tail]):
            self.column[segment.head] = self.column[segment.tail]
            self.offset[segment.head] = self.offset[segment.tail] + segment.tail_shift - segment.head_shift
        self.after: dict[int, dict[int, int]] = {column: {} for column in self.column}
        self.before: dict[int, dict[int, int]] = {column: {} for column in self.column}
        """The columns beside a column, and how far they are apart at least."""
        for layer in graph.layers:
            for left, right in pairwise(layer):
                apart = (graph.widths[left] + graph.widths[right]) // 2 + gap + self.offset[left] - self.offset[right]
                one, other = self.column[left], self.column[right]
                apart = max(apart, self.after[one].get(other, apart))
                self.after[one][other] = self.before[other][one] = apart
        self.order = list(TopologicalSorter(self.before).static_order())
        """The columns, each behind all that are left of it."""
        self.pulls: dict[int, list[tuple[int, int]]] = {column: [] for column in self.column}
        """Where lines that are not straight would have a column: which other one, and how far from it."""
        for segment in graph.segments:
            tail, head = self.column[segment.tail], self.column[segment.head]
            if tail != head:
                apart = self.offset[segment.tail] + segment.tail_shift - self.offset[segment.head] - segment.head_shift
                self.pulls[head].append((tail, apart))
                self.pulls[tail].append((head, -apart))

    def run(self) -> list[int]:
        at = self._apart(dict.fromkeys(self.pulls, 0.0))
        for _ in range(PASSES):
            wanted = {}
            for column, pulls in self.pulls.items():
                mean = fsum(at[other] + apart for other, apart in pulls) / len(pulls) if pulls else at[column]
                wanted[column] = (at[column] + mean) / 2
            at = self._apart(wanted)
        places = {column: floor(value) for column, value in at.items()}
        self._straighten(places)
        found = [places[column] + self.offset[node] for node, column in enumerate(self.column)]
        left = min((middle - width // 2 for middle, width in zip(found, self.graph.widths, strict=True)), default=0)
        return [middle - left for middle in found]

    def _apart(self, wanted: dict[int, float]) -> dict[int, float]:
        """Return places with all gaps, near those wanted: the mean of the least to the right and to the left.

        The gaps are differences of two places, which the mean of two solutions keeps.
        """
        right: dict[int, float] = {}
        left: dict[int, float] = {}
        for column in self.order:
            near = (right[other] + apart for other, apart in self.before[column].items())
            right[column] = max([wanted[column], *near])
        for column in reversed(self.order):
            near = (left[other] - apart for other, apart in self.after[column].items())
            left[column] = min([wanted[column], *near])
        return {column: (right[column] + left[column]) / 2 for column in self.pulls}

    def _straighten(self, places: dict[int, int]) -> None:
        """Move columns a little where that makes lines straight."""
        sizes = dict.fromkeys(self.pulls, 0)
        for column in self.column:
            sizes[column] += 1
        for column in sorted(self.pulls, key=lambda column: (sizes[column], column)):
            now, wanted = places[column], [places[other] + apart for other, apart in self.pulls[column]]
            low = max([now - NEAR, *(places[other] + apart for other, apart in self.before[column].items())])
            high = min([now + NEAR, *(places[other] - apart for other, apart in self.after[column].items())])
            near = [place for place in wanted if low <= place <= high]
            if near:
                places[column] = max([now, *near], key=lambda place: (wanted.count(place), -abs(place - now)))
