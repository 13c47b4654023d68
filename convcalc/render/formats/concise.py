"""For editors and logs: one line a finding, ``path:line:column: error CODE [id] sentence``."""

from __future__ import annotations

from convcalc.errors import SpecError, escape
from convcalc.findings import CheckResult, Finding
from convcalc.render.check.findings import format_layer_value, main_span, worst_first
from convcalc.render.tables.surface import Surface


def verdict(verdict: CheckResult, surface: Surface) -> str:
    """Return nothing where nothing is wrong."""
    lines = [_error(error) for error in verdict.errors] + [
        _finding(finding) for finding in worst_first(verdict.findings)
    ]
    return "\n".join(lines)


def _error(error: SpecError) -> str:
    place = f"{error.span}: " if error.span else ""
    return f"{place}{error.severity} {error.code} {escape(error.text)}"


def _finding(finding: Finding) -> str:
    """The sentence, and the layers to look at."""
    layers = ", ".join(f"{layer.path} {format_layer_value(layer)}" for layer in finding.heaviest)
    most = f"; {'grew most' if finding.heaviest[0].change else 'heaviest'}: {layers}" if layers else ""
    text = escape(f"{finding.text}{most}")
    span = main_span(finding)
    return f"{span}: " * bool(span) + f"{finding.severity} {finding.code} [{escape(finding.id)}] {text}"
