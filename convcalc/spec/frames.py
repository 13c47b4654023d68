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
COPIED = 50
_FRAMES = 50_000
"""Room for 64 block calls, each with a body nested as deep as YAML may be."""


Variables = Mapping[str, Any]


class Layered(dict[str, Any]):
    """Variables over others, which are looked up where these have no value."""

    __slots__ = ("under",)

    def __init__(self, over: Variables, under: Variables) -> None:
        super().__init__(over)
        self.under = under

    def __missing__(self, name: str) -> Any:
        return self.under[name]

    def get(self, name: str, default: Any = None) -> Any:
        return self[name] if name in self else self.under.get(name, default)


def extended(variables: Variables, more: Variables) -> dict[str, Any]:
    """Return variables with more of them. Many are not copied again and again, but looked through."""
    if type(variables) is dict and len(variables) <= COPIED:
        return {**variables, **more}
    return Layered(more, variables)


@dataclass(slots=True, eq=False)
class Loop:
    """One run of a repeat: the nodes that each tied item made in the first turn."""

    first: dict[int, tuple[int, int]] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Frame:
    """What an item sees: variables (``own`` are its file's), scope, input of its block or file, repeat, block calls."""

    env: Variables
    own: Variables
    scope: Scope
    entry: int
    loop: Loop | None = None
    calls: tuple[tuple[Scope, Span], ...] = ()
    """The blocks that are open, with the places of their calls, innermost first."""

    def turn(self, variables: Variables, loop: Loop) -> Frame:
        """Return the frame of one turn of a repeat."""
        return Frame(extended(self.env, variables), self.own, self.scope, self.entry, loop, self.calls)

    def below(self, segment: str) -> Frame:
        """Return the frame of a scope in this one."""
        return Frame(self.env, self.own, self.scope.below(segment), self.entry, self.loop, self.calls)

    @property
    def trail(self) -> tuple[tuple[str, Span], ...]:
        """The block calls that led here, as errors show them."""
        return tuple((scope.path, span) for scope, span in self.calls)


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
