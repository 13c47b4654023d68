"""The files of one commit."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from convcalc.errors import Source, Span, SpecError, SpecErrors, quoted
from convcalc.git.repository import FULL_CLONE_HINT, NO_REPOSITORY, Commit, Repository
from convcalc.records import NamedTuple, cached_property
from convcalc.spec.document.loader import FileSystem
from convcalc.spec.yaml.text import decode, read_text

LINK, SUBMODULE = b"120000", b"160000"
MAX_LINKS = 40
"""So many links in one path are a ring; Linux has the same limit."""


class TreeEntry(NamedTuple):
    """One file of a commit."""

    mode: bytes
    object: str


class CommitTree(FileSystem):
    """The work tree as it was at a commit. Paths are absolute. Libraries that lie outside it have no past here."""

    def __init__(self, repository: Repository, commit: Commit, libraries: Sequence[str] = ()) -> None:
        self.repository = repository
        self.commit = commit
        self.top = repository.top
        self.libraries = tuple(map(os.path.realpath, libraries))
        self._objects = repository.objects

    @cached_property
    def entries(self) -> dict[str, TreeEntry]:
        """Every file by its path from the top."""
        listed = self.repository.run("ls-tree", "-r", "-z", "--full-tree", self.commit.hash)
        if listed.returncode:
            said = listed.stderr.decode("utf-8", "replace").strip()
            text = f"git cannot list {self.commit.label}: {quoted(said)}"
            raise self.repository.error(NO_REPOSITORY, text, FULL_CLONE_HINT if self.repository.is_partial else "")
        return dict(_parse_entries(listed.stdout))

    @cached_property
    def folders(self) -> set[str]:
        """Every folder by its path from the top."""
        found = {""}
        for path in self.entries:
            while (path := os.path.dirname(path)) not in found:
                found.add(path)
        return found

    def relative_path(self, path: str) -> str | None:
        """Return an absolute path as one from the top; nothing where it is not in the work tree."""
        if path == self.top:
            return ""
        start = self.top.rstrip("/") + "/"
        return path.removeprefix(start) if path.startswith(start) else None

    def entry(self, path: str) -> TreeEntry | None:
        """Return the file at a real path."""
        inside = self.relative_path(path)
        return None if inside is None else self.entries.get(inside)

    def content(self, path: str) -> bytes | None:
        """Return the bytes of the file at a real path; nothing where there was none.

        Raises:
            SpecErrors: CC001, git lacks it.
        """
        entry = self.entry(path)
        if entry is None or entry.mode == SUBMODULE:
            return None
        content = self._objects.content(entry.object)
        if content is None:
            raise SpecErrors([self._missing_content_error(path)])
        return content

    def _missing_content_error(self, path: str) -> SpecError:
        hint = FULL_CLONE_HINT if self.repository.is_partial else "`git fsck` says what the repository lacks"
        return SpecError(
            "CC001", "cannot be read: git does not have its content", Span(Source(self.display_name(path))), hint
        )

    def submodule(self, path: str) -> str:
        """Return the submodule that a path leads into, or nothing."""
        inside = self.relative_path(path) or ""
        while inside:
            entry = self.entries.get(inside)
            if entry and entry.mode == SUBMODULE:
                return inside
            inside = os.path.dirname(inside)
        return ""

    # --- places -------------------------------------------------------------------------------------------------------

    def resolve(self, path: str) -> str:
        """Return the absolute path that a path led to at the commit, links resolved."""
        left = os.path.abspath(path).split("/")[:0:-1]
        done, links = "", 0
        while left:
            done = os.path.normpath(f"{done}/{left.pop()}")
            entry = self.entry(done)
            if entry and entry.mode == LINK and (links := links + 1) <= MAX_LINKS:
                target = os.fsdecode(self.content(done) or b"")
                done = os.path.dirname(done)
                left += os.path.abspath(os.path.join(done, target)).split("/")[:0:-1]
                done = ""
        return done or "/"

    def is_file(self, path: str) -> bool:
        """Tell whether a plain file was there."""
        path = self.resolve(path)
        if self._is_in_library(path):
            return os.path.isfile(path)
        entry = self.entry(path)
        return entry is not None and entry.mode not in (LINK, SUBMODULE)

    def _is_in_library(self, path: str) -> bool:
        """Tell whether a path leads into a library outside the work tree: those are read as they lie on the disk."""
        return self.relative_path(path) is None and any(path.startswith(f"{folder}/") for folder in self.libraries)

    def display_name(self, path: str) -> str:
        """Return ``REV:path``, as git writes it."""
        inside = self.relative_path(path)
        return path if inside is None else f"{self.commit.short}:{inside}"

    def read(self, path: str) -> Source:
        """Return the text of a file.

        Raises:
            SpecError: as reading from the disk does.
        """
        path = self.resolve(path)
        if self._is_in_library(path):
            return read_text(path)
        name, entry = self.display_name(path), self.entry(path)
        if entry is None or not self.is_file(path):
            raise SpecError("CC001", f"no such file at {self.commit.short}", Span(Source(name)))
        content = self._objects.content(entry.object)
        if content is None:
            raise self._missing_content_error(path)
        return decode(content, name)


def _parse_entries(listed: bytes) -> Iterator[tuple[str, TreeEntry]]:
    for line in listed.split(b"\0")[:-1]:
        about, _, path = line.partition(b"\t")
        mode, _, name = about.split(b" ")
        yield os.fsdecode(path), TreeEntry(mode, name.decode("ascii"))


def error_if_outside(tree: CommitTree, path: str, place: Span | None) -> SpecErrors | None:
    """Return what keeps a file of the present from being looked up in a tree, or nothing."""
    if tree.relative_path(path) is None:
        text = f"{quoted(path)} lies outside the repository {quoted(tree.top)}, so git has no history of it"
        hint = "move it into the repository, or keep the baseline in a file"
    elif submodule := tree.submodule(path):
        text = f"{quoted(path)} lies in the submodule {quoted(submodule)}, which has a history of its own"
        hint = "put a budget file into the submodule, or keep the baseline in a file"
    else:
        return None
    return SpecErrors([SpecError(NO_REPOSITORY, text, place or Span(Source(path)), hint)])
