"""How much of its designs a page shows: all, or less where it would be larger than half a megabyte."""

from __future__ import annotations

from collections.abc import Callable

from convcalc.records import NamedTuple

MOST_BYTES = 500_000
"""A page of one design is not larger; of several, this for each."""
WHY = "a page has at most 500 kB"
ELSEWHERE = "“convcalc report DESIGN --json” has them."


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
