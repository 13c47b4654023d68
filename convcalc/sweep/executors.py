"""Executors of blocks: this process, other processes, or a cluster; the results are the same.

Every engine is a ``concurrent.futures.Executor``. Only some blocks are on their way at any time, and results come in
the order of the blocks, so that memory does not grow with the sweep.
"""

from __future__ import annotations

import signal
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NamedTuple

from convcalc.errors import SpecError
from convcalc.extras import MISSING, require
from convcalc.memory_limits import is_short
from convcalc.sweep.axes import Block
from convcalc.sweep.evaluator import InvalidPoints, evaluate
from convcalc.sweep.job import SweepJob
from convcalc.sweep.selection import SelectedPoints, Selection
from convcalc.sweep.where import matching_points

LOCAL = "local"
BATCH = 8
"""Blocks that a cluster gets at once: each costs its scheduler milliseconds, as many as a block takes."""
POLL_SECONDS = 1.0
"""Seconds between two looks at whether somebody is still working on what is waited for."""
MAX_RESTARTS = 3
"""How often lost workers are replaced before the sweep is given up."""

LineWriter = Callable[[SweepJob, SelectedPoints], str]
"""Formats points as lines."""


class BlockTask(NamedTuple):
    """Work on one block: which points to keep, how to format them. Picklable."""

    job: SweepJob
    selection: Selection = Selection()
    writers: tuple[LineWriter, ...] = ()
    max_points: int | None = None
    """How many of its points come back as numbers; all of them without one."""


@dataclass(slots=True)
class BlockResult:
    """Result of a block."""

    points: SelectedPoints
    texts: tuple[str, ...]
    kept: int
    valid: int
    size: int
    """All points of the block: selected, not selected and invalid."""
    invalid: dict[str, InvalidPoints] = field(default_factory=dict)


def run_block(task: BlockTask, piece: Block) -> BlockResult:
    """Evaluate and select one block: a pure function, so that a lost block can be repeated anywhere."""
    import numpy

    columns = evaluate(task.job, piece)
    places = numpy.flatnonzero(matching_points(task.job, columns))
    totals = {key: column.ravel()[places] for key, column in columns.metrics.items()}
    points = task.selection.select(SelectedPoints(places + piece.first, totals))
    texts = tuple(draw(task.job, points) for draw in task.writers)
    valid = int(numpy.count_nonzero(columns.valid))
    return BlockResult(
        points.take(slice(task.max_points)), texts, len(points.numbers), valid, columns.valid.size, columns.invalid
    )


def run_blocks(task: BlockTask, pieces: Sequence[Block]) -> list[BlockResult]:
    """Run several blocks as one task, to save scheduling."""
    return [run_block(task, piece) for piece in pieces]


def require_arrays() -> None:
    """Demand NumPy.

    Raises:
        SpecError: CC719, where it is not installed or cannot be loaded.
    """
    require("numpy", code=MISSING, needed="sweeps need NumPy", hint="pip install 'convcalc[sweep]'")


class Engine(NamedTuple):
    """Makes executors; ``width`` is how many parcels of blocks may be on their way at once."""

    start: Callable[[], Executor]
    width: int
    batch_size: int = 1
    """Blocks in a parcel, where a reduction makes their results small; the first parcels are smaller."""

    def run(self, task: BlockTask, pieces: Iterable[Block]) -> Generator[BlockResult, None, None]:
        """Give the results of blocks in their order.

        Raises:
            SpecError: CC718, where workers die again and again.
            MemoryError: where there is too little of it for the processes.
        """
        with _record_thread_deaths() as died:
            yield from self._run(task, pieces, died)

    def _run(
        self, task: BlockTask, pieces: Iterable[Block], died: Sequence[BaseException | None]
    ) -> Generator[BlockResult, None, None]:
        waiting: deque[tuple[Sequence[Block], Future[list[BlockResult]]]] = deque()
        source, lost = self._batches(task, pieces), 0
        executor = self.start()
        try:
            while True:
                try:
                    for parcel in source if len(waiting) < self.width else ():
                        waiting.append((parcel, executor.submit(run_blocks, task, parcel)))
                        if len(waiting) >= self.width:
                            break
                    if not waiting:
                        return
                    results = _await_result(waiting[0][1], died)
                except BrokenExecutor:
                    lost += 1
                    if lost > MAX_RESTARTS:
                        hint = "not enough memory for so many? Try fewer with --jobs"
                        raise SpecError("CC718", f"worker processes died {lost} times", hint=hint) from None
                    executor.shutdown(wait=False)
                    executor = self.start()
                    waiting = deque((parcel, executor.submit(run_blocks, task, parcel)) for parcel, _ in waiting)
                    continue
                waiting.popleft()
                yield from results
        finally:
            for _, future in waiting:
                future.cancel()
            executor.shutdown(wait=True)

    def _batches(self, task: BlockTask, pieces: Iterable[Block]) -> Iterator[Sequence[Block]]:
        """Give the blocks in parcels that grow, so that a small sweep is worked out by all."""
        most = 1 if task.selection.kind == "all" else self.batch_size
        source, given = iter(pieces), 0
        while parcel := tuple(islice(source, min(most, 1 + given // (4 * self.width)))):
            yield parcel
            given += 1


def _await_result(future: Future[Any], died: Sequence[BaseException | None]) -> Any:
    """Return a result; a pool whose own thread has died for want of memory would have it waited for for ever.

    Raises:
        MemoryError: then.
    """
    while not future.done() and not wait([future], POLL_SECONDS).done:
        if any(map(is_short, died)):
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
        if is_short(error):
            from multiprocessing import active_children

            for process in active_children():
                process.kill()
        raise
    finally:
        threading.excepthook = usual


class SerialExecutor(Executor):
    """Runs tasks immediately in this process."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


def serial() -> Engine:
    """Return the engine of this process."""
    return Engine(SerialExecutor, 1)


def processes(jobs: int) -> Engine:
    """Return an engine of processes on this machine."""
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    context = get_context("spawn")  # a fork of a process with threads may hang
    return Engine(lambda: ProcessPoolExecutor(jobs, context, _ignore_interrupts), 2 * jobs + 1)


def _ignore_interrupts() -> None:
    """Leave Ctrl-C to the process that gave the work."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def cluster(address: str) -> Iterator[Engine]:
    """Give the engine of a Dask cluster: the address of its scheduler, or ``local`` for one on this machine.

    Raises:
        SpecError: CC718 where no scheduler answers, CC719 without the packages.
    """
    hint = "pip install 'convcalc[cluster]', or use --jobs"
    require("distributed", code=MISSING, needed="clusters need Dask's distributed", hint=hint)
    from distributed import Client, KilledWorker

    client: Any = None
    try:
        client = Client(None if address == LOCAL else address, timeout=20, set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        hint = "start one with `dask scheduler`, and workers with `dask worker ADDRESS`"
        raise SpecError("CC718", f"no Dask scheduler at {address}: {error}", hint=hint) from None
    try:
        width = max(2 * sum(client.nthreads().values()), 2) + 2
        yield Engine(lambda: client.get_executor(pure=False, retries=MAX_RESTARTS), width, BATCH)
    except KilledWorker as error:
        raise SpecError("CC718", f"workers died again and again: {error}", hint="not enough memory?") from None
    finally:
        client.close()
        if address == LOCAL and client.cluster is not None:
            client.cluster.close()
