"""Where a work tree and its repository are, found and looked over before git is called.

A ``.git`` may come out of an archive. It is taken where all of it lies in one place, and where it is a file that leads
elsewhere, only if that place belongs to it: a linked work tree or a submodule.

Git opens whatever bears a name that it looks for: a branch, an object, an included configuration. A pipe never ends.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator

from convcalc.errors import quoted
from convcalc.git import process
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
CONFIGURATIONS = ("config", "config.worktree")
CONFIG_BYTES = 4 << 20
"""Of one configuration: git reads it anew in every call."""
MAX_INCLUDES = 100
"""Configurations that are included, each as often as git would read it."""
OPTIONAL = ":(optional)"
"""Before a path that need not be there, in newer versions."""
HOOKS = "hooks"
"""The one folder of a repository that people put elsewhere by a link. Git reads nothing in it here."""
_PATH_KEYS = r"^(include(if\..*)?\.path|core\.(excludesfile|attributesfile))$"


class RepositoryRefused(Exception):
    """A repository that is not taken."""

    def __init__(self, text: str, hint: str = USE_FILE_HINT) -> None:
        super().__init__(text)
        self.text = text
        self.hint = hint


def require_sound(top: str) -> None:
    """Look over the repository of a work tree, whose path is a real one, and what its configuration names.

    Raises:
        RepositoryRefused: a part of it lies elsewhere, or is not a file or folder.
        OSError: git is not there.
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
    for part in {shared} if is_inside(folder, shared) else {folder, shared}:
        _require_files(os.path.realpath(part), part)
        _ConfigurationChecker(top).require(os.path.join(part, name) for name in CONFIGURATIONS)


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
        if os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path):
            raise RepositoryRefused(f"{quoted(path)} is neither a file nor a folder")


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


# --- pipes and devices, which git would wait for ----------------------------------------------------------------------


def _require_files(whole: str, folder: str) -> None:
    open_folders = [folder]
    while open_folders:
        try:
            entries = list(os.scandir(open_folders.pop()))
        except OSError:  # git cannot read it either
            continue
        for entry in entries:
            if entry.is_symlink():
                _require_link(whole, entry.path)
            elif entry.is_dir():
                open_folders.append(entry.path)
            elif not entry.is_file():
                require_plain(entry.path)


def _require_link(whole: str, path: str) -> None:
    """Refuse a link to a folder elsewhere, which nobody looked through; what lies inside is looked at there."""
    require_plain(path)
    real = os.path.realpath(path)
    if os.path.isdir(path) and path != os.path.join(whole, HOOKS) and not is_inside(real, whole):
        raise RepositoryRefused(f"a part of the repository lies elsewhere: {quoted(path)} is {quoted(real)}")


def require_plain(path: str) -> None:
    """Refuse a pipe or a device that is not the null device; a socket cannot be opened."""
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):
        return
    if os.path.realpath(path) == os.devnull:
        return
    if stat.S_ISFIFO(mode) or stat.S_ISCHR(mode) or stat.S_ISBLK(mode):
        raise RepositoryRefused(f"{quoted(path)} is neither a file nor a folder")


class _ConfigurationChecker:
    """Configurations, followed as git follows them."""

    def __init__(self, top: str) -> None:
        self.top = top
        self.files_left = MAX_INCLUDES
        self._named_by_path: dict[str, list[tuple[str, str]]] = {}

    def require(self, paths: Iterable[str]) -> None:
        """Look at what some configurations name; what they include is relative to them, all else to the work tree."""
        for path in paths:
            for key, value in self._named_files(path):
                included = key.startswith("include")
                start = os.path.dirname(path) if included else self.top
                named = os.path.join(start, os.path.expanduser(value.removeprefix(OPTIONAL)))
                require_plain(named)
                if included:
                    self.files_left -= 1
                    if self.files_left < 0:
                        raise RepositoryRefused(f"the configuration includes more than {MAX_INCLUDES} files")
                    self.require([named])

    def _named_files(self, path: str) -> list[tuple[str, str]]:
        """Return the files that a configuration names; git reads that one alone, from where no repository is."""
        real = os.path.realpath(path)
        if real not in self._named_by_path:
            self._named_by_path[real] = list(_read_path_settings(real))
        return self._named_by_path[real]


def _read_path_settings(path: str) -> Iterator[tuple[str, str]]:
    if not os.path.isfile(path):
        return
    if os.path.getsize(path) > CONFIG_BYTES:
        raise RepositoryRefused(f"{quoted(path)} is larger than the limit of {CONFIG_BYTES} bytes (4 MiB)")
    done = process.run(
        os.path.abspath(os.sep), "config", "--file", path, "--no-includes", "-z", "--get-regexp", _PATH_KEYS
    )
    if done.returncode not in (0, 1):  # git would stop there, but only after what stands before it
        raise RepositoryRefused(
            f"{quoted(path)} is not a configuration: git says {quoted(process.first_line(done.stderr))}"
        )
    for one in os.fsdecode(done.stdout).split("\0")[:-1]:
        key, _, value = one.partition("\n")
        yield key, value
