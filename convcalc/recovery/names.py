"""Names of items that others read, and the paths by which they do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from convcalc.recovery.items import Item

MAX_LENGTH = 100
NUMBERED = re.compile(r"[a-z_]*\d+")


def name_targets(items: Sequence[Item], targets: Iterable[int], inputs: Mapping[int, str]) -> dict[int, str]:
    """Name the items that give some nodes, and return the paths of these nodes within the list.

    Args:
        items: of a file or a block.
        targets: nodes that something reads by ``from``.
        inputs: the paths of nodes that are none of the items'.
    """
    wanted, taken = set(targets), {item.name for outer in items for item in outer.below()}
    paths = dict(inputs)
    for item, scopes in _with_scopes(items, ()):
        if wanted.isdisjoint(item.nodes):
            continue
        if not item.name:
            item.name = _free_name(item, taken)
            taken.add(item.name)
        for part, node in zip(("", ".norm", ".act"), item.nodes, strict=False):
            paths[node] = ".".join((*scopes, item.name)) + (part if node != item.nodes[-1] else "")
    return paths


def _with_scopes(items: Iterable[Item], scopes: tuple[str, ...]) -> Iterator[tuple[Item, tuple[str, ...]]]:
    """Yield all items with the names of those around them that are scopes; an item comes before what is in it."""
    for item in items:
        yield item, scopes
        inner = (*scopes, item.name) if item.name and item.branches is not None else scopes
        for branch in item.branches or ():
            yield from _with_scopes(branch, inner)


def name_all(items: Sequence[Item]) -> None:
    """Name every layer after its path in the model."""
    taken: set[str] = set()
    for item in (each for outer in items for each in outer.below()):
        if item.nodes:
            item.name = _free_name(item, taken)
            taken.add(item.name)


def _free_name(item: Item, taken: set[str]) -> str:
    """Return a name made of the path in the model; none that items without a name have."""
    base = item.path.replace(".", "_")[-MAX_LENGTH:].lstrip("-") or item.kind
    if base == "input" or base[:1].isdigit() or (NUMBERED.fullmatch(base) and "_" not in base):
        base = f"{base}_" if base[-1:].isdigit() else f"_{base}"
    name, number = base, 1
    while name in taken:
        number += 1
        name = f"{base}_{number}"
    return name
