"""What items read, the one before them or another by its name: which layers can be a block or the turn of a repeat."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence

from convcalc.graph.graph import Graph
from convcalc.recovery.items import SpecItem, every
from convcalc.shapes import Shape


def connect(items: list[SpecItem], current: int) -> int:
    """Note what each item reads where it is not what the item before it gives; return the node that the last gives.

    Args:
        items: in their order; a branch that ends elsewhere than it has to gets a further item.
        current: the node that enters.
    """
    for item in items:
        if item.branches is None:
            if item.reads is not None and item.reads != current:
                item.source = item.reads
        else:
            entering = _entering(item, current)
            if entering != current:
                item.source = entering
            for branch, end in zip(item.branches, item.ends, strict=True):
                if connect(branch, entering) != end:
                    branch.append(SpecItem("from", source=end))
        current = item.nodes[-1]
    return current


def _entering(item: SpecItem, current: int) -> int:
    """Return the node that should enter a join: another than the current one where all branches begin with that."""
    reads = {node for branch, end in zip(item.branches or (), item.ends, strict=True) for node in _reads(branch, end)}
    return reads.pop() if len(reads) == 1 else current


def _reads(branch: Sequence[SpecItem], end: int) -> Iterator[int]:
    """Yield the nodes that a branch reads at its beginning."""
    if not branch:
        yield end
    elif branch[0].branches is not None:
        for inner, inner_end in zip(branch[0].branches, branch[0].ends, strict=True):
            yield from _reads(inner, inner_end)
    elif branch[0].reads is not None:
        yield branch[0].reads


def read_too_early(items: Sequence[SpecItem], made: set[int]) -> Iterator[int]:
    """Yield the nodes that items read by name before the spec makes them; those that are made are added to ``made``."""
    for item in items:
        for node in (item.source, *item.references.values()):
            if node is not None and node not in made:
                yield node
        for branch in item.branches or ():
            yield from read_too_early(branch, made)
        made.update(item.nodes)


def own_ties(items: Sequence[SpecItem]) -> None:
    """Let the first layer of those that share weights have them, in the order in which the spec makes them."""
    owners: dict[int, int] = {}
    for item in every(items):
        for node in item.nodes[:1]:
            key = node if item.tie is None else item.tie
            owner = owners.setdefault(key, node)
            item.tie = None if owner == node else owner


def order(items: Sequence[SpecItem]) -> list[int]:
    """Return the nodes in the order in which the spec makes them."""
    return [node for item in every(items) for node in item.nodes]


class Links:
    """Pairs of places, in the order of the spec, of a reader and of what it names."""

    def __init__(self, graph: Graph, items: Sequence[SpecItem], order: Sequence[int]) -> None:
        self._nodes = graph.nodes
        self._place = {node.index: -1 - number for number, node in enumerate(graph.inputs)}
        self._place |= {node: at for at, node in enumerate(order)}
        self._pairs: list[tuple[int, int]] = []
        self._ties: list[tuple[int, int]] = []
        outputs = list(graph.outputs.values())
        if len(outputs) > 1:
            self._pairs += [(len(order), self._place[index]) for index in outputs]
        self._enter(items, graph.inputs[0].index, len(order))
        self._last_reader = dict(sorted((read, reader) for reader, read in self._pairs))
        self._last_tied = dict(sorted((owner, tied) for tied, owner in self._ties))
        self._read = sorted({*self._last_reader, *self._last_tied})

    def of_turn(self, items: Sequence[SpecItem], end: int = 0) -> tuple[object, ...] | None:
        """Return what the items of a turn read by name, from their beginning on; none where others read what is in it.

        Others may read what the turn gives. Up to ``end`` they may have its weights.
        """
        start, stop = _span(items)
        for place in self._read[bisect_left(self._read, start) : bisect_left(self._read, stop)]:
            is_read = place < stop - 1 and self._last_reader.get(place, start) >= stop
            if is_read or self._last_tied.get(place, start) >= max(stop, end):
                return None
        nodes = (node for item in every(items) for node in (item.source, item.tie, *item.references.values()))
        places = (node if node is None else self._place.get(node, node - len(self._nodes)) for node in nodes)
        return tuple(place - start if place is not None and start <= place < stop else (place,) for place in places)

    def entering(self, item: SpecItem) -> Shape:
        """Return the shape of what an item reads."""
        assert item.reads is not None
        return self._nodes[item.reads].shape

    def is_read(self, items: Sequence[SpecItem]) -> bool:
        """Whether others read by name what the last of some items gives."""
        stop = _span(items)[1]
        return self._last_reader.get(stop - 1, 0) >= stop

    def is_block(self, item: SpecItem) -> bool:
        """Whether what a list reads by name is in it or enters it, and others read but its last layer."""
        first, (start, end) = (item.branches or [[]])[0][0], item.span
        entry = self._place[self.entry_of(item)]
        for reader, read in self._pairs:
            if (start <= reader < end and not start <= read < end and read != entry) or (
                not start <= reader < end and start <= read < end - 1
            ):
                return False
        inside = [(start <= a < end, start <= b < end) for a, b in self._ties]
        return first.source is None and all(a == b for a, b in inside)

    def entry_of(self, item: SpecItem) -> int:
        """Return the node that enters a list."""
        first = (item.branches or [[]])[0][0]
        if first.kind == "seq":
            return self.entry_of(first)
        assert first.reads is not None
        return first.reads

    def _enter(self, items: Sequence[SpecItem], current: int, outer: int) -> None:
        """Note what enters each item, its layers and its pairs; ``outer`` is the place of the join around them."""
        for item in items:
            entering = current if item.source is None else item.source
            item.reads = entering
            own = [self._place[node] for node in item.nodes]
            reader = own[0] if own else outer
            for branch in item.branches or ():
                self._enter(branch, entering, reader)
            if own:
                spans = [each.span[0] for branch in item.branches or () for each in branch if each.nodes]
                item.span = (min([*spans, own[0]]), own[-1] + 1)
                shape = self._nodes[entering].shape
                item.args |= {"~cin": shape[0], "~din": shape[-1]}
            for node in (item.source, *item.references.values()):
                if node is not None:
                    self._pairs.append((reader, self._place[node]))
            if item.tie is not None:
                self._ties.append((reader, self._place[item.tie]))
            current = item.nodes[-1] if item.nodes else entering


def _span(items: Sequence[SpecItem]) -> tuple[int, int]:
    return min(item.span[0] for item in items if item.nodes), max(item.span[1] for item in items)
