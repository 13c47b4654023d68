"""From the graph to nested items: a join holds the branches that run back to its immediate dominator.

Cooper, Harvey & Kennedy 2001, A Simple, Fast Dominance Algorithm: layers stand behind what they read, so that one pass
finds all dominators. Every unit is visited once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from convcalc.graph.graph import Graph
from convcalc.recovery.items import COMMUTATIVE, Item, Value
from convcalc.recovery.reading.fuse import Unit
from convcalc.shapes import Shape

ENTRY = -1
"""The place, among units, of the first input of the graph."""


class TreeBuilder:
    """Builds the items of a graph. Every unit has one place; wherever else it is read, ``from`` names it.

    Nodes in ``early`` are made before all others, with what leads to them.
    """

    def __init__(self, graph: Graph, units: list[Unit], early: Collection[int] = ()) -> None:
        self.units = units
        self._place = {unit.nodes[-1].index: at for at, unit in enumerate(units)}
        self._place[graph.inputs[0].index] = ENTRY
        self._before = [self._units_before(unit) for unit in units]
        self._readers = [0] * len(units)
        for unit in units:
            for index in unit.inputs:
                if self._place.get(index, ENTRY) != ENTRY:
                    self._readers[self._place[index]] += 1
        self._reached: list[bool] = []  # whether the first input's stream leads to a unit
        self._dominators: list[int | None] = []
        self._dominators.extend(self._each_dominator())
        self._known: dict[tuple[int, tuple[Shape, ...]], dict[str, Value]] = {}
        self._placed: set[int] = set()
        self._early = [self._place[index] for index in early]
        self._outputs = [self._place.get(index, ENTRY) for index in graph.outputs.values()]

    def items(self) -> list[Item]:
        """Return the items of the whole graph; its last output is the last of them."""
        early = [item for at in sorted({*self._far(), *self._early}) for item in self._chain(at, ENTRY)]
        main = self._chain(max(self._outputs), ENTRY)
        ends = [at for at in range(len(self.units)) if not self._readers[at]]
        more = [item for at in ends for item in self._chain(at, ENTRY)]
        return [*early, *main[:-1], *more, *main[-1:]]

    def _far(self) -> Iterator[int]:
        """Yield the places of what the stream of another input reads, which is made before all of its readers."""
        for at, before in enumerate(self._before):
            for place in set(before) - {ENTRY}:
                is_root = self._dominators[place] is None
                is_far = self._reached[place] != self._reached[at] or is_root
                if is_far and (self._readers[place] > 1 or self._reached[place]):
                    yield place

    def _units_before(self, unit: Unit) -> list[int]:
        """Return the places of what a unit reads; other inputs of the graph than the first have none."""
        return [self._place[index] for index in unit.inputs if index in self._place]

    def _each_dominator(self) -> Iterator[int | None]:
        """Yield the immediate dominator of each unit in its stream; none for the first of another input."""
        for unit, before in zip(self.units, self._before, strict=True):
            streams = before if unit.is_join else before[:1]  # what arguments name is beside the stream
            first = [place for place in streams if place == ENTRY or self._reached[place]]
            self._reached.append(bool(first))
            found: int | None = None
            for place in first or streams:
                found = place if found is None else self._common(found, place)
            yield found if first or found != ENTRY else None

    def _common(self, one: int, other: int) -> int:
        while one != other:
            if one > other:
                one = self._above(one)
            else:
                other = self._above(other)
        return one

    def _above(self, place: int) -> int:
        dominator = self._dominators[place]
        return ENTRY if dominator is None else dominator

    def _chain(self, end: int, start: int | None) -> list[Item]:
        """Return the items behind ``start`` up to ``end`` that have no place yet."""
        found: list[Item] = []
        at: int | None = end
        while at is not None and at not in {start, ENTRY} and at not in self._placed:
            self._placed.add(at)
            unit = self.units[at]
            item = unit.item(self._known)
            found.append(item)
            if unit.is_join:
                start_of_branches = self._dominators[at]
                ends = [self._place.get(index) for index in unit.inputs]
                item.branches = [[] if each is None else self._chain(each, start_of_branches) for each in ends]
                at = start_of_branches
            else:
                for place in self._before[at][:0:-1]:  # layers that arguments name stand before the item
                    found += self._chain(place, start)[::-1]
                at = next(iter(self._before[at]), None)
        return found[::-1]


def in_order(items: list[Item]) -> list[Item]:
    """Return items of which each branch is made before the next, as the layers of the graph are.

    Sums and products have their branches in that order. Of other joins, a branch that is made before those to its left
    is a series before the join, which reads it by its name.
    """
    found: list[Item] = []
    for item in items:
        if item.branches is not None:
            item.branches = [in_order(branch) for branch in item.branches]
            if item.kind in COMMUTATIVE:
                pairs = sorted(zip(item.branches, item.ends, strict=True), key=lambda pair: _begin(pair[0]))
                item.branches, item.ends = [branch for branch, _ in pairs], tuple(end for _, end in pairs)
            else:
                early = [
                    at
                    for at, branch in enumerate(item.branches)
                    if branch and _begin(branch) < max(map(_begin, item.branches[:at]), default=-1)
                ]
                for at in sorted(early, key=lambda at: _begin((item.branches or [])[at])):
                    found += item.branches[at]
                    item.branches[at] = []
        found.append(item)
    return found


def _begin(branch: Sequence[Item]) -> int:
    """Return the first layer of a branch in the order of the graph; -1 where there is none."""
    return min((item.nodes[0] for outer in branch for item in outer.below() if item.nodes), default=-1)
