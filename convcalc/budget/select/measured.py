"""One design with its metrics, each worked out once; and the places in it that a budget is about."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from functools import cached_property
from typing import Any, NamedTuple

from convcalc.budget.file.metrics import core_metrics, is_additive, metric
from convcalc.budget.file.types import DEFAULT_CONDITIONS, Budget, Conditions, LayerFilter, Pattern
from convcalc.errors import Source, Span, SpecError
from convcalc.globs import matches
from convcalc.graph.graph import Graph, Node

SEPARATOR = "."
UNDEFINED_METRIC = "CC622"

MetricValue = int | Fraction


class DesignPart(NamedTuple):
    """What of a design one number is of."""

    path: str = ""
    """The layer or the group; nothing for the design, or for the sum of the layers that are meant."""
    layers: Sequence[int] | None = None
    """Which layers, by their order; nothing for all, and for what is no sum."""
    is_group: bool = False
    """Whether it is a scope, or a layer with what stands below it."""
    is_whole_group: bool = True
    """Whether a group is meant with all of its layers, and not with those of some kinds alone."""


WHOLE_DESIGN = DesignPart()


class MeasuredDesign:
    """A design that has been expanded. Values are those of one sample in float32, unless conditions say otherwise."""

    def __init__(self, design: str, graph: Graph, source: Source, conditions: Conditions = DEFAULT_CONDITIONS) -> None:
        self.design = design
        self.graph = graph
        self.source = source
        self.conditions = conditions
        self._values: dict[str, tuple[Sequence[Any], Any]] = {}
        self._parts: dict[str, MeasuredDesign] = {}
        self._by_conditions: dict[tuple[object, ...], MeasuredDesign] = {}

    def with_conditions(self, conditions: Conditions) -> MeasuredDesign:
        """Return the same design measured for something else."""
        if conditions == self.conditions:
            return self
        batch, dtype, device = conditions
        key = batch, dtype, device and device.key
        if key not in self._by_conditions:
            self._by_conditions[key] = MeasuredDesign(self.design, self.graph, self.source, conditions)
        return self._by_conditions[key]

    @cached_property
    def layers(self) -> Sequence[Node]:
        return self.graph.layers

    @cached_property
    def layer_kinds(self) -> tuple[tuple[str, str], ...]:
        """Path and kind of every layer: what a budget chooses layers by."""
        return tuple((node.path, node.op.kind if node.op else "") for node in self.layers)

    @cached_property
    def shares_weights(self) -> bool:
        return any(node.owner != node.index for node in self.layers)

    def values(self, key: str) -> Sequence[Any]:
        """Return the value of every layer; ``None`` where it is not known."""
        return self._values_and_total(key)[0]

    def total(self, key: str) -> MetricValue:
        """Return the value of the whole design.

        Raises:
            SpecError: CC622, where it is not known.
        """
        return self._require_defined(key, self._values_and_total(key)[1])

    def _require_defined(
        self, key: str, value: MetricValue | None, path: str = "", index: int | None = None
    ) -> MetricValue:
        if value is None:
            whose = f"{path} in {self.design}" if path else self.design
            hint = "see `convcalc explain CC622`; limit it in layers before"
            raise SpecError(UNDEFINED_METRIC, f"{whose} has no {key} that could be told", self.span(index), hint)
        return value

    def totals(self) -> dict[str, int]:
        """Return every metric of the whole design."""
        return {key: int(self.total(key)) for key in core_metrics()}

    def _values_and_total(self, key: str) -> tuple[Sequence[Any], Any]:
        if key not in self._values:
            batch, dtype, device = self.conditions
            self._values[key] = metric(key, device).values(self.graph, batch, dtype)
        return self._values[key]

    def value_of(self, key: str, place: DesignPart) -> MetricValue:
        """Return what a place counts: the whole, the sum of some layers, or a group as a design of its own.

        Raises:
            SpecError: CC622, where it is not known.
        """
        if place.layers is None or (not is_additive(key) and not place.path):
            return self.total(key)
        if not is_additive(key) and not place.is_group:
            return self._require_defined(key, self.values(key)[place.layers[0]], place.path, place.layers[0])
        if not is_additive(key) or (place.is_group and place.is_whole_group and self.shares_weights):
            total = self.part(place.path)._values_and_total(key)[1]  # noqa: SLF001
            return self._require_defined(key, total, place.path, place.layers[0])
        values = self.values(key)
        whole: MetricValue = sum(values[index] for index in place.layers)
        return whole

    def values_of(self, key: str, places: Sequence[DesignPart]) -> list[MetricValue]:
        """Return what every place counts."""
        if not is_additive(key) or self.shares_weights:
            return [self.value_of(key, place) for place in places]
        values, total = self._values_and_total(key)
        return [total if place.layers is None else sum([values[each] for each in place.layers]) for place in places]

    def part(self, path: str) -> MeasuredDesign:
        """Return a group of layers measured by itself."""
        if path not in self._parts:
            self._parts[path] = MeasuredDesign(self.design, self.graph.part(path), self.source, self.conditions)
        return self._parts[path]

    def heaviest(self, key: str, place: DesignPart, top: int = 3) -> list[int]:
        """Return the layers of a place that count most, by their order; none that count nothing."""
        values = self.values(key)
        chosen = range(len(values)) if place.layers is None else place.layers
        return [index for index in sorted(chosen, key=lambda index: (-values[index], index))[:top] if values[index]]

    def span(self, index: int | None) -> Span:
        """Return where a layer stands in the spec; the top of the spec for no layer."""
        source = None if index is None else self.layers[index].source
        return source or Span(self.source, 1, 1)


class PartFinder:
    """Finds the places that budgets are about. Designs with the same layers are looked through once."""

    def __init__(self) -> None:
        self._outlines: dict[tuple[tuple[str, str], ...], int] = {}
        self._parts_by_outline: dict[tuple[int, int], tuple[Budget, Sequence[DesignPart]]] = {}
        self._matches_by_glob: dict[tuple[str, str], bool] = {}
        self._matched_patterns: set[int] = set()

    def parts(self, budget: Budget, measured: MeasuredDesign) -> Sequence[DesignPart]:
        """Return the places of a design that each get a number of their own; none where nothing matches."""
        if budget.layers is None and budget.per == "total":
            return (WHOLE_DESIGN,)
        outline = self._outlines.setdefault(measured.layer_kinds, len(self._outlines))
        key = id(budget), outline
        if key not in self._parts_by_outline:
            self._parts_by_outline[key] = (
                budget,
                tuple(self._select(budget, measured)),
            )  # holds the budget: its id stays its own
        return self._parts_by_outline[key][1]

    def _select(self, budget: Budget, measured: MeasuredDesign) -> Iterable[DesignPart]:
        outline, layers = measured.layer_kinds, budget.layers
        if budget.per == "group":
            return self._groups(outline, layers)
        chosen = [
            index
            for index, (path, kind) in enumerate(outline)
            if self.selects(layers, path) and _has_kind(layers, kind)
        ]
        if budget.per == "layer":
            return [DesignPart(outline[index][0], (index,)) for index in chosen]
        return [DesignPart("", tuple(chosen))] if chosen else []

    def _groups(self, outline: Sequence[tuple[str, str]], layers: LayerFilter | None) -> Iterable[DesignPart]:
        """Give every scope and layer that is named, with the layers at and below it, in the network's order."""
        below: dict[str, list[int]] = {}
        for index, (path, kind) in enumerate(outline):
            if _has_kind(layers, kind):
                segments = path.split(SEPARATOR)
                for end in range(1, len(segments) + 1):
                    below.setdefault(SEPARATOR.join(segments[:end]), []).append(index)
        whole = layers is None or not layers.kinds
        return [
            DesignPart(path, tuple(found), True, whole) for path, found in below.items() if self.selects(layers, path)
        ]

    def selects(self, layers: LayerFilter | None, path: str) -> bool:
        """Whether a path is among those that a budget names: in one of its globs and in none with a ``!``."""
        if layers is None or not layers.path_globs:
            return True
        fitting = [pattern for pattern in layers.path_globs if self._matches(pattern, path)]
        if any(pattern.is_exclusion for pattern in fitting):
            return False
        return bool(fitting) or all(pattern.is_exclusion for pattern in layers.path_globs)

    def _matches(self, pattern: Pattern, path: str) -> bool:
        key = pattern.text, path
        if key not in self._matches_by_glob:
            self._matches_by_glob[key] = matches(pattern.text, path, SEPARATOR)
        if self._matches_by_glob[key]:
            self._matched_patterns.add(id(pattern))
        return self._matches_by_glob[key]

    def was_matched(self, pattern: Pattern) -> bool:
        """Whether a glob of layers has matched anything so far."""
        return id(pattern) in self._matched_patterns


def _has_kind(layers: LayerFilter | None, kind: str) -> bool:
    return layers is None or not layers.kinds or kind in layers.kinds
