"""For GitLab: a Code Quality report, which a merge request shows beside the lines.

https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from convcalc.errors import Span
from convcalc.findings import CheckResult
from convcalc.render.check.findings import Fingerprints, details, main_span, place, sentence, worst_first
from convcalc.render.tables.characters import Characters
from convcalc.render.tables.surface import Surface

SEVERITIES = {"error": "major", "warning": "minor", "note": "info", "waived": "info"}
ERROR_SEVERITY = "blocker"
"""Severity of what could not be judged: nobody knows what else is wrong."""
NO_PATH = "."
"""The path of what has no place: every entry needs one."""


def verdict(verdict: CheckResult, surface: Surface) -> str:
    """Return a list with an entry a line: what could not be judged, then the findings, worst first."""
    entries = ",\n ".join(map(json.dumps, _entries(verdict)))  # ASCII only: any locale can print it
    return f"[{entries}]\n"


def _entries(verdict: CheckResult) -> Iterator[dict[str, object]]:
    glyphs, fingerprints = Characters(), Fingerprints()
    for error in verdict.errors:
        lines = [error.text, *([f"hint: {error.hint}"] if error.hint else [])]
        text = "; ".join(sentence(line, glyphs) for line in lines)
        location = _location(error.span)
        yield _entry(error.code, ERROR_SEVERITY, text, location, fingerprints.error(error, str(location["path"])))
    for finding in worst_first(verdict.findings):
        severity = SEVERITIES.get(finding.severity, SEVERITIES["error"])
        waived = ["waived"] if finding.severity == "waived" else []
        head = f"[{glyphs.text(finding.id)}] {sentence(finding.text, glyphs)}"
        text = "; ".join([head, *waived, *details(finding, glyphs)])
        location = _location(main_span(finding))
        yield _entry(finding.code, severity, text, location, fingerprints.finding(finding))


def _entry(code: str, severity: str, text: str, location: dict[str, object], fingerprint: str) -> dict[str, object]:
    entry = {"description": text, "check_name": code, "fingerprint": fingerprint, "severity": severity}
    return {**entry, "location": location}


def _location(span: Span | None) -> dict[str, object]:
    """Return the path and the first line; GitLab knows no line 0."""
    where = place(span) if span else None
    path, line = (where.path, max(1, where.line)) if where else (NO_PATH, 1)
    return {"path": Characters().text(path), "lines": {"begin": line}}
