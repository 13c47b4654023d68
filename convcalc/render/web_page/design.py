"""The page of one design."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple
from xml.etree.ElementTree import Element

from convcalc.render.pictures.bridge import bridge
from convcalc.render.pictures.graph.graph import graph
from convcalc.render.pictures.labels import NAMES
from convcalc.render.pictures.modules import Module, module_tree
from convcalc.render.pictures.skyline import skyline
from convcalc.render.pictures.svg import element
from convcalc.render.pictures.treemap import treemap
from convcalc.render.report.header import conditions, convention, coverage, input_to_output, notes
from convcalc.render.tables.characters import Characters
from convcalc.render.web_page.data import packed_report
from convcalc.render.web_page.layer_table import layer_table, names_width, operation_table
from convcalc.render.web_page.lean import lean_cells, lean_graph
from convcalc.render.web_page.parts import report_tiles, scroll, section, sentence, switch, tiles
from convcalc.render.web_page.shell import footer, page
from convcalc.render.web_page.source import SourceLines
from convcalc.report.report import Report


class Detail(NamedTuple):
    """How much of a design is drawn."""

    layers: int
    """In designs of more layers."""
    cells: int
    """Of the treemap, about."""
    column: float
    """The least width of one of the skyline, in pixels."""


USUAL, LARGE = Detail(0, 1200, 2), Detail(1200, 500, 5)
"""A page has at most half a megabyte."""
WIDEST = 500
"""With more pixels for a graph and for the names in the table together, the graph is above the table, not beside it."""
GLYPHS = Characters(ascii_only=False)


def design_page(report: Report, verdicts: Iterable[Element] = ()) -> str:
    """Return the page of one design, with the verdicts of budgets on it."""
    root = module_tree(report)
    content = [
        element("h1", report.name),
        element("p", element("code", report.design), f" · {flow(report)}", class_="sub"),
        *overview(root, report),
        *verdicts,
        *sections(root, report),
        footer(*about(report)),
    ]
    return page(report.name, [element("div", *content, class_="design")], packed_report(report))


def flow(report: Report) -> str:
    """Return what goes in, what comes out, and the conditions."""
    return f"{input_to_output(report, GLYPHS)} · {conditions(report, GLYPHS)}"


def about(report: Report) -> list[str]:
    """Return what has to be known of the numbers."""
    return [*notes(report), convention(report)]


def overview(root: Module, report: Report) -> Iterator[Element]:
    """Give the tiles, the sentence, and what is not counted."""
    yield tiles(report_tiles(report))
    told = sentence(root)
    if told is not None:
        yield told
    if not report.is_complete:
        yield element("p", "".join(text for text, _ in coverage(report, GLYPHS)), class_="warning")
    for warning in report.warnings:
        yield element("p", warning, class_="warning")


def sections(root: Module, report: Report, *, prefix: str = "", level: int = 2) -> Iterator[Element]:
    """Give the pictures and tables.

    Args:
        root: the modules of a design.
        report: its numbers.
        prefix: of the names of its source lines, where a page has several designs.
        level: of the headings.
    """
    if not report.rows:
        return
    lines = SourceLines(report, prefix)
    if not root.known or any(root.value(key) for key in ("params", "macs")):
        yield from _costs(root, report, level)
    wiring = graph(module_tree(report), report).picture
    drawn = section(
        "Graph", "Equal neighbours are drawn once, with ×n.", scroll(lean_graph(wiring), "Graph", "scroll tall"),
        level=level, tools=[switch()],
    )  # fmt: skip
    kind = "beside" if wiring.width + names_width(root) <= WIDEST else None
    yield element("div", drawn, layer_table(root, report, lines, level=level), class_=kind)
    operations = operation_table(root, report, level=level)
    if operations is not None:
        yield operations
    yield from lines.sections(level)


def _costs(root: Module, report: Report, level: int) -> Iterator[Element]:
    """Give the pictures of parameters and multiplies."""
    finest = LARGE if len(report.rows) > LARGE.layers else USUAL
    area = "params" if root.value("params") else "macs"
    stores = section(
        "Where it computes, where it stores", "Each part’s share of multiplies (left) and of parameters (right), "
        "first layer on top.", bridge(root).root, level=level,
    )  # fmt: skip
    every = section(
        "Every layer at once", f"Area: {NAMES[area][1]}; colour: as chosen.",
        scroll(lean_cells(treemap(root, area, height=436, most=finest.cells)), "Every layer at once", "wide"),
        level=level, tools=[switch()],
    )  # fmt: skip
    yield element("div", stores, every, class_="two")
    along = skyline(root, report, least=finest.column)
    yield section(
        "Along the depth", "A column for each layer that counts, in order: multiplies up, parameters down, each on its "
        "own linear scale; at the foot the activations that it puts out.",
        scroll(lean_cells(along), "Along the depth", "wide"), level=level,
    )  # fmt: skip
