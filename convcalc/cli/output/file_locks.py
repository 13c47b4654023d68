"""Locks of files that are being written, which end with the process, however it ends; and what killed runs left."""

from __future__ import annotations

import contextlib
import os
import re
import sys

STAGED_SUFFIX = ".convcalc"
MAX_REPEATED_NAME = 40
"""Characters of a name that are repeated in that of the file beside it; a file system takes 255 bytes."""


def try_lock(handle: int) -> bool:
    """Lock a file, until it is closed or its process has ended; false where another process has.

    Children that are forked have no part in the lock, as they would with ``flock``: one that outlives a killed run
    does not hold it.

    Raises:
        OSError: where there are no locks, as on some networks.
    """
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True


def has_path(handle: int, path: str) -> bool:
    """Whether an open file is still the one that has this path."""
    try:
        return os.path.samestat(os.fstat(handle), os.stat(path, follow_symlinks=False))
    except OSError:
        return False


def remove_leftovers(path: str) -> None:
    """Remove what killed runs have left beside a path, and nothing that a run still writes."""
    folder, name = os.path.split(os.path.realpath(path))
    ours = re.compile(re.escape(staged_prefix(name)) + r"[a-z0-9_]{8}" + re.escape(STAGED_SUFFIX))
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if ours.fullmatch(entry.name):
                with contextlib.suppress(OSError):
                    _remove_unlocked(entry.path)


def _remove_unlocked(path: str) -> None:
    if sys.platform == "win32":  # where an open file cannot be removed
        os.unlink(path)
        return
    handle = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        if try_lock(handle) and has_path(handle, path):
            os.unlink(path)
    finally:
        os.close(handle)


def staged_prefix(name: str) -> str:
    """Return how the files beside one of this name begin; those of no other name do."""
    if len(name) <= MAX_REPEATED_NAME:
        return f".{name}."
    from hashlib import blake2b

    return f".{name[:MAX_REPEATED_NAME]}.{blake2b(os.fsencode(name), digest_size=8).hexdigest()}."


def lock_new_file(handle: int) -> bool:
    """Lock a new file, if files can be locked here: where they cannot, nobody takes it for a leftover."""
    try:
        return try_lock(handle)
    except OSError:
        return True
