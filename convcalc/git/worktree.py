"""Where a work tree and its repository are, found and looked over before git is called.

A ``.git`` may come out of an archive. It is taken where all of it lies in one place, and where it is a file that leads
elsewhere, only if that place belongs to it: a linked work tree or a submodule.
"""

from __future__ import annotations

import os
import stat

from convcalc.errors import quoted
from convcalc.paths import GIT, is_inside, repository_root

POINTER = "gitdir: "

MAX_POINTER_BYTES = 1 << 16
"""More than any file that is read here has: paths."""

OWN_PARTS = ("HEAD", "commondir", "config", "config.worktree", "index", "info", "packed-refs", "shallow")

SHARED_PARTS = (
    "HEAD", "config", "info", "info/attributes", "info/exclude", "info/grafts", "objects", "objects/info",
    "objects/info/alternates", "objects/info/commit-graph", "objects/pack", "packed-refs", "refs", "refs/heads",
    "refs/remotes", "refs/tags", "reftable", "shallow",
)  # fmt: skip

USE_FILE_HINT = "keep the baseline in a file"


class RepositoryRefused(Exception):
    """A repository that is not taken."""

    def __init__(self, text: str, hint: str = USE_FILE_HINT) -> None:
        super().__init__(text)
        self.text = text
        self.hint = hint


def require_sound(top: str) -> set[str]:
    """Look over the repository of a work tree, whose path is a real one. Return the folders that it is in.

    Raises:
        Refused: a part of it lies elsewhere, or is not a file or folder.
    """
    folder = _git_folder(top)
    shared = _common_folder(folder)
    _require_inside(folder, OWN_PARTS)
    _require_inside(shared, SHARED_PARTS)
    for name in ("HEAD", "objects"):
        if not os.path.exists(os.path.join(folder if name == "HEAD" else shared, name)):
            raise RepositoryRefused(f"{quoted(folder)} is not a repository: it has no {name}")
    alternates = os.path.join(shared, "objects", "info", "alternates")
    if os.path.exists(alternates) and any(
        line[:1] not in ("", "#") for line in _read_path_file(alternates).split("\n")
    ):
        text = f"the repository borrows objects from elsewhere: {quoted(alternates)}"
        raise RepositoryRefused(text, f"`git repack -a -d` copies them, then delete the file; or {USE_FILE_HINT}")
    return {shared} if is_inside(folder, shared) else {folder, shared}


def _git_folder(top: str) -> str:
    """Return the folder that ``.git`` is or leads to."""
    entry = os.path.join(top, GIT)
    if os.path.islink(entry):
        raise RepositoryRefused(f"{quoted(entry)} is a link to {quoted(os.path.realpath(entry))}")
    if os.path.isdir(entry):
        return entry
    text = _read_path_file(entry)
    if not text.startswith(POINTER):
        raise RepositoryRefused(f"{quoted(entry)} is neither a repository nor does it say where one is")
    folder = os.path.realpath(os.path.join(top, text.removeprefix(POINTER)))
    if not os.path.isdir(folder):
        raise RepositoryRefused(f"{quoted(entry)} points to {quoted(folder)}, which is not there")
    if not _is_linked_worktree(folder, entry) and not _is_submodule(folder, top):
        text = f"{quoted(entry)} points to {quoted(folder)}, which is not a work tree or submodule of it"
        raise RepositoryRefused(text, f"`git worktree repair` fixes a work tree that was moved; or {USE_FILE_HINT}")
    return folder


def _is_linked_worktree(folder: str, entry: str) -> bool:
    """Whether a folder is that of a linked work tree whose ``.git`` is the entry."""
    back = os.path.join(folder, "gitdir")
    return os.path.exists(back) and os.path.realpath(os.path.join(folder, _read_path_file(back))) == entry


def _is_submodule(folder: str, top: str) -> bool:
    """Whether a folder is where the repository around a work tree keeps its submodules.

    That the submodule is this one, git says: its ``core.worktree`` leads back, see
    :class:`~convcalc.git.repository.Repository`.
    """
    outer = repository_root(os.path.dirname(top))
    return outer is not None and is_inside(folder, os.path.join(os.path.realpath(_git_folder(outer)), "modules"))


def _common_folder(folder: str) -> str:
    """Return the folder that holds objects and branches: of a linked work tree, that of the main one."""
    pointer = os.path.join(folder, "commondir")
    if not os.path.lexists(pointer):
        return folder
    shared = os.path.realpath(os.path.join(folder, _read_path_file(pointer)))
    if os.path.dirname(folder) != os.path.join(shared, "worktrees"):
        raise RepositoryRefused(f"{quoted(pointer)} points to {quoted(shared)}, which has no such work tree")
    return shared


def _require_inside(folder: str, names: tuple[str, ...]) -> None:
    """Refuse parts that are links out of a folder, or nothing that can be read to its end."""
    for name in names:
        path = os.path.join(folder, name)
        if not os.path.lexists(path):
            continue
        real = os.path.realpath(path)
        if not is_inside(real, os.path.realpath(folder)):
            raise RepositoryRefused(f"a part of the repository lies elsewhere: {quoted(path)} is {quoted(real)}")
        if os.path.exists(path) and not _is_plain(path):
            raise RepositoryRefused(f"{quoted(path)} is neither a file nor a folder")


def _is_plain(path: str) -> bool:
    mode = os.stat(path).st_mode
    return stat.S_ISREG(mode) or stat.S_ISDIR(mode)


def _read_path_file(path: str) -> str:
    """Read a small file that holds paths."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise RepositoryRefused(f"{quoted(path)} is not a file")
        with open(path, "rb") as file:
            content = file.read(MAX_POINTER_BYTES)
    except OSError as error:
        raise RepositoryRefused(f"{quoted(path)} cannot be read: {error.strerror}") from None
    if b"\0" in content:
        raise RepositoryRefused(f"{quoted(path)} is not text")
    return os.fsdecode(content).rstrip("\r\n")


PARENT = ".."


def leaves_repository(file: str, folder: str) -> bool:
    """Whether a path or a glob that is relative to a folder begins outside the folder's repository."""
    names = file.split("/")
    ascent = next((place for place, name in enumerate(names) if name != PARENT), len(names))
    start = os.path.realpath(os.path.join(folder, *names[:ascent]))
    return not is_inside(start, os.path.realpath(repository_root(folder) or folder))
