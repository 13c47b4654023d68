"""Baselines: what designs counted before, kept in a file or counted anew from a commit of git."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Sequence
from functools import cached_property

from convcalc.budget.counts import counts
from convcalc.budget.git import MERGE_BASE, Commit, Repository
from convcalc.budget.model import Origin
from convcalc.budget.past import Accepted, Baseline, Past
from convcalc.budget.patterns import is_inside
from convcalc.budget.patterns import repository as repository_of
from convcalc.budget.record import FILE, MISSING, read_record
from convcalc.budget.tree import Tree, outside
from convcalc.designs import BUDGET, ZOO, Design, Spec, open_design, parse_design, past_spec
from convcalc.errors import Source, Span, SpecError, SpecErrors, quoted
from convcalc.spec.files import Files

GIT = "git"


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
    commit = repository.merge_base(base) if origin.value == MERGE_BASE else repository.commit(origin.value)
    return GitBaseline(Tree(repository, commit, libraries), folder, place=origin.span)


class FileBaseline:
    """A baseline that was written down."""

    def __init__(self, origin: Origin, folder: str) -> None:
        path = file_of(origin, folder)
        self.label = origin.value
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
        SpecErrors: CC641, a budget file that names a path outside its repository.
    """
    if origin is None or origin.kind == GIT:
        return os.path.join(folder, FILE)
    path = os.path.realpath(os.path.join(folder, origin.value))
    if origin.span and not is_inside(path, os.path.realpath(repository_of(folder) or folder)):
        text = f"the baseline {quoted(origin.value)} lies outside the repository of the budget file"
        raise SpecErrors([SpecError(MISSING, text, origin.span, hint=f"keep it beside the budget file: {FILE}")])
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

    def __init__(self, tree: Tree, folder: str, *, place: Span | None = None) -> None:
        self.tree = tree
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
        old = self.renames.get(path) or self._moved(path)
        return old, True

    @cached_property
    def renames(self) -> dict[str, str]:
        """Files that were renamed since, new path → old path, both absolute."""
        renamed = self.tree.repository.renamed(self.commit)
        return {os.path.join(self.tree.top, new): os.path.join(self.tree.top, old) for new, old in renamed.items()}

    def _moved(self, path: str) -> str | None:
        """Return the file that is gone and had the same content: a rename that git was not told of yet."""
        here = self.tree.copies(path)
        return next((old for old in here if not os.path.lexists(old)), None)

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


def _counted(spec: Spec, wanted: Design) -> Past | None:
    """Count a design of a spec; nothing where the spec had no such variant or part yet."""
    if wanted.variant is not None and wanted.variant not in spec.variants:
        return None
    graph = spec.network(wanted.variant).graph
    if wanted.part is None:
        return counts(graph)
    return counts(graph.part(wanted.part)) if wanted.part in graph.paths() else None
