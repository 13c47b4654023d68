"""What random draws share: a module with what enters, and how sizes and options are drawn."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, NamedTuple

from pieces import Call

Draw = Callable[[Random], "Drawn"]
LONG = {1: 24, 2: 14, 3: 8}
"""Longest axis by the number of spatial axes."""
LETTERS = {1: "1d", 2: "2d", 3: "3d"}


class Drawn(NamedTuple):
    """A module and the shapes that enter it, without batch; ``words``: they hold numbers of rows."""

    kind: str
    module: Call
    inputs: list[list[int]]
    words: bool = False


def rarely(rng: Random, share: float = 0.15) -> bool:
    return rng.random() < share


def axes_of(rng: Random) -> int:
    return rng.choice((1, 2, 2, 2, 3))


def spatial(rng: Random, axes: int, least: int = 1) -> list[int]:
    return [rng.randint(least, LONG[axes]) for _ in range(axes)]


def sizes(rng: Random, axes: int, least: int, most: int) -> Any:
    """One number for all axes, or one for each."""
    if rng.random() < 0.5:
        return rng.randint(least, most)
    return tuple(rng.randint(least, most) for _ in range(axes))


def options(rng: Random, share: float = 0.5, **drawn: Callable[[], Any]) -> dict[str, Any]:
    """Some of the options, so that defaults are measured too."""
    return {name: draw() for name, draw in drawn.items() if rng.random() < share}


def flag(rng: Random) -> Callable[[], bool]:
    return lambda: rng.random() < 0.5
