"""The files of a work tree that git tracks, or would if it was told. The folders are walked here, not by git."""

from __future__ import annotations

import os
from collections.abc import Iterator

from convcalc.git.blocking_files import require_plain
from convcalc.git.commit_tree import CommitTree
from convcalc.git.object_reader import Dialogue
from convcalc.git.repository import NO_REPOSITORY
from convcalc.git.worktree import RepositoryRefused
from convcalc.paths import GIT

IGNORE = ".gitignore"


def worktree_files(tree: CommitTree, endings: tuple[str, ...]) -> list[str]:
    """Return the files with some endings, from the top, sorted.

    What is ignored and was never committed is passed over, and so is every repository in the work tree.

    Args:
        tree: HEAD, or an earlier commit: what stands there is tracked.
        endings: of their names.
    """
    return sorted(_Walk(tree, endings).paths())


class _Walk:
    def __init__(self, tree: CommitTree, endings: tuple[str, ...]) -> None:
        self.tree = tree
        self.endings = endings
        self._git = Dialogue(tree.top, "check-ignore", "--no-index", "--stdin", "-z", "--verbose", "--non-matching")

    def paths(self) -> Iterator[str]:
        open_folders = [""]
        while open_folders:
            folder = open_folders.pop()
            try:
                entries = list(os.scandir(os.path.join(self.tree.top, folder)))
            except OSError:
                continue
            self._require_rules(entries)
            for entry in entries:
                path = folder + entry.name
                if entry.is_dir(follow_symlinks=False):
                    if self._is_open(path, entry):
                        open_folders.append(f"{path}/")
                elif entry.name.endswith(self.endings) and (path in self.tree.entries or not self._ignores(path)):
                    yield path

    def _require_rules(self, entries: list[os.DirEntry[str]]) -> None:
        """Refuse rules that git would wait for. It follows no link to them."""
        for entry in entries:
            if entry.name == IGNORE and not entry.is_symlink():
                try:
                    require_plain(entry.path)
                except RepositoryRefused as refused:
                    raise self.tree.repository.error(NO_REPOSITORY, refused.text, "delete it") from None

    def _is_open(self, path: str, entry: os.DirEntry[str]) -> bool:
        if entry.name == GIT or os.path.lexists(os.path.join(entry.path, GIT)):
            return False
        return path in self.tree.folders or not self._ignores(path)

    def _ignores(self, path: str) -> bool:
        """Ask git about one path: it answers with where the rule stands, and with nothing where there is none."""
        stream = self._git.ask(b"./" + os.fsencode(path) + b"\0")
        answer = b""
        while answer.count(b"\0") < 4:
            more = stream.read1()
            if not more:
                self._git.reset()
                return False
            answer += more
        source, _, pattern, _ = answer.split(b"\0", 3)
        return bool(source) and not pattern.startswith(b"!")
