"""From what is named on a command line to designs: folders, globs and shipped specs, in a fixed order, lazily."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from itertools import chain

from convcalc.batch.counting import Job
from convcalc.designs import BUDGET, ZOO, parse_design, zoo
from convcalc.errors import SpecError, quoted

SPEC_ENDINGS = (".yaml", ".yml")
MAGIC = re.compile(r"[*?\[]")
ANY_DEPTH = "**"
VISIBLE = r"(?!\.)"
"""A hidden name is matched where its point is written."""

Wanted = Callable[[str], bool]


def jobs(text: str) -> Iterator[Job]:
    """Give the designs that a text names: one, or those of a folder or a glob, sorted by their paths.

    Raises:
        SpecError: CC705, where a folder or a glob has none.
    """
    if os.path.isdir(text):
        return _some(_below(text), "", f"no spec in the folder {quoted(text)}")
    design = parse_design(text)
    if not MAGIC.search(design.file) or os.path.lexists(design.file):
        return iter([Job(design)])
    files = _shipped(design.file) if design.file.startswith(ZOO) else _matching(design.file)
    return _some(files, text[len(design.file) :], f"nothing matches {quoted(text)}")


def _some(files: Iterator[str], ending: str, otherwise: str) -> Iterator[Job]:
    """Give the designs of some files, after making sure that there is one."""
    first = next(files, None)
    if first is None:
        hint = f"a folder or a glob stands for the {' and '.join(SPEC_ENDINGS)} files in it that are not hidden"
        raise SpecError("CC705", otherwise, hint=hint)
    return (Job(parse_design(file + ending), found=True) for file in chain([first], files))


def _shipped(pattern: str) -> Iterator[str]:
    matches = _expression(pattern.removeprefix(ZOO)).fullmatch
    return (f"{ZOO}{name}" for name in zoo() if matches(name))


def _matching(pattern: str) -> Iterator[str]:
    """Give the specs that a pattern matches, and those below the folders that it matches."""
    parts = pattern.split("/")
    plain = next(place for place, part in enumerate(parts) if MAGIC.search(part))
    start, rest = "/".join(parts[:plain]) + "/" * (plain > 0), "/".join(parts[plain:])
    matches = _expression(rest).fullmatch
    depth = None if ANY_DEPTH in parts else len(parts) - plain
    hidden = any(part.startswith(".") for part in parts[plain:])
    return _walked(start, "", lambda path: bool(matches(path)), depth, hidden)


def _walked(start: str, below: str, wanted: Wanted, depth: int | None, hidden: bool) -> Iterator[str]:
    for name, is_folder in _entries(start + below):
        path = below + name
        if name.startswith(".") and not hidden:
            continue
        if not is_folder:
            if wanted(path) and _is_spec(name):
                yield start + path
        elif wanted(path):
            yield from _below(start + path)
        elif depth is None or depth > 1:
            yield from _walked(start, f"{path}/", wanted, depth and depth - 1, hidden)


def _below(folder: str) -> Iterator[str]:
    """Give the specs below a folder that are not hidden, sorted by their paths."""
    for name, is_folder in _entries(folder):
        if name.startswith("."):
            continue
        if is_folder:
            yield from _below(os.path.join(folder, name))
        elif _is_spec(name):
            yield os.path.join(folder, name)


def _is_spec(name: str) -> bool:
    return name.endswith(SPEC_ENDINGS) and name != BUDGET


def _entries(folder: str) -> list[tuple[str, bool]]:
    """Return the names in a folder, and whether each is a folder; sorted as whole paths are. Links are not entered."""
    try:
        with os.scandir(folder or ".") as found:
            entries = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in found]
    except OSError:
        return []
    return sorted(entries, key=lambda entry: f"{entry[0]}/" if entry[1] else entry[0])


def _expression(pattern: str) -> re.Pattern[str]:
    """Return the regular expression of a glob: ``**`` is any number of folders, ``*`` and ``?`` stay in one name.

    Raises:
        SpecError: CC705, where a range in brackets runs backwards.
    """
    parts = pattern.split("/")
    last = len(parts) - 1
    written = ""
    for place, part in enumerate(parts):
        if part == ANY_DEPTH:
            written += f"(?:{VISIBLE}[^/]+/)*" + f"{VISIBLE}[^/]+" * (place == last)
        else:
            written += _segment(part) + "/" * (place < last)
    try:
        return re.compile(written, re.DOTALL)
    except re.error:
        raise SpecError("CC705", f"{quoted(pattern)} is no glob", hint="a range reads [a-z], upwards") from None


def _segment(part: str) -> str:
    """Translate one name of a glob: ``*``, ``?``, ``[abc]``, ``[!abc]``; an open bracket without a close is itself."""
    pieces = re.findall(r"\*+|\?|\[!?\]?[^\]]*\]|.", part, re.DOTALL)
    return VISIBLE * (part[:1] in "*?[") + "".join(map(_piece, pieces))


def _piece(piece: str) -> str:
    if piece[0] == "*":
        return "[^/]*"
    if piece == "?":
        return "[^/]"
    if len(piece) > 1:
        inside = piece[1:-1]
        negated = inside.startswith("!")
        held = re.sub(r"([\\\[\]^&~|])", r"\\\1", inside[negated:])
        return f"[{'^' if negated else ''}{held}]"
    return re.escape(piece)
