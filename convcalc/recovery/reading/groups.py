"""Items that one module of the model makes, as lists with its path."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from convcalc.recovery.items import Item

Scope = tuple[str, ...]


def grouped(items: Sequence[Item], scope: Scope = ()) -> list[Item]:
    """Return neighbours that are below one child of a scope as one item, a ``seq``."""
    found: list[Item] = []
    keys = [_child(item, scope) for item in items]
    at = 0
    while at < len(items):
        end = at + 1
        while end < len(items) and keys[at] is not None and keys[end] == keys[at]:
            end += 1
        run, key = list(items[at:end]), keys[at]
        if key is None or (len(run) == 1 and run[0].branches is None):
            for item in run:
                _group_branches(item, scope)
            found += run
        else:
            found.append(_seq(grouped(run, key), key))
        at = end
    return found


def _group_branches(item: Item, scope: Scope) -> None:
    if item.branches is not None:
        item.branches = [grouped(branch, scope) for branch in item.branches]


def _seq(items: list[Item], scope: Scope) -> Item:
    """Return a list that reads what its first item has read by name."""
    first, nodes = items[0], items[-1].nodes
    made = Item("seq", nodes=nodes, branches=[items], path=".".join(scope), span=(first.span[0], items[-1].span[1]))
    made.source, first.source = first.source, None
    return made


def _child(item: Item, scope: Scope) -> Scope | None:
    """Return the child of a scope that an item is below as a whole, if there is one."""
    common = scope_of(item)
    return common[: len(scope) + 1] if len(common) > len(scope) and common[: len(scope)] == scope else None


def scope_of(item: Item) -> Scope:
    """Return the innermost scope of all layers of an item."""
    scopes = [tuple(each.path.split(".")[:-1]) for each in item.below() if each.nodes]
    if not scopes:
        return ()
    low, high = min(scopes), max(scopes)
    return next((low[:at] for at, part in enumerate(low) if at >= len(high) or high[at] != part), low)


def spliced(items: Sequence[Item]) -> list[Item]:
    """Return a list with what lists without a name hold in their place."""
    found: list[Item] = []
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


def sequences(items: Sequence[Item], above: Item | None = None) -> Iterator[tuple[Item, Item | None]]:
    """Yield all lists with a path, each with the one around it; those inside come first."""
    for item in items:
        inside = item if item.kind == "seq" else above
        for branch in item.branches or ():
            yield from sequences(branch, inside)
        if item.kind == "seq":
            yield item, above
