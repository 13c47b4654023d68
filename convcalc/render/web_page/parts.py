"""Small parts of pages: tiles, the sentence on top, sections with a picture, cells, bars and switches."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any
from xml.etree.ElementTree import Element

from convcalc.number_format import IEC, count_of, format_count, format_significant
from convcalc.records import NamedTuple
from convcalc.render.pictures.labels import Part, parts_of, percent, short
from convcalc.render.pictures.modules import Module
from convcalc.render.pictures.svg import element, number
from convcalc.report.report import Report

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


KINDS = {"params": "p", "macs": "m", "peak_activation_bytes": "a"}
TITLES = {"params": "parameters", "macs": "multiplies", "weight_bytes": "weights",
          "peak_activation_bytes": "peak activations", "depth": "depth"}  # fmt: skip
"""The metrics of tiles, each with its title."""


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
        Tile(title, "≥ " * (key in bounds) + short_total(key, totals[key]), below[key], KINDS.get(key, ""))
        for key, title in TITLES.items()
        if totals.get(key) is not None
    ]


def short_total(key: str, value: int | Fraction) -> str:
    """Return a total in three digits; bytes in powers of 1024."""
    if key == "depth":
        return format_count(value)
    if not key.endswith("bytes"):
        return short(value)
    step = min(max((value.numerator // value.denominator).bit_length() - 1, 0) // 10, len(IEC) - 1)
    step += step + 1 < len(IEC) and 2 * value >= 1999 * 1024**step  # 1000 KiB is 0.98 MiB
    return f"{format_significant(Fraction(value) / 1024**step)} {IEC[step]}B"


def sentence(root: Module) -> Element | None:
    """Return where a design stores and where it computes: the parts with most of either, with both shares.

    Nothing where there is neither.
    """
    parts = parts_of(root, ("macs", "params"))
    totals = {key: root.value(key) for key in ("params", "macs")}
    most = {key: max(parts, key=lambda part: part.values[key]) for key in totals if totals[key]}
    if not most:
        return None
    parameters, multiplies = element("b", "parameters", class_="p"), element("b", "multiplies", class_="m")
    content: list[Element | str] = [] if all(map(root.is_known, totals)) else ["Of what could be counted, "]
    stores, computes = most.get("params"), most.get("macs")

    def part_of(part: Part, key: str) -> str:
        return percent(part.values[key], totals[key])

    if stores is not None and computes is not None:
        content += [element("b", stores.label), f" has {part_of(stores, 'params')} of the ", parameters,
                    f" and {part_of(stores, 'macs')} of the ", multiplies]  # fmt: skip
        if computes is not stores:
            content += ["; ", element("b", computes.label), f" computes {part_of(computes, 'macs')} of the multiplies "]
            content.append(f"with {part_of(computes, 'params')} of the parameters")
        content.append(".")
    else:
        ((key, only),) = most.items()
        word = parameters if key == "params" else multiplies
        content += [element("b", only.label), f" has {part_of(only, key)} of the ", word, "."]
    return element("p", *content, class_="say")


def section(title: str, about: str, *content: Element | None, level: int = 2, tools: Sequence[Element] = (),
            **attributes: Any) -> Element:  # fmt: skip
    """Return a part of a page with its heading, what it shows, and its controls on the right."""
    head = element("div", element(f"h{level}", title), element("p", about) if about else None)
    made = element("section", **attributes)
    made.append(element("header", head, *tools))
    made.extend(each for each in content if each is not None)
    return made


def switch(by: str = "m") -> Element:
    """Return the buttons that choose the metric of tints."""
    buttons = (element("button", word, type="button", value=letter, aria_pressed=str(letter == by).lower())
               for letter, word in SWITCH)  # fmt: skip
    return element("div", *buttons, class_="switch", role="group", aria_label="Colour by")


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


def row(head: Element, cells: Iterable[Element | str | None], **attributes: Any) -> Element:
    """Return a line of a table: its head, and a cell for each text, bar or nothing."""
    return element("tr", head, *(element("td", cell) for cell in cells), **attributes)


def head_row(*titles: str) -> Element:
    """Return the head of a table; a column of bars has no title."""
    cells = (element("th", title, scope="col") if title else element("td") for title in titles)
    return element("thead", element("tr", *cells))
