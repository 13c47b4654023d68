"""From what is named on a command line to designs: folders, globs and shipped specs, in a fixed order, lazily."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from itertools import chain

from convcalc.batch.count import Job
from convcalc.designs.names import BUDGET, SPEC_ENDINGS, ZOO, parse_design, zoo
from convcalc.errors import SpecError, quoted
from convcalc.globs import DEEP, fault, matches

MAGIC = re.compile(r"[*?\[]")

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
    named = _checked(pattern.removeprefix(ZOO))
    return (f"{ZOO}{name}" for name in zoo() if matches(named, name, "/"))


def _matching(pattern: str) -> Iterator[str]:
    """Give the specs that a pattern matches, and those below the folders that it matches."""
    parts = pattern.split("/")
    plain = next(place for place, part in enumerate(parts) if MAGIC.search(part))
    start, rest = "/".join(parts[:plain]) + "/" * (plain > 0), "/".join(parts[plain:])
    _checked(rest)
    depth = None if DEEP in parts else len(parts) - plain
    hidden = any(part.startswith(".") for part in parts[plain:])
    return _walked(start, "", lambda path: matches(rest, path, "/"), depth, hidden)


def _checked(pattern: str) -> str:
    if wrong := fault(pattern, "/"):
        raise SpecError("CC705", f"the glob {quoted(pattern)} {wrong}")
    return pattern


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
