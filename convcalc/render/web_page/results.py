"""The page of many designs: a picture with a point for each, and a table."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from xml.etree.ElementTree import Element

from convcalc.batch.results import ResultTable
from convcalc.number_format import count_of
from convcalc.render.pictures.svg import element
from convcalc.render.plots.table import ScatterOptions, names_of, plot_results
from convcalc.render.web_page.lean import fixed
from convcalc.render.web_page.parts import head_row, row, scroll, section
from convcalc.render.web_page.shell import footer, page

MOST_ROWS = 2000
"""Of a longer table, the first; the picture has all."""


def results_page(results: ResultTable, title: str) -> str:
    """Return the page.

    Raises:
        SpecError: CC782, for a table without two columns of numbers.
    """
    drawing = plot_results(results, ScatterOptions(), width=1196, height=620)
    content = [
        element("h1", title),
        element("p", count_of(len(results.rows), "row"), class_="sub"),
        section("Points", "One point for each row; its numbers are in the table.",
                scroll(fixed(drawing.picture), "Points", "wide")),
        _table(results),
        footer(),
    ]  # fmt: skip
    data = {"columns": results.columns, "rows": [dict(each) for each in results.rows[:MOST_ROWS]]}
    return page(title, [element("div", *content, class_="design")], data)


def _table(results: ResultTable) -> Element:
    shown = [key for key in results.columns if any(results.texts(key))]
    numeric = [results.is_numeric(key) for key in shown]
    columns = [
        _numbers(results, key) if is_number else results.texts(key)
        for key, is_number in zip(shown, numeric, strict=True)
    ]
    body = element("tbody")
    for name, texts in islice(zip(names_of(results), zip(*columns, strict=True), strict=True), MOST_ROWS):
        body.append(row(element("th", texts[0], scope="row"), texts[1:], data_at=name))
    head = head_row(*shown)
    for cell, is_number in zip(head[0], numeric, strict=True):
        if is_number:
            cell.set("class", "n")
    for cells in body:
        for cell, is_number in zip(cells, numeric, strict=True):
            if is_number:
                cell.set("class", "n")
    find = element("input", type="search", placeholder="Filter rows", aria_label="Filter rows")
    table = element("table", head, body, class_="sorts")
    tools = [element("div", element("output", class_="found"), find, class_="find")]
    about = "A heading sorts: falling, rising, as it was."
    if len(results.rows) > MOST_ROWS:
        about += f" The first {MOST_ROWS:,} rows are shown, and in the JSON."
    return section("All of them", about, scroll(table, "All of them", "scroll tall"), tools=tools)


def _numbers(results: ResultTable, key: str) -> Sequence[str]:
    """Return numbers with their digits grouped, where they are integers."""
    return [f"{value:,}" if isinstance(value, int) else "" if value is None else str(value)
            for value in results.numbers(key)]  # fmt: skip
