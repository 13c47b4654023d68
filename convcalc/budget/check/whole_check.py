"""What only a whole check can tell: designs that no budget guards, loose limits, waivers that are over or unused."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date
from fractions import Fraction

from convcalc.budget.check.finding_text import format_limit
from convcalc.budget.file.types import Budget, BudgetFile, Limit, Waiver
from convcalc.budget.select.match_designs import pattern_matches
from convcalc.budget.select.plan import CheckPlan, FileToCheck
from convcalc.designs.names import DesignName, is_spec_name
from convcalc.errors import Source, Span, SpecError, SpecErrors, quoted
from convcalc.findings import Finding, LimitResult
from convcalc.number_format import format_percent, format_unlike
from convcalc.spec.yaml.nodes import MapNode, parse_yaml
from convcalc.spec.yaml.text import read_text

UNCOVERED, LOOSE = "CC619", "CC620"
EXPIRED, UNUSED = "CC617", "CC618"
WAIVED = "waived"
WAIVABLE = frozenset({"CC611", "CC612", "CC613", "CC614", "CC615"})
"""What a design may break; a waiver is not a cover for a budget that matches nothing."""
LAYERS = "layers"


def designs_without_budget(file: BudgetFile | None, found: CheckPlan, *, confined: bool) -> Iterator[Finding]:
    """Give a finding for every design without a budget.

    Of the designs that a check is confined to, each is looked at; otherwise every spec below the budget file's folder,
    which is every YAML file with ``layers`` at its top. A file is guarded when one of its designs is.
    """
    for wanted in found.files.values():
        for design in dict.fromkeys(wanted.requested) if confined else ():
            if not _has_budget(wanted, design):
                yield _without_budget(file, design.text, wanted.path)
    if not confined and file is not None:
        for name, path in _specs_below(file.folder):
            if name not in found.files and _is_network(path):
                yield _without_budget(file, name, path)


def _has_budget(wanted: FileToCheck, design: DesignName) -> bool:
    """Whether something guards a design; of a file that holds blocks alone there is nothing to guard."""
    if design.is_whole_file:
        return bool(wanted.budgets) or (os.path.isfile(wanted.path) and not _is_network(wanted.path))
    return bool(wanted.budgets.get(design))


def _specs_below(folder: str) -> Iterator[tuple[str, str]]:
    """Give the YAML files below a folder that are not hidden: name from there, path from the current folder."""
    for here, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if is_spec_name(name) and not name.startswith("."):
                path = os.path.join(here, name)
                yield os.path.relpath(path, folder).replace(os.sep, "/"), os.path.relpath(path)


def _is_network(path: str) -> bool:
    """Whether a YAML file has layers; one that is not YAML is not a spec that anybody could guard."""
    try:
        source = read_text(path)
        top = parse_yaml(source) if LAYERS in source.text else None
    except (SpecError, SpecErrors):
        return False
    return isinstance(top, MapNode) and any(key.text == LAYERS for key, _ in top.pairs)


def _without_budget(file: BudgetFile | None, name: str, path: str) -> Finding:
    text = f"no budget covers {name}"
    hint = f"add it to the designs of a budget in {file.source.name}" if file else "write a budget file, or name limits"
    return Finding("coverage", UNCOVERED, "error", name, "", text, Span(Source(path), 1, 1), hint)


# --- limits that are far from what they guard: nobody would notice what they let pass ---------------------------------


def loose_limits(budgets: Iterable[Budget], standings: Iterable[LimitResult]) -> Iterator[Finding]:
    """Give a note for every maximum of which all designs use less than the budget's ``loose_below``."""
    used: dict[tuple[str, str], tuple[Fraction, LimitResult]] = {}
    for each in standings:
        key = each.id, each.metric
        if each.rule == "max" and each.used is not None and (key not in used or each.used > used[key][0]):
            used[key] = each.used, each
    for budget in budgets:
        for limit in budget.max:
            most = used.get((budget.id, limit.metric.label))
            if most and budget.loose_below is not None and most[0] < budget.loose_below:
                yield _loose_finding(budget, limit, *most, budget.loose_below)


def _loose_finding(budget: Budget, limit: Limit, most: Fraction, standing: LimitResult, least: Fraction) -> Finding:
    place = f"{standing.path} in {standing.design}" if standing.path else standing.design
    used = format_unlike(most, least, format_percent)
    text = f"the {limit.metric.label} limit of {format_limit(limit)} is loose: at most {used} is used ({place}), "
    text += f"less than {format_percent(least)}"
    hint = "lower the limit, so that it shows what grows, or set a lower `loose_below`"
    found = Finding(budget.id, LOOSE, "note", standing.design, limit.metric.label, text, limit.span, hint)
    return found._replace(path=standing.path, value=standing.value, limit=standing.limit, rule=limit.span)


# --- waivers ----------------------------------------------------------------------------------------------------------


def apply_waivers(
    waivers: Sequence[Waiver], findings: Sequence[Finding], today: date, among: Collection[str] | None = None
) -> list[Finding]:
    """Return the findings, those that a waiver covers marked as such, and what is wrong with the waivers.

    An expired waiver covers nothing and is an error; one that covers nothing though it could is a warning.

    Args:
        waivers: those of the budget file; the last day of each is included.
        findings: what was found.
        today: the day.
        among: the designs that were looked at, where these are not all: waivers of others are left alone.
    """
    alive = [waiver for waiver in waivers if today <= waiver.until]
    used: set[int] = set()
    found = [_apply_to_finding(finding, alive, used) for finding in findings]
    for waiver in waivers:
        if among is not None and not any(pattern_matches(waiver.design.text, design) for design in among):
            continue
        if waiver.until < today:
            found.append(_expired(waiver, today))
        elif id(waiver) not in used and among is None:
            found.append(_unused(waiver))
    return found


def _apply_to_finding(finding: Finding, alive: Sequence[Waiver], used: set[int]) -> Finding:
    """Mark a finding as waived by the waiver that lasts longest; every one that covers it is of use."""
    if finding.code not in WAIVABLE:
        return finding
    covering = [
        each for each in alive if each.budget == finding.id and pattern_matches(each.design.text, finding.design)
    ]
    if not covering:
        return finding
    used.update(map(id, covering))
    longest = max(covering, key=lambda waiver: waiver.until)
    return finding._replace(severity=WAIVED, hint=f"waived until {longest.until}: {longest.reason}")


def _expired(waiver: Waiver, today: date) -> Finding:
    days = (today - waiver.until).days
    text = f"the waiver of {waiver.budget} for {waiver.design.text} expired on {waiver.until}, "
    text += f"{days:,} day{'s' if days != 1 else ''} ago"
    hint = f"remove the waiver, or extend `until` with a reason (it was {quoted(waiver.reason)})"
    return _about(waiver, EXPIRED, "error", text, hint)


def _unused(waiver: Waiver) -> Finding:
    text = f"the waiver of {waiver.budget} for {waiver.design.text} is unused: no finding matches it"
    return _about(waiver, UNUSED, "warning", text, "take it out of the budget file")


def _about(waiver: Waiver, code: str, severity: str, text: str, hint: str) -> Finding:
    return Finding(waiver.budget, code, severity, waiver.design.text, "", text, waiver.span, hint, rule=waiver.span)
