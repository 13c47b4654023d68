"""YAML in the style of the bundled specs: what fits stands on one line, what does not is broken at its outermost."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

WIDTH = 120
PLAIN = re.compile(r"-?[\w.(][^\x00-\x1f,\[\]{}]*")
NOT_PLAIN = re.compile(r":(\s|$)|\s#|\s$")


def scalar(value: Any) -> str:
    """Return a number, a word, an expression or a text as YAML has it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Fraction):
        return fraction(value)
    text = str(value)
    if value is None or text == "":
        return '""' if text == "" else ""
    is_plain = text != "null" and PLAIN.fullmatch(text) and not NOT_PLAIN.search(text)
    return text if is_plain else json.dumps(text, ensure_ascii=False)


def fraction(value: Fraction) -> str:
    """Return a decimal, if it is one, or a quotient."""
    rest = value.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    if rest > 1:
        return f"{value.numerator}/{value.denominator}"
    exponent = value.denominator.bit_length() + 1
    return format(Decimal(value.numerator * 10**exponent // value.denominator).scaleb(-exponent).normalize(), "f")


class BlockParameters(dict[str, Any]):
    """The parameters of a block: one without a default is its name alone."""


def flow(value: Any) -> str:
    """Return a value on one line."""
    if isinstance(value, BlockParameters):
        return "{" + ", ".join(key if item is None else _pair(key, item) for key, item in value.items()) + "}"
    if isinstance(value, Mapping):
        return "{" + ", ".join(_pair(key, item) for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_entry(item) for item in value) + "]"
    return scalar(value)


def _pair(key: str, value: Any) -> str:
    return f"{scalar(key)}: {flow(value)}"


def _entry(value: Any) -> str:
    """Return an entry of a list; a mapping of one key needs no braces there."""
    if isinstance(value, Mapping) and len(value) == 1:
        ((key, item),) = value.items()
        if item is not None:
            return _pair(key, item)
    return flow(value)


def _may_fit(value: Any, room: int = WIDTH) -> bool:
    """Whether a value may fit on a line: looked at no further than it takes to tell."""
    return _room_left(value, room) > 0


def _room_left(value: Any, room: int) -> int:
    """Return what is left of so many characters behind a value, of which each scalar takes three at least."""
    if isinstance(value, Mapping):
        value = value.values()
    elif not isinstance(value, list | tuple):
        return room - 3
    for each in value:
        room = _room_left(each, room)
        if room <= 0:
            break
    return room


def entries(items: Sequence[Any], indent: int) -> Iterator[str]:
    """Yield the lines of a list in block style."""
    pad = " " * indent
    for item in items:
        is_leaf = not isinstance(item, Mapping | list | tuple)
        line = f"{pad}- {_entry(item)}" if is_leaf or _may_fit(item) else ""
        if is_leaf or (line and len(line) <= WIDTH):
            yield line
        else:
            first, *rest = fields(item, indent + 2) if isinstance(item, Mapping) else entries(item, indent + 2)
            yield f"{pad}- {first.lstrip()}"
            yield from rest


def fields(mapping: Mapping[str, Any], indent: int) -> Iterator[str]:
    """Yield the lines of a mapping in block style."""
    pad = " " * indent
    for key, value in mapping.items():
        is_leaf = not isinstance(value, Mapping | list | tuple)
        line = f"{pad}{_pair(key, value)}".rstrip() if is_leaf or _may_fit(value) else ""
        if is_leaf or (line and len(line) <= WIDTH):
            yield line
        else:
            yield f"{pad}{scalar(key)}:"
            yield from fields(value, indent + 2) if isinstance(value, Mapping) else entries(value, indent + 2)
