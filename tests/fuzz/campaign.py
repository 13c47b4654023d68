"""A campaign: inputs by their numbers, each judged under a guard, what fails made small and kept.

Input ``number`` of a target depends on the seed, the target and the number alone, so that any one can be made again.
"""

from __future__ import annotations

import hashlib
import signal
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from random import Random
from typing import NamedTuple

SECONDS = 5.0
"""Processor time, not the clock's, that an input may take."""
TRIES = 200
"""How often an input that fails is judged again to make it smaller."""


class Target(NamedTuple):
    """What is fuzzed: how an input is drawn, and what must hold for it."""

    name: str
    share: int
    """Of a round of the campaign so many inputs are for this target."""
    make: Callable[[Random], bytes]
    judge: Callable[[bytes], None]
    """Raises whatever is wrong; the same input is judged in the same way each time."""
    smaller: Callable[[bytes], Iterator[bytes]] | None = None
    """Smaller inputs to try in the place of one that fails."""


class Failure(NamedTuple):
    """An input that broke something: which, what it is made into, and what was seen."""

    target: str
    number: int
    data: bytes
    kind: str
    shown: str


class Broken(AssertionError):
    """An invariant that does not hold."""


class Hang(BaseException):
    """An input took too much time; no ``except Exception`` may take it for an error of its own."""


def require(holds: object, said: str) -> None:
    """Demand an invariant, which is named by what is said before a colon."""
    if not holds:
        raise Broken(said)


def made(target: Target, seed: int, number: int) -> bytes:
    """Return input ``number`` of a target."""
    return target.make(Random(f"{seed}:{target.name}:{number}"))


def schedule(targets: Sequence[Target], worker: int = 0, workers: int = 1) -> Iterator[tuple[Target, int]]:
    """Give targets with numbers of their inputs in rounds, without an end; a worker of several has its own numbers."""
    for turn in count():
        for target in targets:
            for number in range(turn * target.share, (turn + 1) * target.share):
                if number % workers == worker:
                    yield target, number


def tried(target: Target, seed: int, number: int) -> Failure | None:
    """Make an input and judge it."""
    data = made(target, seed, number)
    fault = fault_of(target, data)
    if fault is None:
        return None
    return Failure(target.name, number, _made_small(target, data, fault[0]), *fault)


def fault_of(target: Target, data: bytes) -> tuple[str, str] | None:
    """Return what is wrong with an input: in a word that tells kinds apart, and in full."""
    try:
        with guarded():
            target.judge(data)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is a failure
        last = traceback.extract_tb(error.__traceback__)[-1]
        said = str(error).partition(":")[0] if isinstance(error, Broken) else f"{last.name} line {last.lineno}"
        return f"{type(error).__name__}: {said[:100]}", traceback.format_exc(limit=-30)
    return None


@contextmanager
def guarded() -> Iterator[None]:
    """Let what is done take so much processor time, and no more."""

    def too_long(number: int, frame: object) -> None:
        raise Hang(f"more than {SECONDS:.0f} s of processor time")

    before = signal.signal(signal.SIGPROF, too_long)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _made_small(target: Target, data: bytes, kind: str) -> bytes:
    """Return the smallest input found that fails in the same way; hangs are left as they are."""
    if kind.startswith("Hang"):
        return data
    left = TRIES
    smaller = True
    while smaller:
        smaller = False
        for other in (target.smaller or pieces_left_out)(data):
            left -= 1
            if left < 0:
                return data
            fault = fault_of(target, other)
            if fault is not None and fault[0] == kind:
                data, smaller = other, True
                break
    return data


def pieces_left_out(data: bytes) -> Iterator[bytes]:
    """Give a text without a part of it: halves, quarters and so on, down to single bytes."""
    size = len(data) // 2
    while size:
        for start in range(0, len(data), size):
            yield data[:start] + data[start + size :]
        size //= 2


def name_of(failure: Failure) -> str:
    """Return a name for the file of a failure: inputs that fail in one way stand together."""
    kind = hashlib.sha256(failure.kind.encode()).hexdigest()[:6]
    return f"{failure.target}-{kind}-{failure.number}"
