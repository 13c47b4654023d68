"""Scopes: of models that have none, from the names of their layers; and items below one scope as lists."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby

from convcalc.graph.graph import Graph
from convcalc.records import replace
from convcalc.recovery.items import Item, every

PREFIX = re.compile(r"(?P<word>(?:[A-Za-z]+_)*?[A-Za-z]+)_?\d+[a-z]?_(?!\d+$)")
"""A word with a number, which something follows; names of frameworks' own end in a number, ``conv2d_1``."""
Scope = tuple[str, ...]
LEAST_LAYERS, LEAST_SCOPES = 3, 2
"""Layers of a scope, and scopes of a word, for which names are taken as those of scopes."""
STAGES = ("conv", "stage")
"""Endings of words with which names of stages begin: what follows is the block."""


def with_scopes(graph: Graph) -> Graph:
    """Return a graph with scopes of the words that several names begin with; the same one where there are none."""
    if graph.scopes:
        return graph
    found = {node.index: _scope(node.path.partition(".")[0]) for node in graph.layers}
    sizes = Counter(found.values())
    large = {each for each, size in sizes.items() if each[0] and size >= LEAST_LAYERS}
    words = Counter(word for _, word in large)
    scopes = {scope: word.title().replace("_", "") for scope, word in large if words[word] >= LEAST_SCOPES}
    if not scopes:
        return graph
    nodes = [
        replace(node, path=f"{scope}.{node.path[len(scope) + 1 :]}") if scope in scopes else node
        for node, scope in ((node, found.get(node.index, ("", ""))[0]) for node in graph.nodes)
    ]
    return replace(graph, nodes=nodes, scopes=scopes)


def _scope(name: str) -> tuple[str, str]:
    """Return what a name begins with up to the number of a block, and the block's word."""
    at, scope, word = 0, "", ""
    while match := PREFIX.match(name, at):
        at, scope, word = match.end(), name[: match.end() - 1], match["word"]
        if not word.endswith(STAGES):
            break
    return scope, word


def grouped(items: Sequence[Item], scope: Scope = ()) -> list[Item]:
    """Return neighbours that are below one child of a scope as one item, a ``seq``."""
    found: list[Item] = []
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


def _seq(items: list[Item], scope: Scope) -> Item:
    """Return a list that reads what its first item has read by name."""
    first, nodes = items[0], items[-1].nodes
    made = Item("seq", nodes=nodes, branches=[items], path=".".join(scope), span=(first.span[0], items[-1].span[1]))
    made.source, first.source = first.source, None
    return made


def _child(item: Item, scope: Scope) -> Scope | None:
    """Return the child of a scope that all layers of an item are below, if there is one."""
    child = len(scope) + 1
    scopes = {tuple(each.path.split(".")[:-1][:child]) for each in every([item]) if each.nodes}
    common = scopes.pop() if len(scopes) == 1 else ()
    return common if len(common) == child and common[:-1] == scope else None


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
