"""Growth that somebody takes responsibility for: the present values of findings, with the reason."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence

from convcalc.budget.baseline.file import DEFAULT_NAME, AcceptedValue, BaselineFile
from convcalc.budget.baseline.sources import baseline_path, read_accepted_values
from convcalc.budget.baseline.update import BaselineUpdate, describe_accepted, read_existing
from convcalc.budget.check.checker import check
from convcalc.budget.check.file_judge import Options
from convcalc.budget.file.types import BudgetFile
from convcalc.budget.select.match_designs import pattern_matches
from convcalc.errors import Span, SpecError, SpecErrors, did_you_mean, quoted
from convcalc.findings import Finding

GROWTH_CODES = ("CC614", "CC615")
"""What can be accepted: a value that is beyond the baseline."""
NOTHING_TO_ACCEPT = "CC647"
DEFAULT_OPTIONS = Options()


def accept(
    file: BudgetFile, ids: Sequence[str], reason: str, *, design: str | None = None, options: Options = DEFAULT_OPTIONS
) -> BaselineUpdate:
    """Accept the present values of what grew past the baseline under some budgets.

    Args:
        file: the budgets.
        ids: whose findings are accepted.
        reason: why; it is kept beside the value.
        design: a pattern, to accept for these designs alone.
        options: of the check that finds what grew.

    Raises:
        SpecErrors: CC647 where there is nothing to accept; what is wrong with any spec, budget or baseline.
    """
    _require_known(file, ids)
    verdict = check(file, None, options)
    if verdict.errors:
        raise SpecErrors(verdict.errors)
    meant = [one for one in verdict.findings if design is None or pattern_matches(design, one.design)]
    for each in ids:
        _require_growth(file, each, [one for one in meant if one.id == each])
    found = list(_values_to_accept([one for one in meant if one.id in ids], reason))
    path = os.path.join(file.folder, DEFAULT_NAME)
    if file.baseline is None or file.baseline.kind == "git":
        designs = read_existing(path).designs if os.path.lexists(path) else {}
        record = BaselineFile(designs, read_accepted_values(file.folder))
    else:
        record = read_existing(path := baseline_path(file.baseline, file.folder))
    places = {entry[:3] for entry in found}
    kept = [entry for entry in record.accepted if entry[:3] not in places]
    return BaselineUpdate(path, record._replace(accepted=(*kept, *found)), list(map(describe_accepted, found)))


def _require_known(file: BudgetFile, ids: Iterable[str]) -> None:
    known = [budget.id for budget in file.budgets]
    whole, hint = Span(file.source), f"known: {', '.join(known)}"
    texts = [f"no budget {quoted(each)}{did_you_mean(each, known)}" for each in ids if each not in known]
    if texts:
        raise SpecErrors([SpecError(NOTHING_TO_ACCEPT, text, whole, hint) for text in texts])


def _values_to_accept(findings: Iterable[Finding], reason: str) -> Iterator[AcceptedValue]:
    """Give one entry for each budget, design and metric: the largest value, where layers are judged one by one."""
    largest: dict[tuple[str, str, str], int] = {}
    for one in findings:
        if one.code in GROWTH_CODES and isinstance(one.value, int):
            key = one.id, one.design, one.metric
            largest[key] = max(one.value, largest.get(key, 0))
    return (AcceptedValue(*key, value, reason) for key, value in sorted(largest.items()))


def _require_growth(file: BudgetFile, budget: str, findings: Sequence[Finding]) -> None:
    if any(one.code in GROWTH_CODES and isinstance(one.value, int) for one in findings):
        return
    span = next(each.span for each in file.budgets if each.id == budget)
    text = f"nothing grew past the baseline under the budget {quoted(budget)}"
    hint = "convcalc check shows what is found"
    if findings:
        text = f"the budget {quoted(budget)} has an exceeded fixed limit, which no baseline can raise"
        hint = "raise the limit in the budget file, or write a waiver"
    raise SpecErrors([SpecError(NOTHING_TO_ACCEPT, text, span, hint)])
