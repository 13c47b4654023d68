"""What other tools print, as people read it: a tool, its total, and the terms that add up to it."""

from __future__ import annotations

from collections.abc import Iterator

from convcalc.number_format import count_of, format_exact
from convcalc.profiles import TERMS, Profile, ProfileResult, Reconciliation
from convcalc.records import replace
from convcalc.render.report.header import given_inputs, name_and_design
from convcalc.render.tables import markdown_syntax as gfm
from convcalc.render.tables.blocks import Block, Paragraph, Table, TableColumn, left_out
from convcalc.render.tables.characters import Characters
from convcalc.render.tables.surface import Surface

Row = tuple[str, str, str, str]
FEWEST = 2
"""Columns that stay however narrow the terminal is: tool and count."""


def reconciliation_blocks(found: Reconciliation, surface: Surface) -> Iterator[Block]:
    """The heading, every tool with its terms, and a sentence on what each counts."""
    glyphs, width = surface.glyphs, surface.width
    yield Paragraph(name_and_design(found.name, found.design, glyphs), width)
    counts = count_of(sum(standing.total is not None for standing in found.results), "count")
    yield surface.line(f"{_conditions(found)} · {counts}")
    yield Paragraph()
    whole = shown = _grid(found, glyphs)
    while width is not None and shown.width > width and len(shown.columns) > FEWEST:
        shown = replace(shown, columns=shown.columns[:-1])
    yield shown
    if len(shown.columns) < len(whole.columns):
        lost = ["units", "what terms are"][len(shown.columns) - FEWEST :]
        yield left_out(", ".join(lost), width, whole.width)
    yield Paragraph()
    for standing in found.results:
        profile = standing.profile
        sentence = f": {profile.counts[:1].upper()}{profile.counts[1:]} ({profile.source})"
        yield Paragraph([(glyphs.text(profile.key), "group"), (glyphs.text(sentence), "")], width)
        if standing.error:
            yield surface.line(f"No number: {standing.error}", "warning")


def reconciliation_comment(found: Reconciliation, surface: Surface) -> str:
    """Return the tools as a table of Markdown, a line each, and what each counts below it."""
    glyphs = surface.glyphs
    profiles = [standing.profile for standing in found.results]
    columns = [
        TableColumn("Tool", [profile.key for profile in profiles]),
        TableColumn("Version", [glyphs.text(profile.tool) for profile in profiles]),
        TableColumn("Prints", [_total(standing) for standing in found.results], right=True),
        TableColumn("Unit", [profile.unit for profile in profiles]),
        TableColumn("Terms", [glyphs.text(_sum(standing)) for standing in found.results]),
    ]
    design = f"{gfm.code(glyphs.text(found.design))} {glyphs.text('·')} " if found.design != found.name else ""
    parts = [
        f"### {gfm.text(glyphs.text(found.name))}",
        f"{design}{glyphs.text(_conditions(found))}",
        gfm.table(Table(columns)),
        "\n".join(f"- **{gfm.text(one.key)}**: {gfm.text(glyphs.text(one.counts))}" for one in profiles),
    ]
    return "\n\n".join(parts) + "\n"


def _conditions(found: Reconciliation) -> str:
    return f"{format_exact(found.macs)} multiplies · batch {found.batch:,}{given_inputs(found.given_inputs)}"


def reconciliation_facts(found: Reconciliation) -> dict[str, object]:
    """Return what tools print as what JSON has words for."""
    return {
        "design": found.design,
        "name": found.name,
        "batch": found.batch,
        **({"given_inputs": found.given_inputs} if found.given_inputs else {}),
        "macs": found.macs,
        "profiles": {
            standing.profile.key: {
                "total": standing.total,
                **({"fault": standing.error} if standing.error else {}),
                "unit": standing.profile.unit,
                "terms": dict(standing.terms),
                "tool": standing.profile.tool,
                "counts": standing.profile.counts,
                "source": standing.profile.source,
            }
            for standing in found.results
        },
    }


def reconciliation_rows(found: Reconciliation) -> Iterator[tuple[object, ...]]:
    """Give a term a line: tool, unit, the tool's total, term, count; a tool without a number one, with the reason."""
    yield "profile", "unit", "total", "term", "count", "fault"
    for standing in found.results:
        profile = standing.profile
        if standing.error:
            yield profile.key, profile.unit, None, "", None, standing.error
        for term, count in standing.terms.items():
            yield profile.key, profile.unit, standing.total, term, count, ""


def _grid(found: Reconciliation, glyphs: Characters) -> Table:
    """A tool a group of lines."""
    rows = [row for standing in found.results for row in _rows(standing, found)]
    names, counts, units, meanings = zip(*rows, strict=True)
    columns = [
        TableColumn("Tool", [glyphs.text(name) for name in names]),
        TableColumn("Count", counts, right=True),
        TableColumn("Unit", units, style="dim"),
        TableColumn("", [glyphs.text(meaning) for meaning in meanings], style="dim"),
    ]
    kinds = ["" if name.startswith(" ") else "group" for name in names]
    return Table(columns, kinds, glyphs.rule)


def _rows(standing: ProfileResult, found: Reconciliation) -> Iterator[Row]:
    profile = standing.profile
    yield profile.key, _total(standing), profile.unit, standing.error.partition(": ")[2] or profile.tool
    for term, count in standing.terms.items():
        yield f"  {term}", format_exact(count), "", _meaning(term, count, profile, found)


def _total(standing: ProfileResult) -> str:
    return "no number" if standing.total is None else format_exact(standing.total)


def _meaning(term: str, count: int, profile: Profile, found: Reconciliation) -> str:
    """Say what a term is: ``4 for each of 11,113,984 elements`` where it is a whole multiple of them."""
    elements = found.elements.get(term, 0) // (found.batch if profile.is_per_sample else 1)
    if elements and count % elements == 0:
        return f"{format_exact(count // elements)} for each of {format_exact(elements)} elements"
    if term == "missed layers" and profile.base != "macs":
        return "outputs that the tool does not see"
    of_one = term == profile.base and profile.is_per_sample and found.batch != 1
    return TERMS.get(term, "") + ", of one sample" * of_one


def _sum(standing: ProfileResult) -> str:
    """``4,089,184,256 macs + 22,227,968 batch norm``, or why there is no number."""
    if standing.error:
        return standing.error
    text = ""
    for term, count in standing.terms.items():
        sign = "" if not text else " + " if count > 0 else " − "
        text += f"{sign}{format_exact(abs(count) if text else count)} {term}"
    return text or "0"
