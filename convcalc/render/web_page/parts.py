"""Small parts of pages: tiles, the sentence on top, sections with a picture, cells, bars and switches."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from fractions import Fraction
from typing import Any, TypeVar
from xml.etree.ElementTree import Element

from convcalc.number_format import IEC, count_of, format_count, format_significant
from convcalc.records import NamedTuple
from convcalc.render.pictures.labels import PicturePart, parts_of, percent, scaled, short
from convcalc.render.pictures.modules import Module
from convcalc.render.pictures.svg import element, number
from convcalc.report.report import Report

Row = TypeVar("Row")

SWITCH = (("m", "multiplies"), ("p", "parameters"), ("a", "activations"))
"""The metrics of tints: their letters and words."""


class Tile(NamedTuple):
    """One number of a page: what it is, how large, and exactly."""

    title: str
    value: str
    below: str
    kind: str = ""
    """``p``, ``m`` or ``a``: the colour of the metric."""


def tiles(shown: Iterable[Tile], kind: str = "tiles") -> Element:
    """Return the row of tiles."""
    made = [
        element("div", element("dt", tile.title), element("dd", element("b", tile.value), element("span", tile.below)),
                class_=tile.kind or None)
        for tile in shown
    ]  # fmt: skip
    return element("dl", *made, class_=kind)


TILES = {
    "params": ("parameters", "p"), "macs": ("multiplies", "m"), "weight_bytes": ("weights", ""),
    "peak_activation_bytes": ("peak activations", "a"), "depth": ("depth", ""),
}  # fmt: skip
"""The metrics of tiles, each with its title and its colour."""


def report_tiles(report: Report) -> list[Tile]:
    """Return the tiles of one design."""
    totals, bounds = report.totals, report.lower_bounds
    below = {
        **{key: f"{'≥ ' * (key in bounds)}{totals.get(key, 0):,}" for key in ("params", "macs")},
        "weight_bytes": report.dtype,
        "peak_activation_bytes": f"batch {report.batch:,}",
        "depth": count_of(totals.get("nonlinearities", 0), "nonlinearity", "nonlinearities"),
    }  # fmt: skip
    if totals.get("active_params") != totals.get("params"):
        below["params"] += f", of which {short_total('params', totals['active_params'])} active"
    return [
        Tile(title, "≥ " * (key in bounds) + short_total(key, totals[key]), below[key], kind)
        for key, (title, kind) in TILES.items()
        if totals.get(key) is not None
    ]


def short_total(key: str, value: int | Fraction) -> str:
    """Return a total in three digits; bytes in powers of 1024."""
    if key == "depth":
        return format_count(value)
    if not key.endswith("bytes"):
        return short(value)
    size, unit = scaled(value, 1024, IEC)
    return f"{format_significant(size)} {unit}B"


def sentence(root: Module) -> Element | None:
    """Return where a design stores and where it computes: the parts with most of either, with both shares.

    Nothing where there is neither.
    """
    parts = parts_of(root)
    words = {"params": element("b", "parameters", class_="p"), "macs": element("b", "multiplies", class_="m")}
    most = {key: max(parts, key=lambda part: part.value(key)) for key in words if root.value(key)}
    if not most:
        return None

    def share_of(part: PicturePart, key: str) -> str:
        return percent(part.value(key), root.value(key))

    (key, part), *others = most.items()
    content: list[Element | str] = [] if all(map(root.is_known, words)) else ["Of what could be counted, "]
    content += [element("b", part.label), f" has {share_of(part, key)} of the ", words[key]]
    for other, computes in others:
        content += [f" and {share_of(part, other)} of the ", words[other]]
        if computes is not part:
            said = f"{share_of(computes, other)} of the multiplies with {share_of(computes, key)} of the parameters"
            content += ["; ", element("b", computes.label), f" computes {said}"]
    return element("p", *content, ".", class_="say")


def section(
    title: str, about: str, content: Element | None = None, box: str = "", *, level: int = 2,
    tools: Sequence[Element] = (),
) -> Element:  # fmt: skip
    """Return a part of a page with its heading, what it shows, and its controls on the right.

    With a kind of ``box`` its content is in one that scrolls.
    """
    head = element("div", element(f"h{level}", title), element("p", about) if about else None)
    shown = scroll(content, title, box) if content is not None and box else content
    made = element("section", element("header", head, *tools))
    made.extend([] if shown is None else [shown])
    return made


def switch() -> Element:
    """Return the buttons that choose the metric of tints: multiplies at first."""
    buttons = (element("button", word, type="button", value=letter, aria_pressed=str(letter == "m").lower())
               for letter, word in SWITCH)  # fmt: skip
    return element("div", *buttons, class_="switch", role="group", aria_label="Colour by")


def finder(what: str) -> Element:
    """Return the field that filters the rows of a table, with how many it has found."""
    field = element("input", type="search", placeholder=what, aria_label=what)
    return element("div", element("output", class_="found"), field, class_="find")


def scroll(content: Element, label: str, kind: str = "scroll") -> Element:
    """Return a box that scrolls, which the keyboard can reach."""
    return element("div", content, class_=kind, role="group", aria_label=label, tabindex=0)


def bar(value: int, largest: int, kind: str | None = None) -> Element | None:
    """Return a bar whose length is the share of the largest value; nothing for none. A column may give its colour."""
    if not value or not largest:
        return None
    width = f"{number(max(100 * value / largest, 1))}%"
    return element("svg", element("rect", class_=kind, width=width))


def count(value: int | None, *, known: bool = True) -> str:
    """Return an exact number; ``–`` for none, and ``≥`` for a lower bound."""
    if not known:
        return f"≥ {value or 0:,}"
    return f"{value:,}" if value else "–"


def share(value: int, total: int) -> str:
    """Return a share in tenths of a percent, without the sign; a small share is not 0, and a large one not all.

    >>> [share(value, 100_000) for value in (0, 49, 50, 99_999, 100_000)]
    ['', '<0.1', '0.1', '>99.9', '100.0']
    """
    if not value or not total:
        return ""
    tenths = (2000 * value + total) // (2 * total)
    if tenths == 1000 and value < total:
        return ">99.9"
    return f"{tenths // 10}.{tenths % 10}" if tenths else "<0.1"


def cost(
    value: int, total: int, largest: int, kind: str | None = None, *, known: bool = True
) -> tuple[str, str, Element | None]:
    """Return the cells of a value: the number, its share, and a bar."""
    return count(value, known=known), share(value, total), bar(value, largest, kind)


def row(head: Element, cells: Iterable[Element | str | None], **attributes: Any) -> Element:
    """Return a line of a table: its head, and a cell for each text, bar or nothing."""
    return element("tr", head, *(element("td", cell) for cell in cells), **attributes)


def chosen(rows: Sequence[Row], most: int, level: Callable[[Row], int], size: Callable[[Row], Any]) -> Sequence[Row]:
    """Return the rows that are shown: those down to a level, and of too many at the top the largest by their size."""
    deepest = max(map(level, rows), default=0)
    while deepest and len(rows) > most:
        rows = [row for row in rows if level(row) < deepest]
        deepest -= 1
    if len(rows) <= most:
        return rows
    largest = sorted(range(len(rows)), key=lambda place: size(rows[place]), reverse=True)[:most]
    return [rows[place] for place in sorted(largest)]


def head_row(*titles: str, numbers: Collection[int] = ()) -> Element:
    """Return the head of a table; a column of bars has no title. Columns at ``numbers`` are right-aligned."""
    kinds = ["n" if place in numbers else None for place in range(len(titles))]
    cells = [element("th" if title else "td", title, scope="col" if title else None, class_=kind)
             for title, kind in zip(titles, kinds, strict=True)]  # fmt: skip
    return element("thead", element("tr", *cells))
