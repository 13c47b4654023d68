"""Baselines: what designs counted before, kept in a file or counted anew from a commit of git."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

from convcalc.budget.baseline.file import (
    DEFAULT_NAME,
    MISSING,
    AcceptedValue,
    DesignCounts,
    count_graph,
    read_baseline_file,
)
from convcalc.budget.file.types import BaselineLocation
from convcalc.designs.names import (
    BINARY_MODELS,
    BUDGET_FILE,
    SPEC_SUFFIXES,
    ZOO,
    DesignName,
    is_spec_name,
    parse_design,
)
from convcalc.designs.sources import SpecFile, open_design, read_spec
from convcalc.errors import Source, Span, SpecError, SpecErrors, quoted
from convcalc.git.commit_tree import CommitTree, error_if_outside
from convcalc.git.process import blob_hash
from convcalc.git.repository import MERGE_BASE, Repository
from convcalc.git.worktree_files import Renames, read_file
from convcalc.paths import is_inside, path_from_cwd, repository_root
from convcalc.records import NamedTuple, cached_property
from convcalc.spec.document.loader import DocumentLoader

if TYPE_CHECKING:
    from convcalc.result_cache import ResultCache

GIT_KIND = "git"
SPEC_MARKER = re.compile(rb"""(?:^|[{,\s])["']?(?:layers|blocks|backbone)["']?\s*:""")
"""What stands in every spec and model in YAML: other YAML files beside the specs are passed over."""


def open_baseline(
    origin: BaselineLocation,
    folder: str,
    *,
    base: str | None = None,
    libraries: Sequence[str] = (),
    cache: ResultCache | None = None,
) -> Baseline:
    """Open the baseline of a budget file; designs are counted when they are asked for.

    Args:
        origin: where it is.
        folder: that of the budget file, to which names and paths are relative.
        base: the branch that the present one is to be merged into, for ``merge-base``.
        libraries: folders that specs may import from.
        cache: has what was counted of commits before.

    Raises:
        SpecErrors: CC641 no such file, CC642 to CC644 git does not have it, CC645 counted otherwise, CC646 malformed.
    """
    folder = os.path.realpath(folder)
    if origin.kind != GIT_KIND:
        path, text = baseline_path(origin, folder), f"there is no baseline {quoted(origin.value)}"
        missing = SpecError(MISSING, text, origin.span or _option_span(origin.value), hint=_write_hint(origin, folder))
        return StoredBaseline(origin.value, *read_baseline_file(path_from_cwd(path), missing))
    repository = Repository(folder, origin.span or _option_span(f"{GIT_KIND}:{origin.value}"))
    left = origin.value == MERGE_BASE
    commit = repository.merge_base(base) if left else repository.commit(origin.value)
    tree, idle = CommitTree(repository, commit, libraries), ""
    if commit.hash == repository.head and not _is_edited(tree):
        earlier = repository.commit_before_head() if left else None
        if left and earlier is None:
            reason = f"{commit.short} is the first commit: there is no earlier one to compare with"
            return StoredBaseline("", {}, read_accepted_values(folder), reason)
        if earlier is not None:
            tree = CommitTree(repository, earlier, libraries)
        else:
            idle = "the baseline is HEAD, and no spec differs from it"
    return GitBaseline(tree, folder, cache, place=origin.span, idle=idle)


def _is_edited(tree: CommitTree) -> bool:
    """Whether a spec of a commit has been edited since. Line ends are no difference, nor is a file that is gone."""
    for path, entry in tree.entries.items():
        if is_spec_name(os.path.basename(path)):
            whole = os.path.join(tree.top, path)
            here = read_file(whole)
            if here and blob_hash(here, len(entry.object)) != entry.object:
                then = tree.content(whole) or b""
                if SPEC_MARKER.search(here) and here.splitlines() != then.splitlines():
                    return True
    return False


class StoredBaseline(NamedTuple):
    """Designs as they were written down; none before a first commit."""

    label: str
    """In words: ``convcalc-baseline.json``, ``1a2b3c4 (merge-base with origin/main)``; empty where there is none."""
    designs: Mapping[str, DesignCounts]
    accepted: Iterable[AcceptedValue]
    no_growth_reason: str = ""
    """Why nothing can have grown since, in words; nothing where it can."""

    def counts(self, design: str) -> DesignCounts | None:
        """Return what is written down of a design; nothing where it is new."""
        return self.designs.get(design)


def baseline_path(origin: BaselineLocation | None, folder: str) -> str:
    """Return the path of the baseline file: the one that is named, or the usual one beside the budget file.

    Raises:
        SpecErrors: CC641, a path outside the repository that the command line did not give, be it by a link.
    """
    value, span = DEFAULT_NAME, origin.span if origin else Span(Source(os.path.join(folder, DEFAULT_NAME)))
    if origin is not None and origin.kind != GIT_KIND:
        value = origin.value
    path = os.path.realpath(os.path.join(folder, value))
    if span and not is_inside(path, os.path.realpath(repository_root(folder) or folder)):
        text = f"the baseline {quoted(value)} lies outside the repository of the budget file"
        raise SpecErrors([SpecError(MISSING, text, span, hint=f"keep it beside the budget file: {DEFAULT_NAME}")])
    return path


def _option_span(value: str) -> Span:
    return Span(Source("--baseline", value), 1, 1, max(1, len(value)))


def _write_hint(origin: BaselineLocation, folder: str) -> str:
    """Return the command that writes a missing baseline; it writes that of a budget file alone."""
    if origin.span is None:
        hint = f"`convcalc baseline write` writes the file that the budget file names, by default {DEFAULT_NAME}; "
        return f"{hint}for a git revision write {GIT_KIND}:{origin.value}"
    file = origin.span.file
    above = os.path.commonpath((folder, os.path.realpath("."))) == folder
    if above and os.path.basename(file) == BUDGET_FILE:
        return "convcalc baseline write"
    return f"convcalc baseline write --budget {shlex.quote(path_from_cwd(os.path.realpath(file)))}"


def read_accepted_values(folder: str) -> tuple[AcceptedValue, ...]:
    """Return what was accepted, from the file in the work tree: it comes with the change that it is for."""
    path = os.path.join(folder, DEFAULT_NAME)
    if not os.path.lexists(path):
        return ()
    missing = SpecError(MISSING, "there is no baseline", Span(Source(path)))
    return read_baseline_file(path_from_cwd(path), missing).accepted


class GitBaseline:
    """Designs as they were at a commit, with everything that they imported then."""

    def __init__(
        self,
        tree: CommitTree,
        folder: str,
        cache: ResultCache | None = None,
        *,
        place: Span | None = None,
        idle: str = "",
    ) -> None:
        self.tree = tree
        self._cache = None if tree.libraries else cache  # which may lie outside of the commit
        self.no_growth_reason = idle
        self.folder = folder
        self.place = place
        self.label = tree.commit.label
        self.accepted: Iterable[AcceptedValue] = read_accepted_values(folder)
        self._spec: tuple[str, SpecFile] | None = None
        self._counts: dict[str, DesignCounts | None] = {}

    def counts(self, design: str) -> DesignCounts | None:
        """Count a design as it was. A file that was renamed since is found under its old name.

        Raises:
            SpecErrors: where its spec was broken then; CC644 where it lies outside the repository.
        """
        if design not in self._counts:
            self._counts[design] = self._count(design)
        return self._counts[design]

    def _count(self, design: str) -> DesignCounts | None:
        if design.startswith(ZOO):
            return count_graph(open_design(design).graph)  # it comes with the program and has no other past
        wanted = parse_design(os.path.join(self.folder, design))
        path, old = self.locate(wanted.file)
        if path is None:
            return None
        if not old:
            return self._count_known(path, wanted)
        spec = self.spec(path)
        past = _count_design(spec, wanted)
        return past and past._replace(old_name=spec.design(wanted.variant, wanted.part).text)

    def _count_known(self, path: str, wanted: DesignName) -> DesignCounts | None:
        """Count a design, or read what was counted before: a commit does not change."""
        if self._cache is None or not path.endswith(SPEC_SUFFIXES):
            return _count_design(self.spec(path), wanted)
        commit, inside = self.tree.commit.hash, self.tree.relative_path(path)
        address = self._cache.address("baseline", commit, inside, wanted.variant, wanted.part)
        known = self._cache.get(address)
        if known is not None:
            return DesignCounts(*known) if known else None
        past = _count_design(self.spec(path), wanted)
        self._cache.put(address, past[:2] if past else [])
        return past

    def locate(self, file: str) -> tuple[str | None, bool]:
        """Return the path of a file at the commit and whether it is another; nothing where the file is new.

        Raises:
            SpecErrors: CC644, it lies outside the repository.
        """
        path = self.tree.resolve(file)
        fault = error_if_outside(self.tree, path, self.place)
        if fault:
            raise fault
        if self.tree.is_file(path):
            return path, False
        old = self._renames.old_path(self.tree.relative_path(path) or "")
        return old and os.path.join(self.tree.top, old), True

    @cached_property
    def _renames(self) -> Renames:
        return Renames(self.tree, SPEC_SUFFIXES)

    def spec(self, path: str) -> SpecFile:
        """Read a spec at the commit; the last one is kept, for its other designs.

        Raises:
            SpecErrors: what is wrong with it, at ``REV:path:line``.
        """
        if self._spec is None or self._spec[0] != path:
            name = os.path.relpath(path, self.folder).replace(os.sep, "/")
            if path.endswith(BINARY_MODELS):
                from convcalc.designs.imported import open_content  # specs do without

                self._spec = path, open_content(name, self.tree.content(path) or b"", self.label)
                return self._spec[1]
            try:
                source = self.tree.read(path)
            except SpecError as error:
                raise SpecErrors([error]) from None
            files = DocumentLoader(self.tree.read, self.tree.libraries, self.tree)
            self._spec = path, read_spec(source, name, path, files)
        return self._spec[1]


def _count_design(spec: SpecFile, wanted: DesignName) -> DesignCounts | None:
    """Count a design of a spec; nothing where the spec had no such variant or part yet."""
    if wanted.variant is not None and wanted.variant not in spec.variants:
        return None
    graph = spec.expand(wanted.variant).graph
    if wanted.part is not None:
        try:
            graph = graph.subgraph(wanted.part)
        except SpecError:
            return None
    return count_graph(graph)


Baseline: TypeAlias = StoredBaseline | GitBaseline
"""Designs as they were."""
