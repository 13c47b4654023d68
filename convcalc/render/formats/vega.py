"""For other tools to draw: a chart of Vega-Lite 6, with its data inside."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from convcalc.render.tables.surface import Surface

if TYPE_CHECKING:
    from convcalc.render.plots.drawing import Drawing


def plot(drawing: Drawing, surface: Surface) -> str:
    """Return a chart as JSON."""
    return f"{json.dumps(drawing.chart)}\n"
