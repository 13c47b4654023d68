"""SVG: elements, numbers, texts with their widths, and a picture that is a file, a part of a page, or in a notebook.

How wide a text is, is measured, not guessed, from the advance widths of Liberation Sans (those of Arial).
"""

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
SIZE, SMALL = 12, 10.5
"""The sizes of texts in pixels."""
UNITS = 2048
"""Units of widths to the font's size."""
WIDTHS = {character: width for width, characters in {
    391: "'", 455: "ijl", 532: "|", 569: " !,./:;I[\\]ft·", 682: "()-`r", 684: "{}", 727: '"', 797: "*", 961: "^",
    1024: "Jcksvxyz", 1124: "≥≤÷", 1139: "#$0123456789?L_abdeghnopqu–", 1196: "+<=>~×−", 1251: "FTZ",
    1366: "&ABEKPSVXY", 1479: "CDHNRUw", 1593: "GOQ", 1706: "Mm", 1821: "%", 1933: "W", 2048: "…→", 2079: "@",
}.items() for character in characters}  # fmt: skip
"""The width of every character."""
WIDEST = 2080
"""What any other character is taken for, so that no text is wider than measured in the scripts of Europe and Asia."""
BOLD = 1.08
"""How much wider bold text is, on average; digits and spaces are not."""
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
        if isinstance(part, Element):
            made.append(part)
        elif part:
            text = _text(part)
            if tag in ("text", "title"):
                text = RIGHT_TO_LEFT.sub(rf"\g<0>{LEFT_TO_RIGHT_MARK}", text)
            if len(made):
                made[-1].tail = (made[-1].tail or "") + text
            else:
                made.text = (made.text or "") + text
    return made


def _text(value: Any) -> str:
    if isinstance(value, int | float):
        return number(value)
    return "\n".join(map(escape, str(value).split("\n")))


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """Return the width of a text, in the unit of ``size``.

    >>> text_width("conv 3×3", 12)
    49.0
    """
    units = sum(WIDTHS.get(character, WIDEST) for character in text)
    return round(units * size * (BOLD if bold else 1) / UNITS, 1)


def fitted(text: str, room: float, size: float, *, bold: bool = False) -> str:
    """Return as much of a text as fits, with ``…`` where it was cut; nothing where not even a character fits.

    >>> fitted("projection", 40, 12), fitted("projection", 60, 12), fitted("projection", 10, 12)
    ('proje…', 'projection', '')
    """
    if text_width(text, size, bold=bold) <= room:
        return text
    kept = len(text)
    while kept and text_width(f"{text[:kept]}…", size, bold=bold) > room:
        kept -= 1
    return f"{text[:kept].rstrip()}…" if kept else ""


def footnote(text: str, width: float, y: float) -> list[Element]:
    """Return what is said below a picture so wide, as much of it as fits; nothing for an empty text."""
    return [element("text", fitted(text, width - 4, SIZE), class_="muted", x=2, y=y)] if text else []


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
        left, top, *_ = map(float, self.root.get("viewBox", "").split())
        x, y, width, height = left - MARGIN, top - MARGIN, self.width + 2 * MARGIN, self.height + 2 * MARGIN
        size = {"width": number(width), "height": number(height)}
        whole = Element("svg", {"xmlns": NAMESPACE, **self.root.attrib, "viewBox": _box(x, y, width, height), **size})
        whole.append(element("style", style(theme)))
        whole.append(element("rect", class_="ground", x=x, y=y, width=width, height=height))
        whole.extend(self.root)
        return f"{tostring(whole, encoding='unicode')}\n"

    def _repr_svg_(self) -> str:
        return self.to_svg()


def picture(
    kind: str, content: Iterable[Element], width: float, height: float, label: str, *, margin: float = 0
) -> Picture:
    """Return a picture of a kind, which is its class in style sheets; ``margin`` is added on all sides."""
    wide, high = width + 2 * margin, height + 2 * margin
    box = _box(-margin, -margin, wide, high)
    root = element("svg", class_=f"picture {kind}", viewBox=box, role="img", aria_label=label)
    root.extend(content)
    return Picture(root, wide, high, label)


def _box(*edges: float) -> str:
    return " ".join(map(number, edges))
