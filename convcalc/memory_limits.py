"""Too little memory: how it shows, and packages that end the process where they cannot have theirs."""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Callable, Sequence

PATIENCE = 20
"""Seconds until a trial that does not end is one that failed: threads that got no memory are waited for, for ever."""

NEAR = 32 << 20
"""Bytes below a limit that may be asked for at once."""

SENTENCE = "not enough memory"
SAID = ("cannot allocate memory", "failed to map segment", "can't start new thread", "paging file is too small")
"""How loaders and threads say it, in errors that have no number."""
UNLIKE = "static TLS block"
"""What a loader calls memory and is none of the machine's."""


def is_short(error: BaseException | None) -> bool:
    """Whether an error is that of too little memory, or came of one."""
    while error is not None:
        if isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM:
            return True
        if isinstance(error, ImportError | OSError | RuntimeError):
            said = str(error)
            if UNLIKE not in said and any(each in said.lower() for each in SAID):
                return True
        error = error.__cause__ or error.__context__
    return False


def is_limited() -> bool:
    """Whether the system may refuse a process memory: by a limit of its own, or by strict accounting."""
    try:
        import resource
    except ModuleNotFoundError:  # no such limits
        return False
    except ImportError:  # it is there, and cannot be loaded
        return True
    limits = (resource.RLIMIT_AS, resource.RLIMIT_DATA)
    return any(resource.getrlimit(limit)[0] != resource.RLIM_INFINITY for limit in limits) or _is_strict()


def is_near_limit() -> bool:
    """Whether a process has ever had nearly all the addresses that it may have: then any error may be one of memory.

    What is refused there shows as other errors too, such as a ``ValueError`` of a parser whose tree has holes.
    """
    if not is_limited():
        return False
    try:
        import resource

        with open("/proc/self/status", encoding="ascii", errors="replace") as file:
            peak = next(int(line.split()[1]) << 10 for line in file if line.startswith("VmPeak:"))
    except (ImportError, OSError, StopIteration):  # not known here
        return True
    limits = (resource.getrlimit(limit)[0] for limit in (resource.RLIMIT_AS, resource.RLIMIT_DATA))
    return any(peak + NEAR >= limit for limit in limits if limit != resource.RLIM_INFINITY)


def _is_strict() -> bool:
    try:
        with open("/proc/sys/vm/overcommit_memory", encoding="ascii") as file:
            return file.read().strip() == "2"
    except OSError:
        return False


def require_room(*steps: Callable[[], object]) -> None:
    """Demand that a package can be loaded, where memory is limited; else do nothing, at no cost.

    Libraries below NumPy end the process when they get no memory, with the exit code of a finding or as if by Ctrl-C.
    So a fork of this process tries first; what is wrong in other ways is for the caller to find.

    Raises:
        MemoryError: where the fork did not come through it.
    """
    if not hasattr(os, "fork") or not is_limited():
        return
    child = os.fork()
    if child == 0:
        _try(steps)
    _, status = os.waitpid(child, 0)
    if status:
        raise MemoryError(SENTENCE)


def _try(steps: Sequence[Callable[[], object]]) -> None:
    """Load, and end: with 0 where it works, or fails for another reason than memory."""
    code = 1
    try:
        signal.alarm(PATIENCE)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for stream in (1, 2):  # whatever a package says, and what this process has not written yet
            os.dup2(nowhere, stream)
        for step in steps:
            step()
        code = 0
    except (MemoryError, SystemError, KeyboardInterrupt):
        code = 1
    except BaseException as error:  # noqa: BLE001 - whatever it is, the process that asks will meet it itself
        code = int(is_short(error))
    finally:
        os._exit(code)
