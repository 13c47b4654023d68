"""One graph in layers: every line goes from a layer to a lower one, and through the layers between as a bend point."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from convcalc.records import NamedTuple

LANE = 2
"""How wide a bend point is."""


class Item(NamedTuple):
    """A node to be placed: how wide it is across, and how high along the lines; ``weight`` is what ways are long by."""

    width: int
    height: int
    weight: int = 1


class Link(NamedTuple):
    """A line from one item to another; those of one ``source`` and tail are one line that branches."""

    tail: int
    head: int
    source: object
    tail_shift: int = 0
    """Where the line leaves the tail, from its middle."""
    head_shift: int = 0


class Segment(NamedTuple):
    """A part of a line, from a layer to the next one."""

    tail: int
    head: int
    tail_shift: int
    head_shift: int
    source: object


class Layered:
    """Items and bend points in layers. Items are numbered as they were given, bend points behind them."""

    def __init__(self, items: Sequence[Item], links: Sequence[Link], first: int = 0, last: int = 0) -> None:
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
        self.links = links
        self.ranks = _ranks(len(items), links, first, last)
        self.segments: list[Segment] = []
        self.shortcuts: set[int] = set()
        """Bend points of lines that branch: what they lead past is read elsewhere too."""
        self._join()
        self.layers: list[list[int]] = [[] for _ in range(max(self.ranks, default=-1) + 1)]
        for node, rank in enumerate(self.ranks):
            self.layers[rank].append(node)

    def is_bend(self, node: int) -> bool:
        return node >= self.items

    def is_port(self, node: int) -> bool:
        return any(node in ports for ports in self.ports)

    def _join(self) -> None:
        """Lead every line through the layers, with one trunk for all that leave one place."""
        trunks: dict[tuple[int, object], list[int]] = {}
        targets = Counter((link.tail, link.source) for link in self.links)
        for link in sorted(self.links, key=lambda link: (link.tail, self.ranks[link.head])):
            trunk = trunks.setdefault((link.tail, link.source), [link.tail])
            while self.ranks[trunk[-1]] < self.ranks[link.head] - 1:
                bend = len(self.widths)
                self.widths.append(LANE)
                self.heights.append(0)
                self.weights.append(0)
                self.ranks.append(self.ranks[trunk[-1]] + 1)
                shift = link.tail_shift if len(trunk) == 1 else 0
                if targets[link.tail, link.source] > 1:
                    self.shortcuts.add(bend)
                self.segments.append(Segment(trunk[-1], bend, shift, 0, link.source))
                trunk.append(bend)
            at = self.ranks[link.head] - 1 - self.ranks[link.tail]
            shift = link.tail_shift if at == 0 else 0
            self.segments.append(Segment(trunk[at], link.head, shift, link.head_shift, link.source))


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
