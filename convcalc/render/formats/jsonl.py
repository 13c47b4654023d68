"""For programs that read line by line: a design a line, each a JSON object of its own."""

from __future__ import annotations

import json

from convcalc.render.results.row_list import LineRows
from convcalc.render.tables.surface import Surface
from convcalc.report.row_list import Listing


def stream(listing: Listing, surface: Surface) -> LineRows:
    """Return a list of designs, one a line with every field, to be written as its rows come."""
    keys = [field.key for field in listing.fields]
    return LineRows("", lambda rows: "".join(f"{_encode({key: row.get(key) for key in keys})}\n" for row in rows))


_encode = json.JSONEncoder().encode
"""ASCII only: any locale can print it, and no character gets through unescaped."""
