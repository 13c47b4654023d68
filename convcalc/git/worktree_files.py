"""The files of a work tree that git tracks, or would if it was told, and what they were called at a commit."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from convcalc.git.commit_tree import LINK, SUBMODULE, CommitTree
from convcalc.git.process import Dialogue, blob_hash
from convcalc.git.repository import NO_REPOSITORY
from convcalc.git.worktree import RepositoryRefused, require_plain
from convcalc.paths import GIT
from convcalc.spec.limits import FILE_BYTES

IGNORE = ".gitignore"


def worktree_files(tree: CommitTree, endings: tuple[str, ...]) -> list[str]:
    """Return the files with some endings, from the top, sorted. The folders are walked here, not by git.

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


MIN_SIMILARITY = 50
"""Per cent of the larger file's bytes that stand, in whole lines, in both: git's own measure of a rename."""
MAX_PAIRS = 1 << 18
"""Files that are new times files that are gone, so many of which are compared; of more, those of one name alone."""


class Renames:
    """What became of the files of a commit that are gone. One file is the past of one file."""

    def __init__(self, tree: CommitTree, endings: tuple[str, ...]) -> None:
        """Match the files of the work tree with some endings.

        The same content goes first, under the same name where there are several; then what is most alike.

        Raises:
            SpecErrors: git lacks the content of a file that is gone.
        """
        self._tree = tree
        self._missing_paths = [
            path
            for path, entry in tree.entries.items()
            if entry.mode not in (LINK, SUBMODULE) and is_gone(os.path.join(tree.top, path))
        ]
        new = (
            [path for path in worktree_files(tree, endings) if path not in tree.entries] if self._missing_paths else []
        )
        contents = {path: content for path in new if (content := read_file(os.path.join(tree.top, path)))}
        self.old_paths: dict[str, str] = {}
        """New path → old path, from the top of the work tree."""
        self.old_paths = self._match_equal(contents)
        edited = {path: content for path, content in contents.items() if path not in self.old_paths}
        if edited:
            self._match_similar(edited, [path for path in self._unmatched_paths() if path.endswith(endings)])

    def old_path(self, path: str) -> str | None:
        """Return what a file was called. Of one that git ignores, or that ends otherwise, its content must tell."""
        if path not in self.old_paths and path not in self._tree.entries:
            self.old_paths |= self._match_equal({path: read_file(os.path.join(self._tree.top, path))})
        return self.old_paths.get(path)

    def _unmatched_paths(self) -> list[str]:
        taken = set(self.old_paths.values())
        return [path for path in self._missing_paths if path not in taken]

    def _match_equal(self, contents: Mapping[str, bytes]) -> dict[str, str]:
        olds: dict[str, list[str]] = {}
        for path in self._unmatched_paths():
            olds.setdefault(self._tree.entries[path].object, []).append(path)
        found: dict[str, str] = {}
        for path, content in contents.items():
            if held := olds.get(blob_hash(content, len(self._tree.commit.hash))):
                found[path] = min(held, key=lambda old: (os.path.basename(old) != os.path.basename(path), old))
                held.remove(found[path])
        return found

    def _match_similar(self, edited: Mapping[str, bytes], gone: Iterable[str]) -> None:
        old = {path: self._tree.content(os.path.join(self._tree.top, path)) or b"" for path in gone}
        taken = set[str]()
        for some, olds in _comparable_groups(edited, old):
            for _, path, past in sorted(_similar_pairs(some, olds), key=lambda one: (-one[0], one[1:])):
                if path not in self.old_paths and past not in taken:
                    self.old_paths[path] = past
                    taken.add(past)


def is_gone(path: str) -> bool:
    """Whether nothing is at the path of a file any more, or a folder."""
    return not os.path.lexists(path) or (os.path.isdir(path) and not os.path.islink(path))


def read_file(path: str) -> bytes:
    """Return the bytes of a file of the work tree, one more than a spec may have at the most; nothing of all else."""
    try:
        if os.path.islink(path) or not os.path.isfile(path):
            return b""
        with open(path, "rb") as file:
            return file.read(FILE_BYTES + 1)
    except OSError:
        return b""


Contents = Mapping[str, bytes]


def _comparable_groups(new: Contents, old: Contents) -> Iterator[tuple[Contents, Contents]]:
    """Give what is compared with what: all, or what has the same name, so that no commit costs more than that."""
    if len(new) * len(old) <= MAX_PAIRS:
        yield new, old
        return
    befores = _by_name(old)
    for name, some in _by_name(new).items():
        olds = befores.get(name, {})
        if len(some) * len(olds) <= MAX_PAIRS:
            yield some, olds


def _by_name(contents: Contents) -> dict[str, dict[str, bytes]]:
    found: dict[str, dict[str, bytes]] = {}
    for path, content in contents.items():
        found.setdefault(os.path.basename(path), {})[path] = content
    return found


def _similar_pairs(new: Mapping[str, bytes], old: Mapping[str, bytes]) -> Iterator[tuple[int, str, str]]:
    """Give pairs of files that are alike: bytes in common per ten thousand, new, old."""
    holders: dict[bytes, list[tuple[str, int]]] = {}
    for path, content in old.items():
        for line, times in Counter(content.splitlines()).items():
            holders.setdefault(line, []).append((path, times))
    for path, content in new.items():
        common = Counter[str]()
        for line, times in Counter(content.splitlines()).items():
            for past, before in holders.get(line, ()):
                common[past] += (len(line) + 1) * min(times, before)
        for past, shared in common.items():
            whole = max(len(content), len(old[past]))
            if 100 * shared >= MIN_SIMILARITY * whole:
                yield 10_000 * shared // whole, path, past
