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
from convcalc.render.web_page.parts import finder, head_row, section
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
        section("Points", "One point for each row; its numbers are in the table.", fixed(drawing.picture), "wide"),
        _table(results),
        footer(),
    ]
    data = {"columns": results.columns, "rows": [dict(each) for each in results.rows[:MOST_ROWS]]}
    return page(title, [element("div", *content, class_="design")], data)


def _table(results: ResultTable) -> Element:
    shown = [key for key in results.columns if any(results.texts(key))]
    numbers = {place for place, key in enumerate(shown) if results.is_numeric(key)}
    columns = [_numbers(results, key) if place in numbers else results.texts(key) for place, key in enumerate(shown)]
    kinds = ["n" if place in numbers else None for place in range(len(shown))]
    body = element("tbody")
    for name, texts in islice(zip(names_of(results), zip(*columns, strict=True), strict=True), MOST_ROWS):
        first = element("th", texts[0], scope="row", class_=kinds[0])
        others = (element("td", text, class_=kind) for text, kind in zip(texts[1:], kinds[1:], strict=True))
        body.append(element("tr", first, *others, data_at=name))
    table = element("table", head_row(*shown, numbers=numbers), body, class_="sorts")
    about = "A heading sorts: falling, rising, as it was."
    if len(results.rows) > MOST_ROWS:
        about += f" The first {MOST_ROWS:,} rows are shown, and in the JSON."
    return section("All of them", about, table, "scroll tall", tools=[finder("Filter rows")])


def _numbers(results: ResultTable, key: str) -> Sequence[str]:
    """Return numbers with their digits grouped, where they are integers."""
    return [f"{value:,}" if isinstance(value, int) else "" if value is None else str(value)
            for value in results.numbers(key)]  # fmt: skip
