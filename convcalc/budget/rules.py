"""One budget judged on one design: what every limit is used to, and what is past it.

All comparisons are exact and inclusive, on integers and rationals: a value that equals its limit keeps it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from operator import eq, ge, le
from typing import NamedTuple

from convcalc.budget import growth, words
from convcalc.budget.measured import WHOLE, Measured, Place, Places
from convcalc.budget.metrics import additive, measure
from convcalc.budget.model import RATIO, SHARE, Budget, Limit, Metric
from convcalc.budget.past import Past
from convcalc.errors import SpecError, SpecErrors
from convcalc.findings import Finding, Heavy, Standing

Size = int | Fraction
Holds = Callable[[Size, Size], bool]

HOLDS: Mapping[str, Holds] = {"max": le, "min": ge, "equals": eq}
ABOVE, BELOW, UNEQUAL, NO_RATIO = "CC611", "CC612", "CC613", "CC621"


class Case(NamedTuple):
    """A budget with everything that it needs to know of one design."""

    budget: Budget
    measured: Measured
    places: Places
    against: Measured | None = None
    """The design that ratios are to."""
    past: Past | None = None
    """What the design counted in the baseline; without it no growth is judged."""
    accepted: Mapping[str, int] = {}
    """By metric, values above what may be grown to that somebody took responsibility for."""


class Judged(NamedTuple):
    """What came of a case."""

    standings: list[Standing]
    findings: list[Finding]
    errors: list[SpecError]


def judge(case: Case) -> Judged:
    """Judge every limit of a budget. Where each layer or group has one, the tightest stands for all that are kept."""
    judged = Judged([], [], [])
    chosen = case.places.of(case.budget, case.measured)
    case = _under_conditions(case)
    for rule, limits in (("max", case.budget.max), ("min", case.budget.min), ("equals", case.budget.equals)):
        for limit in limits:
            try:
                known = _known(case, limit, chosen, judged.errors)
                sizes = _sizes(case, limit, known)
            except (SpecError, SpecErrors) as error:
                judged.errors.extend(error.errors if isinstance(error, SpecErrors) else [error])
                continue
            _bounded(case, rule, limit, sizes, judged)
    if case.past is not None:
        for allowance in growth.allowances(case.budget):
            _grown(case, allowance, chosen, judged)
    return judged


def _under_conditions(case: Case) -> Case:
    wanted, against = case.budget.conditions, case.against
    return case._replace(measured=case.measured.under(wanted), against=against and against.under(wanted))


# --- limits -----------------------------------------------------------------------------------------------------------


def _known(case: Case, limit: Limit, chosen: Sequence[Place], errors: list[SpecError]) -> Sequence[Place]:
    """Return the places that have the metric; of those that have not, the first stands for all among the errors."""
    key = limit.metric.key
    if measure(key).both is None:
        return chosen
    known, unknown = list[Place](), list[SpecError]()
    for place in chosen:
        try:
            case.measured.size(key, place)
            known.append(place)
        except SpecError as error:
            unknown.append(error)
    if unknown:
        first, more = unknown[0], len(unknown) - 1
        first.text += f", nor {more:,} more" * bool(more)
        first.notes = (*first.notes, (limit.span, f"limited here, by {case.budget.id}"))
        errors.append(first)
    return known


def _sizes(case: Case, limit: Limit, chosen: Sequence[Place]) -> list[tuple[Size, Place]]:
    """Return the number of every place in the form that a limit asks for."""
    key, form = limit.metric.key, limit.metric.form
    sizes: list[tuple[Size, Place]] = list(zip(case.measured.sizes(key, chosen), chosen, strict=True))
    if form == SHARE:
        total = case.measured.total(key)
        return [(Fraction(size, total) if total else 0, place) for size, place in sizes]
    if form == RATIO:
        return list(_ratios(case, limit, sizes))
    return sizes


def _ratios(case: Case, limit: Limit, sizes: Iterable[tuple[Size, Place]]) -> Iterator[tuple[Size, Place]]:
    """Divide by the same place of the other design: by path, or the sum of the layers that it chooses there."""
    assert case.against is not None
    others = {place.path: place for place in case.places.of(case.budget, case.against)}
    for size, place in sizes:
        other = case.against.size(limit.metric.key, others[place.path]) if place.path in others else 0
        if other:
            yield Fraction(size, other), place
        elif place.path == "" or place.path in others:
            text = f"{_subject(case, limit.metric, place)} has no ratio: {case.against.design} has none of it"
            raise SpecError(NO_RATIO, text, limit.span, "limit the metric itself, or hold it against another design")


def _bounded(case: Case, rule: str, limit: Limit, sizes: Sequence[tuple[Size, Place]], judged: Judged) -> None:
    if not sizes:
        return
    holds = HOLDS[rule]
    tightest = _tightest(rule, limit, sizes)
    if holds(tightest[0], limit.value):
        judged.standings.append(_standing(case, rule, limit, *tightest, holds=True))
        return
    for size, place in sizes:
        if not holds(size, limit.value):
            judged.standings.append(_standing(case, rule, limit, size, place, holds=False))
            judged.findings.append(_finding(case, rule, limit, size, place))


def _tightest(rule: str, limit: Limit, sizes: Sequence[tuple[Size, Place]]) -> tuple[Size, Place]:
    """Return the place that is nearest to breaking a limit, or furthest beyond it."""
    if len(sizes) == 1:
        return sizes[0]
    if rule == "equals":
        return max(sizes, key=lambda each: abs(each[0] - limit.value))
    return (max if rule == "max" else min)(sizes, key=lambda each: each[0])


def _standing(case: Case, rule: str, limit: Limit, size: Size, place: Place, *, holds: bool) -> Standing:
    bound = _whole(limit.value)
    used = Fraction(size) / limit.value if limit.value else None
    design = case.measured.design
    under = case.measured.conditions.of(limit.metric.key)
    return Standing(case.budget.id, design, place.path, limit.metric.text, rule, size, bound, holds, used, under)


def _finding(case: Case, rule: str, limit: Limit, size: Size, place: Place) -> Finding:
    code, relation = _RELATIONS[rule]
    direction = relation or ("above" if size > limit.value else "below")
    value = words.measured(limit.metric, size, limit.value)
    beyond = words.beyond(limit.metric, size, limit.value)
    other = f" to {case.against.design}" if limit.metric.form == RATIO and case.against else ""
    text = f"{_subject(case, limit.metric, place)}{other} is {value}{_parts(case, limit, place)}, "
    text += f"{direction} {_BOUNDS[rule]} {words.bound(limit)} by {beyond}"
    heaviest = case.measured.heaviest(limit.metric.key, place) if additive(limit.metric.key) else []
    return Finding(
        id=case.budget.id,
        code=code,
        severity=case.budget.severity,
        design=case.measured.design,
        metric=limit.metric.text,
        text=text,
        span=case.measured.span(_blamed(case.measured, limit.metric.key, place, heaviest)),
        path=place.path,
        value=size,
        limit=_whole(limit.value),
        heaviest=() if case.budget.per == "layer" else _heavy(case.measured, limit.metric.key, heaviest),
        rule=limit.span,
    )


_RELATIONS = {"max": (ABOVE, "above"), "min": (BELOW, "below"), "equals": (UNEQUAL, "")}
_BOUNDS = {"max": "the maximum of", "min": "the minimum of", "equals": "the demanded"}


def _parts(case: Case, limit: Limit, place: Place) -> str:
    """Return the counts that a share or a ratio is of."""
    key = limit.metric.key
    size = words.count(case.measured.size(key, place))
    if limit.metric.form == SHARE:
        return f" ({size} of {words.count(case.measured.total(key))})"
    if limit.metric.form == RATIO and case.against is not None:
        others = {other.path: other for other in case.places.of(case.budget, case.against)}
        return f" ({size} to {words.count(case.against.size(key, others[place.path]))})"
    return ""


# --- growth -----------------------------------------------------------------------------------------------------------


class _Step(NamedTuple):
    """What a place was and is, and what it may be."""

    place: Place
    before: int
    size: Size
    limit: int


def _grown(case: Case, allowance: growth.Allowance, chosen: Sequence[Place], judged: Judged) -> None:
    """Judge what grew: of the places that are kept, the one that has used most of its limit stands for all."""
    steps = list(_steps(case, allowance, chosen))
    broken = [step for step in steps if step.size > step.limit]
    shown = broken or ([max(steps, key=_use)] if steps else [])
    judged.standings.extend(_stands(case, allowance, step) for step in shown)
    judged.findings.extend(_outgrown(case, allowance, step) for step in broken)


def _steps(case: Case, allowance: growth.Allowance, chosen: Sequence[Place]) -> Iterator[_Step]:
    """Give the places that the baseline has too: a new layer or group has nothing to outgrow."""
    key = allowance.metric.key
    accepted = case.accepted.get(allowance.metric.text, 0)
    assert case.past is not None
    for place in chosen:
        before = growth.before(case.budget, case.places, case.measured, case.past, key, place)
        if before is not None:
            yield _Step(place, before, case.measured.size(key, place), max(allowance.most(before), accepted))


def _use(step: _Step) -> Fraction:
    return Fraction(step.size, step.limit) if step.limit else Fraction(0)


def _stands(case: Case, allowance: growth.Allowance, step: _Step) -> Standing:
    design, metric, holds = case.measured.design, allowance.metric.text, step.size <= step.limit
    used = _use(step) if step.limit else None
    return Standing(case.budget.id, design, step.place.path, metric, allowance.rule, step.size, step.limit, holds, used)


def _outgrown(case: Case, allowance: growth.Allowance, step: _Step) -> Finding:
    metric, (place, before, size, limit) = allowance.metric, step
    assert case.past is not None
    share = f", {words.percent(Fraction(size - before, before))}" if before else ""
    accepted = case.accepted.get(metric.text) == limit
    allowed = "the accepted" if accepted else f"{allowance.text}, which allows"
    verb = "grew" if size > before else "went"  # the floor of a ratchet may have been lowered below what there was
    text = f"{_subject(case, metric, place)} {verb} from {words.count(before)} to {words.count(size)} "
    text += f"({words.signed(size - before)}{share}), past {allowed} {words.count(limit)} "
    text += f"by {words.beyond(metric, size, limit)}"
    changed = growth.most_grown(case.measured, case.past, metric.key, place) if additive(metric.key) else []
    blamed = changed[0][0] if changed else _blamed(case.measured, metric.key, place, [])
    return Finding(
        id=case.budget.id,
        code=allowance.code,
        severity=case.budget.severity,
        design=case.measured.design,
        metric=metric.text,
        text=text,
        span=case.measured.span(blamed),
        hint=f'if it is meant: convcalc baseline accept {case.budget.id} --reason "…"',
        path=place.path,
        value=size,
        limit=limit,
        heaviest=() if case.budget.per == "layer" else tuple(heavy for _, heavy in changed),
        rule=allowance.span,
    )


# --- words and places -------------------------------------------------------------------------------------------------


def _subject(case: Case, metric: Metric, place: Place) -> str:
    """``params of a.yaml``, ``params of stage1.conv in a.yaml``, ``weight_bytes (int8) of 12 layers of a.yaml``."""
    name = {SHARE: "the share of ", RATIO: "the ratio of "}.get(metric.form, "")
    under = case.measured.conditions.of(metric.key)
    key = metric.key + f" ({under})" * bool(under)
    if place.path:
        return f"{name}{key} of {place.path} in {case.measured.design}"
    if place.layers is None or place is WHOLE:
        return f"{name}{key} of {case.measured.design}"
    many = f"{len(place.layers):,} layers" if len(place.layers) != 1 else "1 layer"
    return f"{name}{key} of {many} of {case.measured.design}"


def _blamed(measured: Measured, key: str, place: Place, heaviest: Sequence[int]) -> int | None:
    """Return the layer to look at: the only one or the heaviest, or the first at which a depth is reached."""
    if heaviest:
        return heaviest[0]
    if place.layers:
        return place.layers[0]
    if place.layers is not None or measure(key).both is not None:
        return None
    values = measured.values(key)
    return max(range(len(values)), key=values.__getitem__, default=None)


def _heavy(measured: Measured, key: str, layers: Iterable[int]) -> tuple[Heavy, ...]:
    values = measured.values(key)
    return tuple(Heavy(measured.layers[index].path, values[index]) for index in layers)


def _whole(value: Fraction) -> Size:
    return value.numerator if value.denominator == 1 else value
