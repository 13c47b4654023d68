"""The page of several designs: side by side to one scale, then each of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from xml.etree.ElementTree import Element

from convcalc.number_format import count_of, format_multiple, format_signed
from convcalc.records import replace
from convcalc.render.comparison.page import differing
from convcalc.render.comparison.sentences import comparison_sentences
from convcalc.render.pictures.graph.graph import graph
from convcalc.render.pictures.modules import module_tree
from convcalc.render.pictures.squares import squares
from convcalc.render.pictures.svg import element
from convcalc.render.web_page.design import GLYPHS, DesignParts, about, designs_page, flow
from convcalc.render.web_page.lean import lean_graph
from convcalc.render.web_page.parts import TILES, Tile, bar, chosen, count, scroll, section, short_total, switch, tiles
from convcalc.render.web_page.shell import Detail
from convcalc.report.align_layers import AlignedRow
from convcalc.report.compare import Comparison
from convcalc.report.comparison_rows import select_rows

KEYS = {"params": ("p", "Params"), "macs": ("m", "Multiplies")}
"""The metrics of the table, with their colours and headings."""


def comparison_page(comparison: Comparison, verdicts: Sequence[Element] = ()) -> str:
    """Return the page."""
    parts = [DesignParts(report) for report in comparison.reports]
    designs, labels = list(zip(comparison.labels, parts, strict=True)), comparison.labels
    title = " → ".join(labels) if len(labels) == 2 else ", ".join(labels)
    drawn = squares([(label, part.root) for label, part in designs], width=1160, side=290)
    text = "Parameters in blue, multiplies in orange: equal areas are equal numbers, within each colour."
    above = [*_above(comparison, title), *verdicts, section("To one scale", text, drawn.root, "wide")]
    graphs = _graphs(comparison)

    def whole(detail: Detail) -> list[Element]:
        return [*above, _places(comparison, detail), graphs]

    return designs_page(title, whole, designs, *about(comparison.reports[0]))


def _above(comparison: Comparison, title: str) -> Iterator[Element]:
    """Give what is above the pictures."""
    names = list(dict.fromkeys(report.name.partition(" · ")[0] for report in comparison.reports))
    yield element("h1", title)
    yield element("p", " · ".join(names), class_="sub")
    yield tiles(_tiles(comparison), "tiles long")
    told: list[Element | str] = []
    for sentence in comparison_sentences(replace(comparison, note="")):
        words, bracket, exact = sentence.partition(" (")
        told += [words, *([element("small", f"{bracket}{exact}")] if exact else []), " "]
    yield element("p", *told, class_="say")
    for note in comparison.note.split("\n\n"):
        if note.strip():
            yield element("p", note, class_="note")
    if comparison.differing_conditions:
        yield element("p", f"Different inputs: {differing(comparison, GLYPHS)}", class_="warning")


def _tiles(comparison: Comparison) -> Iterator[Tile]:
    """Give the main totals of all designs, below each its ratio to the first."""
    metrics = {metric.column.key: metric for metric in comparison.metrics}
    for key, (title, kind) in TILES.items():
        if key in metrics and None not in metrics[key].values:
            marks = ["≥ " * (key in report.lower_bounds) for report in comparison.reports]
            values = [f"{mark}{short_total(key, value or 0)}"
                      for mark, value in zip(marks, metrics[key].values, strict=True)]  # fmt: skip
            text = " → ".join(values) if len(values) == 2 else " · ".join(values)
            ratios = " · ".join(map(_ratio, metrics[key].ratios[1:]))
            below = ratios if not any(marks) else "not all counted: no ratio"
            yield Tile(title, text, below, kind)


def _ratio(ratio: Fraction | None) -> str:
    """``÷ 2.37``, ``× 2``, ``equal``."""
    if not ratio:
        return "no ratio" if ratio is None else "none"
    return "equal" if ratio == 1 else f"÷ {format_multiple(1 / ratio)}" if ratio < 1 else f"× {format_multiple(ratio)}"


def _graphs(comparison: Comparison) -> Element:
    """Return the graphs side by side, with one scale of tints."""
    graphs = [graph(module_tree(report), report) for report in comparison.reports]
    drawn = element("div", class_="row")
    for label, report, each in zip(comparison.labels, comparison.reports, graphs, strict=True):
        box = scroll(lean_graph(each.beside(graphs)), f"Graph of {label}", "scroll tall")
        drawn.append(element("figure", element("figcaption", element("b", label), f" {flow(report)}"), box))
    text = "One scale of tints for all; equal neighbours are drawn once, with ×n."
    return section("Graphs side by side", text, drawn, tools=[switch()])


def _places(comparison: Comparison, detail: Detail) -> Element:
    """Return the table of aligned layers, with bars to one scale and differences from the first design."""
    rows = select_rows(comparison.matches, list(KEYS)).rows
    totals = {key: max((value or 0 for row in rows for value in row.values(key)), default=0) or 1 for key in KEYS}

    def size(row: AlignedRow) -> Fraction:
        return max(Fraction(value or 0, totals[key]) for key in KEYS for value in row.values(key))

    shown = chosen(rows, detail.rows, lambda row: row.level, size)
    largest = {key: max((value or 0 for row in shown if row.level == 0 for value in row.values(key)), default=0)
               for key in KEYS}  # fmt: skip
    groups, titles = element("tr", element("td")), element("tr", element("th", "Layer", scope="col"))
    for _, heading in KEYS.values():
        groups.append(element("th", heading, scope="colgroup", colspan=3 * len(comparison.labels) - 1))
        for place, label in enumerate(comparison.labels):
            titles.append(element("th", label, scope="col", colspan=2))
            if place:
                titles.append(element("th", "difference", scope="col"))
    body = element("tbody", *(_place(row, largest, len(comparison.labels)) for row in shown))
    table = element("table", element("thead", groups, titles), body, class_="places")
    text = "Matched by path, then by position; differences are from the first design."
    if len(shown) < len(rows):
        text += f" {count_of(len(rows) - len(shown), 'more row')}: “convcalc compare” has them."
    return section("Part by part", text, table, "scroll tall")


def _place(row: AlignedRow, largest: dict[str, int], designs: int) -> Element:
    names = dict.fromkeys(cell.path.rpartition(".")[2] for cell in row.cells if cell)
    name = " / ".join(names) if row.path else "(whole design)"
    name += f" … {row.last_segment}" if row.last_segment else ""
    made = element("tr", element("th", name, scope="row"), class_=f"l{min(row.level, 9)}",
                   data_at=next(cell.path for cell in row.cells if cell))  # fmt: skip
    for key, (color, _) in KEYS.items():
        values, known = row.values(key), [cell is None or key not in cell.unknown for cell in row.cells]
        for place in range(designs):
            text = "" if values[place] is None else count(values[place], known=known[place])
            made.append(element("td", text))
            made.append(element("td", bar(values[place] or 0, largest[key], color)))
            if place:
                absent = values[0] is None and values[place] is None
                comparable = known[0] and known[place] and not row.splits_a_layer and not absent
                difference = (values[place] or 0) - (values[0] or 0) if comparable else 0
                text = format_signed(difference).replace("-", "−") if difference else "=" if comparable else ""
                kind = "less" if difference < 0 else "more" if difference else None
                made.append(element("td", text, class_=kind))
    return made
