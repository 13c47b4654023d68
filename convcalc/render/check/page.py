"""A verdict as people read it: what is wrong and where, what is used of every limit, what changed, a count of all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from convcalc.errors import SpecError, escape, excerpt, format_errors
from convcalc.findings import CheckResult, ClaimResult, Finding
from convcalc.number_format import count_of, format_count_or_shape, format_significant
from convcalc.render.check.findings import heaviest, main_span, worst_first
from convcalc.render.check.limit_tables import change_list, limit_table
from convcalc.render.tables.blocks import fit_message
from convcalc.render.tables.characters import Characters
from convcalc.render.tables.surface import Surface

SHOWN_FINDINGS = 50
NATURAL = Surface()


def verdict_text(verdict: CheckResult, surface: Surface = NATURAL, *, every: bool = False) -> str:
    """Return the text; ``every`` lists the claims that agree too, and the designs under every limit.

    At a terminal sentences are wrapped between words and tables leave out columns; quoted lines of specs are cut around
    what is marked.
    """
    glyphs, width = surface.glyphs, surface.width
    parts = [format_errors(verdict.errors)] if verdict.errors else []
    for finding in worst_first(verdict.findings)[:SHOWN_FINDINGS]:
        parts += _finding(finding, glyphs)
    more = len(verdict.findings) - SHOWN_FINDINGS
    parts += [f"and {count_of(more, 'finding')} more; --json and -f concise have all"] if more > 0 else []
    if every:
        agree = (one for one in verdict.claims if one.agrees and one.as_expected)
        parts += _listed("Matching claims:", agree)
    parts += _listed("Rounded or outdated in their sources:", filter(_known, verdict.claims))
    parts += limit_table(verdict, glyphs, width, every=every)
    parts += change_list(verdict, glyphs)
    if verdict.designs:
        parts += [f"note: {escape(note)}" for note in verdict.notes]
    return fit_message("\n".join([*parts, summary(verdict)]).lstrip("\n"), width, glyphs)


def _finding(finding: Finding, glyphs: Characters) -> Iterator[str]:
    """The sentence with its place and excerpt, the layers, the line of the budget, the hint and the id."""
    span = main_span(finding)
    error = SpecError(finding.code, glyphs.text(finding.text))
    place = f"{span}: " if span else ""
    yield place + str(error).replace(error.severity, finding.severity, 1)
    yield from excerpt(span) if span and span.line else ()
    if finding.heaviest:
        yield f"  {escape(heaviest(finding))}"
    if finding.rule and finding.rule != span:
        yield f"  {finding.rule}: the limit"
        yield from excerpt(finding.rule) if finding.rule.line else ()
    if finding.hint:
        yield f"  hint: {escape(finding.hint)}"
    yield f"  id: {escape(finding.id)}"


# --- claims -----------------------------------------------------------------------------------------------------------


def _known(judgement: ClaimResult) -> bool:
    return judgement.expected_to_disagree and judgement.as_expected


def _listed(heading: str, judgements: Iterable[ClaimResult]) -> Iterator[str]:
    rows = [list(map(escape, _cells(judgement))) for judgement in judgements]
    if rows:
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        yield heading
        for row in rows:
            yield "  ".join(["", *map(str.ljust, row, widths)]).rstrip()


def _cells(judgement: ClaimResult) -> Iterator[str]:
    yield from (judgement.design, judgement.metric, format_count_or_shape(judgement.value), judgement.published)
    ratio = judgement.ratio if judgement.expected_to_disagree else None
    yield "" if ratio is None else f"× {format_significant(ratio, 4)}"
    words = judgement.reason if judgement.expected_to_disagree else judgement.quote
    yield f"{judgement.source}: {words}" if words else judgement.source


# --- the last line ----------------------------------------------------------------------------------------------------


def summary(verdict: CheckResult) -> str:
    """Return the last line: how many of what, what a violated limit is excused by, and what is not an error."""
    told = [*_limits_told(verdict), *_claims_told(verdict)]
    for severity in ("warning", "note", "waived") if verdict.designs else ():
        number = sum(finding.severity == severity for finding in verdict.findings)
        told += [count_of(number, severity, "waived" if severity == "waived" else "")] if number else []
    broken = f"; {count_of(len(verdict.errors), 'error')}" if verdict.errors else ""
    return f"{count_of(verdict.files, 'spec')}, {'; '.join(told)}{broken}"


def _limits_told(verdict: CheckResult) -> Iterator[str]:
    met = sum(standing.holds for standing in verdict.limits)
    violated = len(verdict.limits) - met
    if verdict.limits:
        shown = [f"{met:,} met"] if met or not violated else []
        shown += [f"{violated:,} violated"] if violated else []
        yield f"{count_of(len(verdict.limits), 'limit')}: {', '.join(shown)}"


def _claims_told(verdict: CheckResult) -> Iterator[str]:
    claims = verdict.claims
    agree = sum(one.agrees and one.as_expected for one in claims)
    loose = sum(map(_known, claims))
    wrong = len(claims) - agree - loose
    counts = [count_of(agree, "matches", "match")]
    counts += [f"{loose} known to disagree"] if loose else []
    counts += [count_of(wrong, "does not hold", "do not hold")] if wrong else []
    if claims:
        yield f"{count_of(len(claims), 'claimed number')}: {', '.join(counts)}"
    elif not verdict.limits:
        yield "no claims"
