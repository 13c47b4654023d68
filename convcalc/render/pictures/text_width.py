"""How wide a text is: measured, not guessed, from the advance widths of Liberation Sans (those of Arial)."""

from __future__ import annotations

from functools import cache

UNITS = 2048
"""Units of the table to the font's size."""
_WIDTHS = {
    391: "'", 455: "ijl", 532: "|", 569: " !,./:;I[\\]ft·", 682: "()-`r", 684: "{}", 727: '"', 797: "*", 961: "^",
    1024: "Jcksvxyz", 1124: "≥≤÷", 1139: "#$0123456789?L_abdeghnopqu–", 1196: "+<=>~×−", 1251: "FTZ",
    1366: "&ABEKPSVXY", 1479: "CDHNRUw", 1593: "GOQ", 1706: "Mm", 1821: "%", 1933: "W", 2048: "…→", 2079: "@",
}  # fmt: skip
WIDEST = 2080
"""What any other character is taken for, so that no text is wider than measured in the scripts of Europe and Asia."""
BOLD = 1.08
"""How much wider bold text is, on average; digits and spaces are not."""


@cache
def _widths() -> dict[str, int]:
    return {character: width for width, characters in _WIDTHS.items() for character in characters}


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """Return the width of a text, in the unit of ``size``.

    >>> text_width("conv 3×3", 12)
    49.0
    """
    known = _widths()
    units = sum(known.get(character, WIDEST) for character in text)
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
