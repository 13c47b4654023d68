"""Paths and repositories: the root of the repository that has a path, and whether a folder has it."""

from __future__ import annotations

import os
from collections.abc import Iterator

GIT = ".git"


def folders_up_to_root(folder: str) -> Iterator[str]:
    """Give a folder and its parents, up to the root of the repository or of the file system."""
    folder = os.path.abspath(folder)
    yield folder
    while not _holds_repository(folder) and os.path.dirname(folder) != folder:
        folder = os.path.dirname(folder)
        yield folder


def repository_root(folder: str) -> str | None:
    """Return the nearest folder, from here upward, with an entry ``.git``; ``None`` where there is none."""
    *_, last = folders_up_to_root(folder)
    return last if _holds_repository(last) else None


def _holds_repository(folder: str) -> bool:
    return os.path.lexists(os.path.join(folder, GIT))


def is_inside(path: str, folder: str) -> bool:
    """Whether a real path is a folder or below it."""
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def path_from_cwd(path: str) -> str:
    """Return a path relative to the current folder, or unchanged where it is not below."""
    try:
        below = os.path.relpath(path)
    except OSError:  # the current folder has been deleted
        return path
    return path if below.startswith("..") else below
