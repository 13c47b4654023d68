"""Limits that are far from what they guard: nobody would notice what they let pass."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from convcalc.budget.check.finding_text import format_limit
from convcalc.budget.file.types import Budget, Limit
from convcalc.findings import Finding, LimitResult
from convcalc.number_format import format_percent, format_unlike

LOOSE = "CC620"

Tightest = Mapping[tuple[str, str], LimitResult]


def tightest(standings: Iterable[LimitResult]) -> Tightest:
    """Return where every maximum is used most, by budget and metric."""
    found: dict[tuple[str, str], LimitResult] = {}
    for standing in standings:
        if standing.rule == "max" and standing.used is not None:
            key = standing.id, standing.metric
            best = found.get(key)
            if best is None or best.used is None or standing.used > best.used:
                found[key] = standing
    return found


def loose(budgets: Iterable[Budget], used: Tightest) -> Iterator[Finding]:
    """Give a note for every maximum of which all designs use less than the budget's ``loose_below``."""
    for budget in budgets:
        for limit in budget.max:
            standing = used.get((budget.id, limit.metric.label))
            if standing is None or standing.used is None or budget.loose_below is None:
                continue
            if standing.used < budget.loose_below:
                yield _finding(budget, limit, standing)


def _finding(budget: Budget, limit: Limit, standing: LimitResult) -> Finding:
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
