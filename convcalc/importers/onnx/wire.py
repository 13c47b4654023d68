"""Protobuf's wire format, read over a memory map: bounded, and without touching what no table asks for.

A table names the fields of a message by their numbers, each with the kind of its value; fields that it does not name
are passed over by their length. Time grows with the number of fields, memory with what the tables ask for.

Source: protobuf's encoding guide.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Callable
from typing import Any, TypeAlias

from convcalc.records import NamedTuple

MAX_NESTING = 64
MAX_TEXT_BYTES = 1 << 16
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
_WIDTHS = {FIXED64: 8, FIXED32: 4}

Buffer: TypeAlias = mmap.mmap | bytes


class Damaged(ValueError):
    """Bytes that are no message: truncated, or of another kind than their table says."""


class FieldValue(NamedTuple):
    """The value of a field: a variable-length integer as ``start``, or the place of its bytes."""

    data: Buffer
    wire: int
    start: int
    end: int
    depth: int


class Field(NamedTuple):
    """A field of a message: how it is called, what reads its values, and what it is where it is missing."""

    name: str
    kind: Callable[[FieldValue], Any]
    default: Any = None
    is_repeated: bool = False


Table: TypeAlias = dict[int, Field]


def many(name: str, kind: Callable[[FieldValue], Any]) -> Field:
    """A field whose values are gathered; a kind that gives a list may hold several."""
    return Field(name, kind, None, True)


def message(table: Table, make: Callable[[dict[str, Any]], Any]) -> Callable[[FieldValue], Any]:
    """The kind of a message inside another one, of whose fields something is made."""

    def read(item: FieldValue) -> Any:
        if item.wire != BYTES:
            raise Damaged(f"no message at byte {item.start:,}")
        return make(read_message(item.data, item.start, item.end, table, item.depth))

    return read


def read_message(data: Buffer, start: int, end: int, table: Table, depth: int = 0) -> dict[str, Any]:
    """Read the fields of a message that a table names.

    Raises:
        Damaged: where the bytes do not fit each other or the table.
    """
    if depth > MAX_NESTING:
        raise Damaged(f"messages are nested more than {MAX_NESTING} deep")
    found = {name: [] if is_repeated else default for name, _, default, is_repeated in table.values()}
    at = start
    while at < end:
        tag, at = _varint(data, at, end)
        wire = tag & 7
        if wire == VARINT:
            first, at = _varint(data, at, end)
            last = at
        elif wire == BYTES or wire in _WIDTHS:
            length, first = _varint(data, at, end) if wire == BYTES else (_WIDTHS[wire], at)
            at = last = first + length
            if last > end:
                raise Damaged(f"truncated: {length:,} bytes are announced at byte {first:,}, {end - first:,} are left")
        else:
            raise Damaged(f"wire type {wire} at byte {at:,}")
        if (field := table.get(tag >> 3)) is not None:
            value = field.kind(FieldValue(data, wire, first, last, depth + 1))
            if not field.is_repeated:
                found[field.name] = value
            elif type(value) is list:
                found[field.name] += value
            else:
                found[field.name].append(value)
    return found


def _varint(data: Buffer, at: int, end: int) -> tuple[int, int]:
    """Read an integer of seven bits a byte, and return it with where the next value begins."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= end:
            raise Damaged(f"truncated at byte {at:,}")
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value & (1 << 64) - 1, at
    raise Damaged(f"an integer of more than 10 bytes at byte {at:,}")


# --- kinds ------------------------------------------------------------------------------------------------------------


def integer(item: FieldValue) -> int:
    """Read a signed integer of 64 bits."""
    if item.wire != VARINT:
        raise Damaged(f"no integer at byte {item.start:,}")
    return _signed(item.start)


def integers(item: FieldValue) -> list[int]:
    """Read signed integers, which are written one by one or packed."""
    if item.wire == VARINT:
        return [_signed(item.start)]
    found, at = [], item.start
    while at < item.end:
        value, at = _varint(item.data, at, item.end)
        found.append(_signed(value))
    return found


def _signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value


def floats(item: FieldValue) -> list[float]:
    """Read numbers of 32 bits, which are written one by one or packed."""
    if item.wire == VARINT or (item.end - item.start) % 4:
        raise Damaged(f"no numbers at byte {item.start:,}")
    return list(struct.unpack(f"<{(item.end - item.start) // 4}f", item.data[item.start : item.end]))


def number(item: FieldValue) -> float:
    """Read one number of 32 bits."""
    if item.wire != FIXED32:
        raise Damaged(f"no number at byte {item.start:,}")
    return floats(item)[0]


def text(item: FieldValue) -> str:
    """Read a name."""
    if item.end - item.start > MAX_TEXT_BYTES:
        raise Damaged(f"a name of {item.end - item.start:,} bytes at byte {item.start:,}")
    return beginning(item)


def beginning(item: FieldValue) -> str:
    """Read a text, of one that is longer than any name its beginning."""
    if item.wire != BYTES:
        raise Damaged(f"no text at byte {item.start:,}")
    return item.data[item.start : min(item.end, item.start + MAX_TEXT_BYTES)].decode("utf-8", "replace")


def place(item: FieldValue) -> FieldValue:
    """Return where values are, to be read when it is known what they are."""
    return item
