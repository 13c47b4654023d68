"""For editors and logs: one line a finding, ``path:line:column: error CODE [id] sentence``."""

from __future__ import annotations

from convcalc.errors import escape
from convcalc.findings import CheckResult, Finding
from convcalc.render.check.findings import heaviest, main_span, worst_first
from convcalc.render.tables.surface import Surface


def verdict(verdict: CheckResult, surface: Surface) -> str:
    """Return nothing where nothing is wrong."""
    errors = [
        f"{error.span}: " * bool(error.span) + f"{error.severity} {error.code} {escape(error.text)}"
        for error in verdict.errors
    ]
    return "\n".join([*errors, *map(_finding, worst_first(verdict.findings))])


def _finding(finding: Finding) -> str:
    """The sentence, and the layers to look at."""
    span = main_span(finding)
    text = "; ".join([finding.text, *([heaviest(finding)] if finding.heaviest else [])])
    return f"{span}: " * bool(span) + f"{finding.severity} {finding.code} [{escape(finding.id)}] {escape(text)}"
