"""From the graph to nested items: a join holds the branches that run back to its immediate dominator.

Cooper, Harvey & Kennedy 2001, A Simple, Fast Dominance Algorithm: layers stand behind what they read, so that one pass
finds all dominators. Every unit is visited once.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterator, Sequence
from itertools import groupby, islice

from convcalc.graph.graph import Graph
from convcalc.recovery.items import COMMUTATIVE, SpecItem, Value, every
from convcalc.recovery.reading.fuse import Unit, with_each
from convcalc.shapes import Shape

ENTRY = -1
"""The place, among units, of the first input of the graph."""
Scope = tuple[str, ...]


class TreeBuilder:
    """Builds the items of a graph. Every unit has one place; wherever else it is read, ``from`` names it.

    Nodes in ``early`` are made before all others, with what leads to them.
    """

    def __init__(self, graph: Graph, units: list[Unit], early: Collection[int] = ()) -> None:
        self.units = units
        self._place = {unit.nodes[-1].index: at for at, unit in enumerate(units)}
        self._place[graph.inputs[0].index] = ENTRY
        # places of what a unit reads; other inputs of the graph than the first have none
        self._before = [[self._place[index] for index in unit.inputs if index in self._place] for unit in units]
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
        self._unread: dict[int, list[int]] = {}
        """Place → those of layers that nothing reads, and that read it alone of what is read."""
        self._note_unread()

    def items(self) -> list[SpecItem]:
        """Return the items of the whole graph; its last output is the last of them."""
        early = [item for at in sorted({*self._far(), *self._early}) for item in self._chain(at, ENTRY)]
        main = self._chain(max(self._outputs), ENTRY, is_main=True)
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

    def _each_dominator(self) -> Iterator[int | None]:
        """Yield the immediate dominator of each unit in its stream; none for the first of another input."""
        for unit, before in zip(self.units, self._before, strict=True):
            streams = before if unit.is_join else before[:1]  # what arguments name is beside the stream
            streams = [*streams, *self._read_by_experts(unit)]
            first = [place for place in streams if place == ENTRY or self._reached[place]]
            self._reached.append(bool(first))
            found: int | None = None
            for place in first or streams:
                found = place if found is None else self._common(found, place)
            yield found if first or found != ENTRY else None

    def _common(self, one: int, other: int) -> int:
        """Return the last place through which all ways to two places lead: where one is behind the other, that."""
        while one != other:
            if one > other:
                one = self._above(one)
            else:
                other = self._above(other)
        return one

    def _above(self, place: int) -> int:
        dominator = self._dominators[place]
        return ENTRY if dominator is None else dominator

    def _chain(self, end: int, start: int | None, *, is_main: bool = False) -> list[SpecItem]:
        """Return the items behind ``start`` up to ``end`` that have no place yet; of the main series it is the last."""
        found: list[SpecItem] = []
        at: int | None = end
        while at is not None and at not in {start, ENTRY} and at not in self._placed:
            self._placed.add(at)
            unit = self.units[at]
            item = unit.item(self._known)
            unread = self._unread.get(at, ()) if at != end or not is_main else ()
            found += [each for place in unread for each in self._chain(place, at)][::-1]
            found.append(item)
            if unit.is_join:
                start_of_branches = self._dominators[at]
                above = self._above(at)
                outside = [each for each in self._read_by_experts(unit) if self._common(each, above) == above]
                series = (self._chain(place, start_of_branches) for place in outside)
                found += [each for items in series for each in items][::-1]
                ends = [self._place.get(index) for index in unit.inputs]
                item.branches = [[] if each is None else self._chain(each, start_of_branches) for each in ends]
                with_each(item, unit.experts)
                at = start_of_branches
            else:
                for place in self._before[at][:0:-1]:  # layers that arguments name stand before the item
                    found += self._chain(place, start)[::-1]
                at = next(iter(self._before[at]), None)
        return found[::-1]

    def _note_unread(self) -> None:
        """Note of all layers that lead to no output behind which one they may be."""
        is_live = [False] * len(self.units)
        for place in range(len(self.units) - 1, -1, -1):
            if place in self._outputs or is_live[place]:
                is_live[place] = True
                for each in {*self._before[place]} - {ENTRY}:
                    is_live[each] = True
        read: list[set[int]] = [set() for _ in self.units]
        for place in (place for place, lives in enumerate(is_live) if not lives):
            live = {each for each in self._before[place] if each == ENTRY or is_live[each]}
            found = live.union(*(read[each] for each in self._before[place] if each not in live))
            read[place] = set(islice(found, 2))  # two are too many, as more are
            if len(found) == 1 and not self._readers[place]:
                self._unread.setdefault(found.pop(), []).append(place)

    def _read_by_experts(self, join: Unit) -> list[int]:
        """Return the places that are not among the experts of a join, and that these read: they are made before."""
        found: set[int] = set()
        for idle, first, _ in join.experts:
            begin, end = (
                bisect_left(self.units, at, key=lambda unit: unit.nodes[0].index) for at in (first, idle.index)
            )
            found.update(place for before in self._before[begin:end] for place in before if place < begin)
        return sorted(found)


def flattened(items: Sequence[SpecItem]) -> list[SpecItem]:
    """Return all items one behind the other; experts stay in their join."""
    found: list[SpecItem] = []
    for item in items:
        branches = [flattened(branch) for branch in item.branches or ()]
        has_experts = any(each.kind == "each" for branch in branches for each in branch[:1])
        if item.branches is not None and (item.kind == "each" or has_experts):
            item.branches = branches
        elif item.branches is not None:
            found += [each for branch in branches for each in branch]
            item.branches = [[] for _ in branches]
        found.append(item)
    return found


def in_order(items: list[SpecItem]) -> list[SpecItem]:
    """Return items of which each branch is made before the next, as the layers of the graph are.

    Sums and products have their branches in that order. Of other joins, a branch that is made before those to its left
    is a series before the join, which reads it by its name.
    """
    found: list[SpecItem] = []
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
                    if branch
                    and branch[0].kind != "each"
                    and _begin(branch) < max(map(_begin, item.branches[:at]), default=-1)
                ]
                for at in sorted(early, key=lambda at: _begin((item.branches or [])[at])):
                    found += item.branches[at]
                    item.branches[at] = []
        found.append(item)
    return found


def _begin(branch: Sequence[SpecItem]) -> int:
    """Return the first layer of a branch in the order of the graph; -1 where there is none."""
    return min((item.nodes[0] for item in every(branch) if item.nodes), default=-1)


# --- lists of what one module of the model makes ----------------------------------------------------------------------


def grouped(items: Sequence[SpecItem], scope: Scope = ()) -> list[SpecItem]:
    """Return neighbours that are below one child of a scope as one item, a ``seq``."""
    found: list[SpecItem] = []
    for key, group in groupby(items, lambda item: _child(item, scope)):
        run = list(group)
        if key is not None and (len(run) > 1 or run[0].branches is not None):
            found.append(_seq(grouped(run, key), key))
            continue
        for item in run:
            if item.branches is not None:
                item.branches = [grouped(branch, scope) for branch in item.branches]
        found += run
    return found


def _seq(items: list[SpecItem], scope: Scope) -> SpecItem:
    """Return a list that reads what its first item has read by name."""
    first, nodes = items[0], items[-1].nodes
    made = SpecItem("seq", nodes=nodes, branches=[items], path=".".join(scope), span=(first.span[0], items[-1].span[1]))
    made.source, first.source = first.source, None
    return made


def _child(item: SpecItem, scope: Scope) -> Scope | None:
    """Return the child of a scope that all layers of an item are below, if there is one."""
    child = len(scope) + 1
    scopes = {tuple(each.path.split(".")[:-1][:child]) for each in every([item]) if each.nodes}
    common = scopes.pop() if len(scopes) == 1 else ()
    return common if len(common) == child and common[:-1] == scope else None


def spliced(items: Sequence[SpecItem]) -> list[SpecItem]:
    """Return a list with what lists without a name hold in their place."""
    found: list[SpecItem] = []
    for item in items:
        if item.kind == "seq" and not item.modifiers and item.present is None:
            inner = spliced((item.branches or [[]])[0])
            inner[0].source = inner[0].source if item.source is None else item.source
            found += inner
        else:
            if item.branches is not None:
                item.branches = [spliced(branch) for branch in item.branches]
            found.append(item)
    return found


def sequences(items: Sequence[SpecItem], above: SpecItem | None = None) -> Iterator[tuple[SpecItem, SpecItem | None]]:
    """Yield all lists with a path, each with the one around it; those inside come first."""
    for item in items:
        inside = item if item.kind == "seq" else above
        for branch in item.branches or ():
            yield from sequences(branch, inside)
        if item.kind == "seq":
            yield item, above
