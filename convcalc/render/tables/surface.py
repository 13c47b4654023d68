"""What a text is drawn on: how wide, whether in colour, and with which characters."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, TextIO

from convcalc.records import NamedTuple

if TYPE_CHECKING:
    from convcalc.render.tables.blocks import Paragraph
    from convcalc.render.tables.characters import Characters

PROBE = "×→–…≥·─▏█"
NARROWEST = 30
USUAL_WIDTH = 80
OFF = ("0", "false", "no", "off")


class Surface(NamedTuple):
    """``width`` is a terminal's, or nothing for a pipe or a file: natural width, never cut and never wrapped.

    Formats that are for programs do without characters and paragraphs, which are loaded when they are asked for.
    """

    width: int | None = None
    color: bool = False
    ascii_only: bool = False

    @property
    def glyphs(self) -> Characters:
        from convcalc.render.tables.characters import Characters

        return Characters(self.ascii_only)

    def line(self, text: str, style: str = "", indent: int = 2) -> Paragraph:
        """Return a text (from a file, or our own) as a paragraph; its lines after the first are indented."""
        from convcalc.render.tables.blocks import Paragraph

        return Paragraph([(self.glyphs.text(text), style)], self.width, indent)


def surface(
    stream: TextIO, *, color: str = "auto", width: int | None = None, environ: Mapping[str, str] = os.environ
) -> Surface:
    """Return what ``stream`` is, unless ``--color`` and ``--width`` say otherwise."""
    if width is None and is_terminal(stream):
        width = terminal_width(stream, environ)
    if width is not None:
        width = max(width, NARROWEST)
    return Surface(width, wants_color(stream, color, environ), not encodes(stream))


def is_terminal(stream: TextIO) -> bool:
    """Tell whether a person is looking; a closed stream has no one."""
    try:
        return stream.isatty()
    except ValueError:
        return False


def terminal_width(stream: TextIO, environ: Mapping[str, str]) -> int:
    """Return ``COLUMNS`` if it is a number, else what the terminal says, else 80."""
    columns = environ.get("COLUMNS", "")
    if columns.isascii() and columns.isdigit() and int(columns):
        return int(columns)
    try:
        return os.get_terminal_size(stream.fileno()).columns or USUAL_WIDTH
    except (OSError, ValueError):
        return USUAL_WIDTH


def wants_color(stream: TextIO, color: str, environ: Mapping[str, str]) -> bool:
    """``--color``, then ``NO_COLOR``, then ``FORCE_COLOR`` (0 is no), then whether it is a terminal that can."""
    if color != "auto":
        return color == "always"
    if environ.get("NO_COLOR"):
        return False
    forced = environ.get("FORCE_COLOR", "").lower()
    if forced:
        return forced not in OFF
    return is_terminal(stream) and environ.get("TERM", "") not in ("dumb", "unknown")


def encodes(stream: TextIO) -> bool:
    """Tell whether the stream's encoding has every character that the tables are drawn with."""
    try:
        PROBE.encode(getattr(stream, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
