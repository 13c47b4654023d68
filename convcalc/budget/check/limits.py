"""One budget judged on one design: what every limit is used to, and what is past it.

All comparisons are exact and inclusive, on integers and rationals: a value that equals its limit keeps it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from operator import eq, ge, le

from convcalc.budget.baseline.file import DesignCounts
from convcalc.budget.check.file_verdict import Verdict
from convcalc.budget.check.finding_text import (
    BudgetOnDesign,
    Size,
    counts_of_ratio,
    finding_on,
    format_excess,
    format_limit,
    format_value,
    heaviest_layers,
    layer_to_show,
    subject,
)
from convcalc.budget.file.types import RATIO_SUFFIX, SHARE_SUFFIX, Budget, GrowthLimit, Limit
from convcalc.budget.select.match_designs import SEPARATOR, PartFinder
from convcalc.errors import SpecError, SpecErrors
from convcalc.findings import Finding, LayerMetricChange, LimitResult
from convcalc.number_format import format_count, format_percent
from convcalc.records import NamedTuple
from convcalc.report.measurements import DesignPart, Measurements
from convcalc.report.metrics import is_additive, metric

COMPARISONS: Mapping[str, Callable[[Size, Size], bool]] = {"max": le, "min": ge, "equals": eq}
_RELATIONS = {"max": ("CC611", "above"), "min": ("CC612", "below"), "equals": ("CC613", "")}
"""The codes of findings, and on which side of the limit they are, if that is always the same."""
CODES = {"growth": "CC614", "ratchet": "CC615"}
RATIO_TO_ZERO = "CC621"
SHOWN = 3
"""Layers that a finding of growth names."""


def evaluate(case: BudgetOnDesign) -> Verdict:
    """Judge every limit of a budget. Where each layer or group has one, the tightest stands for all that are kept."""
    judged = Verdict()
    chosen = case.places.parts(case.budget, case.measured)
    conditions, against = case.budget.conditions, case.against
    against = against and against.with_conditions(conditions)
    case = case._replace(measured=case.measured.with_conditions(conditions), against=against)
    for rule, limits in (("max", case.budget.max), ("min", case.budget.min), ("equals", case.budget.equals)):
        for limit in limits:
            try:
                sizes = _values(case, limit, _parts_with_value(case, limit, chosen, judged.errors))
            except (SpecError, SpecErrors) as error:
                judged.errors += error.errors if isinstance(error, SpecErrors) else [error]
                continue
            if sizes:
                _check_limit(case, rule, limit, sizes, judged)
    if case.past is not None:
        for allowance in case.budget.growth:
            judge_growth(case, allowance, chosen, judged)
    return judged


def _parts_with_value(
    case: BudgetOnDesign, limit: Limit, chosen: Sequence[DesignPart], errors: list[SpecError]
) -> Sequence[DesignPart]:
    """Return the places that have the metric; of those that have not, the first stands for all among the errors."""
    key = limit.metric.key
    if metric(key).values_and_total is None:
        return chosen
    known, unknown = list[DesignPart](), list[SpecError]()
    for place in chosen:
        try:
            case.measured.value_of(key, place)
            known.append(place)
        except SpecError as error:
            unknown.append(error)
    if unknown:
        first, more = unknown[0], len(unknown) - 1
        first.text += f", nor {more:,} more" * bool(more)
        first.notes = (*first.notes, (limit.span, f"limited here, by {case.budget.id}"))
        errors.append(first)
    return known


def _values(case: BudgetOnDesign, limit: Limit, chosen: Sequence[DesignPart]) -> list[tuple[Size, DesignPart]]:
    """Return the number of every place in the form that a limit asks for."""
    key, form = limit.metric.key, limit.metric.suffix
    sizes: list[tuple[Size, DesignPart]] = list(zip(case.measured.values_of(key, chosen), chosen, strict=True))
    if form == SHARE_SUFFIX:
        total = case.measured.total(key)
        return [(Fraction(size, total) if total else 0, place) for size, place in sizes]
    if form == RATIO_SUFFIX:
        return list(_ratios(case, limit, sizes))
    return sizes


def _ratios(
    case: BudgetOnDesign, limit: Limit, sizes: Iterable[tuple[Size, DesignPart]]
) -> Iterator[tuple[Size, DesignPart]]:
    """Divide by the same place of the other design: by path, or the sum of the layers that it chooses there."""
    assert case.against is not None
    others = {place.path: place for place in case.places.parts(case.budget, case.against)}
    for size, place in sizes:
        other = case.against.value_of(limit.metric.key, others[place.path]) if place.path in others else 0
        if other:
            yield Fraction(size, other), place
        elif place.path == "" or place.path in others:
            text = f"{subject(case, limit.metric, place)} has no ratio: {case.against.design} has none of it"
            hint = "limit the metric itself, or compare it with another design"
            raise SpecError(RATIO_TO_ZERO, text, limit.span, hint)


def _check_limit(
    case: BudgetOnDesign, rule: str, limit: Limit, sizes: Sequence[tuple[Size, DesignPart]], judged: Verdict
) -> None:
    holds = COMPARISONS[rule]
    broken = [(size, place) for size, place in sizes if not holds(size, limit.value)]
    for size, place in broken or [_tightest(rule, limit, sizes)]:
        judged.limits.append(_limit_result(case, rule, limit, size, place, holds=not broken))
    judged.findings.extend(_limit_finding(case, rule, limit, size, place) for size, place in broken)


def _tightest(rule: str, limit: Limit, sizes: Sequence[tuple[Size, DesignPart]]) -> tuple[Size, DesignPart]:
    """Return the place that is nearest to breaking a limit, or furthest beyond it."""
    if len(sizes) == 1:
        return sizes[0]
    if rule == "equals":
        return max(sizes, key=lambda each: abs(each[0] - limit.value))
    return (max if rule == "max" else min)(sizes, key=lambda each: each[0])


def _limit_result(
    case: BudgetOnDesign, rule: str, limit: Limit, size: Size, place: DesignPart, *, holds: bool
) -> LimitResult:
    bound = _integer_if_integral(limit.value)
    used = Fraction(size) / limit.value if limit.value else None
    design = case.measured.design
    under = case.measured.conditions.describe(limit.metric.key)
    return LimitResult(case.budget.id, design, place.path, limit.metric.label, rule, size, bound, holds, used, under)


def _limit_finding(case: BudgetOnDesign, rule: str, limit: Limit, size: Size, place: DesignPart) -> Finding:
    code, relation = _RELATIONS[rule]
    direction = relation or ("above" if size > limit.value else "below")
    value = format_value(limit.metric, size, limit.value)
    beyond = format_excess(limit.metric, size, limit.value)
    other = f" to {case.against.design}" if limit.metric.suffix == RATIO_SUFFIX and case.against else ""
    text = f"{subject(case, limit.metric, place)}{other}: {value}{counts_of_ratio(case, limit, place)}, "
    text += f"{direction} the {'required' if rule == 'equals' else 'limit of'} {format_limit(limit)} by {beyond}"
    heaviest = case.measured.heaviest(limit.metric.key, place) if is_additive(limit.metric.key) else []
    found = finding_on(case, code, limit, place, text, layer_to_show(case.measured, limit.metric.key, place, heaviest))
    if case.budget.per != "layer" and direction != "below":
        found = found._replace(heaviest=heaviest_layers(case.measured, limit.metric.key, heaviest))
    return found._replace(value=size, limit=_integer_if_integral(limit.value))


def _integer_if_integral(value: Fraction) -> Size:
    return value.numerator if value.denominator == 1 else value


# --- growth -----------------------------------------------------------------------------------------------------------


def baseline_value(
    budget: Budget, places: PartFinder, measured: Measurements, past: DesignCounts, key: str, place: DesignPart
) -> int | None:
    """Return what a place counted in the baseline; nothing where it is new, or where the baseline does not know.

    Layers are matched by their paths. The sum of chosen layers is that of the paths that the globs name in the
    baseline; where kinds of layers are chosen too, which a baseline does not keep, of the paths that are chosen now.
    """
    if place.layers is None:
        return past.totals.get(key)
    if key not in past.totals or not is_additive(key):
        return None
    if place.path and not place.is_group:
        return past.layers[place.path].get(key, 0) if place.path in past.layers else None
    if budget.layers is not None and budget.layers.kinds:
        paths = [measured.layers[index].path for index in place.layers]
    elif place.is_group:
        below = f"{place.path}{SEPARATOR}"
        paths = [path for path in past.layers if path == place.path or path.startswith(below)]
    else:
        paths = [path for path in past.layers if places.selects(budget.layers, path)]
    found = [past.layers[path].get(key, 0) for path in paths if path in past.layers]
    return sum(found) if found or not place.path else None


def largest_increases(
    measured: Measurements, past: DesignCounts, key: str, place: DesignPart
) -> list[tuple[int, LayerMetricChange]]:
    """Return the layers of a place that grew most or are new, by their order, with what they count."""
    values = measured.values(key)
    chosen = range(len(values)) if place.layers is None else place.layers
    grown = []
    for index in chosen:
        path = measured.layers[index].path
        known = path in past.layers
        was = past.layers[path].get(key, 0) if known else 0
        if values[index] > was:
            heavy = LayerMetricChange(path, key, "grew" if known else "new", was if known else None, values[index])
            grown.append((was - values[index], index, heavy))
    return [(index, heavy) for _, index, heavy in sorted(grown, key=lambda each: each[:2])[:SHOWN]]


class _Growth(NamedTuple):
    """What a place was and is, and what it may be."""

    place: DesignPart
    before: int
    size: Size
    limit: int


def judge_growth(case: BudgetOnDesign, allowance: GrowthLimit, chosen: Sequence[DesignPart], judged: Verdict) -> None:
    """Judge what grew: of the places that are kept, the one that has used most of its limit stands for all."""
    steps = list(_growths(case, allowance, chosen))
    broken = [step for step in steps if step.size > step.limit]
    for place, _, size, limit in broken or sorted(steps, key=lambda step: Fraction(-step.size, step.limit or 1))[:1]:
        used = Fraction(size, limit) if limit else None
        design, metric = case.measured.design, allowance.metric.label
        judged.limits.append(
            LimitResult(case.budget.id, design, place.path, metric, allowance.rule, size, limit, size <= limit, used)
        )
    judged.findings.extend(_growth_finding(case, allowance, step) for step in broken)


def _growths(case: BudgetOnDesign, allowance: GrowthLimit, chosen: Sequence[DesignPart]) -> Iterator[_Growth]:
    """Give the places that the baseline has too: a new layer or group has nothing to outgrow."""
    key = allowance.metric.key
    accepted = case.accepted.get(allowance.metric.label, 0)
    assert case.past is not None
    for place in chosen:
        was = baseline_value(case.budget, case.places, case.measured, case.past, key, place)
        if was is not None:
            yield _Growth(place, was, case.measured.value_of(key, place), max(allowance.limit(was), accepted))


def _growth_finding(case: BudgetOnDesign, allowance: GrowthLimit, step: _Growth) -> Finding:
    metric, (place, before, size, limit) = allowance.metric, step
    assert case.past is not None
    share = f" {format_percent(abs(Fraction(size - before, before)))}" if before and size != before else ""
    rule = f"of {allowance.text}" if allowance.rule == "ratchet" else re.sub(r" ?%", " %", allowance.text)
    rule = "accepted" if case.accepted.get(metric.label) == limit else rule
    verb = "grew" if size > before else "shrank" if size < before else "stayed"
    text = f"{subject(case, metric, place)} {verb}{share} ({format_count(before)} → {format_count(size)}); "
    text += f"limit {rule} = {format_count(limit)}"
    changed = largest_increases(case.measured, case.past, metric.key, place) if is_additive(metric.key) else []
    blamed = changed[0][0] if changed else layer_to_show(case.measured, metric.key, place, [])
    heaviest = () if case.budget.per == "layer" else tuple(heavy for _, heavy in changed)
    hint = f'if intended, run: convcalc baseline accept {case.budget.id} --reason "…"'
    found = finding_on(case, CODES[allowance.rule], allowance, place, text, blamed)
    return found._replace(hint=hint, value=size, limit=limit, heaviest=heaviest)
