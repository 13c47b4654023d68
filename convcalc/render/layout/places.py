"""Places as services know them: relative to the repository, with ``/``, whatever the current folder is."""

from __future__ import annotations

import os
from typing import NamedTuple

from convcalc.errors import Span


class Place(NamedTuple):
    """A place in a file; ``line`` 0 means the file as a whole."""

    path: str
    """Relative to the repository; as it was named where ``inside`` is false."""
    line: int
    column: int
    end: int
    """The column behind the last character that is meant."""
    inside: bool
    """Whether it is a file of the repository: not standard input, an option, another revision, a shipped spec."""


def place(span: Span) -> Place:
    """Return where a span is; without a repository, relative to the current folder."""
    path = _relative(span.file)
    return Place(path or span.file, span.line, span.column, span.column + max(1, span.extent), bool(path))


def _relative(file: str) -> str:
    """Return a file's path below the root, or nothing where it is none: ``<stdin>``, ``zoo:NAME``, ``REV:PATH``."""
    if file.startswith(("<", "--")) or (":" in file.replace(os.sep, "/").partition("/")[0] and not os.path.isabs(file)):
        return ""
    here = os.getcwd()
    path = os.path.relpath(os.path.join(here, file), _root(here)).replace(os.sep, "/")
    return "" if path in ("", ".", "..") or path.startswith("../") else path


def _root(folder: str) -> str:
    """Return the folder upward that holds ``.git``, or the folder itself where there is none."""
    upward = folder
    while not os.path.exists(os.path.join(upward, ".git")):
        above = os.path.dirname(upward)
        if above == upward:
            return folder
        upward = above
    return upward
