"""For programs that read line by line: a design a line, each a JSON object of its own."""

from __future__ import annotations

import json

from convcalc.render.results.row_list import LineRows, Rows, RowStream
from convcalc.render.tables.surface import Surface
from convcalc.report.row_list import Listing


def listing(listing: Listing, surface: Surface) -> str:
    """Return a design a line, with every field."""
    return _lines(listing, listing.rows)


def stream(listing: Listing, surface: Surface) -> RowStream:
    """Return a list to be written as its rows come."""
    return LineRows("", lambda rows: _lines(listing, rows))


def _lines(listing: Listing, rows: Rows) -> str:
    keys = [field.key for field in listing.fields]
    return "".join(f"{_encode({key: row.get(key) for key in keys})}\n" for row in rows)


_encode = json.JSONEncoder().encode
"""ASCII only: any locale can print it, and no character gets through unescaped."""
