"""Verdicts on a page: what is used of every limit, what is wrong, and which claims hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from xml.etree.ElementTree import Element

from convcalc.errors import Span, excerpt
from convcalc.findings import CheckResult, ClaimResult, Finding, LimitResult
from convcalc.number_format import count_of, format_count_or_shape, format_multiple
from convcalc.render.check.findings import (
    format_layer_value,
    format_metric_value,
    heaviest_label,
    main_span,
    worst_first,
)
from convcalc.render.check.limit_tables import RELATIONS, change_list, format_used
from convcalc.render.check.page import summary
from convcalc.render.pictures.svg import element, number
from convcalc.render.web_page.design import GLYPHS, DesignParts, designs_page
from convcalc.render.web_page.parts import head_row, section
from convcalc.report.report import Report

MOST_DESIGNS = 12
"""So many designs are shown in full, those with findings first."""


def verdict_page(verdict: CheckResult) -> str:
    """Return the page of a check: its outcome, findings, limits and claims, then the designs that were checked."""
    failed = bool(verdict.errors) or any(one.severity in verdict.failing_severities for one in verdict.findings)
    passed = "Check passed" if verdict.limits or verdict.claims else "Nothing was checked"
    above = [
        element("h1", "Check failed" if failed else passed, class_="failed" if failed else "passed"),
        element("p", summary(verdict), class_="sub"),
        *verdict_sections(verdict),
    ]
    parts = [DesignParts(report) for report in _reports(verdict)]
    left = len(verdict.designs) - len(parts)
    more = [f"{count_of(left, 'more design')}: convcalc html DESIGN draws any of them."] if parts and left > 0 else []
    designs = [(part.report.name, part) for part in parts]
    return designs_page("Check", lambda _: above, designs, *more, *verdict.notes, opened=len(parts) == 1)


def _reports(verdict: CheckResult) -> Iterator[Report]:
    """Give the reports of the designs under limits, those with findings first."""
    if verdict.open_report is None:
        return
    wrong = {finding.design for finding in verdict.findings}
    designs = sorted((outcome.design for outcome in verdict.designs), key=lambda design: design not in wrong)
    for design in designs[:MOST_DESIGNS]:
        yield verdict.open_report(design)


def verdict_sections(verdict: CheckResult) -> Iterator[Element]:
    """Give errors and findings, limits, changes since the baseline, and claims, as far as there are any."""
    if verdict.errors:
        errors = [_said(element("b", f"error {error.code} "), error.text, error.span, "", error.hint)
                  for error in verdict.errors]  # fmt: skip
        yield section("Could not be checked", "", element("ul", *errors, class_="findings"))
    if verdict.findings:
        found = element("ul", *map(_finding, worst_first(verdict.findings)), class_="findings")
        yield section("Findings", "", found)
    if verdict.limits:
        about = "What each limit allows, and how much of it is used."
        yield section("Budgets", about, _limits(verdict.limits), "scroll tall")
    if verdict.baseline:
        changes = element("pre", "\n".join(change_list(verdict, GLYPHS)).strip("\n"))
        yield section("Changes", "", changes, "scroll")
    if verdict.claims:
        about = "What sources print, against what is computed."
        yield section("Published numbers", about, _claims(verdict.claims), "scroll tall")


def _finding(finding: Finding) -> Element:
    """Return a finding with its severity in words, its place and its heaviest layers."""
    head = element("b", f"{finding.severity} {finding.code} ", class_=finding.severity)
    layers = ", ".join(f"{one.path} {format_layer_value(one)}" for one in finding.heaviest)
    heaviest = f"{heaviest_label(finding).capitalize()}: {layers}" if layers else ""
    return _said(head, finding.text, main_span(finding), heaviest, finding.hint)


def _said(head: Element, text: str, span: Span | None, more: str, hint: str) -> Element:
    """Return what is wrong, with its place in its text."""
    quoted = "\n".join(excerpt(span)) if span and span.line else ""
    return element(
        "li", head, text, element("code", str(span)) if span else None, element("pre", quoted) if quoted else None,
        element("p", more) if more else None, element("p", f"Hint: {hint}") if hint else None,
    )  # fmt: skip


def _limits(limits: Iterable[LimitResult]) -> Element:
    """Return a row for each limit, the violated ones first."""
    body = element("tbody")
    for one in sorted(limits, key=lambda one: one.holds):
        whose = f"{one.path} in {one.design}" if one.path else one.design
        rule = "" if one.rule in ("max", "min", "equals") else f" ({one.rule})"
        body.append(element(
            "tr", element("th", whose, scope="row"), element("td", one.metric_label),
            element("td", format_metric_value(one.metric, one.value, one.limit), class_="n"),
            element("td", f"{RELATIONS[one.rule]} {format_metric_value(one.metric, one.limit, one.value)}{rule}"
                    .replace("<=", "≤").replace(">=", "≥"), class_="n"),
            element("td", format_used(one), class_="n"), element("td", _used(one)),
            element("td", "met" if one.holds else "violated", class_="passed" if one.holds else "failed"),
            element("td", one.id), data_at=one.path or None,
        ))  # fmt: skip
    head = head_row("Of", "Metric", "Value", "Limit", "Used", "", "Verdict", "Budget", numbers=(2, 3, 4))
    return element("table", head, body, class_="sorts")


def _used(one: LimitResult) -> Element | None:
    """Return a bar of what is used, with a line at the limit; it ends at 125 %."""
    if one.used is None:
        return None
    used = min(float(one.used), 1.25)
    kind = "ok" if one.holds else "over"
    return element(
        "svg", element("rect", class_=kind, width=f"{number(80 * used)}%"),
        element("rect", class_="end", x="80%", width=1.5),
    )  # fmt: skip


def _claims(claims: Iterable[ClaimResult]) -> Element:
    body = element("tbody")
    for one in sorted(claims, key=lambda one: (one.as_expected, one.agrees)):
        words = "matches" if one.agrees else "known to disagree" if one.as_expected else "does not match"
        ratio = f" (× {format_multiple(one.ratio)})" if one.ratio is not None and not one.agrees else ""
        more = f" – {one.reason}" if one.reason else f" “{one.quote}”" if one.quote else ""
        body.append(element(
            "tr", element("th", one.design, scope="row"), element("td", one.metric),
            element("td", format_count_or_shape(one.value), class_="n"), element("td", one.published, class_="n"),
            element("td", f"{words}{ratio}", class_="passed" if one.as_expected else "failed"),
            element("td", _linked(one.source), more, class_="long"),
        ))  # fmt: skip
    head = head_row("Design", "Metric", "Value", "Published", "Verdict", "Source", numbers=(2, 3))
    return element("table", head, body, class_="sorts")


def _linked(source: str) -> Element | str:
    """Return a link for an address of the web, and any other text as it is."""
    if source.startswith(("https://", "http://")) and not any(character.isspace() for character in source):
        return element("a", source, href=source, rel="noopener noreferrer")
    return source
