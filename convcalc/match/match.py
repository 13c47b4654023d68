"""Two designs compared layer by layer, whatever sources they were read from."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Iterator, Sequence
from itertools import chain, product

from convcalc.arith import Number
from convcalc.graph.attention import with_tables_apart
from convcalc.graph.graph import Graph
from convcalc.match.alignment import alignments, new_numbering, sorted_by_branches
from convcalc.match.comparison import compared, scopes_of, unlike_ties
from convcalc.match.differences import ADDED, CHANGED, MISSING, NAME, OUTPUT, Difference, Outcome, Side
from convcalc.match.layers import IGNORABLE, has_masks, has_stacks, layers_of, states_masks, tables_of
from convcalc.match.wiring import unlike_wiring
from convcalc.memory import paused
from convcalc.records import NamedTuple, dataclass


class Totals(NamedTuple):
    """What one design has in all."""

    design: str
    layers: int
    """Those that are compared."""
    params: Number
    multiplies: Number


@dataclass(frozen=True, slots=True)
class Match:
    """Two designs, and where they differ."""

    first: Totals
    second: Totals
    sides: tuple[Side, Side]
    equal: int
    """Pairs of layers that are equal."""
    in_size_alone: int
    """Pairs that differ in size alone, because of a layer before."""
    differences: tuple[Difference, ...]
    masks_unknown: str = ""
    """The design whose masks of attention are not known, so that the other's are not compared with them."""

    @property
    def is_equal(self) -> bool:
        return not self.differences


@paused()
def match(
    designs: tuple[str, str],
    graphs: tuple[Graph, Graph],
    *,
    ignored: Collection[str] = (),
    by_name: bool = False,
    specs: bool = False,
) -> Match:
    """Return where two networks differ: in layers that multiply, norms, activations, parameters and shared weights.

    Where all these are equal, in what they and the outputs read. A causal mask of attention is compared with none where
    a spec states that there is none: another source, or products written one by one, may have it as a tensor.

    Args:
        designs: their names.
        graphs: whose layers are all counted.
        ignored: ``norm`` and ``act``, where these are not compared.
        by_name: whether the paths of layers are compared, too.
        specs: whether both are specs.
    """
    unknown = [design for design, graph in zip(designs, graphs, strict=True) if not states_masks(graph, specs)]
    is_masked = any(map(has_masks, graphs))
    graphs = with_tables_apart(graphs[0]), with_tables_apart(graphs[1])
    forms = product(
        (is_masked and not unknown,),
        (False, True) if "norm" in ignored else (False,),
        (False, True) if has_stacks(graphs) else (False,),
    )
    outcome, sides = _best(_sides(graphs, ignored, *form) for form in forms)
    outcome, wiring = _wired(outcome, sides)
    found = [*sorted((*outcome.differences, *wiring), key=_place), *unlike_ties(sides, outcome.pairs)]
    if by_name:
        found += [Difference(NAME, (one,), (two,)) for one, two in outcome.pairs if one.path != two.path]
    first, second = (_totals(design, side) for design, side in zip(designs, sides, strict=True))
    in_size_alone = sum(each.consequences for each in found)
    equal = outcome.equal - sum(each.kind == CHANGED for each in wiring)
    masks_unknown = unknown[0] if is_masked and unknown else ""
    return Match(first, second, sides, equal, in_size_alone, tuple(_grouped(found)), masks_unknown)


def _sides(graphs: tuple[Graph, Graph], ignored: Collection[str], *forms: bool) -> tuple[Side, Side]:
    """Return what is compared; ``forms`` as of :func:`layers_of`."""
    sides = []
    for graph in graphs:
        layers = layers_of(graph, ignored, *forms)
        tables = tables_of(graph, layers, ignored)
        sides.append(Side(graph, layers, tables, scopes_of((*layers, *tables))))
    return sides[0], sides[1]


def _totals(design: str, side: Side) -> Totals:
    nodes = side.graph.layers
    params = sum(node.facts.params for node in nodes if node.weight_owner == node.index)
    return Totals(design, len(side.layers) + len(side.tables), params, sum(node.facts.multiplies for node in nodes))


