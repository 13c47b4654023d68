"""Specs found on disk by the patterns of budgets, each folder read once."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from convcalc.budget.file.types import Pattern
from convcalc.designs.names import BUDGET, SPEC_SUFFIXES, ZOO, DesignName, parse_pattern
from convcalc.designs.sources import open_spec
from convcalc.errors import SpecErrors
from convcalc.git.worktree import PARENT
from convcalc.globs import glob, is_wild, matches_word
from convcalc.repository_paths import is_inside, repository_root


class Entry(NamedTuple):
    """What a folder holds."""

    name: str
    is_folder: bool
    is_file: bool
    is_link: bool


@dataclass(slots=True)
class SpecFinder:
    """The files below a budget file's folder. Folders are listed and specs are opened once."""

    folder: str
    libraries: Sequence[str] = ()
    """Folders that specs may import from."""
    root: str = field(init=False)
    """The real path of the repository, or of the folder itself where there is none: no file outside is taken."""
    outside: set[str] = field(default_factory=set)
    """Names of designs that were matched and whose files lie, with all links followed, outside."""
    _listed: dict[str, list[Entry]] = field(default_factory=dict)
    _links_outside: set[str] = field(default_factory=set)
    """Files outside."""
    _files_by_glob: dict[str, list[str]] = field(default_factory=dict)
    _variants: dict[str, tuple[str, ...] | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.root = os.path.realpath(repository_root(self.folder) or self.folder)

    def designs(self, pattern: Pattern) -> list[str]:
        """Return the names that one pattern matches, sorted."""
        meant = parse_pattern(pattern.text)
        part = "" if meant.part is None else f"#{meant.part}"
        found = []
        for file in self.files(meant.file):
            names = [f"{file}{variant}{part}" for variant in self._matching_variants(file, meant)]
            self.outside.update(names if file in self._links_outside else ())
            found += names
        return found

    def files(self, pattern: str) -> list[str]:
        """Return the files that a glob matches, sorted; a shipped spec is its own name."""
        if pattern.startswith(ZOO):
            return [pattern]
        if pattern not in self._files_by_glob:
            self._files_by_glob[pattern] = sorted(self._walk(pattern))
        return self._files_by_glob[pattern]

    def _walk(self, pattern: str) -> Iterator[str]:
        """Walk the folders that a glob may lead into; links to folders only where the glob names them."""
        names = pattern.split("/")
        ascent = next((place for place, name in enumerate(names) if name != PARENT), len(names))
        below = glob("/".join(names[ascent:]), "/")
        open_folders = [("../" * ascent, below.start, ascent > 0)]
        while open_folders:
            folder, waiting, linked = open_folders.pop()
            for entry in self._entries(folder):
                after = below.after(waiting, entry.name, named=entry.is_link and entry.is_folder)
                if entry.is_folder and after:
                    open_folders.append((f"{folder}{entry.name}/", after, linked or entry.is_link))
                elif entry.is_file and below.complete(after) and is_spec_match(pattern, entry.name):
                    if (linked or entry.is_link) and not self._is_inside(folder + entry.name):
                        self._links_outside.add(folder + entry.name)
                    yield folder + entry.name

    def _is_inside(self, file: str) -> bool:
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

    def _matching_variants(self, file: str, meant: DesignName) -> list[str]:
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


def is_spec_match(pattern: str, name: str) -> bool:
    """Whether a glob that matches a file's name means the file: specs, unless it names the file or its ending."""
    last = pattern.rpartition("/")[2]
    if not is_wild(last):
        return True
    _, point, ending = last.rpartition(".")
    return name != BUDGET and (name.endswith(SPEC_SUFFIXES) or bool(point and ending and not is_wild(ending)))
