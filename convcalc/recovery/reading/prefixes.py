"""Scopes of models that have none, from what the names of their layers begin with: ``conv2_block3_1_conv``."""

from __future__ import annotations

import re
from collections import Counter

from convcalc.graph.graph import Graph
from convcalc.records import replace

PREFIX = re.compile(r"(?P<word>(?:[A-Za-z]+_)*?[A-Za-z]+)_?\d+[a-z]?_(?!\d+$)")
"""A word with a number, which something follows; names of frameworks' own end in a number, ``conv2d_1``."""
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
