"""A list of designs as a grid, without the columns that a narrow terminal has no room for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import IO, Any, Protocol

from convcalc.number_format import format_exact
from convcalc.records import NamedTuple, replace
from convcalc.render.tables.blocks import Block, Paragraph, Table, TableColumn, left_out
from convcalc.render.tables.characters import Characters
from convcalc.render.tables.surface import Surface
from convcalc.report.row_list import Listing, RowField

SENTENCE = re.compile(r"(?:error|warning) (CC\d{3}: .*)")


def listing_blocks(listing: Listing, surface: Surface) -> Iterator[Block]:
    """The table, what is hidden of it, and how many rows there are."""
    glyphs = surface.glyphs
    listing = listing._replace(rows=[_brief(row) for row in listing.rows])
    shown, hidden = seen(listing), []
    table = _cut(grid(listing, shown, glyphs), shown, glyphs, surface.width)
    while surface.width is not None and table.width > surface.width and any(field.drop_priority for field in shown):
        least = max(shown, key=lambda field: field.drop_priority)
        shown.remove(least)
        hidden.append(least.heading)
        table = _cut(grid(listing, shown, glyphs), shown, glyphs, surface.width)
    if surface.width is not None and table.width > surface.width:
        table = grid(listing, shown, glyphs)  # a row becomes a paragraph, which has room for all
    if listing.rows:
        yield table
        yield Paragraph()
    if hidden:
        yield left_out(", ".join(hidden), surface.width, grid(listing, seen(listing), glyphs).width)
    yield surface.line(listing.size)


def _brief(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a row with its error but without the place, which stands in full beside the table."""
    found = SENTENCE.search(row.get("error") or "")
    return {**row, "error": found[1]} if found else row


def _cut(table: Table, fields: Sequence[RowField], glyphs: Characters, width: int | None) -> Table:
    """Cut the texts of the fields that may be cut, to the room that is left."""
    columns = list(table.columns)
    for place, field in enumerate(fields):
        if field.shortest and width is not None and table.width > width:
            column = columns[place]
            room = max(field.shortest, width - table.width + column.width)
            columns[place] = column._replace(texts=[glyphs.truncate(text, room) for text in column.texts])
    return replace(table, columns=columns)


def seen(listing: Listing) -> list[RowField]:
    """Return the fields that people see."""
    return [field for field in listing.fields if field.shown_to_people]


def grid(listing: Listing, fields: Sequence[RowField], glyphs: Characters) -> Table:
    """Return the whole table of some fields."""
    columns = [
        TableColumn(field.heading, [fact(row.get(field.key), glyphs) for row in listing.rows], right=field.number)
        for field in fields
    ]
    return Table(columns)


def fact(value: Any, glyphs: Characters) -> str:
    """Return a fact as people read it; nothing is blank."""
    if value is None:
        return ""
    if isinstance(value, int):
        return format_exact(value)
    if isinstance(value, Mapping):
        return ", ".join(f"{glyphs.text(name)} {glyphs.shape(axes)}" for name, axes in value.items())
    return glyphs.text(value) if isinstance(value, str) else glyphs.shape(value)


def plain_shape(value: Any) -> str:
    """Return a shape for programs, or several with their names: ``3x224x224``."""
    if isinstance(value, Mapping):
        return " ".join(f"{name}={plain_shape(axes)}" for name, axes in value.items())
    return "x".join(map(str, value))


Rows = Sequence[Mapping[str, Any]]


class TextColumn(NamedTuple):
    """A column of texts: the place of each in a list."""

    places: Any
    texts: Sequence[str]


class RowStream(Protocol):
    """A list that is being written. What its calls return, one after the other, is the document."""

    def add(self, rows: Rows) -> str | bytes:
        """Return whole rows, with what stands before the first of them."""

    def end(self, errors: Rows = ()) -> str | bytes:
        """Return what stands behind the last row; ``errors`` are told where the format has a place for them."""


class ColumnStream(RowStream, Protocol):
    """A list that takes columns as well: arrays of integers, and ``TextColumn``, by the keys of its fields."""

    def add_columns(self, columns: Mapping[str, Any]) -> bytes:
        """Return the bytes of the groups of rows that are full."""

    def pack(self, columns: Mapping[str, Any]) -> bytes:
        """Return columns as a message that ``unpacked`` reads."""

    def unpacked(self, file: IO[bytes], size: int) -> Iterator[bytes]:
        """Give the bytes of the full groups of rows whose messages a file of this size has."""


class BufferedRows:
    """A list whose layout depends on all its rows: nothing is written before the last is there."""

    def __init__(self, listing: Listing, drawn: Callable[[Listing], str]) -> None:
        self.listing = listing
        self.drawn = drawn
        self.rows: list[Mapping[str, Any]] = []

    def add(self, rows: Rows) -> str:
        """Keep rows, without names that only repeat their designs."""
        self.rows += ({**row, "name": None} if row.get("name") == row.get("design") else row for row in rows)
        return ""

    def end(self, errors: Rows = ()) -> str:
        """Return the whole list, without the optional fields that no row has."""
        fields = [
            field for field in self.listing.fields
            if not field.optional or any(row.get(field.key) is not None for row in self.rows)
        ]  # fmt: skip
        return self.drawn(self.listing._replace(fields=fields, rows=self.rows))


class LineRows:
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
