"""Metrics of one design: each is computed when it is first read, and kept."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from convcalc.arith import is_plain
from convcalc.dtypes import FORMAT_WORDS, WORDS_MEANT, unmatched_globs
from convcalc.errors import Source, Span, SpecError, did_you_mean, format_error, quoted
from convcalc.graph.graph import Graph, Node
from convcalc.graph.stored_weights import StoredWeights
from convcalc.memory import paused
from convcalc.metrics.memory import peak
from convcalc.metrics.metric import Metric
from convcalc.metrics.registry import DETAIL_REQUESTS, core_metrics, detail_metrics_of, misaligned_joins
from convcalc.records import NamedTuple, cached_property
from convcalc.report.layer_rows import layer_rows
from convcalc.report.metrics import LEAST_TIME, is_additive, is_known, metric, profile_metrics
from convcalc.report.report import Report

if TYPE_CHECKING:
    from fractions import Fraction

    from convcalc.devices.roofline import Device
    from convcalc.report.fold import TableOptions

    MetricValue = int | Fraction

UNDEFINED_METRIC = "CC622"
NOT_COUNTED = "CC623"


class Conditions(NamedTuple):
    """What a design is measured for: batch size, number formats, device."""

    batch: int = 1
    dtype: str = "float32"
    device: Device | None = None

    def describe(self, key: str) -> str:
        """Return what differs from the default: ``batch 8, int8``; for times also the unit and the device."""
        timed = self.device is not None and key == LEAST_TIME
        parts = ["in ns"] if timed else []
        parts += [f"batch {self.batch}"] if self.batch != 1 else []
        parts += [self.dtype] if self.dtype != "float32" else []
        parts += [f"on {self.device.key}"] if self.device and timed else []
        return ", ".join(parts)


DEFAULT_CONDITIONS = Conditions()


class DesignPart(NamedTuple):
    """The part of a design that one number is about."""

    path: str = ""
    """The layer or the group; empty for the design, or for the sum of some layers."""
    layers: Sequence[int] | None = None
    """Which layers, by their order; ``None`` for all."""
    is_group: bool = False
    """Whether it is a scope, or a layer with the layers below it."""
    is_whole_group: bool = True
    """Whether it has all layers of the group, and not only those of some kinds."""


WHOLE_DESIGN = DesignPart()


class Measurements:
    """The metrics of one graph, for one sample in float32 unless conditions differ."""

    def __init__(self, design: str, graph: Graph, source: Source, conditions: Conditions = DEFAULT_CONDITIONS) -> None:
        self.design = design
        """What the user calls it."""
        self.graph = graph
        self.source = source
        self.conditions = conditions
        self._values: dict[str, tuple[Sequence[Any], Any]] = {}
        self._derived: dict[object, Measurements] = {}

    def with_conditions(self, conditions: Conditions) -> Measurements:
        """Return the same design under other conditions."""
        if conditions == self.conditions:
            return self
        batch, dtype, device = conditions
        key = batch, dtype, device and device.key
        if key not in self._derived:
            self._derived[key] = Measurements(self.design, self.graph, self.source, conditions)
        return self._derived[key]

    def part(self, path: str) -> Measurements:
        """Return a group of layers measured by itself."""
        if path not in self._derived:
            self._derived[path] = Measurements(self.design, self.graph.subgraph(path), self.source, self.conditions)
        return self._derived[path]

    @cached_property
    def layers(self) -> Sequence[Node]:
        return self.graph.layers

    @cached_property
    def layer_kinds(self) -> tuple[tuple[str, str], ...]:
        """Path and kind of every layer."""
        return tuple((node.path, node.op.kind if node.op else "") for node in self.layers)

    @cached_property
    def shares_weights(self) -> bool:
        return any(node.weight_owner != node.index for node in self.layers)

    def span(self, index: int | None) -> Span:
        """Return the place of a layer in the spec; the top of the spec for no layer."""
        source = None if index is None else self.layers[index].source
        return source or Span(self.source, 1, 1)

    # --- numbers ------------------------------------------------------------------------------------------------------

    def values_and_total(self, key: str) -> tuple[Sequence[Any], Any]:
        """Return the value of every layer and of the whole design; ``None`` where it is undefined."""
        if key not in self._values:
            batch, dtype, device = self.conditions
            self._values[key] = metric(key, device).values(self.graph, batch, dtype)
        return self._values[key]

    def values(self, key: str) -> Sequence[Any]:
        """Return the value of every layer; ``None`` where it is undefined."""
        return self.values_and_total(key)[0]

    def total(self, key: str) -> MetricValue:
        """Return the value of the whole design.

        Raises:
            SpecError: CC622, where it is undefined; CC623, where it is only a lower bound.
        """
        self._require_counted(key)
        return self._require_defined(key, self.values_and_total(key)[1])

    def totals(self, keys: Iterable[str] | None = None) -> dict[str, int]:
        """Return totals of the design by the keys of their metrics: of all metrics of a report, or of some.

        They are lower bounds where the graph has layers that are not counted.
        """
        every = core_metrics() if keys is None else keys
        return {key: int(self._require_defined(key, self.values_and_total(key)[1])) for key in every}

    def value_of(self, key: str, part: DesignPart) -> MetricValue:
        """Return the value of a part: the whole, the sum of some layers, or a group as a design of its own.

        Raises:
            SpecError: CC622, where it is undefined; CC623, where it is only a lower bound.
        """
        self._require_counted(key, part.layers)
        is_sum = is_additive(key)
        if part.layers is None or (not is_sum and not part.path):
            return self.total(key)
        if is_sum and not (part.is_group and part.is_whole_group and self.shares_weights):
            values = self.values(key)
            whole: MetricValue = sum(values[index] for index in part.layers)
            return whole
        first = part.layers[0]
        value = self.part(part.path).values_and_total(key)[1] if part.is_group else self.values(key)[first]
        return self._require_defined(key, value, part.path, first)

    def values_of(self, key: str, parts: Sequence[DesignPart]) -> list[MetricValue]:
        """Return the value of every part."""
        if not is_additive(key) or self.shares_weights or self.graph.uncounted:
            return [self.value_of(key, part) for part in parts]
        values, total = self.values_and_total(key)
        return [total if part.layers is None else sum([values[each] for each in part.layers]) for part in parts]

    def heaviest(self, key: str, part: DesignPart, top: int = 3) -> list[int]:
        """Return the layers of a part with the largest values, by their order; none with a value of 0."""
        values = self.values(key)
        chosen = range(len(values)) if part.layers is None else part.layers
        return [index for index in sorted(chosen, key=lambda index: (-values[index], index))[:top] if values[index]]

    def _require_defined(
        self, key: str, value: MetricValue | None, path: str = "", index: int | None = None
    ) -> MetricValue:
        if value is None:
            whose = f"{path} in {self.design}" if path else self.design
            hint = "see `convcalc explain CC622`; limit it in layers before"
            raise SpecError(UNDEFINED_METRIC, f"{whose} has no {key}", self.span(index), hint)
        return value

    def _require_counted(self, key: str, layers: Sequence[int] | None = None) -> None:
        """Demand that a metric is known of all layers, or of some, by their order."""
        chosen = self.layers if layers is None else [self.layers[index] for index in layers]
        unknown = next((node for node in chosen if not is_known(key, node)), None)
        if unknown is not None:
            raise not_counted(self.design, unknown, self.source, key)

    # --- the report ---------------------------------------------------------------------------------------------------

    @paused()
    def report(self, extra: Collection[str] = (), seen: TableOptions | None = None) -> Report:
        """Return the metrics as plain frozen data.

        Args:
            extra: some of :data:`convcalc.metrics.registry.DETAIL_REQUESTS`, which are ignored where counts are arrays
                or symbols, and keys of profiles.
            seen: how it is looked at as text: metrics that are not seen so are omitted.

        Raises:
            SpecError: CC742, where a tool has no number for a layer.
            SpecErrors: CC733, where the device states no rate for the number format of a layer that multiplies.
        """
        graph, (batch, dtype, device) = self.graph, self.conditions
        columns = dict(core_metrics())
        totals: dict[str, Any] = {}
        values: dict[str, Sequence[Any]] = {}
        for key, measure in columns.items():
            if seen is None or seen.needs_total(key, totals):
                each, totals[key] = self.values_and_total(key)
                if measure.is_additive and (seen is None or seen.needs_layers(key)):
                    values[key] = each
        omitted = tuple(key for key in columns if key not in totals)
        asked = DETAIL_REQUESTS.intersection(extra) if all(map(is_plain, totals.values())) else frozenset()
        for measure in (*detail_metrics_of(asked), *self._extra_metrics(set(extra) - DETAIL_REQUESTS)):
            columns[measure.key] = measure
            values[measure.key], total = measure.values(graph, batch, dtype)
            if total is not None:
                totals[measure.key] = total
        joins, gated = misaligned_joins(graph, asked) if asked else (None, None)
        return Report(
            design=self.design,
            name=graph.name or self.design,
            batch=batch,
            dtype=dtype,
            inputs={node.path: tuple(node.shape) for node in graph.inputs},
            outputs={label: tuple(graph.nodes[index].shape) for label, index in graph.outputs.items()},
            columns=tuple(columns.values()),
            totals=totals,
            rows=layer_rows(graph, values),
            omitted=omitted,
            unknown={
                node.path: frozenset(key for key in columns if not is_known(key, node)) for node in graph.uncounted
            },
            warnings=(*map(format_error, graph.warnings), *_dtype_warnings(graph, dtype)),
            peak=peak(graph, batch, dtype) if "peak" in asked else None,
            misaligned=joins,
            gated=gated,
            device=device,
        )

    def _extra_metrics(self, profiles: Collection[str]) -> Iterator[Metric]:
        """Yield the metrics of the device and of profiles."""
        if self.conditions.device is not None:
            from convcalc.devices.roofline import device_metrics

            yield from device_metrics(self.conditions.device)
        if profiles:
            yield from (each._replace(title=key) for key, each in profile_metrics().items() if key in profiles)


def not_counted(design: str, node: Node, source: Source, key: str = "macs") -> SpecError:
    """Return the error for a design whose total is a lower bound, at one of the layers that are not counted."""
    text = f"{key} of {design} is not known: the layer {quoted(node.path)} is not counted"
    span = node.source or Span(source)
    hint = (
        "write its cost with `custom`"
        if span.line
        else "`convcalc import` it, and write the layer's cost with `custom`"
    )
    if node.op and not node.op.has_unknown_weights:
        hint += "; params are known without it"
    return SpecError(NOT_COUNTED, text, span, hint)


def _dtype_warnings(graph: Graph, dtype: str) -> Iterator[str]:
    """Give a warning for every glob of number formats that fits no layer, with the nearest glob that fits one."""
    yield from StoredWeights(graph, dtype).warnings()
    for glob in unmatched_globs(dtype, (node.path for node in graph.nodes)):
        layers = {node.path for node in graph.nodes}
        groups = {f"{path}.**" for path in graph.all_paths() - layers}
        near = f"; did you mean {quoted(whole)}?" if (whole := f"{glob}.**") in groups else ""
        meant = WORDS_MEANT.get(glob.lower())
        near = near or (f"; did you mean '{meant}='?" if meant else did_you_mean(glob, layers | groups | FORMAT_WORDS))
        yield f"warning: the glob {quoted(glob)} of the data type matches no layer{near}"
