"""A picture of the text format, as on a terminal: for READMEs and slides."""

from __future__ import annotations

from convcalc.render.comparison.page import comparison_blocks
from convcalc.render.report.page import report_blocks
from convcalc.render.tables.characters import Glyphs
from convcalc.render.tables.rich_console import picture
from convcalc.render.tables.surface import Surface
from convcalc.report.compare import Comparison
from convcalc.report.fold import View
from convcalc.report.report import Report

USUAL_WIDTH = 100


def report(report: Report, view: View, surface: Surface) -> str:
    """Return the report as it looks on a terminal of the surface's width (100 if it has none)."""
    surface = _screen(surface)
    title = f"convcalc report {Glyphs().text(report.design)}"
    return picture(report_blocks(report, view, surface), title, surface.width)


def comparison(comparison: Comparison, surface: Surface) -> str:
    """Return the comparison as it looks on a terminal."""
    surface = _screen(surface)
    title = f"convcalc compare {' '.join(map(Glyphs().text, comparison.labels))}"
    return picture(comparison_blocks(comparison, surface), title, surface.width)


def _screen(surface: Surface) -> Surface:
    return surface._replace(width=surface.width or USUAL_WIDTH, ascii_only=False)
