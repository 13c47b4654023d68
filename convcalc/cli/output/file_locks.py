"""Locks of files that are being written: they end with the process, however it ends."""

from __future__ import annotations

import os
import sys


def locked(handle: int) -> bool:
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


def is_there(handle: int, path: str) -> bool:
    """Whether an open file is still the one that has this path."""
    try:
        return os.path.samestat(os.fstat(handle), os.stat(path, follow_symlinks=False))
    except OSError:
        return False
