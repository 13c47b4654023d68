"""What git would wait for: pipes and devices among the files of a repository, and among those that its settings name.

Git opens whatever bears a name that it looks for: a branch, an object, an included configuration. A pipe never ends.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator

from convcalc.errors import quoted
from convcalc.git import process
from convcalc.git.worktree import RepositoryRefused
from convcalc.paths import is_inside

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


def require_files(folder: str, top: str) -> None:
    """Look at everything in the folder of a repository, and at what its configuration names.

    Args:
        folder: of the repository.
        top: of the work tree.

    Raises:
        Refused: something is neither a file nor a folder, or a folder lies elsewhere.
        OSError: git is not there.
    """
    _require_files(os.path.realpath(folder), folder)
    _ConfigurationChecker(top).require(os.path.join(folder, name) for name in CONFIGURATIONS)


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
    if os.path.isdir(path) and path != os.path.join(whole, HOOKS) and not is_inside(os.path.realpath(path), whole):
        raise RepositoryRefused(
            f"a part of the repository lies elsewhere: {quoted(path)} is {quoted(os.path.realpath(path))}"
        )


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
