"""The frame of a page: one HTML file with its style sheet, its script and its data inside, which asks for nothing."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterable
from functools import cache
from hashlib import sha256
from importlib.resources import files
from xml.etree.ElementTree import Element, tostring

from convcalc import __version__
from convcalc.render.pictures.palette import DARK, LIGHT
from convcalc.render.pictures.svg import colored, element
from convcalc.render.report.facts import plain

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


def encoded(value: object) -> str:
    """Return JSON that can be inside a page: ASCII, and without ``<``, which could end its element."""
    text = json.dumps(value, default=plain, separators=(",", ":"))
    return text.replace("<", "\\u003c")


def page(title: str, content: Iterable[Element], data: object) -> str:
    """Return the file.

    Args:
        title: of the window.
        content: what is seen, from top to bottom.
        data: what the script and other programs read, as JSON.
    """
    style, script = stylesheet(), _file("page.js")
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
        _compact(element("main", *content)), f'<script type="application/json" id="data">{encoded(data)}</script>',
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
