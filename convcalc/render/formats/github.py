"""For GitHub Actions: workflow commands that become annotations in a pull request.

https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands; a step shows at most ten of a kind.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from convcalc.errors import Span, SpecError
from convcalc.findings import CheckResult, Finding
from convcalc.number_format import count_of
from convcalc.render.check.findings import details, error_lines, main_span, place, sentence, worst_first
from convcalc.render.tables.characters import Characters
from convcalc.render.tables.surface import Surface

if TYPE_CHECKING:
    from convcalc.match.match import Match

KINDS = {"error": "error", "warning": "warning", "note": "notice", "waived": "notice"}
"""Severity → command."""
SHOWN = 9
"""Of each kind; the tenth says how many more there are."""


def verdict(verdict: CheckResult, surface: Surface) -> str:
    """Return a line a command: what could not be judged, then the worst findings. Nothing where nothing is wrong."""
    glyphs = surface.glyphs
    lines: dict[str, list[str]] = defaultdict(list)
    left: dict[str, int] = defaultdict(int)
    everything: list[SpecError | Finding] = [*verdict.errors, *worst_first(verdict.findings)]
    for one in everything:
        kind = KINDS.get(one.severity, "error")
        if len(lines[kind]) == SHOWN:
            left[kind] += 1
        elif isinstance(one, SpecError):
            lines[kind].append(_command(kind, one.code, one.span, error_lines(one, glyphs), glyphs))
        else:
            lines[kind].append(_finding(kind, one, glyphs))
    for kind, number in left.items():
        lines[kind].append(_more(number, kind))
    return "\n".join(line for kind in dict.fromkeys(KINDS.values()) for line in lines[kind])


def match(found: Match, surface: Surface) -> str:
    """Return a line a difference, at the line of the spec. Nothing where the designs are equal."""
    from convcalc.render.results.match import place_of, sentence_of

    lines = []
    for difference in found.differences[:SHOWN]:
        texts = [sentence(text, surface.glyphs) for text in sentence_of(difference, found)]
        lines.append(_command("error", "convcalc match", place_of(difference), texts, surface.glyphs))
    more = len(found.differences) - SHOWN
    return "\n".join([*lines, *([_more(more, "error")] if more > 0 else [])])


def _more(number: int, kind: str) -> str:
    text = f"{count_of(number, f'more {kind}')}: GitHub shows ten of a kind; the other formats list all"
    return f"::{kind} title=convcalc::{text}"


def _finding(kind: str, finding: Finding, glyphs: Characters) -> str:
    title = f"{finding.code} {glyphs.text(finding.id)}"
    title += " (waived)" if finding.severity == "waived" else ""
    lines = [sentence(finding.text, glyphs), *details(finding, glyphs)]
    return _command(kind, title, main_span(finding), lines, glyphs)


def _command(kind: str, title: str, span: Span | None, lines: list[str], glyphs: Characters) -> str:
    """Return one command; a place outside the repository, which nothing can be pinned to, is told in the message."""
    where = place(span) if span else None
    properties: dict[str, object] = {}
    if where and where.inside:
        properties["file"] = glyphs.text(where.path)
        if where.line:
            properties |= {"line": where.line, "col": where.column, "endColumn": where.end - 1}
    elif span:
        lines = [f"{glyphs.text(str(span))}: {lines[0]}", *lines[1:]]
    properties["title"] = title
    return f"::{kind} {','.join(f'{key}={_property(value)}' for key, value in properties.items())}::{_data(lines)}"


def _data(lines: list[str]) -> str:
    """Return the message; a runner reads ``%`` and two digits as a character, and a line as a command."""
    return "\n".join(lines).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: object) -> str:
    return _data([str(value)]).replace(":", "%3A").replace(",", "%2C")
