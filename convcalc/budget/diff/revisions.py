"""What changed between a commit and the work tree: designs added, removed, renamed, changed, and their layers."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction

from convcalc.budget.baseline.file import DesignCounts, count_graph
from convcalc.budget.baseline.sources import SPEC_MARKER, GitBaseline
from convcalc.budget.diff.layers import LayerChange, match_layers
from convcalc.designs.imports import imports_of
from convcalc.designs.names import SPEC_SUFFIXES, is_spec_name, parse_design
from convcalc.designs.patterns import MAGIC
from convcalc.designs.sources import SpecFile, open_spec
from convcalc.errors import SpecError, SpecErrors, quoted
from convcalc.git.commit_tree import CommitTree, error_if_outside
from convcalc.git.process import blob_hash
from convcalc.git.repository import Commit
from convcalc.git.worktree_files import is_gone, worktree_files
from convcalc.metrics.registry import report_metrics
from convcalc.paths import matches, path_from_cwd
from convcalc.records import NamedTuple, cached_property
from convcalc.spec.limits import FILE_BYTES
from convcalc.spec.yaml.text import require_inside_repository

KEY_METRICS = ("params", "macs")


def layer_metrics() -> list[str]:
    """Return the metrics that layers have, those first by which changes are told."""
    return list(dict.fromkeys([*KEY_METRICS, *(one.key for one in report_metrics() if one.is_additive)]))


class DesignDiff(NamedTuple):
    """One design, before and after; nothing on the side on which it is not."""

    design: str
    old_name: str
    """Its name before, where it was another."""
    change: str
    """added, removed, renamed or changed."""
    before: DesignCounts | None
    after: DesignCounts | None

    @property
    def layers(self) -> list[LayerChange]:
        """Its layers, matched; none for a design that is only on one side."""
        return match_layers(self.before.layers, self.after.layers) if self.before and self.after else []

    @property
    def growth(self) -> Fraction:
        """The largest ratio by which a leading metric grew; 1 where none did."""
        if not self.before or not self.after:
            return Fraction(0)
        sides = [(self.before.totals[key], self.after.totals[key]) for key in KEY_METRICS]
        return max(Fraction(after, before) if before else Fraction(1 + after) for before, after in sides)


class Diff(NamedTuple):
    """All that changed."""

    label: str
    """What it was compared with, in words."""
    designs: Sequence[DesignDiff]
    """Those that changed: those that grew most first, then what was added, and what was removed."""
    unchanged: int
    errors: Sequence[SpecError] = ()
    broken: int = 0
    """Files that were not named, have not changed, and could not be read then either."""


Advance = Callable[[Sequence[str]], Iterable[str]]


def diff(tree: CommitTree, paths: Sequence[str], *, libraries: Sequence[str] = (), advance: Advance = iter) -> Diff:
    """Compare the designs below some paths with what they were.

    Args:
        tree: the commit.
        paths: files, folders and globs.
        libraries: folders that specs may import from.
        advance: gives the files one after the other, as a progress bar does.
    """
    run = _Comparison(GitBaseline(tree, os.path.realpath(".")), libraries)
    for path in advance(run.files(paths)):
        try:
            run.compare(path)
        except SpecErrors as found:
            run.errors += found.errors
    order = {"changed": 0, "renamed": 0, "added": 1, "removed": 2}
    run.designs.sort(key=lambda one: (order[one.change], -one.growth, one.design))
    return Diff(tree.commit.label, run.designs, run.unchanged, SpecErrors(run.errors).errors, run.broken)


class _Comparison:
    """One comparison as it goes on."""

    def __init__(self, past: GitBaseline, libraries: Sequence[str]) -> None:
        self.baseline = past
        self.tree = past.tree
        self.libraries = libraries
        self.designs: list[DesignDiff] = []
        self.errors: list[SpecError] = []
        self.unchanged = self.broken = 0
        self._named_files: set[str] = set()
        self._renamed_files: set[str] = set()
        """Files of the commit that are known under another name now."""

    # --- files --------------------------------------------------------------------------------------------------------

    def files(self, paths: Iterable[str]) -> list[str]:
        """Return the files of both sides below paths, those that are still there first."""
        here, gone = dict[str, None](), dict[str, None]()
        for path in paths:
            real = os.path.realpath(path)
            fault = error_if_outside(self.tree, real, None)
            if fault:
                self.errors += fault.errors
            elif os.path.isfile(real):
                folder, name = os.path.split(path.rstrip("/"))
                named = os.path.join(os.path.realpath(folder), name)  # maybe a link
                here[named] = None
                self._named_files.add(named)
            else:
                both = [[*self._specs_at(path, names)] for names in (self._files_at_head, list(self.tree.entries))]
                here |= dict.fromkeys(both[0])
                gone |= dict.fromkeys(both[1])
                if not any(both) and not os.path.isdir(real):
                    text = f"no spec at {quoted(path)}, neither here nor at {self.tree.commit.label}"
                    file = parse_design(path).file
                    hint = f"diff takes files, and compares every variant: {file}" if os.path.isfile(file) else ""
                    self.errors.append(SpecError("CC705", text, hint=hint))
        return [*here, *(path for path in gone if path not in here and is_gone(path))]

    @cached_property
    def _files_at_head(self) -> list[str]:
        repository = self.tree.repository
        head = repository.head or self.tree.commit.hash
        same = head == self.tree.commit.hash
        return worktree_files(self.tree if same else CommitTree(repository, Commit(head, "HEAD")), SPEC_SUFFIXES)

    def _specs_at(self, path: str, names: Sequence[str]) -> Iterator[str]:
        """Give the specs at and below a path, or what a glob matches, among names from the top."""
        start = self.tree.relative_path(os.path.realpath(path)) or ""
        starts = {start}
        if MAGIC.search(path) and not os.path.lexists(path):
            starts = {one for name in names for one in (name, *_folders_of(name)) if matches(start, one, "/")}
        for name in (one for one in names if is_spec_name(os.path.basename(one))):
            full = os.path.join(self.tree.top, name)
            is_below = any(folder in starts and _is_below(name, folder) for folder in _folders_of(name))
            if name in starts or (is_below and self._looks_like_spec(full)):
                yield full

    def _looks_like_spec(self, path: str) -> bool:
        """Whether a file that was not named looks like a spec, now or then."""
        try:
            require_inside_repository(path)
            with open(path, "rb") as file:
                if SPEC_MARKER.search(file.read(FILE_BYTES)):
                    return True
        except (OSError, SpecError):
            pass
        content = self.tree.content(path)
        return content is not None and SPEC_MARKER.search(content) is not None

    # --- comparing ----------------------------------------------------------------------------------------------------

    def compare(self, path: str) -> None:
        """Compare the designs of one file.

        Raises:
            SpecErrors: what is wrong with it on either side.
        """
        if not os.path.isfile(path):
            if path not in self._renamed_files:
                self._add_file(None, self.baseline.spec(path))
            return
        try:
            now = open_spec(path_from_cwd(path), libraries=self.libraries)
        except SpecErrors:
            if path in self._named_files or not self._was_broken(path):
                raise
            self.broken += 1
            return
        old, renamed = self.baseline.locate(path)
        if old is None:
            self._add_file(now, None)
            return
        self._renamed_files.add(old)
        if not renamed and self._is_unchanged(path, now):
            self.unchanged += len(now.variants)
            return
        then = self.baseline.spec(old)
        self._add_file(now, then, then.file if renamed else "")

    def _was_broken(self, path: str) -> bool:
        """Whether a file has not changed and could not be read at the commit either."""
        if not self._is_same(path):
            return False
        try:
            self.baseline.spec(path)
        except SpecErrors:
            return True
        return False

    def _is_unchanged(self, path: str, now: SpecFile) -> bool:
        """Whether a spec and all that it imports have the content that they had, and its paths led to these files."""
        record = imports_of(now.files)
        if record is not None:
            same = (self.tree.resolve(asked) == real for asked, real in record.resolved)
            there = (self.tree.is_file(path) == is_file for path, is_file in record.files)
            if not (all(same) and all(there)):
                return False
        return all(map(self._is_same, {path, *now.files.documents}))

    def _is_same(self, path: str) -> bool:
        """Whether a file has the content that it had; a library outside the repository has no other."""
        if self.tree.relative_path(path) is None:
            return True
        entry = self.tree.entry(self.tree.resolve(path))
        if entry is None:
            return False
        with open(path, "rb") as file:
            return blob_hash(file.read(), len(entry.object)) == entry.object

    def _add_file(self, now: SpecFile | None, then: SpecFile | None, old_file: str = "") -> None:
        """Compare every variant; what is wrong with one keeps no other from being compared."""
        specs = [spec for spec in (now, then) if spec is not None]
        for variant in dict.fromkeys(variant for spec in specs for variant in spec.variants):
            try:
                before, after = (
                    count_graph(spec.expand(variant).graph) if spec and variant in spec.variants else None
                    for spec in (then, now)
                )
            except SpecErrors as found:
                self.errors += found.errors
                continue
            old_name = f"{old_file}@{variant}" if old_file and variant else old_file
            change = "renamed" if old_file else "changed"
            if before is None or after is None:
                change, old_name = "removed" if after is None else "added", ""
            if change == "changed" and before == after:
                self.unchanged += 1
            else:
                self.designs.append(DesignDiff(specs[0].design(variant).text, old_name, change, before, after))


def _is_below(name: str, folder: str) -> bool:
    """Whether a path is below a folder and nothing between them is hidden."""
    start = f"{folder}/" if folder else ""
    return name.startswith(start) and not any(part.startswith(".") for part in name.removeprefix(start).split("/"))


def _folders_of(name: str) -> list[str]:
    """Return all folders around a path from the top, which is ``""``."""
    return ["", *(name[:place] for place, character in enumerate(name) if character == "/")]
