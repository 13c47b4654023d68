"""Patterns of designs: globs over files, perhaps with ``@VARIANT`` and ``#PATH`` behind them, and what they match."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from convcalc.budget.model import Budget, Pattern
from convcalc.designs import BUDGET, ZOO, open_spec
from convcalc.errors import SpecError, SpecErrors, quoted
from convcalc.globs import glob, is_wild, matches, matches_word

__all__ = ["Disk", "Target", "covers", "designs", "includes", "matched", "matches", "parts", "repository", "upward"]

ENDINGS = (".yaml", ".yml")
"""Of the files that a glob means where it does not end in an ending of its own."""
UP = ".."
_SPEC = re.compile(r"\.(?:ya?ml|onnx|keras)(?=[@#]|$)")


class Target(NamedTuple):
    """A design, or a pattern of designs, in its parts."""

    file: str
    variant: str | None = None
    part: str | None = None


@lru_cache(maxsize=4096)
def parts(text: str) -> Target:
    """Take a name or a pattern apart by its text alone.

    The file ends before the ``@`` or ``#`` behind ``.yaml`` (``.yml``, ``.onnx``, ``.keras``), or else before the first
    one; only what stands behind the last ``/`` is looked at.
    """
    last = text.rfind("/") + 1
    found = _SPEC.search(text, last)
    end = found.end() if found else min((place for place in range(last, len(text)) if text[place] in "@#"), default=-1)
    if end < 0:
        return Target(text)
    named, hash_, part = text[end:].partition("#")
    return Target(text[:end], named[1:] if named else None, part if hash_ else None)


def covers(pattern: str, design: str) -> bool:
    """Whether a pattern matches the name of a design (relative to the budget file's folder, with ``/``).

    Without ``@`` a pattern means the design that a file is without a variant, without ``#`` the whole of it.

    Examples:
        >>> covers("models/**", "models/edge/a.yaml"), covers("models/**", "models/edge/a.yaml@wide")
        (True, False)
    """
    meant, given = parts(pattern), parts(design)
    if meant.part != given.part or (meant.variant is None) is not (given.variant is None):
        return False
    if meant.variant is not None and not matches_word(meant.variant, given.variant or ""):
        return False
    if meant.file.startswith(ZOO) or given.file.startswith(ZOO):
        return meant.file == given.file
    return matches(meant.file, given.file, "/") and _is_meant(meant.file, os.path.basename(given.file))


def includes(patterns: Iterable[Pattern], design: str) -> bool:
    """Whether patterns match the name of a design and none of those with ``!`` does."""
    found = False
    for pattern in patterns:
        if covers(pattern.text, design):
            if pattern.excludes:
                return False
            found = True
    return found


def designs(budget: Budget, folder: str, disk: Disk | None = None) -> list[str]:
    """Return the names of the designs below a folder that a budget is about, sorted; see :func:`matched`."""
    found = matched(budget, folder, disk)
    names = {name for pattern, held in found.items() if not pattern.excludes for name in held}
    return sorted(names.difference(*(held for pattern, held in found.items() if pattern.excludes)))


def matched(budget: Budget, folder: str, disk: Disk | None = None) -> dict[Pattern, list[str]]:
    """Return what each pattern of a budget matches on the disk; for one with ``!``, what it removes.

    Names are relative to the folder, with ``/``. Specs are opened only where a pattern has a glob behind ``@``; a file
    that cannot be read then stands as ``FILE@GLOB``, so that whoever opens that design learns why.

    Args:
        budget: whose patterns are looked up.
        folder: that of the budget file.
        disk: of the same folder, where several budgets are looked up: every folder and file is then read once.

    Raises:
        SpecErrors: CC634, where a file that is matched lies outside the repository.
    """
    disk = disk or Disk(folder)
    kept = [pattern for pattern in budget.designs if not pattern.excludes]
    found = {pattern: disk.designs(pattern) for pattern in kept}
    names = sorted({name for held in found.values() for name in held})
    removed = {
        pattern: [name for name in names if covers(pattern.text, name)]
        for pattern in budget.designs
        if pattern.excludes
    }
    gone = {name for held in removed.values() for name in held}
    _require_inside(disk, {pattern: [name for name in held if name not in gone] for pattern, held in found.items()})
    return {pattern: removed[pattern] if pattern.excludes else found[pattern] for pattern in budget.designs}


def _require_inside(disk: Disk, found: dict[Pattern, list[str]]) -> None:
    errors = []
    for pattern, names in found.items():
        outside = next((name for name in names if name in disk.outside), None)
        if outside is not None:
            text = f"{quoted(pattern.text)} matches {quoted(outside)}, which leads out of the repository {disk.root}"
            errors.append(SpecError("CC634", text, pattern.span))
    if errors:
        raise SpecErrors(errors)


class Entry(NamedTuple):
    """What a folder holds."""

    name: str
    is_folder: bool
    is_file: bool
    is_link: bool


@dataclass(slots=True)
class Disk:
    """The files below a budget file's folder. Folders are listed and specs are opened once."""

    folder: str
    libraries: Sequence[str] = ()
    """Folders that specs may import from."""
    root: str = field(init=False)
    """The real path of the repository, or of the folder itself where there is none: no file outside is taken."""
    outside: set[str] = field(default_factory=set)
    """Names of designs that were matched and whose files lie, with all links followed, outside."""
    _listed: dict[str, list[Entry]] = field(default_factory=dict)
    _strange: set[str] = field(default_factory=set)
    """Files outside."""
    _found: dict[str, list[str]] = field(default_factory=dict)
    _variants: dict[str, tuple[str, ...] | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.root = os.path.realpath(repository(self.folder) or self.folder)

    def designs(self, pattern: Pattern) -> list[str]:
        """Return the names that one pattern matches, sorted."""
        meant = parts(pattern.text)
        part = "" if meant.part is None else f"#{meant.part}"
        found = []
        for file in self.files(meant.file):
            names = [f"{file}{variant}{part}" for variant in self._named(file, meant)]
            self.outside.update(names if file in self._strange else ())
            found += names
        return found

    def files(self, pattern: str) -> list[str]:
        """Return the files that a glob matches, sorted; a shipped spec is its own name."""
        if pattern.startswith(ZOO):
            return [pattern]
        if pattern not in self._found:
            self._found[pattern] = sorted(self._walked(pattern))
        return self._found[pattern]

    def _walked(self, pattern: str) -> Iterator[str]:
        """Walk the folders that a glob may lead into; links to folders only where the glob names them."""
        names = pattern.split("/")
        ascent = next((place for place, name in enumerate(names) if name != UP), len(names))
        below = glob("/".join(names[ascent:]), "/")
        open_folders = [("../" * ascent, below.start, ascent > 0)]
        while open_folders:
            folder, waiting, linked = open_folders.pop()
            for entry in self._entries(folder):
                after = below.after(waiting, entry.name, named=entry.is_link and entry.is_folder)
                if entry.is_folder and after:
                    open_folders.append((f"{folder}{entry.name}/", after, linked or entry.is_link))
                elif entry.is_file and below.complete(after) and _is_meant(pattern, entry.name):
                    if (linked or entry.is_link) and not self._holds(folder + entry.name):
                        self._strange.add(folder + entry.name)
                    yield folder + entry.name

    def _holds(self, file: str) -> bool:
        return is_inside(os.path.realpath(os.path.join(self.folder, file)), self.root)

    def _entries(self, folder: str) -> list[Entry]:
        if folder not in self._listed:
            try:
                with os.scandir(os.path.join(self.folder, folder)) as entries:
                    self._listed[folder] = [
                        Entry(entry.name, entry.is_dir(), entry.is_file(), entry.is_symlink()) for entry in entries
                    ]
            except OSError:
                self._listed[folder] = []
        return self._listed[folder]

    def _named(self, file: str, meant: Target) -> list[str]:
        """Return the variants of a file that are meant, with their ``@``; nothing behind the file is one, too."""
        if meant.variant is None:
            return [""]
        variants = self._variants_of(file) if is_wild(meant.variant) else None
        if variants is None:
            return [f"@{meant.variant}"]
        return [f"@{variant}" for variant in sorted(variants) if matches_word(meant.variant, variant)]

    def _variants_of(self, file: str) -> tuple[str, ...] | None:
        if file not in self._variants:
            path = file if file.startswith(ZOO) else os.path.join(self.folder, file)
            try:
                variants = open_spec(path, libraries=self.libraries).variants
                self._variants[file] = tuple(variant for variant in variants if variant is not None)
            except SpecErrors:
                self._variants[file] = None
        return self._variants[file]


def _is_meant(pattern: str, name: str) -> bool:
    """Whether a glob that matches a file's name means the file: specs, unless it names the file or its ending."""
    last = pattern.rpartition("/")[2]
    if not is_wild(last):
        return True
    _, point, ending = last.rpartition(".")
    return name != BUDGET and (name.endswith(ENDINGS) or bool(point and ending and not is_wild(ending)))


def leads_out(file: str, folder: str) -> bool:
    """Whether a path or a glob that is relative to a folder begins outside the folder's repository."""
    names = file.split("/")
    ascent = next((place for place, name in enumerate(names) if name != UP), len(names))
    start = os.path.realpath(os.path.join(folder, *names[:ascent]))
    return not is_inside(start, os.path.realpath(repository(folder) or folder))


def is_inside(path: str, folder: str) -> bool:
    """Whether a real path is a folder or lies below it."""
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def upward(folder: str) -> Iterator[str]:
    """Give a folder and those above it, up to that of the repository or of the file system."""
    folder = os.path.abspath(folder)
    yield folder
    while not _is_repository(folder) and os.path.dirname(folder) != folder:
        folder = os.path.dirname(folder)
        yield folder


def repository(folder: str) -> str | None:
    """Return the nearest folder, from here upward, that holds ``.git``."""
    *_, last = upward(folder)
    return last if _is_repository(last) else None


def _is_repository(folder: str) -> bool:
    return os.path.exists(os.path.join(folder, ".git"))
