"""Baselines: what designs counted before, kept in a file or counted anew from a commit of git."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterable, Sequence
from functools import cached_property

from convcalc.budget.baseline.counts import counts
from convcalc.budget.baseline.file import FILE, MISSING, read_record
from convcalc.budget.baseline.types import Accepted, Baseline, Past
from convcalc.budget.file.types import Origin
from convcalc.designs.names import BUDGET, ZOO, DesignName, parse_design
from convcalc.designs.sources import Spec, open_design, past_spec
from convcalc.errors import Source, Span, SpecError, SpecErrors, quoted
from convcalc.git.commit_tree import Tree, outside
from convcalc.git.object_reader import content_name
from convcalc.git.renames import Renames, read_file
from convcalc.git.repository import MERGE_BASE, Commit, Repository
from convcalc.git.worktree import is_inside
from convcalc.git.worktree import repository as repository_of
from convcalc.spec.document.loader import Files

GIT = "git"
ENDINGS = (".yaml", ".yml")
KEYS = re.compile(rb"""(?:^|[{,\s])["']?(?:layers|blocks)["']?\s*:""")
"""What stands in every spec: other YAML files beside the specs are passed over."""


def open_baseline(origin: Origin, folder: str, *, base: str | None = None, libraries: Sequence[str] = ()) -> Baseline:
    """Open the baseline of a budget file; designs are counted when they are asked for.

    Args:
        origin: where it is.
        folder: that of the budget file, to which names and paths are relative.
        base: the branch that the present one is to be merged into, for ``merge-base``.
        libraries: folders that specs may import from.

    Raises:
        SpecErrors: CC641 no such file, CC642 to CC644 git does not have it, CC645 counted otherwise, CC646 malformed.
    """
    folder = os.path.realpath(folder)
    if origin.kind != GIT:
        return FileBaseline(origin, folder)
    repository = Repository(folder, origin.span)
    left = origin.value == MERGE_BASE
    commit = repository.merge_base(base) if left else repository.commit(origin.value)
    tree = Tree(repository, commit, libraries)
    if commit.name != repository.head or _is_edited(tree):
        return GitBaseline(tree, folder, place=origin.span)
    if not left:
        return GitBaseline(tree, folder, place=origin.span, idle="the baseline is HEAD, and no spec differs from it")
    earlier = repository.before_head()
    if earlier is None:
        return NoBaseline(folder, f"{commit.short} is the first commit: there is nothing to compare it with")
    return GitBaseline(Tree(repository, earlier, libraries), folder, place=origin.span)


def _is_edited(tree: Tree) -> bool:
    """Whether a spec of a commit has been edited since. Line ends are no difference, nor is a file that is gone."""
    for path, entry in tree.entries.items():
        if path.endswith(ENDINGS) and os.path.basename(path) != BUDGET:
            whole = os.path.join(tree.top, path)
            here = read_file(whole)
            if here and content_name(here, len(entry.object)) != entry.object:
                then = tree.content(whole) or b""
                if KEYS.search(here) and here.splitlines() != then.splitlines():
                    return True
    return False


class NoBaseline:
    """What a first commit is held against: every design is new."""

    def __init__(self, folder: str, idle: str) -> None:
        self.label = "nothing"
        self.idle = idle
        self.accepted: Iterable[Accepted] = accepted_beside(folder)

    def past(self, design: str) -> Past | None:
        """Return nothing."""
        return None


class FileBaseline:
    """A baseline that was written down."""

    def __init__(self, origin: Origin, folder: str) -> None:
        path = file_of(origin, folder)
        self.label = origin.value
        self.idle = ""
        text = f"there is no baseline {quoted(origin.value)}"
        missing = SpecError(MISSING, text, origin.span or Span(Source(path)), hint=_write(origin, folder))
        self.record = read_record(shown(path), missing)
        self.accepted: Iterable[Accepted] = self.record.accepted

    def past(self, design: str) -> Past | None:
        """Return what is written down of a design."""
        return self.record.designs.get(design)


def file_of(origin: Origin | None, folder: str) -> str:
    """Return the path of the baseline file: the one that is named, or the usual one beside the budget file.

    Raises:
        SpecErrors: CC641, a path outside the repository that the command line did not give, be it by a link.
    """
    value, span = FILE, origin.span if origin else Span(Source(os.path.join(folder, FILE)))
    if origin is not None and origin.kind != GIT:
        value = origin.value
    path = os.path.realpath(os.path.join(folder, value))
    if span and not is_inside(path, os.path.realpath(repository_of(folder) or folder)):
        text = f"the baseline {quoted(value)} lies outside the repository of the budget file"
        raise SpecErrors([SpecError(MISSING, text, span, hint=f"keep it beside the budget file: {FILE}")])
    return path


def shown(path: str) -> str:
    """Return a path from the current folder, or as it is where it lies elsewhere."""
    below = os.path.relpath(path)
    return path if below.startswith("..") else below


def _write(origin: Origin, folder: str) -> str:
    """Return the command that writes the baseline."""
    file = origin.span.file if origin.span else os.path.join(folder, BUDGET)
    above = os.path.commonpath((folder, os.path.realpath("."))) == folder
    if above and os.path.basename(file) == BUDGET:
        return "convcalc baseline write"
    return f"convcalc baseline write --budget {shlex.quote(shown(os.path.realpath(file)))}"


def accepted_beside(folder: str) -> tuple[Accepted, ...]:
    """Return what was accepted, from the file in the work tree: it comes with the change that it is for."""
    path = os.path.join(folder, FILE)
    if not os.path.lexists(path):
        return ()
    return read_record(shown(path), SpecError(MISSING, "there is no baseline", Span(Source(path)))).accepted


class GitBaseline:
    """Designs as they were at a commit, with everything that they imported then."""

    def __init__(self, tree: Tree, folder: str, *, place: Span | None = None, idle: str = "") -> None:
        self.tree = tree
        self.idle = idle
        self.folder = folder
        self.place = place
        self.label = tree.commit.label
        self.accepted: Iterable[Accepted] = accepted_beside(folder)
        self._spec: tuple[str, Spec] | None = None
        self._counted: dict[str, Past | None] = {}

    @property
    def commit(self) -> Commit:
        return self.tree.commit

    def past(self, design: str) -> Past | None:
        """Count a design as it was. A file that was renamed since is found under its old name.

        Raises:
            SpecErrors: where its spec was broken then; CC644 where it lies outside the repository.
        """
        if design not in self._counted:
            self._counted[design] = self._past(design)
        return self._counted[design]

    def _past(self, design: str) -> Past | None:
        if design.startswith(ZOO):
            return counts(open_design(design).graph)  # it comes with the program and has no other past
        wanted = parse_design(os.path.join(self.folder, design))
        path, old = self.found(wanted.file)
        if path is None:
            return None
        spec = self.spec(path)
        past = _counted(spec, wanted)
        if past is None or not old:
            return past
        return past._replace(design=spec.design(wanted.variant, wanted.part).text)

    def found(self, file: str) -> tuple[str | None, bool]:
        """Return the path of a file at the commit and whether it is another; nothing where the file is new.

        Raises:
            SpecErrors: CC644, it lies outside the repository.
        """
        path = self.tree.real(file)
        fault = outside(self.tree, path, self.place)
        if fault:
            raise fault
        if self.tree.is_file(path):
            return path, False
        old = self._renames.old(self.tree.inside(path) or "")
        return old and os.path.join(self.tree.top, old), True

    @cached_property
    def _renames(self) -> Renames:
        return Renames(self.tree, ENDINGS)

    def spec(self, path: str) -> Spec:
        """Read a spec at the commit; the last one is kept, for its other designs.

        Raises:
            SpecErrors: what is wrong with it, at ``REV:path:line``.
        """
        if self._spec is None or self._spec[0] != path:
            try:
                source = self.tree.read(path)
            except SpecError as error:
                raise SpecErrors([error]) from None
            files = Files(self.tree.read, self.tree.libraries, self.tree)
            name = os.path.relpath(path, self.folder).replace(os.sep, "/")
            self._spec = path, past_spec(source, name, path, files)
        return self._spec[1]


def _counted(spec: Spec, wanted: DesignName) -> Past | None:
    """Count a design of a spec; nothing where the spec had no such variant or part yet."""
    if wanted.variant is not None and wanted.variant not in spec.variants:
        return None
    graph = spec.network(wanted.variant).graph
    if wanted.part is None:
        return counts(graph)
    return counts(graph.part(wanted.part)) if wanted.part in graph.paths() else None
