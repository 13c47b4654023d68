"""For test reports: a suite a design, a case for every limit, claimed number and further finding.

The form is that of Jenkins (``junit-10.xsd``), which GitLab, Azure and CircleCI read too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from html import escape as markup

from convcalc.errors import SpecError, escape, excerpt, format_error
from convcalc.findings import CheckResult, Finding
from convcalc.number_format import format_count_or_shape, format_exact
from convcalc.records import NamedTuple
from convcalc.render.check.findings import LONGEST, details, sentence, worst_first
from convcalc.render.tables.characters import Characters
from convcalc.render.tables.surface import Surface

RULES = {"CC611": "max", "CC612": "min", "CC613": "equals", "CC614": "growth", "CC615": "ratchet"}
"""Code → the rule of the standing that it says is broken."""
GENERAL_SUITE = "convcalc"
"""The suite of what is about no design: a budget that matches nothing, an error without a file."""
GLYPHS = Characters()

Key = tuple[object, ...]


class TestCase(NamedTuple):
    """One test case; ``outcome`` is failure, error, skipped, system-out or nothing where it passed."""

    suite: str
    name: str
    outcome: str = ""
    type: str = ""
    message: str = ""
    text: str = ""


def verdict(verdict: CheckResult, surface: Surface) -> str:
    """Return the document: ASCII, so that it is what it declares to be in any locale."""
    suites: dict[str, list[TestCase]] = {outcome.design: [] for outcome in verdict.designs}
    for case in _cases(verdict):
        suites.setdefault(case.suite, []).append(case)
    cases = [case for suite in suites.values() for case in suite]
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f'<testsuites name="convcalc" {_totals(cases)}>']
    for name, held in suites.items():
        skipped = sum(case.outcome == "skipped" for case in held)
        lines.append(f'  <testsuite name="{_text(name)}" {_totals(held)} skipped="{skipped}">')
        lines += map(_case, held)
        lines.append("  </testsuite>")
    return "\n".join([*lines, "</testsuites>\n"]).encode("ascii", "xmlcharrefreplace").decode()


def _totals(cases: list[TestCase]) -> str:
    failures, errors = (sum(case.outcome == outcome for case in cases) for outcome in ("failure", "error"))
    return f'tests="{len(cases)}" failures="{failures}" errors="{errors}"'


def _cases(verdict: CheckResult) -> Iterator[TestCase]:
    """Give errors, then limits and claims with the findings that say they are broken, then all other findings."""
    yield from map(_error, verdict.errors)
    open_findings: dict[Key, list[Finding]] = {}
    for finding in worst_first(verdict.findings):
        open_findings.setdefault(_key(finding), []).append(finding)
    failing = verdict.failing_severities
    for key, one in _expected(verdict):
        found = open_findings.get(key)
        yield _finding(found.pop(0), one.name, failing) if found else one
    for left in open_findings.values():
        yield from (_finding(one, f"{one.id}: {one.code} {one.metric}", failing) for one in left)


def _expected(verdict: CheckResult) -> Iterator[tuple[Key, TestCase]]:
    """Give the case of every limit and claimed number, with the key of the finding that takes its place."""
    for limit in verdict.limits:
        name = f"{limit.id}: {limit.rule} {limit.metric}{f' of {limit.path}' if limit.path else ''}"
        text = f"{format_exact(limit.value)}, limit {format_exact(limit.limit)}"
        outcome = () if limit.holds else ("failure", "", text, text)
        yield (limit.id, limit.design, limit.path, limit.metric, limit.rule), TestCase(limit.design, name, *outcome)
    for claim in verdict.claims:
        name = f"{claim.id} = {claim.published} ({claim.source})"
        text = f"{format_count_or_shape(claim.value)}, claimed {claim.published}"
        outcome = () if claim.as_expected else ("failure", "", text, text)
        place = claim.span.line, claim.span.column
        yield (claim.id, claim.design, claim.metric, place), TestCase(claim.design, name, *outcome)


def _key(finding: Finding) -> Key:
    """By what a finding is that of a limit or of a claimed number."""
    if finding.code in RULES:
        return finding.id, finding.design, finding.path, finding.metric, RULES[finding.code]
    span = finding.span
    return finding.id, finding.design, finding.metric, span and (span.line, span.column)


def _finding(finding: Finding, name: str, failing: Collection[str]) -> TestCase:
    """Return the case of a finding. There is no word for what is found and does not fail: it passes and says so."""
    outcome = "failure" if finding.severity in failing else "skipped" if finding.severity == "waived" else "system-out"
    suite = finding.design or GENERAL_SUITE
    return TestCase(suite, name.rstrip(), outcome, finding.code, finding.text, _described(finding))


def _described(finding: Finding) -> str:
    """Return the sentence with its place, the line of the spec, and below it the details."""
    span = finding.span
    head = f"{finding.severity} {finding.code}: {sentence(finding.text, GLYPHS)}"
    lines = [f"{span}: {head}" if span else head, *(excerpt(span) if span and span.line else [])]
    return "\n".join([*lines, *(f"  {line}" for line in details(finding, GLYPHS))])


def _error(error: SpecError) -> TestCase:
    file = error.span.file if error.span else GENERAL_SUITE
    return TestCase(file, f"{error.code} {error.text}", "error", error.code, error.text, format_error(error))


def _case(case: TestCase) -> str:
    head = f'    <testcase name="{_text(case.name)}" classname="{_text(case.suite)}"'
    if not case.outcome:
        return f"{head}/>"
    facts = "" if case.outcome == "system-out" else f' type="{_text(case.type)}" message="{_text(case.message)}"'
    body = markup("\n".join(map(escape, case.text.split("\n"))))
    return f"{head}><{case.outcome}{facts}>{body}</{case.outcome}></testcase>"


def _text(text: str) -> str:
    """Return text for an attribute: XML cannot hold control characters, so they are shown as escapes."""
    return markup(GLYPHS.truncate(escape(text), LONGEST))
