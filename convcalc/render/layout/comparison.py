"""The comparison as a person reads it: the designs, their layers side by side, their totals, and what it comes to."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from convcalc.compare import Comparison
from convcalc.render.layout.aligned import layers, totals
from convcalc.render.layout.frame import Block, convention, flow, tensors
from convcalc.render.layout.glyphs import Glyphs
from convcalc.render.layout.grid import Column, Grid
from convcalc.render.layout.prose import Prose
from convcalc.render.layout.sentences import conclusions
from convcalc.render.surface import Surface
from convcalc.report import Report


def comparison_blocks(comparison: Comparison, surface: Surface) -> Iterator[Block]:
    """Return the paragraphs and tables of a comparison, from top to bottom."""
    glyphs, width = Glyphs(surface.ascii_only), surface.width
    yield from _designs(comparison, glyphs, width)
    yield Prose()
    aligned, unseen = layers(comparison, glyphs)
    if len(aligned.names) > 1:
        yield from aligned.blocks(width)
        if unseen:
            yield Prose([(unseen, "dim")], width)
        yield Prose()
    yield from totals(comparison, glyphs).blocks(width)
    yield Prose()
    for sentence in conclusions(comparison):
        yield Prose([(glyphs.text(sentence), "")], width)
    yield Prose()
    yield Prose([(glyphs.text(convention(comparison.reports[0])), "dim")], width)


def _designs(comparison: Comparison, glyphs: Glyphs, width: int | None) -> Iterator[Block]:
    """Name the designs, one a line, and say what makes them hard to compare."""
    labels = [glyphs.text(label) for label in comparison.labels]
    reports = comparison.reports
    table = Grid(
        [
            Column("", labels, style="title"),
            Column("", [flow(report, glyphs) for report in reports]),
            Column("", [glyphs.text(report.name) for report in reports]),
            Column("", [glyphs.text(report.design) for report in reports], style="dim"),
        ],
        ["" for _ in reports],
    )
    if width is None or table.width <= width:
        yield table
    else:
        for texts in zip(*(column.texts for column in table.columns), strict=True):
            styles = [column.style for column in table.columns]
            yield Prose([(f"{text}  ", style) for text, style in zip(texts, styles, strict=True)], width)
    if comparison.differing:
        yield Prose([("Not alike:", "warning"), (f" {differing(comparison, glyphs)}", "")], width)


def differing(comparison: Comparison, glyphs: Glyphs) -> str:
    """``naive reads 192×28×28; reduced reads 256×28×28``."""
    told: dict[str, Callable[[Report], str]] = {
        "inputs": lambda report: f"reads {tensors(report.inputs, glyphs)}",
        "batch": lambda report: f"batch {report.batch:,}",
        "dtype": lambda report: glyphs.text(report.dtype),
    }
    return "; ".join(
        f"{glyphs.text(label)} {', '.join(told[what](report) for what in comparison.differing)}"
        for label, report in zip(comparison.labels, comparison.reports, strict=True)
    )
