"""A list of designs as a grid, without the columns that a narrow terminal has no room for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from convcalc.listing import Field, Listing
from convcalc.render.layout.entries import counted
from convcalc.render.layout.frame import Block
from convcalc.render.layout.glyphs import Glyphs
from convcalc.render.layout.grid import Column, Grid
from convcalc.render.layout.numbers import exact
from convcalc.render.layout.prose import Prose
from convcalc.render.surface import Surface


def listing_blocks(listing: Listing, surface: Surface) -> Iterator[Block]:
    """The table, what is hidden of it, and how many rows there are."""
    glyphs = Glyphs(surface.ascii_only)
    shown, hidden = seen(listing), []
    table = grid(listing, shown, glyphs)
    while surface.width is not None and table.width > surface.width and any(field.wanted for field in shown):
        least = max(shown, key=lambda field: field.wanted)
        shown.remove(least)
        hidden.append(least.heading)
        table = grid(listing, shown, glyphs)
    if listing.rows:
        yield table
        yield Prose()
    if hidden:
        yield Prose([(f"Too narrow for {', '.join(hidden)}.", "dim")], surface.width)
    yield Prose([(counted(len(listing.rows), listing.noun), "")], surface.width)


def seen(listing: Listing) -> list[Field]:
    """Return the fields that people see."""
    return [field for field in listing.fields if field.people]


def grid(listing: Listing, fields: Sequence[Field], glyphs: Glyphs) -> Grid:
    """Return the whole table of some fields."""
    columns = [
        Column(field.heading, [fact(row.get(field.key), glyphs) for row in listing.rows], right=field.number)
        for field in fields
    ]
    return Grid(columns, ["" for _ in listing.rows])


def fact(value: Any, glyphs: Glyphs) -> str:
    """Return a fact as people read it; nothing is blank."""
    if value is None:
        return ""
    if isinstance(value, int):
        return exact(value)
    if isinstance(value, Mapping):
        return ", ".join(f"{glyphs.text(name)} {glyphs.shape(axes)}" for name, axes in value.items())
    return glyphs.text(value) if isinstance(value, str) else glyphs.shape(value)
