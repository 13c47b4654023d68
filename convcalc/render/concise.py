"""For editors and logs: one line a finding, ``path:line:column: error CODE [id] sentence``."""

from __future__ import annotations

from convcalc.errors import SpecError, escape
from convcalc.findings import Finding, Verdict
from convcalc.render.surface import Surface


def verdict(verdict: Verdict, surface: Surface) -> str:
    """Return nothing where nothing is wrong."""
    lines = [_error(error) for error in verdict.errors] + [_finding(finding) for finding in verdict.findings]
    return "\n".join(lines)


def _error(error: SpecError) -> str:
    return f"{_place(error)}{error.severity} {error.code} {escape(error.text)}"


def _finding(finding: Finding) -> str:
    return f"{_place(finding.error)}{finding.severity} {finding.code} [{escape(finding.id)}] {escape(finding.text)}"


def _place(error: SpecError) -> str:
    return f"{error.span}: " if error.span else ""
