"""Readable specs recovered from graphs; each is verified against its graph before it is returned."""

from __future__ import annotations

from convcalc.errors import Source, SpecError
from convcalc.graph.graph import Graph
from convcalc.memory import paused
from convcalc.recovery.items import Item
from convcalc.recovery.reading.connect import connect, order, own_ties
from convcalc.recovery.reading.fuse import fuse
from convcalc.recovery.reading.groups import grouped
from convcalc.recovery.reading.links import Links
from convcalc.recovery.reading.tree import TreeBuilder
from convcalc.recovery.structure.blocks import BlockFinder
from convcalc.recovery.verify import difference
from convcalc.recovery.writing.document import document
from convcalc.recovery.writing.names import name_all
from convcalc.spec.document.loader import DocumentLoader
from convcalc.spec.expansion.frames import deep_calls
from convcalc.spec.load import expand, parse_spec


def recover(graph: Graph, *, flat: bool = False) -> str:
    """Return a spec that makes the same layers as a graph.

    Args:
        graph: of a model, or of another spec.
        flat: one item for each layer, named as in the model, without blocks and repeats.

    Raises:
        SpecError: CC775, where no spec of the network could be verified.
    """
    with deep_calls(), paused():
        text = _verified(graph, flat=flat)
        has_blocks = "\nblocks:\n" in text
        if flat or (graph.scopes and has_blocks):
            return text
        # the spec has classes where its source has none, or the other way round: it is what it is recovered as itself
        files = DocumentLoader()
        made, _ = expand(parse_spec(Source("recovered.yaml", text), files), files)
        return recover(made) if graph.scopes else _verified(made, flat=False)


def _verified(graph: Graph, *, flat: bool) -> str:
    """Return the shortest spec that makes the same layers."""
    found = ""
    for attempt in (_flat,) if flat else (_structured, _strict, _nested, _flat):
        text, made = attempt(graph)
        found = difference(text, graph, made)
        if not found:
            return text
    raise SpecError("CC775", f"no spec of this network could be verified: {found}")


def _strict(graph: Graph) -> tuple[str, list[int]]:
    """Return blocks and repeats without layers that only some calls have."""
    return _structured(graph, merges=False)


def _structured(graph: Graph, *, merges: bool = True) -> tuple[str, list[int]]:
    """Return blocks and repeats."""
    items = TreeBuilder(graph, fuse(graph)).items()
    connect(items, graph.inputs[0].index)
    own_ties(items)
    made = order(items)
    finder = BlockFinder(graph, Links(graph, items, made), merges=merges)
    found = finder.run(grouped(items))
    return document(graph, found, finder.blocks), made


def _nested(graph: Graph) -> tuple[str, list[int]]:
    """Return joins with their branches."""
    return _written(graph, TreeBuilder(graph, fuse(graph)).items())


def _flat(graph: Graph) -> tuple[str, list[int]]:
    """Return every layer as an item of its own, in the order of the graph."""
    items = [unit.item({}) for unit in fuse(graph, alone=True)]
    last = max(graph.outputs.values())
    items.sort(key=lambda item: item.nodes == (last,))  # the last item is an output
    name_all(items)
    return _written(graph, items, is_flat=True)


def _written(graph: Graph, items: list[Item], *, is_flat: bool = False) -> tuple[str, list[int]]:
    connect(items, graph.inputs[0].index)
    own_ties(items)
    made = order(items)
    return document(graph, items, is_flat=is_flat), made
