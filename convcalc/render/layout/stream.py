"""Lists that are written while their rows come: what a format remembers between one row and the next."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from convcalc.listing import Listing

Rows = Sequence[Mapping[str, Any]]


class Stream(Protocol):
    """A list that is being written. What its calls return, one after the other, is the document."""

    def add(self, rows: Rows) -> str | bytes:
        """Return whole rows, with what stands before the first of them."""

    def end(self, errors: Rows = ()) -> str | bytes:
        """Return what stands behind the last row; ``errors`` are told where the format has a place for them."""


class Collected:
    """A list whose layout depends on all its rows: nothing is written before the last is there."""

    def __init__(self, listing: Listing, drawn: Callable[[Listing], str]) -> None:
        self.listing = listing
        self.drawn = drawn
        self.rows: list[Mapping[str, Any]] = []

    def add(self, rows: Rows) -> str:
        """Keep rows."""
        self.rows += rows
        return ""

    def end(self, errors: Rows = ()) -> str:
        """Return the whole list, without the optional fields that no row has."""
        fields = [
            field for field in self.listing.fields
            if not field.optional or any(row.get(field.key) is not None for row in self.rows)
        ]  # fmt: skip
        return self.drawn(self.listing._replace(fields=fields, rows=self.rows))


class Lines:
    """A list of independent lines below a heading, if there is one."""

    def __init__(self, heading: str, drawn: Callable[[Rows], str]) -> None:
        self.heading = heading
        self.drawn = drawn

    def add(self, rows: Rows) -> str:
        """Return the lines of rows; the first ones with the heading."""
        heading, self.heading = self.heading, ""
        return heading + self.drawn(rows)

    def end(self, errors: Rows = ()) -> str:
        """Return the heading, if no row has come."""
        return self.heading
