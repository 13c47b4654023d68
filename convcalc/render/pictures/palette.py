"""Colours: one meaning each, for light and for dark grounds.

The hues are those of Okabe and Ito (2008), which people with any colour vision can tell apart.
"""

from __future__ import annotations

from collections.abc import Mapping

CLASSES = 7
"""Classes of tint: 0 is nothing, 6 the largest."""
RAMP = 8
"""Colours for modules in the order of depth."""


def _named(
    colors: Mapping[str, str], tints: Mapping[str, tuple[str, ...]], depths: tuple[str, ...], ink: str
) -> dict[str, str]:
    """Add the tints, the text on each tint, and the ramp of depth."""
    found = dict(colors)
    for letter, classes in tints.items():
        for step, color in enumerate(classes):
            found[f"{letter}{step}"] = color
            found[f"on_{letter}{step}"] = max(colors["text"], ink, key=lambda each: contrast(each, color))
    return found | {f"q{step}": color for step, color in enumerate(depths)}


def luminance(color: str) -> float:
    """Return the relative luminance of ``#rrggbb``, from 0 to 1.

    Source:
        Web Content Accessibility Guidelines 2.2, "relative luminance".
    """
    parts = [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours, from 1 to 21.

    Source:
        Web Content Accessibility Guidelines 2.2, "contrast ratio".
    """
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


LIGHT: Mapping[str, str] = _named(
    {
        "ground": "#fcfcfb", "panel": "#ffffff", "text": "#1d2126", "muted": "#69717b", "line": "#e3e5e8",
        "strong": "#111111", "p": "#0072b2", "m": "#d55e00", "a": "#009e73", "p_text": "#0072b2",
        "m_text": "#b34e00", "a_text": "#007a59",
    },
    {
        "p": ("#f3f4f5", "#e6f0f7", "#cbe1f0", "#a5cbe5", "#6fadd6", "#2a7cb0", "#0a5c94"),
        "m": ("#f3f4f5", "#fdeee0", "#fbd8b8", "#f7b984", "#ee904b", "#d96a1b", "#a94a05"),
        "a": ("#f3f4f5", "#e2f3ed", "#c3e7da", "#93d4bd", "#4fb995", "#0b7f5b", "#00664a"),
    },
    ("#1b4f72", "#2471a3", "#2e9ab5", "#3a9f8f", "#689d49", "#ab8c27", "#d67822", "#c8553d"),
    "#ffffff",
)  # fmt: skip
"""Colours by name, on a light ground: ``p`` for parameters, ``m`` for multiplies, ``a`` for activations and memory."""

DARK: Mapping[str, str] = _named(
    {
        "ground": "#14171a", "panel": "#1b1f23", "text": "#e8eaed", "muted": "#9aa3ad", "line": "#2c3136",
        "strong": "#ffffff", "p": "#56b4e9", "m": "#f08a3c", "a": "#33c49a", "p_text": "#56b4e9",
        "m_text": "#f08a3c", "a_text": "#33c49a",
    },
    {
        "p": ("#23282d", "#1d2f3c", "#1c3f57", "#1e5477", "#246d9b", "#3c92c8", "#7cc4f0"),
        "m": ("#23282d", "#3a2a1d", "#553619", "#774617", "#97561a", "#cb7426", "#f5a25d"),
        "a": ("#23282d", "#1c332c", "#184638", "#165e4a", "#137158", "#24a17e", "#5fdcb4"),
    },
    ("#6c7fc0", "#3d8fd1", "#2e9ab5", "#3fae9c", "#83b765", "#d3b03f", "#e08a3c", "#c8553d"),
    "#0d1013",
)  # fmt: skip
"""The same names on a dark ground."""


def tint(value: int, largest: int) -> int:
    """Return the class of a value: 0 for none, then 1 to 6 by the square root of its share of the largest.

    >>> [tint(value, 100) for value in (0, 1, 25, 100)]
    [0, 1, 3, 6]
    """
    if not value or not largest:
        return 0
    steps = CLASSES - 1
    # the class is ⌈steps·√(value / largest)⌉, found in integers
    return next(step for step in range(1, steps + 1) if steps * steps * value <= step * step * largest)
