"""Designs a line each: the data between what lists designs and what shows the list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple


class Field(NamedTuple):
    """One fact of a design: its key for programs, its heading for people, and whether it is a number."""

    key: str
    heading: str
    number: bool = False
    wanted: int = 0
    """A narrow terminal does without the fields that are least wanted; those with 0 always stay."""
    people: bool = True
    """Whether people see it too, or programs alone."""


class Listing(NamedTuple):
    """Rows of facts by key; a fact may be a text, an integer, a shape or nothing."""

    noun: str
    """What a row is."""
    fields: Sequence[Field]
    rows: Sequence[Mapping[str, Any]]
