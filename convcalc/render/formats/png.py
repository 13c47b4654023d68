"""For slides and papers that take no SVG: a picture in pixels, by resvg, two for each of the SVG's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convcalc.errors import SpecError
from convcalc.extras import E_MISSING_PACKAGE, require
from convcalc.render.tables.surface import Surface

if TYPE_CHECKING:
    from convcalc.render.pictures.graph.graph import GraphDiagram
    from convcalc.render.pictures.svg import Picture, Theme
    from convcalc.render.plots.drawing import Drawing

ZOOM = 2
MOST_PIXELS = 50_000_000


def plot(drawing: Drawing, surface: Surface) -> bytes:
    """Return a picture as PNG, with the fonts of this machine; ``auto`` is the light theme.

    Raises:
        SpecError: CC719, where resvg is not installed or cannot be loaded; CC783, where the picture is too large.
    """
    return _pixels(drawing.picture, drawing.theme)


def graph(graph: GraphDiagram, surface: Surface) -> bytes:
    """Return the picture of a graph, as ``plot`` does its own."""
    return _pixels(graph.picture, graph.theme)


def _pixels(picture: Picture, theme: Theme) -> bytes:
    hint = "pip install 'convcalc[png]', or write svg"
    require("resvg_py", code=E_MISSING_PACKAGE, needed="PNG files need resvg-py", hint=hint)
    import resvg_py

    if ZOOM * picture.width * ZOOM * picture.height > MOST_PIXELS:
        size = f"{picture.width:,.0f}×{picture.height:,.0f}"
        raise SpecError("CC783", f"a picture of {size} is too large for PNG", hint="write svg, or draw less")
    svg = picture.to_svg("light" if theme == "auto" else theme)
    return bytes(resvg_py.svg_to_bytes(svg_string=svg, zoom=ZOOM, sans_serif_family="Liberation Sans"))
