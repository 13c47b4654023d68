"""Readable specs recovered from graphs; each is verified against its graph before it is returned."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import TypeAlias

from convcalc.errors import SpecError
from convcalc.graph.graph import Graph
from convcalc.memory import paused
from convcalc.recovery.items import SpecItem
from convcalc.recovery.reading.attention import with_attention
from convcalc.recovery.reading.fuse import fuse
from convcalc.recovery.reading.links import Links, connect, order, own_ties, read_too_early
from convcalc.recovery.reading.rewriting import with_scopes, without_views
from convcalc.recovery.reading.tree import TreeBuilder, flattened, grouped, in_order
from convcalc.recovery.structure.blocks import BlockFinder
from convcalc.recovery.structure.repeats import experts_as_one
from convcalc.recovery.verify import KEPT, difference, graph_of, same_peak, unequal_metrics
from convcalc.recovery.writing.document import document
from convcalc.recovery.writing.names import name_all
from convcalc.spec.expansion.frames import deep_calls

Arranged: TypeAlias = Callable[[list[SpecItem]], list[SpecItem]]
"""What brings items into an order."""
Attempt: TypeAlias = Callable[[Graph, Arranged], tuple[str, list[int]]]
"""What gives the text of a spec, and the layers in its order."""


def recover(graph: Graph, *, flat: bool = False) -> str:
    """Return a spec that makes the same layers as a graph.

    Args:
        graph: of a model, or of another spec.
        flat: one item for each layer, named as in the model, without blocks and repeats.

    Raises:
        SpecError: CC775, where no spec of the network could be verified.
    """
    with deep_calls(), paused():
        return _verified(graph, flat=True) if flat else _settled(graph)


def _settled(graph: Graph, seen: tuple[str, ...] = ()) -> str:
    """Return a spec that is what it is recovered as itself, also where it has classes and its source has none."""
    graph = with_scopes(graph)
    text = _verified(graph, flat=False)
    if text in seen or (graph.scopes and "\nblocks:\n" in text):
        return text
    made = graph_of(text)
    return _settled(made, (*seen, text)) if graph.scopes else _verified(made, flat=False)


def changed_metrics(graph: Graph, text: str) -> tuple[str, ...]:
    """Return the metrics of a recovered spec that are not those of its graph: few, and those of its views and order."""
    with deep_calls(), paused():
        return unequal_metrics(graph, graph_of(text))


def _verified(graph: Graph, *, flat: bool) -> str:
    """Return the shortest spec that makes the same layers, in an order that needs as much memory."""
    if flat:
        return _first(graph, (_flat,))
    whole = with_attention(graph)
    if whole is not graph:
        whole = without_views(whole)
        if KEPT.isdisjoint(unequal_metrics(graph, whole)):
            with suppress(SpecError):
                return _first(whole, (_structured, _strict))
    return _first(graph, (_structured, _strict, _nested, _flat))


def _first(graph: Graph, attempts: Sequence[Attempt]) -> str:
    """Return the first spec that is verified; where its order needs other memory, one of the same form in order."""
    found = ""
    for attempt in attempts:
        text, made = attempt(graph, list)
        found = difference(text, graph, made)
        if found:
            continue
        if not same_peak(graph, made):
            other, made = attempt(graph, in_order)
            if same_peak(graph, made) and not difference(other, graph, made):
                return other
        return text
    raise SpecError("CC775", f"no spec of this network could be verified: {found}")


def _structured(graph: Graph, arranged: Arranged, *, merges: bool = True) -> tuple[str, list[int]]:
    """Return blocks and repeats."""
    items = _tree(graph, arranged)
    own_ties(items)
    made = order(items)
    finder = BlockFinder(graph, Links(graph, items, made), merges=merges)
    found = finder.run(grouped(items))
    return document(graph, found, finder.blocks), made


_strict: Attempt = partial(_structured, merges=False)
"""Blocks and repeats without layers that only some calls have."""


def _nested(graph: Graph, arranged: Arranged) -> tuple[str, list[int]]:
    """Return joins with their branches."""
    return _written(graph, _tree(graph, arranged))


def _tree(graph: Graph, arranged: Arranged) -> list[SpecItem]:
    """Return joins with their branches; what several of these read by its name is made before the first of them."""
    early: set[int] = set()
    while True:
        items = arranged(TreeBuilder(graph, fuse(graph), early).items())
        connect(items, graph.inputs[0].index)
        late = set(read_too_early(items, {node.index for node in graph.inputs})) - early
        if not late:
            return items
        early |= late


def _flat(graph: Graph, _: Arranged) -> tuple[str, list[int]]:
    """Return every layer as an item of its own, in the order of the graph."""
    items = flattened(TreeBuilder(graph, fuse(graph, alone=True)).items())
    last = max(graph.outputs.values())
    items.sort(key=lambda item: (item.nodes == (last,), item.nodes))  # the last item is an output
    connect(items, graph.inputs[0].index)
    return _written(graph, items, is_flat=True)


def _written(graph: Graph, items: list[SpecItem], *, is_flat: bool = False) -> tuple[str, list[int]]:
    own_ties(items)
    made = order(items)
    experts_as_one(items, Links(graph, items, made))
    if is_flat:
        name_all(items)
    return document(graph, items, is_flat=is_flat), made
