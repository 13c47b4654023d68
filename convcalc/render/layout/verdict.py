"""A verdict as people read it: what is wrong with its place, what is known to be loose, and a count of all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from convcalc.errors import describe, describe_one, escape
from convcalc.findings import Judgement, Value, Verdict
from convcalc.render.layout.entries import counted
from convcalc.render.layout.numbers import exact, significant


def verdict_text(verdict: Verdict, *, every: bool = False) -> str:
    """Return the text; ``every`` lists the claims that agree too."""
    parts = [describe(verdict.errors)] if verdict.errors else []
    parts += [f"{describe_one(finding.error)}\n  id: {escape(finding.id)}" for finding in verdict.findings]
    if every:
        parts += _listed("Claims that agree:", (one for one in verdict.judgements if one.agrees and one.holds))
    parts += _listed("Known to be loose in their sources:", (one for one in verdict.judgements if _known(one)))
    return "\n".join([*parts, summary(verdict)])


def _known(judgement: Judgement) -> bool:
    return judgement.loose and judgement.holds


def _listed(heading: str, judgements: Iterable[Judgement]) -> Iterator[str]:
    rows = [_cells(judgement) for judgement in judgements]
    if rows:
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        yield heading
        for row in rows:
            yield "  ".join(["", *(cell.ljust(width) for cell, width in zip(row, widths, strict=True))]).rstrip()


def _cells(judgement: Judgement) -> tuple[str, ...]:
    ratio = f"× {significant(judgement.ratio, 4)}" if judgement.ratio is not None and judgement.loose else ""
    words = judgement.reason if judgement.loose else judgement.quote
    source = f"{judgement.source}: {words}" if words else judgement.source
    texts = (judgement.design, judgement.metric, value_text(judgement.value), judgement.printed, ratio, source)
    return tuple(map(escape, texts))


def value_text(value: Value) -> str:
    """Return a count with its digits grouped, a shape with its crosses."""
    return exact(value) if isinstance(value, int) else "×".join(map(str, value))


def summary(verdict: Verdict) -> str:
    """Return the last line: how many of what."""
    claims = verdict.judgements
    agree = sum(one.agrees and one.holds for one in claims)
    loose = sum(map(_known, claims))
    wrong = len(claims) - agree - loose
    counts = [counted(agree, "agrees", "agree")]
    counts += [f"{loose} known to be loose"] if loose else []
    counts += [counted(wrong, "does not hold", "do not hold")] if wrong else []
    told = f"{counted(len(claims), 'number is', 'numbers are')} claimed: {', '.join(counts)}" if claims else "no claims"
    broken = f"; {counted(len(verdict.errors), 'error', 'errors')}" if verdict.errors else ""
    return f"{counted(verdict.files, 'spec', 'specs')}, {told}{broken}"
