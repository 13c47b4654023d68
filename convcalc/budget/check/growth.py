"""How much a design may grow over what it was: allowances, and which layers have grown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from fractions import Fraction

from convcalc.budget.baseline.types import DesignCounts
from convcalc.budget.check.finding_text import BudgetOnDesign, Evaluation, Size, layer_to_show, subject
from convcalc.budget.file.types import Budget, GrowthLimit
from convcalc.budget.select.parts import SEPARATOR, PartFinder
from convcalc.findings import Finding, LayerMetricChange, LimitResult
from convcalc.number_format import format_count, format_percent
from convcalc.records import NamedTuple
from convcalc.report.measurements import DesignPart, Measurements
from convcalc.report.metrics import is_additive

CODES = {"growth": "CC614", "ratchet": "CC615"}


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
    measured: Measurements, past: DesignCounts, key: str, place: DesignPart, top: int = 3
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
    return [(index, heavy) for _, index, heavy in sorted(grown, key=lambda each: each[:2])[:top]]


class _Growth(NamedTuple):
    """What a place was and is, and what it may be."""

    place: DesignPart
    before: int
    size: Size
    limit: int


def judge_growth(
    case: BudgetOnDesign, allowance: GrowthLimit, chosen: Sequence[DesignPart], judged: Evaluation
) -> None:
    """Judge what grew: of the places that are kept, the one that has used most of its limit stands for all."""
    steps = list(_growths(case, allowance, chosen))
    broken = [step for step in steps if step.size > step.limit]
    for place, _, size, limit in broken or ([max(steps, key=_use)] if steps else []):
        used = Fraction(size, limit) if limit else None
        design, metric = case.measured.design, allowance.metric.label
        judged.standings.append(
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


def _use(step: _Growth) -> Fraction:
    return Fraction(step.size, step.limit) if step.limit else Fraction(0)


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
    return Finding(
        id=case.budget.id,
        code=CODES[allowance.rule],
        severity=case.budget.severity,
        design=case.measured.design,
        metric=metric.label,
        text=text,
        span=case.measured.span(blamed),
        hint=f'if intended, run: convcalc baseline accept {case.budget.id} --reason "…"',
        path=place.path,
        value=size,
        limit=limit,
        heaviest=() if case.budget.per == "layer" else tuple(heavy for _, heavy in changed),
        rule=allowance.span,
    )
