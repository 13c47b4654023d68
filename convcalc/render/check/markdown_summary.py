"""A verdict for a step summary or a comment, in Markdown: the worst first, cut where the service would refuse it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import TypeVar

from convcalc.errors import Span, SpecError
from convcalc.findings import CheckResult, DesignResult, Finding, LimitResult
from convcalc.number_format import count_of, format_exact, format_percent, format_signed
from convcalc.records import NamedTuple
from convcalc.render.check.findings import (
    details,
    format_layer_value,
    format_metric_value,
    heaviest_label,
    main_span,
    place,
    sentence,
    worst_first,
)
from convcalc.render.check.limit_tables import format_used
from convcalc.render.tables import markdown_syntax as gfm
from convcalc.render.tables.characters import Characters

SUMMARY = 900 * 1024
"""Bytes; GitHub refuses a step summary above 1 MiB."""
COMMENT = 60_000
"""Bytes, and so at most as many characters; GitHub refuses a comment above 65,536 of these."""
RESERVED = 400
"""Bytes kept for the line that says what was cut."""
SHOWN_METRICS = ("params", "macs")
MARKS = {"bad": "❌ ", "doubtful": "⚠️ ", "good": "✅ "}

Item = TypeVar("Item")


class SummarySection(NamedTuple):
    """A heading, the lines above the rows, and rows that can be left out from the end."""

    noun: str
    heading: str
    head: Sequence[str]
    rows: Sequence[str]
    foot: str = ""


def markdown_summary(verdict: CheckResult, limit: int, glyphs: Characters) -> str:
    """Return the whole document in at most ``limit`` bytes; its last line says what does not fit."""
    text = f"### {_headline(verdict, glyphs)}\n\n{_about(verdict, glyphs)}\n"
    room, cut = limit - RESERVED - _bytes(text), []
    for section in _sections(verdict, glyphs):
        top = f"\n{section.heading}\n\n" + "".join(f"{line}\n" for line in section.head)
        shown, room = _fitting(section, top, room)
        if shown:
            text += top + "".join(f"{row}\n" for row in section.rows[:shown]) + section.foot
        if shown < len(section.rows):
            cut.append(count_of(len(section.rows) - shown, section.noun))
            room = 0  # what comes later is worth less
    if cut:
        size = f"{limit >> 10:,} KiB" if limit == SUMMARY else f"{limit:,} characters"
        text += f"\n**Cut at {size}.** Not shown: {', '.join(cut)}. The log and the other formats have all.\n"
    return text


def _fitting(section: SummarySection, top: str, room: int) -> tuple[int, int]:
    """Return how many rows of a section fit, and the room that is left then."""
    left, shown = room - _bytes(top) - _bytes(section.foot), 0
    for row in section.rows:
        if left < _bytes(row) + 1:
            break
        left -= _bytes(row) + 1
        shown += 1
    return (shown, left) if shown else (0, room)


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "replace"))


# --- above everything -------------------------------------------------------------------------------------------------


def _headline(verdict: CheckResult, glyphs: Characters) -> str:
    """Say how it went: what could not be judged, what is wrong, or that all is well."""
    numbers = {word: sum(one.severity == word for one in verdict.findings) for word in ("error", "warning", "waived")}
    told = [count_of(len(verdict.errors), "error")] if verdict.errors else []
    told += [count_of(numbers["error"], "finding")] if numbers["error"] else []
    told += [count_of(numbers["warning"], "warning")] if numbers["warning"] else []
    told += [f"{numbers['waived']:,} waived"] if numbers["waived"] else []
    mark = "bad" if verdict.errors or numbers["error"] else "doubtful" if numbers["warning"] else "good"
    if mark == "good":
        told.insert(0, "all limits and claims hold" if verdict.limits or verdict.claims else "nothing is wrong")
    return f"{'' if glyphs.ascii_only else MARKS[mark]}convcalc: {', '.join(told)}"


def _about(verdict: CheckResult, glyphs: Characters) -> str:
    numbered = ((verdict.designs, "design"), (verdict.limits, "limit"), (verdict.claims, "claimed number"))
    told = [count_of(verdict.files, "spec"), *(count_of(len(those), noun) for those, noun in numbered if those)]
    told += [f"baseline {gfm.text(sentence(verdict.baseline, glyphs))}"] if verdict.baseline else []
    return f" {glyphs.text('·')} ".join(told)


# --- sections ---------------------------------------------------------------------------------------------------------


def _sections(verdict: CheckResult, glyphs: Characters) -> Iterator[SummarySection]:
    """Give the sections that have something in them, the one that matters most first."""
    yield from _listed("error", "Errors", verdict.errors, lambda error: _error(error, glyphs))
    yield from _listed("finding", "Findings", worst_first(verdict.findings), lambda finding: _finding(finding, glyphs))
    if verdict.designs:
        keys = [key for key in SHOWN_METRICS if any(key in outcome.totals for outcome in verdict.designs)]
        heads = [text for key in keys for text in (key, *(["change"] if verdict.baseline else []))]
        rows = [_outcome(outcome, keys, glyphs, changes=bool(verdict.baseline)) for outcome in _moved(verdict.designs)]
        yield SummarySection(
            "design", "#### Designs", gfm.head(["Design", *heads], [False, *(True for _ in heads)]), rows
        )
    yield from _limits(verdict.limits, glyphs)
    yield from _listed("note", "Notes", verdict.notes, lambda note: gfm.text(sentence(note, glyphs)))


def _limits(standings: Sequence[LimitResult], glyphs: Characters) -> Iterator[SummarySection]:
    """Give the limits that are broken, then those that are kept: these are folded away until somebody opens them."""
    heads = ["Budget", "Design", "Layers", "Metric", "Value", "Limit", "Used"]
    head = gfm.head(heads, [False] * 4 + [True] * 3)
    ordered = sorted(standings, key=lambda one: -(one.used or 0))
    broken = [_standing(one, glyphs) for one in ordered if not one.holds]
    kept = [_standing(one, glyphs) for one in ordered if one.holds]
    if broken:
        yield SummarySection("exceeded limit", "#### Exceeded limits", head, broken)
    if kept:
        summary = f"<details><summary>{count_of(len(kept), 'limit')} met</summary>"
        yield SummarySection("limit", summary, head, kept, "\n</details>\n")


def _listed(noun: str, heading: str, items: Sequence[Item], shown: Callable[[Item], str]) -> Iterator[SummarySection]:
    if items:
        yield SummarySection(noun, f"#### {heading}", [], [f"- {shown(item)}" for item in items])


def _error(error: SpecError, glyphs: Characters) -> str:
    hint = f"<br>hint: {gfm.text(sentence(error.hint, glyphs))}" if error.hint else ""
    return f"**{error.code}** {_where(error.span, glyphs)}{gfm.text(sentence(error.text, glyphs))}{hint}"


def _finding(finding: Finding, glyphs: Characters) -> str:
    """Return the sentence with id and place, then the heaviest layers, the line of the budget and the hint."""
    lines = [f"**{finding.severity} {finding.code}** {gfm.code(sentence(finding.id, glyphs))} "]
    lines[0] += _where(main_span(finding), glyphs) + gfm.text(sentence(finding.text, glyphs))
    if finding.heaviest:
        layers = [
            f"{gfm.code(sentence(one.path, glyphs))} {gfm.text(format_layer_value(one))}" for one in finding.heaviest
        ]
        lines.append(f"{heaviest_label(finding)}: {', '.join(layers)}")
    lines += [gfm.text(line) for line in details(finding._replace(heaviest=()), glyphs)]
    return "<br>".join(lines)


def _where(span: Span | None, glyphs: Characters) -> str:
    if span is None:
        return ""
    where = place(span)
    text = f"{where.path}:{where.line}:{where.column}" if where.line else where.path
    return f"{gfm.code(sentence(text, glyphs))}: "


def _moved(outcomes: Sequence[DesignResult]) -> list[DesignResult]:
    """Return those first whose numbers are not what they were, most changed first; else the order is kept."""
    return sorted(outcomes, key=lambda outcome: -max(abs(_grown(outcome, key) or 0) for key in SHOWN_METRICS))


def _grown(outcome: DesignResult, key: str) -> int | None:
    if outcome.past is None or key not in outcome.totals or key not in outcome.past:
        return None
    return outcome.totals[key] - outcome.past[key]


def _outcome(outcome: DesignResult, keys: Sequence[str], glyphs: Characters, *, changes: bool) -> str:
    cells = [gfm.cell(sentence(outcome.design, glyphs))]
    for key in keys:
        cells.append(format_exact(outcome.totals[key]) if key in outcome.totals else "")
        cells += [gfm.text(_change(outcome, key, glyphs))] if changes else []
    return gfm.line(cells)


def _change(outcome: DesignResult, key: str, glyphs: Characters) -> str:
    if outcome.is_new:
        return "new"
    grown = _grown(outcome, key)
    if grown is None:
        return ""
    before = (outcome.past or {})[key]
    share = f" ({'+' if grown > 0 else ''}{format_percent(Fraction(grown, before))})" if before and grown else ""
    return f"{format_signed(grown)}{share}" if grown else glyphs.zero


def _standing(standing: LimitResult, glyphs: Characters) -> str:
    names = [gfm.cell(sentence(text, glyphs)) for text in (standing.id, standing.design, standing.path)]
    value, limit = standing.value, standing.limit
    amounts = [format_metric_value(standing.metric, value, limit), format_metric_value(standing.metric, limit, value)]
    numbers = [*map(glyphs.text, amounts), format_used(standing)]
    return gfm.line([*names, gfm.text(f"{standing.rule} {standing.metric_label}"), *numbers])
