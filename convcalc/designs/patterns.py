"""From what is named on a command line to designs: folders, globs and bundled specs, in a fixed order, lazily."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import chain

from convcalc.designs.names import SPEC_SUFFIXES, ZOO, DesignName, is_spec_name, parse_design, zoo_paths
from convcalc.errors import SpecError, quoted
from convcalc.paths import RECURSIVE, matches, syntax_error
from convcalc.records import NamedTuple

MAGIC = re.compile(r"[*?\[]")

Wanted = Callable[[str], bool]


class Found(NamedTuple):
    """A design, and whether a folder or a glob named it."""

    design: DesignName
    from_glob: bool = False


def spec_files(paths: Iterable[str]) -> list[str]:
    """Return what paths name, each once: designs as they are, folders and globs by their specs.

    Raises:
        SpecError: CC705, where a folder or a glob has none.
    """
    return list(dict.fromkeys(found.design.text for path in paths for found in designs_named(path)))


def designs_named(text: str) -> Iterator[Found]:
    """Give the designs that a text names: one, or those of a folder or a glob, sorted by their paths.

    Raises:
        SpecError: CC705, where a folder or a glob has none.
    """
    if os.path.isdir(text):
        return _found(_specs_below(text), "", f"no spec in the folder {quoted(text)}")
    design = parse_design(text)
    if not MAGIC.search(design.file) or os.path.lexists(design.file):
        return iter([Found(design)])
    files = _bundled_specs(design.file) if design.file.startswith(ZOO) else _specs_matching(design.file)
    return _found(files, text[len(design.file) :], f"nothing matches {quoted(text)}")


def _found(files: Iterator[str], ending: str, otherwise: str) -> Iterator[Found]:
    """Give the designs of some files, after making sure that there is one."""
    first = next(files, None)
    if first is None:
        hint = f"a folder or a glob selects the {' and '.join(SPEC_SUFFIXES)} files in it that are not hidden"
        hint += "; models of other formats are named one by one, or by a glob without quotes"
        raise SpecError("CC705", otherwise, hint=hint)
    return (Found(parse_design(file + ending), from_glob=True) for file in chain([first], files))


def _bundled_specs(pattern: str) -> Iterator[str]:
    named = _require_valid_glob(pattern.removeprefix(ZOO))
    return (f"{ZOO}{name}" for name in zoo_paths() if matches(named, name, "/"))


def _specs_matching(pattern: str) -> Iterator[str]:
    """Give the specs that a pattern matches, and those below the folders that it matches."""
    parts = pattern.split("/")
    plain = next(place for place, part in enumerate(parts) if MAGIC.search(part))
    start, rest = "/".join(parts[:plain]) + "/" * (plain > 0), "/".join(parts[plain:])
    _require_valid_glob(rest)
    depth = None if RECURSIVE in parts else len(parts) - plain
    hidden = any(part.startswith(".") for part in parts[plain:])
    return _walk(start, "", lambda path: matches(rest, path, "/"), depth, hidden)


def _require_valid_glob(pattern: str) -> str:
    if wrong := syntax_error(pattern, "/"):
        raise SpecError("CC705", f"the glob {quoted(pattern)} {wrong}")
    return pattern


def _walk(start: str, below: str, wanted: Wanted, depth: int | None, hidden: bool) -> Iterator[str]:
    for name, is_folder in _entries(start + below):
        path = below + name
        if name.startswith(".") and not hidden:
            continue
        if not is_folder:
            if wanted(path) and is_spec_name(name):
                yield start + path
        elif wanted(path):
            yield from _specs_below(start + path)
        elif depth is None or depth > 1:
            yield from _walk(start, f"{path}/", wanted, depth and depth - 1, hidden)


def _specs_below(folder: str) -> Iterator[str]:
    """Give the specs below a folder that are not hidden, sorted by their paths."""
    for name, is_folder in _entries(folder):
        if name.startswith("."):
            continue
        if is_folder:
            yield from _specs_below(os.path.join(folder, name))
        elif is_spec_name(name):
            yield os.path.join(folder, name)


def _entries(folder: str) -> list[tuple[str, bool]]:
    """Return the names in a folder, and whether each is a folder; sorted as whole paths are. Links are not entered."""
    try:
        with os.scandir(folder or ".") as found:
            entries = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in found]
    except OSError:
        return []
    return sorted(entries, key=lambda entry: f"{entry[0]}/" if entry[1] else entry[0])
