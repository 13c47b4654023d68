"""Turns of a repeat whose count is a symbol: those that do the same are expanded once.

Turns are told apart where something compares their number ``i``: it then raises :class:`SplitTurnsError`, and the
network is expanded again with the turns in two parts.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from convcalc.records import dataclass


@dataclass(frozen=True, slots=True, eq=False)
class Turns:
    """The turns of a repeat from ``first`` up to ``end``, without it, as one."""

    repeat: Hashable
    """Which repeat it is."""
    place: int
    """Which part of its turns."""
    first: Any
    end: Any
    index: Any
    """The number of any of them: a symbol, or ``first`` where that is the only one."""
    known: Sequence[Any] = ()
    """Relations that hold for the repeat to have its parts."""

    @property
    def count(self) -> Any:
        """How many turns they are."""
        return self.end - self.first

    @property
    def is_one(self) -> bool:
        return bool(self.count == 1)


class SplitTurnsError(Exception):
    """Turns differ: those before ``at`` from the others."""

    def __init__(self, turns: Turns, at: Any) -> None:
        super().__init__(f"turns before {at}, and others")
        self.turns, self.at = turns, at


_open: ContextVar[Mapping[Any, Turns]] = ContextVar("turns")
"""The turns around, by their numbers."""


@contextmanager
def within_turns(turns: Turns) -> Iterator[None]:
    """Let comparisons of a turn's number be decided inside."""
    token = _open.set({**_open.get({}), turns.index: turns})
    try:
        yield
    finally:
        _open.reset(token)


def known_relations() -> list[Any]:
    """Return what holds for the repeats around to have their parts."""
    return [relation for turns in _open.get({}).values() for relation in turns.known]


def turns_in(expression: Any) -> Turns | None:
    """Return the turns whose number is in an expression, if it is that of one repeat alone."""
    known = _open.get({})
    found = [known[symbol] for symbol in getattr(expression, "free_symbols", ()) if symbol in known] if known else []
    return found[0] if len(found) == 1 else None
