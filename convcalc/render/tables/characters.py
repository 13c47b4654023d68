"""Characters: which ones a surface can show, how wide they are, and what becomes of hostile ones."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache

from convcalc.errors import escape
from convcalc.records import NamedTuple

_NARROW = re.compile(r"[ -~¡-¬®-˿–—…−×≥≠←→─▏▎▍▌▋▊▉█]*")
_SPELLED = str.maketrans(
    {
        "×": "x", "→": "->", "←": "<-", "–": "-", "—": "-", "−": "-", "≥": ">=", "≠": "!=", "…": "...", "·": "-",
        "─": "-", "µ": "u",
    }
)  # fmt: skip


class Characters(NamedTuple):
    """The characters of one surface: all of Unicode, or ASCII where a stream can encode no more."""

    ascii_only: bool = False

    def text(self, text: str) -> str:
        """Return ``text`` (from a file, or our own) as this surface may show it."""
        return _clean(text, self.ascii_only)

    @property
    def zero(self) -> str:
        """What stands for a count of zero in a table, where a column of noughts would drown the rest."""
        return "-" if self.ascii_only else "–"

    @property
    def rule(self) -> str:
        return "-" if self.ascii_only else "─"

    @property
    def ellipsis(self) -> str:
        return "..." if self.ascii_only else "…"

    @property
    def at_least(self) -> str:
        return ">=" if self.ascii_only else "≥"

    def shape(self, axes: Sequence[int]) -> str:
        """``64×112×112``; a tensor without axes is a ``scalar``, one without cells is none."""
        return self.text("–") if 0 in axes else ("x" if self.ascii_only else "×").join(map(str, axes)) or "scalar"

    def shorten_path(self, path: str, width: int) -> str:
        """Shorten a path: first what indents it, then its middle, where it says least: ``stage3…conv2``."""
        if cells(path) <= width:
            return path
        path = path.lstrip(" ")
        if cells(path) <= width:
            return " " * (width - cells(path)) + path
        mark = self.ellipsis if width > len(self.ellipsis) else ""
        room = max(0, width - len(mark))
        tail = take_width(reversed(path), (room + 1) // 2 if room > 4 else room)
        head = take_width(path, room - cells(tail))
        return f"{head}{mark}{tail[::-1]}"

    def truncate(self, text: str, width: int) -> str:
        """Shorten a text at its end."""
        if cells(text) <= width:
            return text
        mark = self.ellipsis if width > len(self.ellipsis) else ""
        return f"{take_width(text, max(0, width - len(mark))).rstrip(' ,')}{mark}"

    def bars(self, values: Sequence[int], width: int, longest: int | None = None) -> list[str]:
        """Return a bar for every value, the longest ``width`` cells long, to the nearest eighth of a cell."""
        longest = max(values, default=0) if longest is None else longest
        if not longest:
            return [""] * len(values)
        steps = width if self.ascii_only else width * 8
        drawn = self._drawn(width)
        return [drawn[(2 * value * steps + longest) // (2 * longest)] if value > 0 else "" for value in values]

    def _drawn(self, width: int) -> list[str]:
        """Return every bar there is, by length in its finest steps."""
        if self.ascii_only:
            return ["#" * length for length in range(width + 1)]
        return ["█" * (length // 8) + "▏▎▍▌▋▊▉"[length % 8 - 1 : length % 8] for length in range(width * 8 + 1)]


@lru_cache(maxsize=8192)
def _clean(text: str, ascii_only: bool) -> str:
    text = escape(text)
    if ascii_only and not text.isascii():
        text = text.translate(_SPELLED).encode("ascii", "backslashreplace").decode()
    return text


def is_narrow(texts: Iterable[str]) -> bool:
    """Tell whether every character is one cell wide, so that lengths are widths."""
    joined = "".join(texts)
    return joined.isascii() or _NARROW.fullmatch(joined) is not None


def cells(text: str) -> int:
    """Return how many columns of a terminal a text takes: two for wide characters, none for combining ones."""
    if is_narrow((text,)):
        return len(text)
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    return len(text) + wide - sum(unicodedata.category(character) in {"Mn", "Me"} for character in text)


def take_width(characters: Iterable[str], width: int) -> str:
    """Return as many of the first characters as fit into a width."""
    kept: list[str] = []
    for character in characters:
        width -= cells(character)
        if width < 0:
            break
        kept.append(character)
    return "".join(kept)
