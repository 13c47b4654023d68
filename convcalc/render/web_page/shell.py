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

_EMPTY = re.compile(r"></(rect|path|circle)>")
"""Elements of SVG without content; a ``>`` of a text is written ``&gt;``."""


@cache
def stylesheet() -> str:
    """Return the style sheet: colours as variables for both themes, pictures, then the page."""
    light, dark = (";".join(f"--{name}:{color}" for name, color in theme.items()) for theme in (LIGHT, DARK))
    colors = (
        f":root{{color-scheme:light dark;{light}}}\n"
        f"@media(prefers-color-scheme:dark){{:root:not([data-theme=light]){{{dark}}}}}\n"
        f":root[data-theme=dark]{{color-scheme:dark;{dark}}}:root[data-theme=light]{{color-scheme:light}}\n"
    )
    return colors + colored({name: f"var(--{name})" for name in LIGHT}) + _file("page.css")


@cache
def _file(name: str) -> str:
    return files(__package__).joinpath(name).read_text("utf-8")


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
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width,initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("title", f"{title} · convcalc"),
        _raw("style", style),
    )
    tip = element("div", id="tip", hidden=True)
    body = element("body", element("main", *content), _raw("script", encoded(data), type="application/json", id="data"))
    body.extend([tip, _raw("script", script)])
    text = tostring(element("html", head, body, lang="en"), encoding="unicode", method="html")
    return f"<!DOCTYPE html>\n{_EMPTY.sub('/>', text)}\n"


def _raw(tag: str, text: str, **attributes: str) -> Element:
    """Return an element whose text is written as it is."""
    made = Element(tag, attributes)
    made.text = text
    return made


def _digest(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def footer(*texts: str) -> Element:
    """Return the last lines of a page."""
    made_by = f"Made by convcalc {__version__}; the numbers are in this file as JSON too."
    return element("footer", *(element("p", text) for text in texts), element("p", made_by))
