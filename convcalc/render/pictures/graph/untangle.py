"""Modules that read each other in turn, as names of imported graphs may have it: they are parted where that happens."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby, pairwise

from convcalc.render.pictures.modules import Module


def untangle(root: Module) -> None:
    """Part modules whose layers read a neighbour that reads them, so that lines have one direction.

    A part has the name and the path of its module; its layers follow one another in the network.
    """
    for module in root.walk():  # which sees what is replaced
        if _overlaps(module) and _has_cycle(module):
            module.children = list(_parts(module))


def _overlaps(module: Module) -> bool:
    """Whether layers of one child are between those of another."""
    spans = sorted((min(orders), max(orders)) for orders in map(_orders, module.children))
    return any(last >= first for (_, last), (first, _) in pairwise(spans))


def _orders(module: Module) -> list[int]:
    return [leaf.order for leaf in module.leaves()]


def _holders(module: Module) -> dict[Module, Module]:
    return {leaf: child for child in module.children for leaf in child.leaves()}


def _has_cycle(module: Module) -> bool:
    holders = _holders(module)
    below: dict[Module, set[Module]] = {child: set() for child in module.children}
    waiting = dict.fromkeys(module.children, 0)
    for leaf, child in holders.items():
        for source in leaf.sources:
            holder = holders.get(source) if isinstance(source, Module) else None
            if holder is not None and holder is not child and child not in below[holder]:
                below[holder].add(child)
                waiting[child] += 1
    ready = [child for child in module.children if not waiting[child]]
    for child in ready:  # which grows
        for reader in below[child]:
            waiting[reader] -= 1
            if not waiting[reader]:
                ready.append(reader)
    return len(ready) < len(module.children)


def _parts(module: Module) -> Iterator[Module]:
    holders = _holders(module)
    in_order = sorted(holders, key=lambda leaf: leaf.order)
    for child, leaves in groupby(in_order, key=lambda leaf: holders[leaf]):
        held = list(leaves)
        yield child if len(held) == len(_orders(child)) else _part(child, set(held), module)


def _part(module: Module, leaves: set[Module], parent: Module) -> Module:
    """Return a module with some of its layers alone."""
    if module.is_layer:
        module.parent = parent
        return module
    made = Module(module.name, module.path, parent, module.order)
    made.children = [_part(child, leaves, made) for child in module.children if not leaves.isdisjoint(child.leaves())]
    held = list(made.leaves())
    last = max(held, key=lambda leaf: leaf.order)
    made.order, made.shape, made.layers = min(_orders(made)), last.shape, sum(leaf.layers for leaf in held)
    made.values = {key: sum(leaf.value(key) for leaf in held) for key in module.values}
    made.unknown = frozenset().union(*(leaf.unknown for leaf in held))
    made.likeness = object()  # like no other
    return made
