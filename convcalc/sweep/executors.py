"""Executors of blocks: this process, other processes, or a cluster; the results are the same.

Only some blocks are in work at any time, and results come in the order of the blocks, so that memory does not grow
with the sweep.
"""

from __future__ import annotations

import math
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, wait
from contextlib import contextmanager
from itertools import chain, count, islice
from time import process_time
from typing import Any

from convcalc.batch.run import START_WORKERS_AFTER
from convcalc.errors import SpecError
from convcalc.extras import E_MISSING_PACKAGE, require
from convcalc.memory import is_memory_error
from convcalc.records import NamedTuple
from convcalc.sweep.block_task import BlockResult, BlockTask, run_block, run_blocks
from convcalc.sweep.grid import Block
from convcalc.sweep.selection import SelectedPoints

LOCAL = "local"
MAX_BATCH = 32
"""Blocks that are sent at once: to send a batch may take a pool or scheduler longer than a block takes a worker."""
POLL_SECONDS = 1.0
"""Seconds between two checks that the executor still works on a result."""
SECONDS_WORTH_WORKERS = 1.0
"""Seconds of the processor that the rest of a sweep must take, as far as is known, for other processes to start."""
MAX_RESTARTS = 3
"""How often lost workers are replaced before the sweep is given up."""


def require_arrays() -> None:
    """Demand NumPy.

    Raises:
        SpecError: CC719, where it is not installed or cannot be loaded.
    """
    require("numpy", code=E_MISSING_PACKAGE, needed="sweeps need NumPy", hint="pip install 'convcalc[sweep]'")


class Engine(NamedTuple):
    """Works on blocks: in this process, and after ``seconds_here`` in an executor where the rest is worth it.

    Without any seconds here, all work is the executor's.
    """

    seconds_here: float
    start: Callable[[], Executor]
    width: int
    """How many batches of blocks the executor may have at once."""

    def run(
        self, task: BlockTask, blocks: Iterable[Block], rivals: Callable[[], SelectedPoints | None] = lambda: None
    ) -> Generator[BlockResult, None, None]:
        """Give the results of blocks in their order; ``rivals`` gives what is known to keep points from being selected.

        Raises:
            SpecError: CC718, where workers die again and again.
            MemoryError: where there is too little of it for the processes.
        """
        begun, last = time.monotonic(), process_time()
        pace = 0.0  # of the processor, a point: of the latest blocks most, because the first has the formulas to run
        source, done = iter(blocks), 0
        for block in source:
            now = process_time()
            if done:
                pace = ((now - last) / done + (pace or (now - last) / done)) / 2
            rest, last = (task.job.point_count - block.first) * pace, now
            is_worth = rest >= SECONDS_WORTH_WORKERS and time.monotonic() - begun >= self.seconds_here
            if is_worth or not self.seconds_here:
                with _record_thread_deaths() as died:
                    yield from self._run_elsewhere(task, chain([block], source), rivals, died)
            else:
                yield run_block(task._replace(rivals=rivals()), block)
                done = block.size

    def _run_elsewhere(
        self,
        task: BlockTask,
        blocks: Iterator[Block],
        rivals: Callable[[], SelectedPoints | None],
        died: Sequence[BaseException | None],
    ) -> Generator[BlockResult, None, None]:
        """Give the results of blocks in their order; only ``width`` batches are on their way at any time."""
        source, lost = self._batches(task, blocks), 0
        batches: deque[Sequence[Block]] = deque()
        futures: deque[Future[list[BlockResult]]] = deque()
        executor = self.start()
        try:
            while True:
                batches.extend(islice(source, self.width - len(batches)))
                if not batches:
                    return
                try:
                    while len(futures) < len(batches):
                        futures.append(
                            executor.submit(run_blocks, task._replace(rivals=rivals()), batches[len(futures)])
                        )
                    results = _await_result(futures[0], died)
                except BrokenExecutor:
                    lost += 1
                    if lost > MAX_RESTARTS:
                        hint = "not enough memory for so many? Try fewer with --jobs"
                        raise SpecError("CC718", f"worker processes died {lost} times", hint=hint) from None
                    executor.shutdown(wait=False)
                    executor = self.start()
                    futures.clear()
                    continue
                batches.popleft()
                futures.popleft()
                yield from results
        finally:
            for future in futures:
                future.cancel()
            executor.shutdown(wait=True)

    def _batches(self, task: BlockTask, blocks: Iterator[Block]) -> Iterator[Sequence[Block]]:
        """Give the blocks in batches that grow, so that all workers share a small sweep; one by one if all is kept."""
        largest = 1 if task.selection.kind == "all" else MAX_BATCH
        for number in count():
            batch = tuple(islice(blocks, min(largest, 2 ** min(number // self.width, 16))))
            if not batch:
                return
            yield batch


def _await_result(future: Future[Any], died: Sequence[BaseException | None]) -> Any:
    """Return a result; a pool whose own thread has died for want of memory would have it waited for for ever.

    Raises:
        MemoryError: then.
    """
    while not future.done() and not wait([future], POLL_SECONDS).done:
        if any(map(is_memory_error, died)):
            raise MemoryError from died[0]
    return future.result()


@contextmanager
def _record_thread_deaths() -> Iterator[list[BaseException | None]]:
    """Give what threads die of meanwhile. Where memory runs out, end the processes that nobody sees to any more."""
    died: list[BaseException | None] = []
    usual = threading.excepthook
    threading.excepthook = lambda death: died.append(death.exc_value)
    try:
        yield died
    except BaseException as error:
        if is_memory_error(error):
            from multiprocessing import active_children

            for process in active_children():
                process.kill()
        raise
    finally:
        threading.excepthook = usual


def processes(jobs: int) -> Engine:
    """Return an engine of so many processes on this machine; one is this process."""

    def start() -> Executor:
        from concurrent.futures import ProcessPoolExecutor
        from multiprocessing import get_context

        return ProcessPoolExecutor(jobs, get_context("spawn"), _begin_worker)  # a fork of one with threads may hang

    return Engine(START_WORKERS_AFTER if jobs > 1 else math.inf, start, 2 * jobs + 1)


def _begin_worker() -> None:
    """Leave Ctrl-C to the process that gave the work, and end with it, even where it is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    from multiprocessing import parent_process
    from multiprocessing.connection import wait as wait_for

    parent = parent_process()
    assert parent
    wait_for([parent.sentinel])
    os._exit(1)


@contextmanager
def cluster(address: str) -> Iterator[Engine]:
    """Give the engine of a Dask cluster: the address of its scheduler, or ``local`` for one on this machine.

    Raises:
        SpecError: CC718 where no scheduler answers, CC719 without the packages.
    """
    hint = "pip install 'convcalc[cluster]', or use --jobs"
    require("distributed", code=E_MISSING_PACKAGE, needed="clusters need Dask's distributed", hint=hint)
    from distributed import Client, KilledWorker

    client: Any = None
    try:
        client = Client(None if address == LOCAL else address, timeout=20, set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        hint = "start one with `dask scheduler`, and workers with `dask worker ADDRESS`"
        raise SpecError("CC718", f"no Dask scheduler at {address}: {error}", hint=hint) from None
    try:
        width = max(2 * sum(client.nthreads().values()), 2) + 2
        yield Engine(0, lambda: client.get_executor(pure=False, retries=MAX_RESTARTS), width)
    except KilledWorker as error:
        raise SpecError("CC718", f"workers died again and again: {error}", hint="not enough memory?") from None
    finally:
        client.close()
        if address == LOCAL and client.cluster is not None:
            client.cluster.close()
