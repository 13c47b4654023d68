"""The frame of a page: one HTML file with its style sheet, its script and its data inside, which asks for nothing.

A page shows all of its designs, or less of them where it would be larger than half a megabyte.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Callable, Iterable
from functools import cache
from hashlib import sha256
from importlib.resources import files
from xml.etree.ElementTree import Element, tostring

from convcalc import __version__
from convcalc.records import NamedTuple
from convcalc.render.pictures.palette import DARK, LIGHT
from convcalc.render.pictures.svg import colored, element
from convcalc.render.report.facts import plain

MOST_BYTES = 500_000
"""A page of one design is not larger; of several, this for each."""
WHY = "a page has at most 500 kB"
ELSEWHERE = "“convcalc report DESIGN --json” has them."
_TAG = re.compile(r"<[^<>]*>")
_QUOTED = re.compile(r'="([\w.,%-]+)"')
_EMPTY = re.compile(r'"></(?:rect|path|circle)>')
_OPTIONAL = re.compile(r"</t(?:d|h|r)>")
"""HTML needs no quotes around words, and no end tags in tables."""


@cache
def stylesheet() -> str:
    """Return the style sheet: colours as variables for both themes, pictures, then the page."""
    rules = colored({name: f"var(--{name})" for name in LIGHT}) + _file("page.css")
    used = {name: color for name, color in LIGHT.items() if f"var(--{name})" in rules}
    colors = ";".join(f"--{name}:light-dark({color},{DARK[name]})" for name, color in used.items())
    return f":root{{{colors}}}\n{rules}"


@cache
def _file(name: str) -> str:
    """Return a file of this folder without indents and lines of comments."""
    lines = files(__package__).joinpath(name).read_text("utf-8").split("\n")
    return "\n".join(line.lstrip() for line in lines if not line.lstrip().startswith("//"))


def page(title: str, content: Iterable[Element], data: object) -> str:
    """Return the file.

    Args:
        title: of the window.
        content: what is seen, from top to bottom.
        data: what the script and other programs read, as JSON.
    """
    style, script = stylesheet(), _file("page.js")
    # JSON inside a page is ASCII, and without `<`, which could end its element
    encoded = json.dumps(data, default=plain, separators=(",", ":")).replace("<", "\\u003c")
    policy = (
        f"default-src 'none'; style-src {_digest(style)}; script-src {_digest(script)}; "
        "base-uri 'none'; form-action 'none'"
    )
    head = [
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width,initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("title", f"{title} · convcalc"),
    ]
    parts = [
        "<!DOCTYPE html>", '<html lang="en">', *map(_html, head), f"<style>{style}</style>",
        _compact(element("main", *content)), f'<script type="application/json" id="data">{encoded}</script>',
        '<div id="tip" hidden></div>', f"<script>{script}</script>", "</html>",
    ]  # fmt: skip
    return "\n".join([*parts, ""])


def _html(made: Element) -> str:
    return tostring(made, encoding="unicode", method="html")


def _compact(made: Element) -> str:
    """Return an element without what HTML does not need, which is a fifth of it.

    Texts have no ``<`` or ``>`` and values of attributes no ``"`` of their own, so that all of them belong to tags.
    """
    text = _EMPTY.sub('" />', _OPTIONAL.sub("", _html(made)))
    return _TAG.sub(lambda tag: _QUOTED.sub(r"=\1", tag[0]), text)


def _digest(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def footer(*texts: str, layers: bool = True) -> Element:
    """Return the last lines of a page."""
    made_by = f"Made by convcalc {__version__}; the {'numbers' if layers else 'totals'} are in this file as JSON too."
    return element("footer", *(element("p", text) for text in texts), element("p", made_by))


# --- detail -----------------------------------------------------------------------------------------------------------


class Detail(NamedTuple):
    """How much is shown of a design."""

    cells: int
    """Of the treemap, about."""
    column: float
    """The least width of one of the skyline, in pixels."""
    rows: int
    """Of the table of layers, at most."""
    source: int
    """Bytes of a listing of its source, about; a longer one is left out."""
    layers: bool
    """Whether the JSON has its layers."""


DETAILS = (
    Detail(1200, 2, 1000, 150_000, layers=True),
    Detail(500, 5, 1000, 50_000, layers=True),
    Detail(500, 5, 1000, 50_000, layers=False),
    Detail(200, 10, 300, 0, layers=False),
    Detail(50, 40, 50, 0, layers=False),
)
"""From all to little."""


def fitted(draw: Callable[[Detail], str], designs: int = 1) -> str:
    """Return the page with the most detail that is not too large."""
    text = ""
    for detail in DETAILS:
        text = draw(detail)
        if len(text.encode()) <= MOST_BYTES * designs:
            break
    return text
