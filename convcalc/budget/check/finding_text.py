"""A budget on one design, and the sentences of what is found: what was measured, its counts, the layers behind it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

from convcalc.budget.baseline.file import DesignCounts
from convcalc.budget.file.types import RATIO_SUFFIX, SHARE_SUFFIX, Budget, GrowthLimit, Limit, LimitedMetric
from convcalc.budget.select.match_designs import PartFinder
from convcalc.findings import Finding, LayerMetricChange
from convcalc.number_format import Rational, format_count, format_decimal, format_percent, format_ratio, format_unlike
from convcalc.records import NamedTuple
from convcalc.report.measurements import WHOLE_DESIGN, DesignPart, Measurements
from convcalc.report.metrics import metric

Size = int | Fraction


class BudgetOnDesign(NamedTuple):
    """A budget with everything that it needs to know of one design."""

    budget: Budget
    measured: Measurements
    places: PartFinder
    against: Measurements | None = None
    """The design that ratios are to."""
    past: DesignCounts | None = None
    """What the design counted in the baseline; without it no growth is judged."""
    accepted: Mapping[str, int] = {}
    """By metric, values above what may be grown to that somebody took responsibility for."""


def counts_of_ratio(case: BudgetOnDesign, limit: Limit, place: DesignPart) -> str:
    """Return the counts that a share or a ratio is of."""
    key = limit.metric.key
    size = format_count(case.measured.value_of(key, place))
    if limit.metric.suffix == SHARE_SUFFIX:
        return f" ({size} of {format_count(case.measured.total(key))})"
    if limit.metric.suffix == RATIO_SUFFIX and case.against is not None:
        others = {other.path: other for other in case.places.parts(case.budget, case.against)}
        return f" ({size} to {format_count(case.against.value_of(key, others[place.path]))})"
    return ""


def subject(case: BudgetOnDesign, metric: LimitedMetric, place: DesignPart) -> str:
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


def layer_to_show(measured: Measurements, key: str, place: DesignPart, heaviest: Sequence[int]) -> int | None:
    """Return the layer to look at: the only one or the heaviest, or the first at which a depth is reached."""
    if heaviest:
        return heaviest[0]
    if place.layers:
        return place.layers[0]
    if place.layers is not None or metric(key).values_and_total is not None:
        return None
    values = measured.values(key)
    return max(range(len(values)), key=values.__getitem__, default=None)


def finding_on(
    case: BudgetOnDesign, code: str, rule: Limit | GrowthLimit, place: DesignPart, text: str, blamed: int | None
) -> Finding:
    """Return a finding at a layer, or at the design, without its numbers."""
    budget, measured = case.budget, case.measured
    span, label = measured.span(blamed), rule.metric.label
    return Finding(
        budget.id, code, budget.severity, measured.design, label, text, span, path=place.path, rule=rule.span
    )


def heaviest_layers(measured: Measurements, key: str, layers: Iterable[int]) -> tuple[LayerMetricChange, ...]:
    values = measured.values(key)
    return tuple(LayerMetricChange(measured.layers[index].path, key, after=values[index]) for index in layers)


def format_value(metric: LimitedMetric, value: Rational, limit: Rational) -> str:
    """Return a value as it stands beside a limit: a different one never reads the same."""
    forms = {SHARE_SUFFIX: format_percent, RATIO_SUFFIX: format_ratio}
    return format_unlike(value, limit, forms.get(metric.suffix, _format_count_or_decimal))


def format_limit(limit: Limit) -> str:
    """Return a limit as the file writes it, and its digits where a unit hides them: ``25M (25,000,000)``."""
    plain = limit.text.strip().replace(" ", "")
    if limit.metric.suffix:
        return plain
    digits = format_count(limit.value)
    return f"{plain} ({digits})" if plain[-1:].isalpha() else digits


def format_excess(metric: LimitedMetric, value: Rational, limit: Rational) -> str:
    """Return how far a value is from its limit: ``2.04 %`` of the limit; a share differs by percentage points."""
    distance = abs(Fraction(value) - Fraction(limit))
    if metric.suffix == SHARE_SUFFIX:
        return f"{format_unlike(distance, 0, format_percent).removesuffix(' %')} points"
    if limit:
        return format_percent(distance / limit)
    return format_unlike(distance, 0, format_decimal) if metric.suffix == RATIO_SUFFIX else format_count(distance)


def _format_count_or_decimal(value: Rational, places: int) -> str:
    return f"{value.numerator:,}" if value.denominator == 1 else format_decimal(value, places)
