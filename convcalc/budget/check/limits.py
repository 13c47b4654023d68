"""One budget judged on one design: what every limit is used to, and what is past it.

All comparisons are exact and inclusive, on integers and rationals: a value that equals its limit keeps it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from operator import eq, ge, le

from convcalc.budget.check.finding_text import (
    BudgetOnDesign,
    Evaluation,
    Size,
    counts_of_ratio,
    format_excess,
    format_limit,
    format_value,
    heaviest_layers,
    layer_to_show,
    subject,
)
from convcalc.budget.check.growth import judge_growth
from convcalc.budget.file.types import RATIO_SUFFIX, SHARE_SUFFIX, Budget, Limit
from convcalc.errors import SpecError, SpecErrors
from convcalc.findings import Finding, LimitResult
from convcalc.number_format import format_percent, format_unlike
from convcalc.report.measurements import DesignPart
from convcalc.report.metrics import is_additive, metric

Holds = Callable[[Size, Size], bool]

COMPARISONS: Mapping[str, Holds] = {"max": le, "min": ge, "equals": eq}

ABOVE_MAXIMUM, BELOW_MINIMUM, NOT_EQUAL, LOOSE, RATIO_TO_ZERO = "CC611", "CC612", "CC613", "CC620", "CC621"


def evaluate(case: BudgetOnDesign) -> Evaluation:
    """Judge every limit of a budget. Where each layer or group has one, the tightest stands for all that are kept."""
    judged = Evaluation([], [], [])
    chosen = case.places.parts(case.budget, case.measured)
    conditions, against = case.budget.conditions, case.against
    against = against and against.with_conditions(conditions)
    case = case._replace(measured=case.measured.with_conditions(conditions), against=against)
    for rule, limits in (("max", case.budget.max), ("min", case.budget.min), ("equals", case.budget.equals)):
        for limit in limits:
            try:
                known = _parts_with_value(case, limit, chosen, judged.errors)
                sizes = _values(case, limit, known)
            except (SpecError, SpecErrors) as error:
                judged.errors.extend(error.errors if isinstance(error, SpecErrors) else [error])
                continue
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
            raise SpecError(
                RATIO_TO_ZERO, text, limit.span, "limit the metric itself, or hold it against another design"
            )


def _check_limit(
    case: BudgetOnDesign, rule: str, limit: Limit, sizes: Sequence[tuple[Size, DesignPart]], judged: Evaluation
) -> None:
    if not sizes:
        return
    holds = COMPARISONS[rule]
    tightest = _tightest(rule, limit, sizes)
    if holds(tightest[0], limit.value):
        judged.standings.append(_limit_result(case, rule, limit, *tightest, holds=True))
        return
    for size, place in sizes:
        if not holds(size, limit.value):
            judged.standings.append(_limit_result(case, rule, limit, size, place, holds=False))
            judged.findings.append(_limit_finding(case, rule, limit, size, place))


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
    return Finding(
        id=case.budget.id,
        code=code,
        severity=case.budget.severity,
        design=case.measured.design,
        metric=limit.metric.label,
        text=text,
        span=case.measured.span(layer_to_show(case.measured, limit.metric.key, place, heaviest)),
        path=place.path,
        value=size,
        limit=_integer_if_integral(limit.value),
        heaviest=()
        if case.budget.per == "layer" or direction == "below"
        else heaviest_layers(case.measured, limit.metric.key, heaviest),
        rule=limit.span,
    )


_RELATIONS = {"max": (ABOVE_MAXIMUM, "above"), "min": (BELOW_MINIMUM, "below"), "equals": (NOT_EQUAL, "")}


def _integer_if_integral(value: Fraction) -> Size:
    return value.numerator if value.denominator == 1 else value


# --- limits that are far from what they guard: nobody would notice what they let pass ---------------------------------


def highest_use(standings: Iterable[LimitResult]) -> dict[tuple[str, str], LimitResult]:
    """Return where every maximum is used most, by budget and metric."""
    maxima = [standing for standing in standings if standing.rule == "max" and standing.used is not None]
    maxima.sort(key=lambda standing: standing.used or 0, reverse=True)
    found: dict[tuple[str, str], LimitResult] = {}
    for standing in maxima:
        found.setdefault((standing.id, standing.metric), standing)
    return found


def loose_limit_findings(budgets: Iterable[Budget], used: Mapping[tuple[str, str], LimitResult]) -> Iterator[Finding]:
    """Give a note for every maximum of which all designs use less than the budget's ``loose_below``."""
    for budget in budgets:
        for limit in budget.max:
            standing = used.get((budget.id, limit.metric.label))
            if standing is None or standing.used is None or budget.loose_below is None:
                continue
            if standing.used < budget.loose_below:
                yield _loose_finding(budget, limit, standing)


def _loose_finding(budget: Budget, limit: Limit, standing: LimitResult) -> Finding:
    assert standing.used is not None
    assert budget.loose_below is not None
    place = f"{standing.path} in {standing.design}" if standing.path else standing.design
    used = format_unlike(standing.used, budget.loose_below, format_percent)
    text = f"the {limit.metric.label} limit of {format_limit(limit)} is loose: at most {used} is used ({place}), "
    text += f"less than {format_percent(budget.loose_below)}"
    return Finding(
        id=budget.id,
        code=LOOSE,
        severity="note",
        design=standing.design,
        metric=limit.metric.label,
        text=text,
        span=limit.span,
        hint="lower the limit, so that it shows what grows, or set a lower `loose_below`",
        path=standing.path,
        value=standing.value,
        limit=standing.limit,
        rule=limit.span,
    )
