"""Sentences of findings: what was measured, its counts, and the layers that it is made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from convcalc.budget.check.case import Case
from convcalc.budget.file import number_format as words
from convcalc.budget.file.metrics import metric
from convcalc.budget.file.types import RATIO_SUFFIX, SHARE_SUFFIX, Limit, LimitedMetric
from convcalc.budget.select.measured import WHOLE_DESIGN, DesignPart, MeasuredDesign
from convcalc.findings import LayerMetricChange


def counts_of_ratio(case: Case, limit: Limit, place: DesignPart) -> str:
    """Return the counts that a share or a ratio is of."""
    key = limit.metric.key
    size = words.format_count(case.measured.value_of(key, place))
    if limit.metric.suffix == SHARE_SUFFIX:
        return f" ({size} of {words.format_count(case.measured.total(key))})"
    if limit.metric.suffix == RATIO_SUFFIX and case.against is not None:
        others = {other.path: other for other in case.places.parts(case.budget, case.against)}
        return f" ({size} to {words.format_count(case.against.value_of(key, others[place.path]))})"
    return ""


def subject(case: Case, metric: LimitedMetric, place: DesignPart) -> str:
    """``params of a.yaml``, ``params of stage1.conv in a.yaml``, ``weight_bytes (int8) of 12 layers of a.yaml``."""
    name = {SHARE_SUFFIX: "the share of ", RATIO_SUFFIX: "the ratio of "}.get(metric.suffix, "")
    under = case.measured.conditions.describe(metric.key)
    key = metric.key + f" ({under})" * bool(under)
    if place.path:
        return f"{name}{key} of {place.path} in {case.measured.design}"
    if place.layers is None or place is WHOLE_DESIGN:
        return f"{name}{key} of {case.measured.design}"
    many = f"{len(place.layers):,} layers" if len(place.layers) != 1 else "1 layer"
    return f"{name}{key} of {many} of {case.measured.design}"


def blamed_layer(measured: MeasuredDesign, key: str, place: DesignPart, heaviest: Sequence[int]) -> int | None:
    """Return the layer to look at: the only one or the heaviest, or the first at which a depth is reached."""
    if heaviest:
        return heaviest[0]
    if place.layers:
        return place.layers[0]
    if place.layers is not None or metric(key).both is not None:
        return None
    values = measured.values(key)
    return max(range(len(values)), key=values.__getitem__, default=None)


def heaviest_layers(measured: MeasuredDesign, key: str, layers: Iterable[int]) -> tuple[LayerMetricChange, ...]:
    values = measured.values(key)
    return tuple(LayerMetricChange(measured.layers[index].path, key, after=values[index]) for index in layers)
