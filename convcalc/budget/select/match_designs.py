"""Designs that the patterns of budgets match: globs over files, perhaps with ``@VARIANT`` and ``#PATH`` behind them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import chain

from convcalc.budget.file.types import Budget, LayerFilter, Pattern
from convcalc.designs.names import BUDGET_FILE, NOT_FILES, SPEC_SUFFIXES, DesignName, parse_pattern
from convcalc.designs.sources import open_spec
from convcalc.errors import SpecError, SpecErrors, quoted
from convcalc.graph.graph import enclosing
from convcalc.paths import ascent, glob, is_inside, is_wild, matches, matches_word, repository_root
from convcalc.records import NamedTuple, dataclass, field
from convcalc.report.measurements import WHOLE_DESIGN, DesignPart, Measurements


def pattern_matches(pattern: str, design: str) -> bool:
    """Whether a pattern matches the name of a design (relative to the budget file's folder, with ``/``).

    Without ``@`` a pattern means the design that a file is without a variant, without ``#`` the whole of it.

    Examples:
        >>> pattern_matches("models/**", "models/edge/a.yaml"), pattern_matches("models/**", "models/edge/a.yaml@wide")
        (True, False)
    """
    meant, given = parse_pattern(pattern), parse_pattern(design)
    if meant.part != given.part or (meant.variant is None) is not (given.variant is None):
        return False
    if meant.variant is not None and not matches_word(meant.variant, given.variant or ""):
        return False
    if meant.file.startswith(NOT_FILES) or given.file.startswith(NOT_FILES):
        return meant.file == given.file
    return matches(meant.file, given.file, "/") and is_spec_match(meant.file, os.path.basename(given.file))


def patterns_match(patterns: Iterable[Pattern], design: str) -> bool:
    """Whether patterns match the name of a design and none of those with ``!`` does."""
    found = False
    for pattern in patterns:
        if pattern_matches(pattern.text, design):
            if pattern.is_exclusion:
                return False
            found = True
    return found


def is_spec_match(pattern: str, name: str) -> bool:
    """Whether a glob that matches a file's name means the file: specs, unless it names the file or its ending."""
    last = pattern.rpartition("/")[2]
    if not is_wild(last):
        return True
    _, point, ending = last.rpartition(".")
    return name != BUDGET_FILE and (name.endswith(SPEC_SUFFIXES) or bool(point and ending and not is_wild(ending)))


# --- on the disk ------------------------------------------------------------------------------------------------------


def matching_designs(budget: Budget, folder: str, finder: SpecFinder | None = None) -> list[str]:
    """Return the names of the designs below a folder that a budget is about, sorted; see :func:`matches_by_pattern`."""
    return sorted(set(chain(*matches_by_pattern(budget, finder or SpecFinder(folder)).values())))


def matches_by_pattern(budget: Budget, finder: SpecFinder) -> dict[Pattern, list[str]]:
    """Return what each pattern of a budget matches on the disk, without what those with ``!`` take away.

    Names are relative to the budget file's folder, with ``/``. Specs are opened only where a pattern has a glob behind
    ``@``; a file that cannot be read then stands as ``FILE@GLOB``, so that whoever opens that design learns why.

    Raises:
        SpecErrors: CC634, where a file that is matched lies outside the repository.
    """
    found = {pattern: finder.designs(pattern) for pattern in budget.designs if not pattern.is_exclusion}
    exclusions = [pattern.text for pattern in budget.designs if pattern.is_exclusion]
    gone = {name for name in chain(*found.values()) if any(pattern_matches(text, name) for text in exclusions)}
    kept = {pattern: [name for name in names if name not in gone] for pattern, names in found.items()}
    errors = []
    for pattern, names in kept.items():
        outside = next((name for name in names if name in finder.outside), None)
        if outside is not None:
            text = f"{quoted(pattern.text)} matches {quoted(outside)}, which leads out of the repository {finder.root}"
            errors.append(SpecError("CC634", text, pattern.span))
    if errors:
        raise SpecErrors(errors)
    return kept


class FolderEntry(NamedTuple):
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
    only: Sequence[str] | None = None
    """Names of the files that a check is confined to: no folder is walked for them."""
    root: str = field(init=False)
    """The real path of the repository, or of the folder itself where there is none: no file outside is taken."""
    outside: set[str] = field(default_factory=set)
    """Names of designs that were matched and whose files lie, with all links followed, outside."""
    _listed: dict[str, list[FolderEntry]] = field(default_factory=dict)
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
        """Return the files that a glob matches, sorted; a bundled spec is its own name."""
        if self.only is not None:
            return [name for name in self.only if pattern_matches(pattern, name)]
        if pattern.startswith(NOT_FILES):
            return [pattern]
        if pattern not in self._files_by_glob:
            self._files_by_glob[pattern] = sorted(self._walk(pattern))
        return self._files_by_glob[pattern]

    def _walk(self, pattern: str) -> Iterator[str]:
        """Walk the folders that a glob may lead into; links to folders only where the glob names them."""
        up = ascent(pattern)
        below = glob("/".join(pattern.split("/")[up:]), "/")
        open_folders = [("../" * up, below.start, up > 0)]
        while open_folders:
            folder, waiting, linked = open_folders.pop()
            for entry in self._entries(folder):
                after = below.advance(waiting, entry.name, named=entry.is_link and entry.is_folder)
                if entry.is_folder and after:
                    open_folders.append((f"{folder}{entry.name}/", after, linked or entry.is_link))
                elif entry.is_file and below.accepts(after) and is_spec_match(pattern, entry.name):
                    file = folder + entry.name
                    path = os.path.join(self.folder, file)
                    if (linked or entry.is_link) and not is_inside(os.path.realpath(path), self.root):
                        self._links_outside.add(file)
                    yield file

    def _entries(self, folder: str) -> list[FolderEntry]:
        if folder not in self._listed:
            self._listed[folder] = []
            with suppress(OSError), os.scandir(os.path.join(self.folder, folder)) as entries:
                self._listed[folder] = [
                    FolderEntry(entry.name, entry.is_dir(), entry.is_file(), entry.is_symlink()) for entry in entries
                ]
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
            path = file if file.startswith(NOT_FILES) else os.path.join(self.folder, file)
            try:
                variants = open_spec(path, libraries=self.libraries).variants
                self._variants[file] = tuple(variant for variant in variants if variant is not None)
            except SpecErrors:
                self._variants[file] = None
        return self._variants[file]


SEPARATOR = "."


class PartFinder:
    """Finds the parts of designs that budgets limit. Designs with the same layers are searched once."""

    def __init__(self) -> None:
        self._outlines: dict[tuple[tuple[str, str], ...], int] = {}
        self._parts_by_outline: dict[tuple[int, int], tuple[Budget, Sequence[DesignPart], set[int]]] = {}
        self._matches_by_glob: dict[tuple[str, str], bool] = {}
        self.matched: set[int] = set()
        """The identities of the globs of layers that have matched anything; whoever wants to know when empties it."""

    def parts(self, budget: Budget, measured: Measurements) -> Sequence[DesignPart]:
        """Return the parts of a design that are limited one by one; none where no layer matches."""
        if budget.layers is None and budget.per == "total":
            return (WHOLE_DESIGN,)
        outline = self._outlines.setdefault(measured.layer_kinds, len(self._outlines))
        key = id(budget), outline
        if key not in self._parts_by_outline:  # with the budget: while it is held, no other has its id
            before, self.matched = self.matched, set()
            self._parts_by_outline[key] = budget, tuple(self._select(budget, measured.layer_kinds)), self.matched
            self.matched = before
        _, parts, matched = self._parts_by_outline[key]
        self.matched |= matched
        return parts

    def _select(self, budget: Budget, outline: Sequence[tuple[str, str]]) -> Iterable[DesignPart]:
        layers = budget.layers
        if budget.per == "group":
            return self._groups(outline, layers)
        chosen = [
            index
            for index, (path, kind) in enumerate(outline)
            if self.selects(layers, path) and _has_kind(layers, kind)
        ]
        if budget.per == "layer":
            return [DesignPart(outline[index][0], (index,)) for index in chosen]
        return [DesignPart("", tuple(chosen))] if chosen else []

    def _groups(self, outline: Sequence[tuple[str, str]], layers: LayerFilter | None) -> Iterable[DesignPart]:
        """Return every scope and layer that a budget names, with the layers at and below it, in network order."""
        below: dict[str, list[int]] = {}
        for index, (path, kind) in enumerate(outline):
            for scope in enclosing(path) if _has_kind(layers, kind) else ():
                below.setdefault(scope, []).append(index)
        whole = layers is None or not layers.kinds
        return [
            DesignPart(path, tuple(found), True, whole) for path, found in below.items() if self.selects(layers, path)
        ]

    def selects(self, layers: LayerFilter | None, path: str) -> bool:
        """Whether a path is among those that a budget names: in one of its globs and in none with a ``!``."""
        if layers is None or not layers.path_globs:
            return True
        fitting = [pattern for pattern in layers.path_globs if self._matches(pattern, path)]
        if any(pattern.is_exclusion for pattern in fitting):
            return False
        return bool(fitting) or all(pattern.is_exclusion for pattern in layers.path_globs)

    def _matches(self, pattern: Pattern, path: str) -> bool:
        key = pattern.text, path
        if key not in self._matches_by_glob:
            self._matches_by_glob[key] = matches(pattern.text, path, SEPARATOR)
        if self._matches_by_glob[key]:
            self.matched.add(id(pattern))
        return self._matches_by_glob[key]


def _has_kind(layers: LayerFilter | None, kind: str) -> bool:
    return layers is None or not layers.kinds or kind in layers.kinds
