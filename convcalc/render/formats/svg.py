"""Pictures: of the text format, as on a terminal, of plots, and of graphs; for READMEs and slides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convcalc.render.comparison.page import comparison_blocks
from convcalc.render.report.page import report_blocks
from convcalc.render.tables.characters import Characters
from convcalc.render.tables.rich_console import render_svg
from convcalc.render.tables.surface import Surface
from convcalc.report.compare import Comparison
from convcalc.report.fold import TableOptions
from convcalc.report.report import Report

if TYPE_CHECKING:
    from convcalc.render.pictures.graph.graph import GraphDiagram
    from convcalc.render.plots.drawing import Drawing

USUAL_WIDTH = 100


def report(report: Report, view: TableOptions, surface: Surface) -> str:
    """Return the report as it looks on a terminal of the surface's width (100 if it has none)."""
    surface = _screen(surface)
    title = f"convcalc report {Characters().text(report.design)}"
    return render_svg(report_blocks(report, view, surface), title, surface.width)


def comparison(comparison: Comparison, surface: Surface) -> str:
    """Return the comparison as it looks on a terminal."""
    surface = _screen(surface)
    title = f"convcalc compare {' '.join(map(Characters().text, comparison.labels))}"
    return render_svg(comparison_blocks(comparison, surface), title, surface.width)


def plot(drawing: Drawing, surface: Surface) -> str:
    """Return a picture as a file of its own, with its style sheet."""
    return drawing.picture.to_svg(drawing.theme)


def graph(graph: GraphDiagram, surface: Surface) -> str:
    """Return the picture of a graph."""
    return graph.picture.to_svg(graph.theme)


def _screen(surface: Surface) -> Surface:
    return surface._replace(width=surface.width or USUAL_WIDTH, ascii_only=False)
