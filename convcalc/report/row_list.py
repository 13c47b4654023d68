"""Designs a line each: the data between what lists designs and what shows the list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from convcalc.number_format import count_of
from convcalc.records import NamedTuple


class RowField(NamedTuple):
    """One fact of a design: its key for programs, its heading for people, and whether it is a number."""

    key: str
    heading: str
    number: bool = False
    drop_priority: int = 0
    """A narrow terminal does without the fields that are least wanted; those with 0 always stay."""
    shown_to_people: bool = True
    """Whether people see it too, or programs alone."""
    optional: bool = False
    """Whether people only see it where a row has it."""
    shortest: int = 0
    """How many cells of it a terminal shows at least; 0 for a field that is never cut."""


class Listing(NamedTuple):
    """Rows of facts by key; a fact may be a text, an integer, a shape, shapes by name, or nothing."""

    noun: str
    """What a row is about: with an s, the key of the rows in JSON."""
    fields: Sequence[RowField]
    rows: Sequence[Mapping[str, Any]] = ()
    shared_values: Mapping[str, Any] = MappingProxyType({})
    """What holds for all rows: batch, number format."""
    has_errors: bool = False
    """Whether machine output has an ``errors`` key, even if there are none."""
    row: str = ""
    """What people call a row, where that is not the noun."""

    @property
    def size(self) -> str:
        """How many rows there are, in words."""
        return count_of(len(self.rows), self.row or self.noun)
