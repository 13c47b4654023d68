"""For code scanning: SARIF 2.1.0, https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from functools import cache
from typing import Any
from urllib.parse import quote

from convcalc import __version__
from convcalc.errors import Source, Span, SpecError, escape
from convcalc.findings import CheckResult, Finding
from convcalc.render.check.findings import Fingerprints, details, error_lines, main_span, place, sentence, worst_first
from convcalc.render.tables.characters import Characters
from convcalc.render.tables.surface import Surface
from convcalc.spec.yaml.nodes import MapNode, ScalarNode, parse_yaml

CODES = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(__file__))), "error_codes.yaml")
SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
LEVELS = {"error": "error", "warning": "warning", "note": "note", "waived": "note"}
"""Severity → level. What is waived fails nothing, not even where a reader knows no suppressions."""
FINGERPRINT = "convcalc/v1"
GLYPHS = Characters()

Json = dict[str, Any]


def verdict(verdict: CheckResult, surface: Surface) -> str:
    """Return one run: the codes that were found as rules, a result a line, errors as notifications."""
    found = worst_first(verdict.findings)
    rules = {code: place for place, code in enumerate(sorted({finding.code for finding in found}))}
    fingerprints = Fingerprints()
    results = ",\n  ".join(json.dumps(_result(finding, rules, fingerprints)) for finding in found)
    errors = verdict.errors
    driver = {
        "name": "convcalc",
        "version": __version__,
        "rules": [_descriptor(code) for code in rules],
        "notifications": [_descriptor(code) for code in sorted({error.code for error in errors})],
    }
    invocation = {
        "executionSuccessful": not errors,
        "toolExecutionNotifications": [_notification(error) for error in errors],
    }
    head = {"$schema": SCHEMA, "version": "2.1.0"}
    run = {"tool": {"driver": driver}, "invocations": [invocation], "columnKind": "unicodeCodePoints"}
    return f'{json.dumps(head)[:-1]}, "runs": [\n {json.dumps(run)[:-1]}, "results": [\n  {results}\n ]}}\n]}}\n'


def _descriptor(code: str) -> Json:
    """Return what a code means, from its page."""
    page = _pages().get(code, {"title": code, "text": code})
    title, text = page["title"], page["text"].strip()
    return {
        "id": code,
        "shortDescription": {"text": f"{title}."},
        "fullDescription": {"text": text},
        "help": {"text": f"{text}\n\nconvcalc explain {code}"},
    }


@cache
def _pages() -> dict[str, dict[str, str]]:
    """Return code → the texts that ``convcalc explain CODE`` prints, by their keys."""
    with open(CODES, encoding="utf-8") as file:
        root = parse_yaml(Source(CODES, file.read()))
    assert isinstance(root, MapNode)
    entries = [(code.text, entry.pairs) for code, entry in root.pairs if isinstance(entry, MapNode)]
    return {
        code: {key.text: value.text for key, value in pairs if isinstance(value, ScalarNode)} for code, pairs in entries
    }


def _result(finding: Finding, rules: dict[str, int], fingerprints: Fingerprints) -> Json:
    """Return one result. Suppressions are in every one: a run has them all or has none."""
    span, locations, suppressions = main_span(finding), [], []
    if span:
        logical = [{"fullyQualifiedName": escape(finding.path), "kind": "member"}] if finding.path else []
        locations.append({**_location(span), **({"logicalLocations": logical} if logical else {})})
    if finding.severity == "waived":
        justification = sentence(finding.hint or "a waiver of the budget file", GLYPHS)
        suppressions.append({"kind": "external", "status": "accepted", "justification": justification})
    result: Json = {
        "ruleId": finding.code,
        "ruleIndex": rules[finding.code],
        "level": LEVELS.get(finding.severity, "error"),
        "message": _message([f"[{escape(finding.id)}] {sentence(finding.text, GLYPHS)}", *details(finding, GLYPHS)]),
        "locations": locations,
        "partialFingerprints": {FINGERPRINT: fingerprints.finding(finding)},
        "suppressions": suppressions,
        "properties": _properties(finding),
    }
    if finding.span and finding.rule:
        result["relatedLocations"] = [{"id": 1, **_location(finding.rule), "message": {"text": "the budget"}}]
    return result


def _properties(finding: Finding) -> Json:
    """Return the facts for programs; numbers as text, for they may be larger than a reader's integers."""
    facts = {key: getattr(finding, key) for key in ("id", "design", "metric", "path", "value", "limit", "excess")}
    return {key: escape(str(fact)) for key, fact in facts.items() if fact not in (None, "")}


def _notification(error: SpecError) -> Json:
    notification: Json = {
        "descriptor": {"id": error.code},
        "level": LEVELS[error.severity],
        "message": _message(error_lines(error, GLYPHS)),
    }
    return {**notification, "locations": [_location(error.span)]} if error.span else notification


def _message(lines: Iterable[str]) -> Json:
    """Return a plain text; braces would be placeholders, and brackets before parentheses a link."""
    text = "\n".join(lines).replace("{", "{{").replace("}", "}}")
    return {"text": re.sub(r"\[(?=[^\]]*\]\()", r"\\[", text)}


def _location(span: Span) -> Json:
    where = place(span)
    physical: Json = {"artifactLocation": _artifact(where.path, inside=where.inside)}
    if where.line:
        physical["region"] = {"startLine": where.line, "startColumn": where.column, "endColumn": where.end}
    return {"physicalLocation": physical}


def _artifact(path: str, *, inside: bool) -> Json:
    """Return a file as a URI reference; what is not a file of the repository is none of its root either."""
    try:
        uri = quote(os.fsencode(path), safe="/")
    except UnicodeEncodeError:  # the name of no file
        uri = quote(escape(path), safe="/")
    return {"uri": uri, "uriBaseId": "%SRCROOT%"} if inside else {"uri": uri}
