"""A verdict as people read it: what is wrong and where, what is used of every limit, what changed, a count of all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from convcalc.errors import SpecError, escape, excerpt, format_errors
from convcalc.findings import CheckResult, ClaimResult, Finding
from convcalc.number_format import count_of, format_count_or_shape, format_significant
from convcalc.render.check.findings import format_layer_value, main_span, worst_first
from convcalc.render.check.limit_tables import change_list, limit_table
from convcalc.render.tables.characters import Characters
from convcalc.render.tables.paragraph import fit_message
from convcalc.render.tables.surface import Surface

SHOWN_FINDINGS = 50
NATURAL = Surface()


def verdict_text(verdict: CheckResult, surface: Surface = NATURAL, *, every: bool = False) -> str:
    """Return the text; ``every`` lists the claims that agree too, and the designs under every limit.

    At a terminal sentences are wrapped between words and tables leave out columns; quoted lines of specs are cut around
    what is marked.
    """
    glyphs, width = Characters(surface.ascii_only), surface.width
    parts = [format_errors(verdict.errors)] if verdict.errors else []
    parts += _findings(verdict.findings, glyphs)
    if every:
        agree = (one for one in verdict.claims if one.agrees and one.as_expected)
        parts += _listed("Matching claims:", agree)
    parts += _listed("Rounded or outdated in their sources:", filter(_known, verdict.claims))
    parts += limit_table(verdict, glyphs, width, every=every)
    parts += change_list(verdict, glyphs)
    if verdict.designs:
        parts += [f"note: {escape(note)}" for note in verdict.notes]
    return fit_message("\n".join([*parts, summary(verdict)]).lstrip("\n"), width, glyphs)


# --- findings ---------------------------------------------------------------------------------------------------------


def _findings(findings: Sequence[Finding], glyphs: Characters) -> Iterator[str]:
    """Give the worst findings in full."""
    for finding in worst_first(findings)[:SHOWN_FINDINGS]:
        yield "\n".join(_lines(finding, glyphs))
    if len(findings) > SHOWN_FINDINGS:
        more = len(findings) - SHOWN_FINDINGS
        yield f"and {count_of(more, 'finding')} more; --json and -f concise have all"


def _lines(finding: Finding, glyphs: Characters) -> Iterator[str]:
    """The sentence with its place and excerpt, the layers, the line of the budget, the hint and the id."""
    span = main_span(finding)
    error = SpecError(finding.code, glyphs.text(finding.text))
    place = f"{span}: " if span else ""
    yield place + str(error).replace(error.severity, finding.severity, 1)
    yield from excerpt(span) if span and span.line else ()
    if finding.heaviest:
        layers = ", ".join(f"{escape(layer.path)} {format_layer_value(layer)}" for layer in finding.heaviest)
        yield f"  {'grew most' if finding.heaviest[0].change else 'heaviest'}: {layers}"
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
    rows = [_cells(judgement) for judgement in judgements]
    if rows:
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        yield heading
        for row in rows:
            line = "  ".join(["", *(cell.ljust(width) for cell, width in zip(row, widths, strict=True))])
            yield line.rstrip()


def _cells(judgement: ClaimResult) -> tuple[str, ...]:
    ratio = (
        f"× {format_significant(judgement.ratio, 4)}"
        if judgement.ratio is not None and judgement.expected_to_disagree
        else ""
    )
    words = judgement.reason if judgement.expected_to_disagree else judgement.quote
    source = f"{judgement.source}: {words}" if words else judgement.source
    texts = (
        judgement.design,
        judgement.metric,
        format_count_or_shape(judgement.value),
        judgement.published,
        ratio,
        source,
    )
    return tuple(map(escape, texts))


# --- the last line ----------------------------------------------------------------------------------------------------


def summary(verdict: CheckResult) -> str:
    """Return the last line: how many of what."""
    told = [_specs(verdict), *_limits_told(verdict), *_claims_told(verdict)]
    told += _severities(verdict.findings) if verdict.designs else []
    broken = f"; {count_of(len(verdict.errors), 'error', 'errors')}" if verdict.errors else ""
    return f"{told[0]}, {'; '.join(told[1:])}{broken}"


def _specs(verdict: CheckResult) -> str:
    return count_of(verdict.files, "spec")


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


def _severities(findings: Sequence[Finding]) -> list[str]:
    """Tell what a violated limit is excused by, and what is not an error."""
    words = {"warning": ("warning", ""), "note": ("note", ""), "waived": ("waived", "waived")}
    numbers = {severity: sum(finding.severity == severity for finding in findings) for severity in words}
    return [count_of(numbers[severity], *words[severity]) for severity in words if numbers[severity]]
