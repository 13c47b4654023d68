"""The settings of a layer, read with their types: what a file holds may be anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from convcalc.errors import SpecError, quoted
from convcalc.shapes import MAX_AXIS_SIZE

_MISSING = object()


def bad(text: str, hint: str = "") -> SpecError:
    """Return the error for a setting that is missing or wrong."""
    return SpecError("CC766", text, hint=hint)


class LayerSettings:
    """The ``config`` of a layer."""

    def __init__(self, values: object) -> None:
        if not isinstance(values, Mapping):
            raise bad("the layer has no config")
        self.values = values

    def get(self, key: str, default: Any = None) -> Any:
        return self.values.get(key, default)

    def _required(self, key: str, default: Any) -> Any:
        value = self.values.get(key)
        if value is None and default is _MISSING:
            raise bad(f"{key} is missing")
        return value

    def number(self, key: str, default: Any = _MISSING) -> Any:
        """Return an integer, or what stands for a missing one."""
        value = self._required(key, default)
        return default if value is None else integer(key, value)

    def positive(self, key: str, default: Any = _MISSING) -> Any:
        value = self.number(key, default)
        if isinstance(value, int) and value < 1:
            raise bad(f"{key} = {value} must be positive")
        return value

    def sizes(self, key: str, axes: int, default: Any = _MISSING) -> Any:
        """Return one integer for each axis; a single one holds for all."""
        value = self._required(key, default)
        return default if value is None else per_axis(key, value, axes)

    def entries(self, key: str) -> list[Any]:
        """Return a list; nothing for a missing one."""
        value = self.values.get(key)
        if value is not None and not isinstance(value, list):
            raise bad(f"{key} is not a list: {quoted(str(value))}")
        return value or []

    def flag(self, key: str, default: bool) -> bool:
        value = self.values.get(key)
        if value is not None and not isinstance(value, bool | int):
            raise bad(f"{key} is neither true nor false: {quoted(str(value))}")
        return default if value is None else bool(value)

    def text(self, key: str, default: str = "") -> str:
        value = self.values.get(key)
        return value if isinstance(value, str) else default


def integer(key: str, value: object) -> int:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) > MAX_AXIS_SIZE:
        raise bad(f"{key} is not an integer: {quoted(str(value))}")
    return value


def numbers(key: str, value: object) -> tuple[int, ...]:
    return tuple(integer(key, each) for each in (value if isinstance(value, list | tuple) else [value]))


def per_axis(key: str, value: object, axes: int) -> tuple[int, ...]:
    found = numbers(key, value)
    if len(found) == 1:
        found *= axes
    if len(found) != axes:
        raise bad(f"{key} has {len(found)} numbers for {axes} axes")
    return found


def pairs(key: str, value: object, axes: int) -> tuple[tuple[int, int], ...]:
    """Return (before, after) of every axis: of ``n``, ``[n, …]``, ``[[before, after], …]``, or of one ``[b, a]``."""
    if axes == 1 and isinstance(value, list) and len(value) == 2 and not isinstance(value[0], list):
        value = [value]
    given: Sequence[object] = value if isinstance(value, list) else [value] * axes
    if len(given) != axes:
        raise bad(f"{key} has {len(given)} entries for {axes} axes")
    each = [per_axis(key, entry, 2) for entry in given]
    return tuple((before, after) for before, after in each)
