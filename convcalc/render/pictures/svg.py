"""SVG: elements, numbers, and a picture that is a file of its own, a part of a page, or shown in a notebook."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from string import Template
from typing import Any, Literal
from xml.etree.ElementTree import Element, tostring

from convcalc.errors import escape
from convcalc.records import dataclass
from convcalc.render.pictures.palette import DARK, LIGHT

Theme = Literal["auto", "light", "dark"]
THEMES: tuple[Theme, ...] = ("auto", "light", "dark")
MARGIN = 12
"""Around a picture that is a file of its own."""
NAMESPACE = "http://www.w3.org/2000/svg"
RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]+")
"""Letters of Hebrew, Arabic and their like. Without a mark behind them, 64×56 would be drawn as 56×64 there."""
LEFT_TO_RIGHT_MARK = "\u200e"


def number(value: float) -> str:
    """Return a coordinate with at most one decimal: the same text on every machine.

    >>> [number(value) for value in (3, 2.04, 2.06, -0.01)]
    ['3', '2', '2.1', '0']
    """
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


def element(tag: str, *content: Element | str | None, **attributes: Any) -> Element:
    """Return an element of SVG or HTML: texts and elements one after another, attributes in the order given.

    ``_`` stands for ``-`` in names of attributes, and one at the end is dropped (``class_``); those of ``None`` or
    ``False`` are left out, and ``True`` is an empty one. Characters that could deceive or that XML forbids are escaped,
    and line ends kept.
    """
    made = Element(tag)
    for key, value in attributes.items():
        if value is not None and value is not False:
            made.set(key.rstrip("_").replace("_", "-"), "" if value is True else _text(value))
    for part in content:
        append(made, part)
    return made


def append(parent: Element, *content: Element | str | None) -> None:
    """Add texts and elements behind what an element holds."""
    for part in content:
        if isinstance(part, Element):
            parent.append(part)
        elif part:
            text = _text(part)
            if parent.tag in ("text", "title"):
                text = RIGHT_TO_LEFT.sub(rf"\g<0>{LEFT_TO_RIGHT_MARK}", text)
            if len(parent):
                parent[-1].tail = (parent[-1].tail or "") + text
            else:
                parent.text = (parent.text or "") + text


def _text(value: Any) -> str:
    if isinstance(value, int | float):
        return number(value)
    return "\n".join(map(escape, str(value).split("\n")))


@cache
def style(theme: Theme = "auto") -> str:
    """Return the style sheet of pictures. ``auto`` follows the reader's system, or ``data-theme`` around it."""
    if theme != "auto":
        return colored(DARK if theme == "dark" else LIGHT)
    return f"{colored(LIGHT)}@media(prefers-color-scheme:dark){{\n{colored(DARK)}}}\n"


def colored(colors: Mapping[str, str]) -> str:
    """Return the style sheet of pictures with the colours given by their names."""
    return Template(files(__package__).joinpath("pictures.css").read_text("utf-8")).substitute(colors)


@dataclass(frozen=True)
class Picture:
    """A picture with its size in pixels, and what it shows in a sentence.

    ``root`` is an ``<svg>`` element without a style sheet: a page has one for all of its pictures.
    """

    root: Element
    width: float
    height: float
    label: str

    def to_svg(self, theme: Theme = "auto") -> str:
        """Return a file of its own, with the style sheet inside, the ground of the theme and a margin."""
        x, y, width, height = self.x - MARGIN, self.y - MARGIN, self.width + 2 * MARGIN, self.height + 2 * MARGIN
        size = {
            "viewBox": " ".join(map(number, (x, y, width, height))),
            "width": number(width),
            "height": number(height),
        }
        whole = Element("svg", {"xmlns": NAMESPACE, **self.root.attrib, **size})
        whole.append(element("style", style(theme)))
        whole.append(element("rect", class_="ground", x=x, y=y, width=width, height=height))
        whole.extend(self.root)
        return f"{tostring(whole, encoding='unicode')}\n"

    @property
    def x(self) -> float:
        """The left edge."""
        return float(self.root.get("viewBox", "0 0").split()[0])

    @property
    def y(self) -> float:
        """The upper edge."""
        return float(self.root.get("viewBox", "0 0").split()[1])

    def _repr_svg_(self) -> str:
        return self.to_svg()


def picture(  # noqa: PLR0913 - what a picture is
    kind: str, content: Iterable[Element], width: float, height: float, label: str, *, margin: float = 0,
    more: Mapping[str, str] | None = None,
) -> Picture:  # fmt: skip
    """Return a picture of a kind, which is its class in style sheets; ``margin`` is added on all sides."""
    box = " ".join(map(number, (-margin, -margin, width + 2 * margin, height + 2 * margin)))
    root = element("svg", class_=f"picture {kind}", viewBox=box, role="img", aria_label=label)
    root.attrib.update(more or {})
    root.extend(content)
    return Picture(root, width + 2 * margin, height + 2 * margin, label)
