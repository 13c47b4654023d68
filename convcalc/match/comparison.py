"""What differs between paired layers, and which differences follow from others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Hashable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby

from convcalc.graph.graph import enclosing
from convcalc.match.alignment import Pairs
from convcalc.match.differences import (
    ADDED,
    CHANGED,
    FROM_INPUT,
    INPUT,
    MISSING,
    REORDERED,
    TIE,
    Difference,
    Outcome,
    Side,
)
from convcalc.match.layers import Layer
from convcalc.match.surroundings import between, keeping_size, origins, sizing, unlike_inputs, unlike_outputs

_CONTENTS: tuple[Callable[[Layer], Hashable], ...] = (
    lambda table: (table.params, table.output),
    lambda table: table.params,
    lambda table: table.kind,
)
"""By what tables are paired: a source may call a position table `param` or `embedding`."""
WITHOUT_SIZE = frozenset(("bias", "groups", "heads", "type", "scale"))
"""Settings that do not change the size of an output."""


def compared(first: Side, second: Side, pairs: Pairs) -> Outcome:
    """Return what differs. Linear in the nodes of the graphs."""
    matched = [(first.layers[place], second.layers[other]) for place, other in pairs]
    matched += _paired_tables(first.tables, second.tables)
    return _Comparison(first, second, matched).outcome()


def _paired_tables(first: Sequence[Layer], second: Sequence[Layer]) -> Iterator[tuple[Layer, Layer]]:
    """Give pairs of equal parameters, wherever they are; then those left over of one kind, in their order."""
    ours, theirs = list(first), list(second)
    for content in _CONTENTS:
        waiting: dict[Hashable, list[Layer]] = {}
        for other in reversed(theirs):
            waiting.setdefault(content(other), []).append(other)
        found = [(table, waiting[content(table)].pop()) for table in ours if waiting.get(content(table))]
        yield from found
        taken = {id(layer) for pair in found for layer in pair}
        ours, theirs = ([layer for layer in side if id(layer) not in taken] for side in (ours, theirs))


class _Comparison:
    """Goes through the layers from the inputs on: what differs and why is known of all layers before."""

    def __init__(self, first: Side, second: Side, pairs: list[tuple[Layer, Layer]]) -> None:
        self.sides = (first, second)
        self.pairs = sorted(pairs, key=lambda pair: pair[0].index)
        self.partners = ({one.index: two for one, two in pairs}, {two.index: one for one, two in pairs})
        self.inputs = unlike_inputs(first.graph, second.graph)
        self.runs = list(unpaired_runs(self.sides, self.partners))
        kept = (keeping_size([run.first for run in self.runs]), keeping_size([run.second for run in self.runs]))
        self.origins = tuple(map(origins, self.sides, self.partners, self.inputs, kept))
        self.found: list[Difference] = []
        self.consequences: Counter[int] = Counter()
        self.causes: tuple[dict[int, int], dict[int, int]] = ({}, {})
        """On each side, of a node whose output differs the number of the difference that is the cause."""

    def outcome(self) -> Outcome:
        if len(self.inputs[0]) == len(self.inputs[1]) > 0:
            self._input_cause()
        for run in self.runs:
            self._note(run)
        equal = sum(self._is_equal(one, two) for one, two in self.pairs)
        self.found += unlike_outputs(self.sides, self.origins)
        counted = [each._replace(consequences=self.consequences[number]) for number, each in enumerate(self.found)]
        return Outcome(counted, equal, self.pairs)

    def _note(self, found: Difference) -> int:
        """Keep a difference, from which others may follow, and return its number."""
        number = len(self.found)
        for causes, layers, nodes in zip(self.causes, (found.first, found.second), found.nodes, strict=True):
            causes.update((layer.index, number) for layer in layers)
            causes.update((node.index, number) for node in nodes)
        self.found.append(found)
        return number

    def _is_equal(self, one: Layer, two: Layer) -> bool:
        """Whether a pair is equal; if it is not, note how it differs or what it follows from."""
        is_table = two.kind != one.kind  # only tables of unlike kinds are paired
        if one.key == two.key or (is_table and one.params == two.params):
            return True
        names = one.differing(two)
        before = self._cause_before(one, two)
        if names or before is None:
            unknown = ((), ()) if names else between(self.sides, (one, two), self.partners)
            self._note(Difference(CHANGED, (one,), (two,), names or _derived(one, two), 0, unknown))
        else:
            self.consequences[before] += 1
        if before is not None and WITHOUT_SIZE.issuperset(names):
            self.causes[0][one.index] = self.causes[1][two.index] = before
        return False

    def _cause_before(self, one: Layer, two: Layer) -> int | None:
        """Return the number of the difference that a difference of inputs comes from, if one is known."""
        for side, layer in enumerate((one, two)):
            origin = max((self.origins[side][index] for index in sizing(self.sides[side].graph, layer)), default=-1)
            if origin in self.causes[side]:
                return self.causes[side][origin]
            if origin >= 0 and self.sides[side].graph.nodes[origin].op is None:
                return self._input_cause()
        return None

    def _input_cause(self) -> int:
        return self._note(Difference(INPUT, nodes=self.inputs))


def _derived(one: Layer, two: Layer) -> tuple[str, ...]:
    """Name what differs between layers of equal settings: their inputs, or else what they count."""
    if [node.input_shapes for node in one.nodes] != [node.input_shapes for node in two.nodes]:
        return (FROM_INPUT,)
    names = ("params", "multiplies", "output")
    return next((name,) for name in names if getattr(one, name) != getattr(two, name))


# --- layers of one side alone -----------------------------------------------------------------------------------------

_START = -1
"""In place of the layer before the first."""


def unpaired_runs(sides: Sequence[Side], partners: Sequence[Mapping[int, Layer]]) -> Iterator[Difference]:
    """Give the layers of one side alone, in runs; where the runs of both sides are the same layers, they are one."""
    ours, theirs = (dict(_runs(side.layers, known)) for side, known in zip(sides, partners, strict=True))
    facing = {partners[0][before].index if before != _START else _START: run for before, run in ours.items()}
    for before, run in facing.items():
        other = theirs.get(before, ())
        if Counter(layer.key for layer in run) == Counter(layer.key for layer in other):
            yield Difference(REORDERED, run, theirs.pop(before))
        else:
            yield Difference(MISSING, run)
    yield from (Difference(ADDED, (), run, behind=partners[1].get(before)) for before, run in theirs.items())
    for side, known, kind in zip(sides, partners, (MISSING, ADDED), strict=True):
        alone = tuple(table for table in side.tables if table.index not in known)
        if alone:
            yield Difference(kind, *((alone, ()) if kind == MISSING else ((), alone)))


def _runs(layers: Sequence[Layer], known: Mapping[int, Layer]) -> Iterator[tuple[int, tuple[Layer, ...]]]:
    """Give the runs of layers without partner, each by the index of the layer before it."""
    before = _START
    for is_paired, group in groupby(layers, lambda layer: layer.index in known):
        run = tuple(group)
        if not is_paired:
            yield before, run
        before = run[-1].index


def whole_scopes(run: Sequence[Layer], side: Side) -> list[str]:
    """Return the blocks that a run consists of, the outermost that hold nothing else.

    A layer whose block holds layers beside the run stands for itself.
    """
    inside = scopes_of(run)
    found = (
        next((scope for scope in enclosing(layer.path) if side.scopes[scope] == inside[scope]), layer.path)
        for layer in run
    )
    return list(dict.fromkeys(found))


def scopes_of(layers: Iterable[Layer]) -> Counter[str]:
    """Return how many layers are at and below each path."""
    return Counter(scope for layer in layers for scope in enclosing(layer.path))


# --- shared weights ---------------------------------------------------------------------------------------------------


def unlike_ties(sides: Sequence[Side], pairs: Sequence[tuple[Layer, Layer]]) -> Iterator[Difference]:
    """Give the groups of paired layers that share weights on one side and not, or with others, on the other."""
    there, back = {one.index: two for one, two in pairs}, {two.index: one for one, two in pairs}
    ours, theirs = _tied(sides[0], there), _tied(sides[1], back)
    here, known = ({frozenset(group) for group in groups} for groups in (ours, theirs))
    told: set[int] = set()
    for group in ours:
        others = {there[index].index: there[index] for index in group}
        if frozenset(others) not in known:
            told.update(others)
            yield Difference(TIE, tuple(group.values()), tuple(others.values()), ("first",))
    for group in theirs:
        others = {back[index].index: back[index] for index in group}
        if frozenset(others) not in here and told.isdisjoint(group):
            yield Difference(TIE, tuple(others.values()), tuple(group.values()), ("second",))


def _tied(side: Side, paired: Container[int]) -> list[dict[int, Layer]]:
    """Return the layers that share weights, with two or more in a group, by their indices."""
    groups: dict[int, dict[int, Layer]] = {}
    for layer in (*side.layers, *side.tables):
        for node in layer.nodes:
            if node.facts.params and layer.index in paired:
                groups.setdefault(node.weight_owner, {})[layer.index] = layer
    return [group for group in groups.values() if len(group) > 1]
