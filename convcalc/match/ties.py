"""Which layers share their weights, on both sides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from convcalc.match.differences import TIE, Difference, Side
from convcalc.match.layers import Layer


def unlike_ties(sides: Sequence[Side], pairs: Sequence[tuple[Layer, Layer]]) -> Iterator[Difference]:
    """Give the groups of paired layers that share weights on one side and not, or with others, on the other."""
    ours = _groups(sides[0], {one.index for one, _ in pairs})
    theirs = _groups(sides[1], {two.index for _, two in pairs})
    there = {one.index: two for one, two in pairs}
    back = {two.index: one for one, two in pairs}
    known = {frozenset(layer.index for layer in group) for group in theirs}
    here = {frozenset(layer.index for layer in group) for group in ours}
    told: set[int] = set()
    for group in ours:
        others = tuple(there[layer.index] for layer in group)
        if frozenset(layer.index for layer in others) not in known:
            told.update(layer.index for layer in others)
            yield Difference(TIE, group, others, ("first",))
    for group in theirs:
        others = tuple(back[layer.index] for layer in group)
        indices = frozenset(layer.index for layer in others)
        if indices not in here and told.isdisjoint(layer.index for layer in group):
            yield Difference(TIE, others, group, ("second",))


def _groups(side: Side, paired: set[int]) -> list[tuple[Layer, ...]]:
    """Return the layers that share weights, with two or more in a group."""
    groups: dict[int, dict[int, Layer]] = {}
    for layer in (*side.layers, *side.tables):
        for node in layer.nodes:
            if node.facts.params and layer.index in paired:
                groups.setdefault(node.weight_owner, {})[layer.index] = layer
    return [tuple(group.values()) for group in groups.values() if len(group) > 1]
