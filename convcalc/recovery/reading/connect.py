"""What items read: the one before them, or another by its name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from convcalc.recovery.items import Item


def connect(items: list[Item], current: int) -> int:
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
                    branch.append(Item("from", source=end))
        current = item.nodes[-1]
    return current


def _entering(item: Item, current: int) -> int:
    """Return the node that should enter a join: another than the current one where all branches begin with that."""
    reads = {node for branch, end in zip(item.branches or (), item.ends, strict=True) for node in _reads(branch, end)}
    return reads.pop() if len(reads) == 1 else current


def _reads(branch: Sequence[Item], end: int) -> Iterator[int]:
    """Yield the nodes that a branch reads at its beginning."""
    if not branch:
        yield end
    elif branch[0].branches is not None:
        for inner, inner_end in zip(branch[0].branches, branch[0].ends, strict=True):
            yield from _reads(inner, inner_end)
    elif branch[0].reads is not None:
        yield branch[0].reads


def read_too_early(items: Sequence[Item], made: set[int]) -> Iterator[int]:
    """Yield the nodes that items read by name before the spec makes them; those that are made are added to ``made``."""
    for item in items:
        for node in (item.source, *item.references.values()):
            if node is not None and node not in made:
                yield node
        for branch in item.branches or ():
            yield from read_too_early(branch, made)
        made.update(item.nodes)


def own_ties(items: Sequence[Item]) -> None:
    """Let the first layer of those that share weights have them, in the order in which the spec makes them."""
    owners: dict[int, int] = {}
    for item in (each for outer in items for each in outer.below()):
        for node in item.nodes[:1]:
            key = node if item.tie is None else item.tie
            owner = owners.setdefault(key, node)
            item.tie = None if owner == node else owner


def order(items: Sequence[Item]) -> list[int]:
    """Return the nodes in the order in which the spec makes them."""
    return [node for outer in items for item in outer.below() for node in item.nodes]
