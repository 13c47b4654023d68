"""What ``plot`` draws: a picture of a report or a comparison by its kind, with the same as a Vega-Lite chart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from convcalc.records import dataclass
from convcalc.render.pictures.bars import bars, comparison_bars
from convcalc.render.pictures.bridge import bridge
from convcalc.render.pictures.modules import module_tree
from convcalc.render.pictures.skyline import skyline
from convcalc.render.pictures.squares import squares
from convcalc.render.pictures.svg import Picture, Theme
from convcalc.render.pictures.treemap import treemap
from convcalc.render.plots import vega
from convcalc.report.compare import Comparison
from convcalc.report.drawn import unknown
from convcalc.report.report import Report

KINDS = ("bridge", "bars", "skyline", "treemap")
"""Pictures of one design."""
COMPARED = ("compare", "bars")
"""Pictures of several."""
LEAST_WIDTH = 240
"""In pixels: in a narrower picture nothing could be read."""


@dataclass(frozen=True)
class Drawing:
    """A picture, and the same as a chart of Vega-Lite."""

    picture: Picture
    chart: Mapping[str, Any]
    theme: Theme = "auto"


def draw_report(report: Report, kind: str = "bridge", *, width: int | None = None, depth: int | None = None) -> Drawing:
    """Draw one design.

    Args:
        report: its numbers.
        kind: one of ``KINDS``.
        width: in pixels; by default that of the kind.
        depth: of ``bars``, so many segments of paths are a row.

    Raises:
        ValueError: for another kind, or too small a width.
    """
    sized, root = _sized(width), module_tree(report)
    if kind == "bridge":
        return Drawing(bridge(root, **sized), vega.bridge(root))
    if kind == "bars":
        return Drawing(bars(root, depth=depth, **sized), vega.bars(root, depth))
    if kind == "skyline":
        return Drawing(skyline(root, report, **sized), vega.skyline(root, report))
    if kind == "treemap":
        return Drawing(treemap(root, **sized), vega.treemap(root))
    raise unknown("kind of picture", kind, KINDS)


def draw_comparison(comparison: Comparison, kind: str = "compare", *, width: int | None = None) -> Drawing:
    """Draw several designs: ``compare`` as squares to one scale, ``bars`` with a bar for each.

    Raises:
        ValueError: for another kind, or too small a width.
    """
    sized = _sized(width)
    if kind == "compare":
        roots = map(module_tree, comparison.reports)
        designs = list(zip(comparison.labels, roots, strict=True))
        return Drawing(squares(designs, **sized), vega.squares(designs))
    if kind == "bars":
        return Drawing(comparison_bars(comparison, **sized), vega.comparison_bars(comparison))
    raise unknown("kind of picture", kind, COMPARED)


def _sized(width: int | None) -> dict[str, Any]:
    """Return a width as an argument, if it is one that a picture can have: without one a kind has its own."""
    if width is not None and width < LEAST_WIDTH:
        raise ValueError(f"the width of a picture is at least {LEAST_WIDTH} pixels, not {width!r}")
    return {} if width is None else {"width": width}
