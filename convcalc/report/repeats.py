"""Neighbours that repeat, once or in turns: what is shown once for several."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from operator import eq

from convcalc.records import NamedTuple

LONGEST = 100
"""Longer turns are not looked for, so that the time grows with the number of names alone."""


class RepeatedNeighbours(NamedTuple):
    """Some neighbours, and how often they are there, one after the other."""

    start: int
    """Where the first of them is in the sequence."""
    period: int
    """How many they are."""
    times: int

    @property
    def end(self) -> int:
        """Where the next repeat starts."""
        return self.start + self.period * self.times


def find_repeats(names: Sequence[Hashable]) -> list[RepeatedNeighbours]:
    """Return a sequence as repeats, in order and without gaps; what is there once is a repeat of one.

    Equal neighbours come first, then the shortest turns: of ``aabaab`` first the two ``aa``, then ``(aa)b`` twice.
    """
    numbers: dict[Hashable, int] = {}
    words = [numbers.setdefault(name, len(numbers)) for name in names]
    found = [RepeatedNeighbours(place, 1, 1) for place in range(len(words))]
    folds: dict[Hashable, int] = {}
    period = 1
    while 2 * period <= len(words) and period <= LONGEST and len(set(words)) < len(words):
        alike = bytes(map(eq, words, words[period:]))
        if b"\1" * period not in alike:
            period += 1
            continue
        words, found = _fold(words, found, alike, period, folds)
        period = 1
    return found


def _fold(
    words: Sequence[int], found: Sequence[RepeatedNeighbours], alike: bytes, period: int, folds: dict[Hashable, int]
) -> tuple[list[int], list[RepeatedNeighbours]]:
    """Make one word of every run of so many words; ``alike`` has 1 where a word equals that a period later."""
    new_words: list[int] = []
    new_found: list[RepeatedNeighbours] = []
    at = 0
    while (start := alike.find(b"\1" * period, at)) >= 0:
        end = alike.find(b"\0", start)
        count = ((end if end >= 0 else len(alike)) - start) // period + 1
        turn = tuple(words[start : start + period])
        first, last = found[start], found[start + period - 1]
        new_words += [*words[at:start], folds.setdefault((turn, count), -1 - len(folds))]
        new_found += [*found[at:start], RepeatedNeighbours(first.start, last.end - first.start, count)]
        at = start + period * count
    return [*new_words, *words[at:]], [*new_found, *found[at:]]
