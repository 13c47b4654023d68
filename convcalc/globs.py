"""Globs over paths: ``*`` and ``?`` within a segment, ``**`` across segments, ``[…]`` one character of some.

A glob is a list of steps, one a segment. Matching keeps the set of steps that may come next and moves it on by one
segment of the path at a time, and nothing is ever tried twice: with n segments in the path at most 2n + 2 steps are
waiting. The folders of a disk are walked by the same moves.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

LONGEST = 1000
"""Characters of a glob."""
DEEP = "**"
_WILD = frozenset("*?[")
_SET = re.compile(r"\[([!^]?)(\][^\]]*|[^\]]+)\]")


@dataclass(frozen=True, slots=True)
class Glob:
    """A glob, ready to match. ``None`` among the steps is ``**``: any number of segments."""

    steps: tuple[str | re.Pattern[str] | None, ...]

    @property
    def start(self) -> frozenset[int]:
        """The steps that may come first."""
        return self._opened({0})

    def after(self, waiting: frozenset[int], name: str, *, named: bool = False) -> frozenset[int]:
        """Return the steps that may come next behind a segment; with ``named``, only where the glob spells it out.

        A segment with a point at its beginning is matched by steps that begin with one, and ``**`` does not cross it.
        """
        name = _composed(name)
        return self._opened(set(self._passed(waiting, name, named)))

    def complete(self, waiting: frozenset[int]) -> bool:
        """Whether the glob may end here."""
        return len(self.steps) in waiting

    def _passed(self, waiting: frozenset[int], name: str, named: bool) -> Iterator[int]:
        for place in waiting:
            step = self.steps[place] if place < len(self.steps) else ""
            if isinstance(step, str):
                if step and step == name:
                    yield place + 1
            elif named:
                continue
            elif step is not None:
                if step.fullmatch(name):
                    yield place + 1
            elif not name.startswith("."):
                yield place

    def _opened(self, waiting: set[int]) -> frozenset[int]:
        """Add what stands behind a ``**``, which may match nothing."""
        return frozenset(
            waiting | {place + 1 for place in waiting if place < len(self.steps) and not self.steps[place]}
        )


def matches(pattern: str, path: str, separator: str) -> bool:
    """Whether a glob matches a whole path; ``separator`` parts both: ``/`` for files, ``.`` for layers.

    ``**`` in the middle or at the beginning stands for any number of segments, none included; at the end for one or
    more.

    Examples:
        >>> matches("models/**/*.yaml", "models/a.yaml", "/")
        True
        >>> matches("stage*.**", "stage1", ".")
        False
    """
    pattern_steps = glob(pattern, separator)
    waiting = pattern_steps.start
    for name in path.split(separator):
        waiting = pattern_steps.after(waiting, name)
        if not waiting:
            return False
    return pattern_steps.complete(waiting)


def matches_word(pattern: str, word: str) -> bool:
    """Whether a glob matches a word that has no segments: the name of a variant."""
    step = _step(_composed(pattern))
    return step == _composed(word) if isinstance(step, str) else bool(step.fullmatch(_composed(word)))


@lru_cache(maxsize=4096)
def glob(pattern: str, separator: str) -> Glob:
    """Return a glob ready to match."""
    steps: list[str | re.Pattern[str] | None] = []
    for text in _composed(pattern).split(separator):
        if text != DEEP:
            steps.append(_step(text))
        elif not steps or steps[-1] is not None:
            steps.append(None)
    if steps[-1] is None:
        steps.append(_step("*"))
    return Glob(tuple(steps))


def is_wild(text: str) -> bool:
    """Whether a text holds a character that globs take for more than itself."""
    return not _WILD.isdisjoint(text)


def fault(pattern: str, separator: str | None) -> str:
    """Return what is wrong with the form of a glob, or nothing; without a separator it is one for words."""
    if len(pattern) > LONGEST:
        return f"is longer than the limit of {LONGEST} characters"
    if separator is None:
        return _fault_of_sets(pattern)
    for text in pattern.split(separator):
        if not text:
            return f"has an empty part: nothing stands before, behind or between its {separator!r}"
        if DEEP in text and text != DEEP:
            return f"has ** beside other characters: ** stands alone between two {separator!r}"
        if wrong := _fault_of_sets(text):
            return wrong
    return ""


def _fault_of_sets(text: str) -> str:
    for found in _SET.finditer(text):
        if any(low > high for low, high in _ranges(found[2])):
            return f"has a range from a later character to an earlier one: {found[0]}"
    return "has a [ without its ]" if "[" in _SET.sub("", text) else ""


def _composed(text: str) -> str:
    return text if text.isascii() else unicodedata.normalize("NFC", text)


@lru_cache(maxsize=4096)
def _step(text: str) -> str | re.Pattern[str]:
    """Return what matches one segment: its text, or an expression that does not look back.

    What stands between two ``*`` is found where it first occurs, once and for all (an atomic group): were there a match
    further on, then also from here.
    """
    if not is_wild(text):
        return text
    hidden = "" if text.startswith(".") else r"(?!\.)"
    first, *pieces = _pieces(text)
    middle = "".join(f"(?>.*?{piece})" for piece in pieces[:-1] if piece)
    last = f".*{pieces[-1]}" if pieces else ""
    return re.compile(f"{hidden}{first}{middle}{last}", re.DOTALL)


def _pieces(text: str) -> list[str]:
    """Return the expressions of what stands between the ``*`` of a segment."""
    pieces, place = [""], 0
    while place < len(text):
        found = _SET.match(text, place)
        if text[place] == "*":
            pieces.append("")
        else:
            pieces[-1] += _set(found) if found else "." if text[place] == "?" else re.escape(text[place])
        place = found.end() if found else place + 1
    return pieces


def _set(found: re.Match[str]) -> str:
    """Return the expression for one of some characters."""
    inner = "".join(f"{re.escape(low)}-{re.escape(high)}" for low, high in _ranges(found[2]) if low <= high)
    if not inner:
        return "." if found[1] else "(?!)"
    return f"[{'^' if found[1] else ''}{inner}]"


def _ranges(inner: str) -> Iterator[tuple[str, str]]:
    """Give first and last character of every range in brackets; one character is a range of its own."""
    return ((part[0], part[-1]) for part in re.findall(r".-.|.", inner, re.DOTALL))