def _best(forms: Iterable[tuple[Side, Side]]) -> tuple[Outcome, tuple[Side, Side]]:
    """Return the outcome with the fewest differences: in the order of the sources, then with branches sorted."""
    best: tuple[Outcome, tuple[Side, Side]] | None = None
    for ordered in chain.from_iterable(map(_orders, forms)):
        for pairs in alignments(ordered[0].layers, ordered[1].layers):
            outcome = compared(*ordered, pairs)
            if best is None or outcome.cost < best[0].cost:
                best = outcome, ordered
            if not best[0].differences:
                return best
    assert best is not None
    return best


def _wired(outcome: Outcome, sides: tuple[Side, Side]) -> tuple[Outcome, list[Difference]]:
    """Return what differs between layers, and where there is nothing, what differs in what they read.

    The same layers in an order that no way to pair them explains may have fewer wires that differ.
    """
    if not outcome.differences:
        return outcome, unlike_wiring(sides, outcome.pairs)
    ours, theirs = ([*side.layers, *side.tables] for side in sides)
    places = {layer.key: place for place, layer in enumerate(ours)}
    if Counter(layer.key for layer in ours) == Counter(layer.key for layer in theirs):
        pairs = list(zip(*(sorted(side, key=lambda layer: places[layer.key]) for side in (ours, theirs)), strict=True))
        wiring = unlike_wiring(sides, pairs)
        if 0 < len(wiring) < outcome.cost[0]:
            return Outcome([], len(pairs), pairs), wiring
    return outcome, []


def _orders(sides: tuple[Side, Side]) -> Iterator[tuple[Side, Side]]:
    """Give both sides as their sources have them, then with the branches of joins in one order."""
    yield sides
    numbering = new_numbering()
    orders = (sorted_by_branches(side.graph, side.layers, numbering) for side in sides)
    for first, second in zip(*orders, strict=True):
        if first != sides[0].layers or second != sides[1].layers:
            yield sides[0]._replace(layers=first), sides[1]._replace(layers=second)


def _place(difference: Difference) -> int:
    """Where a difference is in the first graph; outputs come last."""
    if difference.kind == OUTPUT:
        return sys.maxsize
    layer = difference.first[0] if difference.first else difference.behind
    return -1 if layer is None else layer.index


def _grouped(found: Sequence[Difference]) -> list[Difference]:
    """Return differences with those that are the same at several places as one."""
    groups: dict[Hashable, Difference] = {}
    for number, each in enumerate(found):
        signature = _signature(each)
        alike = number if signature is None else signature
        known = groups.get(alike)
        groups[alike] = each if known is None else _merged(known, each)
    return list(groups.values())


def _signature(difference: Difference) -> Hashable:
    """Return what is equal for differences that are shown as one; nothing for one that is alone."""
    layers = (*difference.first, *difference.second)
    if difference.reads:  # such as another join in every block; otherwise each has words of its own
        causes = tuple(node.op.kind for nodes in difference.nodes for node in nodes if node.op)
        return (difference.kind, *causes) if difference.kind == CHANGED and len(set(causes)) == 2 else None
    if difference.kind in (MISSING, ADDED):  # such as norms that are folded into the layers before them
        kinds = {layer.kind for layer in layers}
        return (difference.kind, *kinds) if len(layers) == 1 and kinds.issubset(IGNORABLE) else None
    if difference.kind != CHANGED:
        return NAME if difference.kind == NAME else None
    if difference.names == ("bias",) or layers[0].kind in IGNORABLE:  # whatever the size
        settings = tuple(tuple(layer.settings.get(name) for name in difference.names) for layer in layers)
        return layers[0].kind, difference.names, settings
    return difference.names, *((layer.key, layer.in_channels) for layer in layers)


def _merged(one: Difference, two: Difference) -> Difference:
    consequences = one.consequences + two.consequences
    return one._replace(first=one.first + two.first, second=one.second + two.second, consequences=consequences)
