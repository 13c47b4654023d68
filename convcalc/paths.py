"""Paths: globs over them, and the repositories that they lie in.

In a glob ``*`` and ``?`` stay within a segment, ``**`` goes across segments, ``[…]`` is one character of some. A glob
is a list of steps, one for each segment. Matching is that of a finite automaton: the set of steps that may come next
advances by one segment of the path at a time, without backtracking. Folders on disk are walked with the same sets.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

from convcalc.records import dataclass

MAX_PATTERN_LENGTH = 1000
"""Characters of a glob."""
RECURSIVE = "**"
_WILD = frozenset("*?[")
_SET = re.compile(r"\[([!^]?)(\][^\]]*|[^\]]+)\]")


@dataclass(frozen=True, slots=True)
class Glob:
    """A glob, ready to match. ``None`` among the steps is ``**``: any number of segments."""

    steps: tuple[str | re.Pattern[str] | None, ...]

    @property
    def start(self) -> frozenset[int]:
        """The states before the first segment."""
        return self._with_empty_matches({0})

    def advance(self, waiting: frozenset[int], name: str, *, named: bool = False) -> frozenset[int]:
        """Return the states after a segment; with ``named``, only by steps without wildcards.

        A segment that begins with a point is matched by steps that begin with one, and ``**`` does not match it.
        """
        name = _normalized(name)
        return self._with_empty_matches(set(self._next_states(waiting, name, named)))

    def accepts(self, waiting: frozenset[int]) -> bool:
        """Whether the glob may end here."""
        return len(self.steps) in waiting

    def _next_states(self, waiting: frozenset[int], name: str, named: bool) -> Iterator[int]:
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

    def _with_empty_matches(self, waiting: set[int]) -> frozenset[int]:
        """Add the steps after a ``**``, which may match no segment."""
        return frozenset(
            waiting | {place + 1 for place in waiting if place < len(self.steps) and not self.steps[place]}
        )


def matches(pattern: str, path: str, separator: str) -> bool:
    """Whether a glob matches a whole path; ``separator`` splits both: ``/`` for files, ``.`` for layers.

    ``**`` at the beginning or in the middle matches any number of segments, also none; at the end one or more.

    Examples:
        >>> matches("models/**/*.yaml", "models/a.yaml", "/")
        True
        >>> matches("stage*.**", "stage1", ".")
        False
    """
    pattern_steps = glob(pattern, separator)
    waiting = pattern_steps.start
    for name in path.split(separator):
        waiting = pattern_steps.advance(waiting, name)
        if not waiting:
            return False
    return pattern_steps.accepts(waiting)


def matches_word(pattern: str, word: str) -> bool:
    """Whether a glob matches a word without segments, such as the name of a variant."""
    step = _step(_normalized(pattern))
    return step == _normalized(word) if isinstance(step, str) else bool(step.fullmatch(_normalized(word)))


@lru_cache(maxsize=4096)
def glob(pattern: str, separator: str) -> Glob:
    """Return a glob ready to match."""
    steps: list[str | re.Pattern[str] | None] = []
    for text in _normalized(pattern).split(separator):
        if text != RECURSIVE:
            steps.append(_step(text))
        elif not steps or steps[-1] is not None:
            steps.append(None)
    if steps[-1] is None:
        steps.append(_step("*"))
    return Glob(tuple(steps))


def is_wild(text: str) -> bool:
    """Whether a text has wildcards."""
    return not _WILD.isdisjoint(text)


def syntax_error(pattern: str, separator: str | None) -> str:
    """Return the syntax error of a glob, or an empty text; globs over words have no separator."""
    if len(pattern) > MAX_PATTERN_LENGTH:
        return f"is longer than the limit of {MAX_PATTERN_LENGTH} characters"
    if separator is None:
        return _set_syntax_error(pattern)
    for text in pattern.split(separator):
        if not text:
            return f"has an empty part before, after or between {separator!r}"
        if RECURSIVE in text and text != RECURSIVE:
            return f"has ** next to other characters: ** must be a whole part between two {separator!r}"
        if wrong := _set_syntax_error(text):
            return wrong
    return ""


def _set_syntax_error(text: str) -> str:
    for found in _SET.finditer(text):
        if any(low > high for low, high in _ranges(found[2])):
            return f"has a range from a later character to an earlier one: {found[0]}"
    return "has a [ without its ]" if "[" in _SET.sub("", text) else ""


def _normalized(text: str) -> str:
    return text if text.isascii() else unicodedata.normalize("NFC", text)


@lru_cache(maxsize=4096)
def _step(text: str) -> str | re.Pattern[str]:
    """Return the text of a segment without wildcards, or a regular expression that does not backtrack.

    The text between two ``*`` is matched where it first occurs, without backtracking (an atomic group): if a later
    occurrence leads to a match, the first one does too.
    """
    if not is_wild(text):
        return text
    hidden = "" if text.startswith(".") else r"(?!\.)"
    first, *pieces = _pieces(text)
    middle = "".join(f"(?>.*?{piece})" for piece in pieces[:-1] if piece)
    last = f".*{pieces[-1]}" if pieces else ""
    return re.compile(f"{hidden}{first}{middle}{last}", re.DOTALL)


def _pieces(text: str) -> list[str]:
    """Return the regular expressions of the parts of a segment between its ``*``."""
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
    """Return the regular expression of a set of characters."""
    inner = "".join(f"{re.escape(low)}-{re.escape(high)}" for low, high in _ranges(found[2]) if low <= high)
    if not inner:
        return "." if found[1] else "(?!)"
    return f"[{'^' if found[1] else ''}{inner}]"


def _ranges(inner: str) -> Iterator[tuple[str, str]]:
    """Return the first and last character of every range in brackets; a single character is a range."""
    return ((part[0], part[-1]) for part in re.findall(r".-.|.", inner, re.DOTALL))


# --- repositories -----------------------------------------------------------------------------------------------------

GIT = ".git"


def folders_up_to_root(folder: str) -> Iterator[str]:
    """Give a folder and its parents, up to the root of the repository or of the file system."""
    folder = os.path.abspath(folder)
    yield folder
    while not _holds_repository(folder) and os.path.dirname(folder) != folder:
        folder = os.path.dirname(folder)
        yield folder


def repository_root(folder: str) -> str | None:
    """Return the nearest folder, from here upward, with an entry ``.git``; ``None`` where there is none."""
    *_, last = folders_up_to_root(folder)
    return last if _holds_repository(last) else None


def _holds_repository(folder: str) -> bool:
    return os.path.lexists(os.path.join(folder, GIT))


def is_inside(path: str, folder: str) -> bool:
    """Whether a real path is a folder or below it."""
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def path_from_cwd(path: str) -> str:
    """Return a path relative to the current folder, or unchanged where it is not below."""
    try:
        below = os.path.relpath(path)
    except OSError:  # the current folder has been deleted
        return path
    return path if below.startswith("..") else below


def ascent(path: str) -> int:
    """Return how many segments of a path or a glob lead upward before any other."""
    names = path.split("/")
    return next((place for place, name in enumerate(names) if name != ".."), len(names))


def leaves_repository(file: str, folder: str) -> bool:
    """Whether a path or a glob that is relative to a folder begins outside the folder's repository."""
    start = os.path.realpath(os.path.join(folder, "../" * ascent(file)))
    return not is_inside(start, os.path.realpath(repository_root(folder) or folder))
