"""Characters: which ones a surface can show, how wide they are, and what becomes of hostile ones."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import TypeVar

from convcalc.errors import escape
from convcalc.records import NamedTuple

Value = TypeVar("Value", bound=Hashable)

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
        text = escape(text)
        if self.ascii_only and not text.isascii():
            text = text.translate(_SPELLED).encode("ascii", "backslashreplace").decode()
        return text

    def texts(self, texts: Sequence[str]) -> Sequence[str]:
        """Return texts as this surface may show them: most columns are fit as they are, which one look tells."""
        joined = "".join(set(texts))
        return texts if self.text(joined) == joined else list(map(self.text, texts))

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
        steps = width if self.ascii_only else width * 8

        def bar(value: int) -> str:
            return self._bar((2 * value * steps + longest) // (2 * longest)) if value > 0 and longest else ""

        return each_once(bar, values)

    def _bar(self, length: int) -> str:
        """Return a bar of a length in its finest steps."""
        if self.ascii_only:
            return "#" * length
        return "█" * (length // 8) + "▏▎▍▌▋▊▉"[length % 8 - 1 : length % 8]


def each_once(write: Callable[[Value], str], values: Sequence[Value]) -> list[str]:
    """Return the text of every value, written once for equal ones: columns have few different values."""
    written = {value: write(value) for value in set(values)}
    return [written[value] for value in values]


def is_narrow(texts: Iterable[str]) -> bool:
    """Tell whether every character is one cell wide, so that lengths are widths."""
    joined = "".join(set(texts))
    return joined.isascii() or _NARROW.fullmatch(joined) is not None


def cells(text: str) -> int:
    """Return how many columns of a terminal a text takes: two for wide characters, none for combining ones."""
    if text.isascii() or is_narrow((text,)):
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
