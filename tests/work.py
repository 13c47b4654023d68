"""Work is counted, not timed: how many functions are called does not depend on how fast a machine is.

What would never end, such as a loop that calls nothing, is ended by a guard that no machine is too slow for.
"""

from __future__ import annotations

import cProfile
import faulthandler
from collections.abc import Iterator
from contextlib import contextmanager

from tests.conftest import HANG

CALLS = 40_000_000
"""Calls of functions, of Python's and of C's, that nothing which a person can write may cost: some seconds."""


@contextmanager
def limited_work(calls: int = CALLS) -> Iterator[None]:
    """Demand that what is done inside takes no more calls than that."""
    profiler = cProfile.Profile()
    faulthandler.dump_traceback_later(HANG, exit=True)
    profiler.enable()
    try:
        yield
    finally:
        profiler.disable()
        faulthandler.cancel_dump_traceback_later()
    made = sum(entry.callcount for entry in profiler.getstats())
    assert made <= calls, f"{made:,} calls of functions"
