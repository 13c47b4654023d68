"""Blocks: lists of items that occur several times, perhaps with other numbers, perhaps without some of their layers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from typing import Any

from convcalc.graph.graph import Graph
from convcalc.records import dataclass
from convcalc.recovery.items import ENTRY, SpecItem, copied, every
from convcalc.recovery.reading.links import Links
from convcalc.recovery.reading.tree import sequences, spliced
from convcalc.recovery.structure.align import MAX_OPTIONAL, Sides, linear, weight
from convcalc.recovery.structure.parameters import ParameterFinder, TooManyError
from convcalc.recovery.structure.repeats import compressed
from convcalc.recovery.structure.unify import is_call, skeleton, unify

CONTAINERS = frozenset({"Sequential", "ModuleList", "ModuleDict", "Functional", "Model"})
"""Classes that say nothing of what is in them."""
LEAST_WEIGHT = 3
"""Layers for which a block is worth its lines."""
LEAST_OF_CLASS = 2
"""The same for what is a class in the code."""
MAX_VARIANTS = 6
"""Structures of one class that are tried to be one block."""
MAX_NAME = 100
_SHAPES: Mapping[str, str] = {"concat": "Branches", "add": "Residual", "mul": "Gate"}
"""Kinds of joins → what a block without a class is called that has one."""


@dataclass(eq=False)
class RecoveredBlock:
    """A block: its items, and its parameters with their values for each of its members."""

    name: str
    items: list[SpecItem]
    parameters: ParameterFinder
    place: tuple[int, int]
    """Of its first member."""

    @property
    def defaults(self) -> dict[str, Any]:
        """The values that most members give to a parameter."""
        found = {}
        for name, values in self.parameters.columns.items():
            usual, often = Counter(map(repr, values)).most_common(1)[0]
            if 2 * often > len(values):
                found[name] = next(each for each in values if repr(each) == usual)
        return found

    @property
    def signature(self) -> dict[str, Any]:
        """The parameters in order, each with its default, or None where it has none."""
        defaults = self.defaults
        order = sorted(self.parameters.columns, key=lambda name: name in defaults)
        return {name: defaults.get(name) for name in order} | self.parameters.derived


@dataclass(eq=False)
class Member:
    """A list that may become the call of a block."""

    item: SpecItem
    entry: int
    parent: SpecItem | None
    """The list around it that is a class in the code."""
    items: list[SpecItem]
    """With repeats."""
    other: list[SpecItem]
    """As they are."""


class BlockFinder:
    """Turns lists into calls of blocks, the innermost first."""

    def __init__(self, graph: Graph, links: Links, *, merges: bool) -> None:
        self.graph, self.links, self.merges = graph, links, merges
        self.blocks: dict[str, RecoveredBlock] = {}

    def run(self, items: list[SpecItem]) -> list[SpecItem]:
        """Return the items with calls and repeats."""
        around = {id(item): (item, above) for item, above in sequences(items)}
        heights = dict.fromkeys(around, 0)
        for key, (_, above) in around.items():
            if above is not None:
                heights[id(above)] = max(heights[id(above)], heights[key] + 1)
        for height in range(max(heights.values(), default=-1) + 1):
            level = [around[key] for key, own in heights.items() if own == height]
            for item, _ in level:
                item.branches = [spliced((item.branches or [[]])[0])]
            self._cluster(
                [
                    Member(item, self.links.entry_of(item), self._class_around(above, around), [], item.branches[0])
                    for item, above in level
                    if item.branches
                ]
            )
        self.blocks = dict(sorted(self.blocks.items(), key=lambda each: each[1].place))
        return compressed(spliced(items), self.links)

    def _class_around(
        self, item: SpecItem | None, around: Mapping[int, tuple[SpecItem, SpecItem | None]]
    ) -> SpecItem | None:
        """Return a list, or the nearest one around it, that is a class in the code."""
        while item is not None and not self._class(item):
            _, item = around[id(item)]
        return item

    def _cluster(self, members: Sequence[Member]) -> None:
        buckets: dict[object, list[Member]] = {}
        pieces = _pieces(members)
        for member in members:
            if member.item.path not in pieces and self._is_candidate(member.item):
                member.items = compressed(copied(member.other), self.links)
                key = self._class(member.item) or tuple(item.kind for item in member.items)
                buckets.setdefault(key, []).append(member)
        for bucket in buckets.values():
            if len(bucket) > 1:
                self._make(bucket)

    def _is_called_once(self, members: Sequence[Member]) -> bool:
        """Whether members are each in another one of one class: one call would be written, in that block."""
        classes = {self._class(member.parent) for member in members}
        parents = {id(member.parent) for member in members}
        return len(classes) == 1 and "" not in classes and len(parents) == len(members)

    def _is_candidate(self, item: SpecItem) -> bool:
        items = (item.branches or [[]])[0]
        if not self._class(item) and (self.graph.scopes or any(map(is_call, every(items)))):
            return False  # the code has no class for it, or it only holds what is one
        least = LEAST_OF_CLASS if self._class(item) else LEAST_WEIGHT
        return sum(map(_full_weight, items)) >= least and self.links.is_block(item)

    def _class(self, item: SpecItem | None) -> str:
        name = self.graph.scopes.get(item.path, "") if item is not None else ""
        return "" if name in CONTAINERS else name

    def _make(self, bucket: Sequence[Member]) -> None:
        """Make a block of members, or one for each structure where they are too different."""
        groups = _structures(bucket)
        if len(groups) > 1 and len({skeleton(member.other) for member in bucket}) < len(groups):
            for member in bucket:
                member.items = member.other
            groups = _structures(bucket)
        for members, items, parts in _clusters(groups, merges=self.merges):
            if len(members) < 2 or self._is_called_once(members):
                continue
            if not self._finish(members, items):
                for part in parts:
                    if len(part) > 1 and len(parts) > 1:
                        self._finish(part, _unified(part))

    def _finish(self, members: Sequence[Member], items: list[SpecItem]) -> bool:
        """Write parameters and turn members into calls; not where there would be too many."""
        shapes = [self.graph.nodes[member.entry].shape for member in members]
        parameters = ParameterFinder((tuple(shape[0] for shape in shapes), tuple(shape[-1] for shape in shapes)))
        try:
            parameters.write(items)
        except TooManyError:
            return False
        items = compressed(items, self.links)
        name = self._name(members[0], items)
        self.blocks[name] = RecoveredBlock(name, items, parameters, min(member.item.span for member in members))
        for place, member in enumerate(members):
            item = member.item
            item.kind, item.branches = name, None
            item.args = {key: values[place] for key, values in parameters.columns.items()}
            item.args |= {"~cin": shapes[place][0], "~din": shapes[place][-1]}
            item.reads = member.entry
        return True

    def _name(self, member: Member, items: Sequence[SpecItem]) -> str:
        given = re.sub(r"\W", "", self._class(member.item)).lstrip("_0123456789")[:MAX_NAME]
        given = given[:1].upper() + given[1:]
        kinds = {each.kind for each in every(items)}
        shape = next((word for kind, word in _SHAPES.items() if kind in kinds), "Block")
        base = given if given[:1].isupper() else shape + given
        return next(name for name in _with_letters(base) if name not in self.blocks)


def _full_weight(item: SpecItem) -> int:
    if is_call(item):
        return LEAST_WEIGHT
    return 1 + sum(_full_weight(each) for branch in item.branches or () for each in branch)


def _with_letters(base: str) -> Iterator[str]:
    """Yield names; one that ends in a digit would be mistaken for the number of a call."""
    yield base
    for number in count():
        yield base + chr(ord("B") + number % 25) * (number // 25 + 1)


def _pieces(members: Sequence[Member]) -> set[str]:
    """Return the paths of modules that are in several pieces with layers of others between, which are no blocks."""
    found: dict[str, set[object]] = {}
    for member in members:
        found.setdefault(member.item.path, set()).add(skeleton(member.other))
    return {path for path, structures in found.items() if len(structures) > 1}


def _clusters(
    groups: list[list[Member]], *, merges: bool
) -> list[tuple[list[Member], list[SpecItem], list[list[Member]]]]:
    """Return members that can be one block together, with its items, and with those of equal structure apart."""
    found: list[tuple[list[Member], list[SpecItem], list[list[Member]]]] = []
    for group in sorted(groups, key=lambda group: -sum(map(weight, group[0].items))):
        other = _unified(group)
        for place, (members, items, parts) in enumerate(found[:MAX_VARIANTS] if merges else []):
            merged = _merged((len(members), len(group)), items, other)
            if merged is not None:
                found[place] = ([*members, *group], merged, [*parts, group])
                break
        else:
            found.append((list(group), other, [group]))
    return found


def _structures(members: Sequence[Member]) -> list[list[Member]]:
    """Return members of equal structure together."""
    found: dict[object, list[Member]] = {}
    for member in members:
        found.setdefault(skeleton(member.items), []).append(member)
    return list(found.values())


def _unified(members: Sequence[Member]) -> list[SpecItem]:
    """Return members of one structure as one series, in which what enters has a number of its own."""
    items = unify([member.items for member in members])
    _rename(items, {members[0].entry: ENTRY})
    return items


def _merged(counts: tuple[int, int], items: list[SpecItem], other: list[SpecItem]) -> list[SpecItem] | None:
    """Return two series as one, with the fewest optional layers.

    A residual that only one of them has may be written as its body and a sum behind it.
    """
    straight, straight_other = linear(items), linear(other)
    found: list[tuple[int, list[SpecItem]]] = []
    for one, two in ((items, other), (straight, other), (items, straight_other), (straight, straight_other)):
        if one is None or two is None:
            continue
        sides = Sides(*counts)
        merged = sides.merge(one, two)
        if merged is not None:
            _rename(merged, sides.renamed)
            found.append((sum(each.present is not None for each in every(merged)), merged))
    count, best = min(found, key=lambda each: each[0], default=(0, None))
    return best if count <= MAX_OPTIONAL else None


def _rename(items: Sequence[SpecItem], nodes: Mapping[int, int]) -> None:
    for item in items:
        if item.source is not None:
            item.source = nodes.get(item.source, item.source)
        item.references = {key: nodes.get(node, node) for key, node in item.references.items()}
        for branch in item.branches or ():
            _rename(branch, nodes)
