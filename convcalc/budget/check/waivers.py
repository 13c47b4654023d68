"""Waivers: a budget that a design may break until a day, and no longer."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date

from convcalc.budget.file.types import Waiver
from convcalc.budget.select.match_designs import pattern_matches
from convcalc.errors import quoted
from convcalc.findings import Finding

WAIVED = "waived"
EXPIRED, UNUSED = "CC617", "CC618"
WAIVABLE = frozenset({"CC611", "CC612", "CC613", "CC614", "CC615"})
"""What a design may break; a waiver is not a cover for a budget that matches nothing."""


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
    return _finding(waiver, EXPIRED, "error", text, hint)


def _unused(waiver: Waiver) -> Finding:
    text = f"the waiver of {waiver.budget} for {waiver.design.text} is unused: no finding matches it"
    return _finding(waiver, UNUSED, "warning", text, "take it out of the budget file")


def _finding(waiver: Waiver, code: str, severity: str, text: str, hint: str) -> Finding:
    return Finding(waiver.budget, code, severity, waiver.design.text, "", text, waiver.span, hint, rule=waiver.span)
