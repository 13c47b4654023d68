"""Memory: a pause of the cycle collector, a stack in one piece, too little memory recognised, a trial of packages."""

from __future__ import annotations

import errno
import gc
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

STACK_SLOTS = 1 << 15
"""Pointers that fit the frames of some thousand calls."""

TRIAL_SECONDS = 20
"""Seconds until a trial counts as failed: some packages wait for ever for threads that got no memory."""

NEAR_LIMIT_BYTES = 32 << 20
"""Distance in bytes from a limit within which a single allocation may fail."""

NOT_ENOUGH_MEMORY = "not enough memory"
MEMORY_MESSAGES = (
    "cannot allocate memory",
    "failed to map segment",
    "can't start new thread",
    "paging file is too small",
)
"""Messages of loaders and threads for too little memory, in errors without ``errno``."""
OTHER_MEMORY_MESSAGE = "static TLS block"
"""In a loader's message about memory that is not the machine's."""


def with_stack(function: Callable[P, R]) -> Callable[P, R]:
    """Return a function whose calls have their frames in one piece of memory.

    CPython maps frames in pieces of 16 KiB, and unmaps a piece when the call that began it returns: where a loop is at
    the end of a piece, each of its calls maps and unmaps one, and a report takes up to half as long again. A function
    that says it needs a large frame begins a piece of twice that size, whose other half is for what it calls.
    """
    function.__code__ = function.__code__.replace(co_stacksize=STACK_SLOTS)
    return function


def is_memory_error(error: BaseException | None) -> bool:
    """Whether an error, or one that caused it, is due to too little memory."""
    while error is not None:
        if isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM:
            return True
        if isinstance(error, ImportError | OSError | RuntimeError):
            message = str(error)
            if OTHER_MEMORY_MESSAGE not in message and any(each in message.lower() for each in MEMORY_MESSAGES):
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
    """Whether the peak address space was near its limit: then any error may be due to too little memory.

    Refused memory causes other errors too, such as a ``ValueError`` of a parser whose tree is incomplete.
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
    return any(peak + NEAR_LIMIT_BYTES >= limit for limit in limits if limit != resource.RLIM_INFINITY)


def _is_strict() -> bool:
    try:
        with open("/proc/sys/vm/overcommit_memory", encoding="ascii") as file:
            return file.read().strip() == "2"
    except OSError:
        return False


def require_memory(*steps: Callable[[], object]) -> None:
    """Where memory is limited, run steps in a fork first; otherwise do nothing.

    Libraries that NumPy uses end the process when they get no memory, with the exit code of a finding or of Ctrl-C.
    Errors other than those of memory are left to the caller.

    Raises:
        MemoryError: where the fork failed for want of memory.
    """
    if not hasattr(os, "fork") or not is_limited():
        return
    child = os.fork()
    if child == 0:
        _run_and_exit(steps)
    _, status = os.waitpid(child, 0)
    if status:
        raise MemoryError(NOT_ENOUGH_MEMORY)


def _run_and_exit(steps: Sequence[Callable[[], object]]) -> None:
    """Run the steps and exit: with 0 where they work, or fail for another reason than memory."""
    import signal  # costs start-up time

    code = 1
    try:
        signal.alarm(TRIAL_SECONDS)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for stream in (1, 2):  # output of the package, and of buffers that the fork inherited
            os.dup2(nowhere, stream)
        for step in steps:
            step()
        code = 0
    except (MemoryError, SystemError, KeyboardInterrupt):
        code = 1
    except BaseException as error:  # noqa: BLE001 - the parent process will get the same error
        code = int(is_memory_error(error))
    finally:
        os._exit(code)


@contextmanager
def paused() -> Iterator[None]:
    """Pause the cycle collector, which would visit every layer again and again, and find nothing."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
