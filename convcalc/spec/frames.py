"""Where expansion stands: the variables, names and block calls around an item, and the ways out of it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from convcalc.errors import Span, SpecError
from convcalc.spec.scopes import Scope

DELETED = -2
"""What an item gives that is as if it had not been written."""
_FRAMES = 50_000
"""Room for 64 block calls, each with a body nested as deep as YAML may be."""


@dataclass(slots=True, eq=False)
class Loop:
    """One run of a repeat: the nodes that each tied item made in the first turn."""

    first: dict[int, tuple[int, int]] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Frame:
    """What an item sees: variables (``own`` are those of its file), scope, input of its block or file, enclosing repeat, calls."""

    env: Mapping[str, Any]
    own: Mapping[str, Any]
    scope: Scope
    entry: int
    loop: Loop | None = None
    calls: tuple[tuple[str, Span], ...] = ()


class TooLargeError(SpecError):
    """A limit was passed: the expansion stops here."""


class SkipError(Exception):
    """What enters an item has failed: the item is skipped without an error of its own."""


def numbered(base: str, number: int) -> str:
    """Return the segment of one turn of a repeat; ``_`` between where the base ends in a digit."""
    return f"{base}{'_' if base[-1:].isdigit() else ''}{number}"


@contextmanager
def deep_calls() -> Iterator[None]:
    """Allow the nesting that the limits allow. Calls between Python functions take no C stack, so this is safe."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, _FRAMES))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)
