"""A process of a campaign, with a bound on its memory."""

from __future__ import annotations

import argparse
import faulthandler
import resource
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from multiprocessing.connection import Connection
from typing import Any

from tests.fuzz import budgets, commands, invariants, specs
from tests.fuzz.campaign import Target, schedule, tried
from tests.fuzz.folder import remove

TARGETS: dict[str, Target] = {each.TARGET.name: each.TARGET for each in (specs, budgets, commands, invariants)}
MEMORY = 2 << 30
"""Bytes of address space of a worker."""
SILENCE = 300
"""Seconds without a word after which a worker ends itself and shows where it stands: it hangs in C."""
EVERY = 200
"""Inputs between two words of a worker."""


def work(names: list[str], given: argparse.Namespace, worker: int, current: Any, pipe: Connection) -> None:
    """Try inputs until the end, and tell how many, and what failed."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    warnings.simplefilter("error")
    counted: Counter[str] = Counter()
    end = None if given.count else time.monotonic() + 60 * given.minutes
    faulthandler.dump_traceback_later(SILENCE, exit=True)
    for tries, (target, number) in enumerate(_mine(names, given, worker), 1):
        current[:] = names.index(target.name), number
        failure = tried(target, given.seed, number)
        counted[target.name] += 1
        if failure:
            faulthandler.dump_traceback_later(SILENCE, exit=True)
            pipe.send(failure)
        if tries % EVERY == 0:
            faulthandler.dump_traceback_later(SILENCE, exit=True)
            pipe.send(counted)
            counted = Counter()
            if end and time.monotonic() > end:
                break
    remove()
    pipe.send(counted)
    pipe.send(None)


def _mine(names: list[str], given: argparse.Namespace, worker: int) -> Iterator[tuple[Target, int]]:
    """Give the inputs of one worker; so many for all, or without an end."""
    own = schedule([TARGETS[name] for name in names], worker, given.jobs)
    if given.count is None:
        return own
    return (each for each, _ in zip(own, range(worker, given.count, given.jobs), strict=False))
