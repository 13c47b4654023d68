"""Processor time of calls and of whole processes, in pairs: one of ours, one of another's, by turns.

Wall-clock time depends on the other work of a machine; the ratio of processor times within a pair is found again by
another run, and on another machine.
"""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from resource import struct_rusage

ROOT = Path(__file__).resolve().parents[2]
Cost: TypeAlias = Callable[[], float]
"""Does the work once; seconds of processor time."""


class Row(NamedTuple):
    """One line of the table."""

    work: str
    ours: str
    peer: str = ""
    theirs: str = ""
    ratio: float | None = None
    """Of ours to theirs: the median of the pairs."""


class Usage(NamedTuple):
    """What a process took, with the processes that it started."""

    seconds: float
    """Of processor time, in all processes."""
    wall: float
    mebibytes: float
    """The most memory that one of its processes had."""


def paired(ours: Cost, theirs: Cost, pairs: int) -> tuple[float, float, float]:
    """Return the medians of ours, of theirs, and of the ratios, after one pair that does not count."""
    found = [(ours(), theirs()) for _ in range(pairs + 1)][1:]
    return (*(median(each) for each in zip(*found, strict=True)), median(mine / other for mine, other in found))


def call(work: Callable[[], object]) -> Cost:
    """Return what a call in this process costs."""

    def cost() -> float:
        begun = time.process_time()
        work()
        return time.process_time() - begun

    return cost


def run(command: Sequence[str], *, terminal: bool = False) -> Cost:
    """Return what a process costs, with the processes that it starts."""
    return lambda: process(command, terminal=terminal).seconds


def convcalc(*arguments: object) -> list[str]:
    """Return the command line of the program."""
    return [sys.executable, "-m", "convcalc", *map(str, arguments)]


def python(code: str) -> list[str]:
    """Return the command line of a Python program."""
    return [sys.executable, "-c", code]


def process(command: Sequence[str], *, terminal: bool = False) -> Usage:
    """Run a command, its output discarded or on a terminal of 80 columns.

    Raises:
        RuntimeError: it failed; with what it wrote.
    """
    begun = time.perf_counter()
    with tempfile.TemporaryFile() as errors:
        if terminal:
            status, used = _on_terminal(command)
        else:
            running = subprocess.Popen(command, cwd=ROOT, env=_environment(), stdout=subprocess.DEVNULL, stderr=errors)
            _, status, used = os.wait4(running.pid, 0)
            running.returncode = status  # it is waited for
        if status:
            errors.seek(0)
            raise RuntimeError(f"{' '.join(command)}\n{errors.read().decode()}")
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return Usage(used.ru_utime + used.ru_stime, time.perf_counter() - begun, used.ru_maxrss / unit)


def _on_terminal(command: Sequence[str]) -> tuple[int, struct_rusage]:
    leader, follower = pty.openpty()
    running = subprocess.Popen(
        command, cwd=ROOT, env=_environment() | {"COLUMNS": "80", "TERM": "xterm-256color"},
        stdin=follower, stdout=follower, stderr=follower,
    )  # fmt: skip
    os.close(follower)
    with suppress(OSError):  # the end of a terminal, on Linux
        while os.read(leader, 2**16):
            pass
    os.close(leader)
    _, status, used = os.wait4(running.pid, 0)
    running.returncode = status
    return status, used


def _environment() -> dict[str, str]:
    """The environment without what keeps Python from storing compiled modules."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
