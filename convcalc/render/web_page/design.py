"""The page of one design."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from xml.etree.ElementTree import Element

from convcalc.number_format import count_of
from convcalc.records import cached_property
from convcalc.render.pictures.bridge import bridge
from convcalc.render.pictures.graph.graph import graph
from convcalc.render.pictures.labels import NAMES
from convcalc.render.pictures.modules import has_costs, module_tree
from convcalc.render.pictures.skyline import skyline
from convcalc.render.pictures.svg import element
from convcalc.render.pictures.treemap import treemap
from convcalc.render.report.facts import report_facts
from convcalc.render.report.header import conditions, convention, coverage, input_to_output, notes
from convcalc.render.tables.characters import Characters
from convcalc.render.web_page.layer_table import SourceLines, layer_table, names_width, operation_table
from convcalc.render.web_page.lean import lean_cells, lean_graph, packed_report
from convcalc.render.web_page.parts import report_tiles, section, sentence, switch, tiles
from convcalc.render.web_page.shell import ELSEWHERE, WHY, Detail, fitted, footer, page
from convcalc.report.report import Report

WIDEST = 500
"""With more pixels for a graph and for the names in the table together, the graph is above the table, not beside it."""
GLYPHS = Characters(ascii_only=False)


def design_page(report: Report, verdicts: Sequence[Element] = ()) -> str:
    """Return the page of one design, with the verdicts of budgets on it."""
    parts = DesignParts(report)

    def draw(detail: Detail) -> str:
        content = [
            element("h1", report.name),
            element("p", element("code", report.design), f" · {flow(report)}", class_="sub"),
            *parts.overview,
            *verdicts,
            *parts.sections(detail),
            footer(*about(report), *_left_out([report], detail), layers=detail.layers),
        ]
        return page(report.name, [element("div", *content, class_="design")], parts.data(detail))

    return fitted(draw)


def flow(report: Report) -> str:
    """Return what goes in, what comes out, and the conditions."""
    return f"{input_to_output(report, GLYPHS)} · {conditions(report, GLYPHS)}"


def about(report: Report) -> list[str]:
    """Return what has to be known of the numbers."""
    return [*notes(report), convention(report)]


def designs_page(
    title: str, above: Callable[[Detail], Iterable[Element]], designs: Sequence[tuple[str, DesignParts]],
    *texts: str, opened: bool = False,
) -> str:  # fmt: skip
    """Return a page of several designs.

    Args:
        title: of the window.
        above: what is above the designs.
        designs: with their names.
        texts: the last lines.
        opened: whether the designs can be seen at once.
    """

    def draw(detail: Detail) -> str:
        content = list(above(detail))
        for place, (name, part) in enumerate(designs, 1):
            words = f"{part.report.design} · {flow(part.report)}"
            head = element("summary", element("h2", name), element("span", words))
            inside = [*part.overview, *part.sections(detail, prefix=f"d{place}-", level=3)]
            content.append(element("details", head, *inside, class_="design", open=opened))
        left = _left_out([part.report for _, part in designs], detail)
        content.append(footer(*texts, *left, layers=detail.layers))
        return page(title, content, [part.data(detail) for _, part in designs])

    return fitted(draw, max(1, len(designs)))


def _left_out(reports: Sequence[Report], detail: Detail) -> Iterator[str]:
    """Give what the JSON of a page does not have, and why."""
    if not detail.layers:
        layers = count_of(sum(len(report.rows) for report in reports), "layer")
        yield f"The JSON in this file has no layers: {layers} would be too much, since {WHY}. {ELSEWHERE}"


class DesignParts:
    """The parts of a page that show one design; those that have the same detail in any page are drawn once."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self.root = module_tree(report)

    @cached_property
    def _packed(self) -> Mapping[str, object]:
        return packed_report(self.report)

    @cached_property
    def _graph(self) -> tuple[Element, float]:
        """The graph, and its width."""
        wiring = graph(module_tree(self.report), self.report).picture
        return lean_graph(wiring), wiring.width

    @cached_property
    def _bridge(self) -> Element:
        return bridge(self.root).root

    def data(self, detail: Detail) -> Mapping[str, object]:
        """Return the report for other programs; one without its layers says so."""
        if detail.layers:
            return self._packed
        facts = {key: value for key, value in report_facts(self.report).items() if key != "layers"}
        return {**facts, "layers_left_out": f"{WHY}. {ELSEWHERE}"}

    @cached_property
    def overview(self) -> Sequence[Element]:
        """The tiles, the sentence, and what is not counted."""
        report, told = self.report, sentence(self.root)
        warnings = [] if report.is_complete else ["".join(text for text, _ in coverage(report, GLYPHS))]
        said = (element("p", text, class_="warning") for text in [*warnings, *report.warnings])
        return [tiles(report_tiles(report)), *([] if told is None else [told]), *said]

    def sections(self, detail: Detail, *, prefix: str = "", level: int = 2) -> Iterator[Element]:
        """Give the pictures and tables.

        Args:
            detail: how much of them.
            prefix: of the names of its source lines, where a page has several designs.
            level: of the headings.
        """
        root, report = self.root, self.report
        if not report.rows:
            return
        lines = SourceLines(report, prefix, detail.source)
        if not root.known or has_costs(root):
            yield from self._costs(detail, level)
        drawing, width = self._graph
        about = "Equal neighbours are drawn once, with ×n."
        drawn = section("Graph", about, drawing, "scroll tall", level=level, tools=[switch()])
        kind = "beside" if width + names_width(root) <= WIDEST else None
        yield element("div", drawn, layer_table(root, report, lines, detail, level=level), class_=kind)
        operations = operation_table(root, report, level=level)
        if operations is not None:
            yield operations
        yield from lines.sections(level)

    def _costs(self, detail: Detail, level: int) -> Iterator[Element]:
        """Give the pictures of parameters and multiplies."""
        root = self.root
        area = "params" if root.value("params") else "macs"
        about = "Each part’s share of multiplies (left) and of parameters (right), first layer on top."
        stores = section("Where it computes, where it stores", about, self._bridge, level=level)
        drawn = lean_cells(treemap(root, area, height=436, most=detail.cells))
        about = f"Area: {NAMES[area][1]}; colour: as chosen."
        every = section("Every layer at once", about, drawn, "wide", level=level, tools=[switch()])
        yield element("div", stores, every, class_="two")
        about = ("A column for each layer that counts, in order: multiplies up, parameters down, each on its own "
                 "linear scale; at the foot the activations that it puts out.")  # fmt: skip
        along = lean_cells(skyline(root, self.report, least=detail.column))
        yield section("Along the depth", about, along, "wide", level=level)
