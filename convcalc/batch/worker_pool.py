"""Processes that count. They are handed some designs at a time; one that dies costs at most the design it was at.

Each worker has a pipe of its own, so that nobody waits for a lock that a dead process holds, and no thread is needed.
It notes in shared memory which design it is at. The parent handles Ctrl-C: it ends them.
"""

from __future__ import annotations

import gc
import multiprocessing
import signal
import sys
import traceback
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import count as count_up
from itertools import islice
from multiprocessing.connection import Connection, wait
from types import SimpleNamespace
from typing import Any

from convcalc.batch.count import BatchRow, CountRequest, CountTask, count, error_text
from convcalc.batch.skeletons import Skeletons
from convcalc.errors import Source, Span, SpecError
from convcalc.memory import is_memory_error, with_stack
from convcalc.records import dataclass, field

MAX_CHUNKS_AHEAD = 16
"""How many chunks for each worker may be begun before the first of them is done: results keep their order."""
CHUNKS_PER_FULL_COLLECTION = 64
MAX_WORKER_DEATHS = 2
"""How many workers may die over a design before it is given up."""


@dataclass(slots=True, eq=False)
class Chunk:
    """Designs that are handed to a worker together, and their rows."""

    tasks: Sequence[CountTask]
    counted: list[list[BatchRow]] = field(default_factory=list)
    deaths: dict[int, int] = field(default_factory=dict)
    """How many workers died at which of the designs."""
    is_done: bool = False


class Workers:
    """A pool of processes. As a context manager it leaves none behind, whatever happens."""

    def __init__(self, request: CountRequest, processes: int) -> None:
        # A fork starts in milliseconds with everything loaded; where it is not safe, a process starts afresh.
        self._context: Any = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
        self._request = request
        self._skeletons = Skeletons()
        """Of what is counted here."""
        self._alive: set[_Worker] = set()
        self._idle: list[_Worker] = []
        self._busy: dict[Connection, tuple[_Worker, Chunk]] = {}
        self._processes = processes

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *exception: object) -> None:
        for worker in list(self._alive):
            worker.end()

    def run(self, chunks: Iterator[Chunk]) -> Iterator[Chunk]:
        """Give the chunks back in their order, counted. Only so many are read ahead: while the workers are busy."""
        begun: deque[Chunk] = deque()
        ready: deque[Chunk] = deque()
        are_all_begun = False
        while True:
            while len(begun) < MAX_CHUNKS_AHEAD * self._processes and len(self._busy) < self._processes:
                chunk = ready.popleft() if ready else next(chunks, None)
                if chunk is None:
                    are_all_begun = True
                    break
                begun.append(chunk)
                self._begin(chunk)
            while begun and begun[0].is_done:
                yield begun.popleft()
            if self._busy:
                ready.extend(islice(chunks, self._processes - len(ready)))
                self._collect()
            elif are_all_begun:  # that none is begun is not the end: what has nothing to count is done at once
                return

    def _begin(self, chunk: Chunk) -> None:
        """Hand a chunk to a worker; without one to be had, count it here."""
        worker = self._send(chunk) if chunk.tasks else None
        if worker is not None:
            self._busy[worker.connection] = worker, chunk
            return
        here = SimpleNamespace(value=0)
        chunk.counted, chunk.is_done = (
            list(_count_each(chunk.tasks, _abandoned(chunk), here, self._request, Skeletons())),
            True,
        )

    def _send(self, chunk: Chunk) -> _Worker | None:
        """Send a chunk to an idle worker, or to a new one."""
        while True:
            try:
                worker = self._idle.pop() if self._idle else _Worker(self._context, self._request, self._alive)
            except OSError:  # the system gives no more processes
                return None
            try:
                worker.connection.send((chunk.tasks, _abandoned(chunk)))
            except OSError:  # it died while it was idle
                worker.end()
                continue
            return worker

    def _collect(self) -> None:
        """Take what workers have done, after waiting for one of them."""
        for connection in wait(list(self._busy)):
            assert isinstance(connection, Connection)
            worker, chunk = self._busy.pop(connection)
            try:
                result = connection.recv()
            except (EOFError, OSError):
                worker.end()
                place = worker.place.value
                chunk.deaths[place] = chunk.deaths.get(place, 0) + 1
                self._begin(chunk)
                continue
            if isinstance(result, MemoryError):
                raise result
            if isinstance(result, str):
                raise RuntimeError(result)
            chunk.counted, chunk.is_done = result, True
            self._idle.append(worker)


def _abandoned(chunk: Chunk) -> set[int]:
    return {place for place, deaths in chunk.deaths.items() if deaths >= MAX_WORKER_DEATHS}


class _Worker:
    """A process, the way to it, and the place of the design that it is at."""

    def __init__(self, context: Any, request: CountRequest, alive: set[_Worker]) -> None:
        self.connection, inside = context.Pipe()
        self.place = context.RawValue("i", 0)
        self.process = context.Process(target=_work, args=(inside, self.connection, self.place, request), daemon=True)
        self.process.start()
        self._alive = alive
        alive.add(self)
        inside.close()

    def end(self) -> None:
        """End the process, whatever it is at."""
        self.connection.close()
        with suppress(OSError):
            self.process.kill()
        self.process.join()
        self._alive.discard(self)


@with_stack
def _work(connection: Connection, parents: Connection, place: Any, request: CountRequest) -> None:
    """Count what comes, until nothing comes any more; a bug travels as text.

    The cycle collector sees to each chunk once, now and then to what is kept from chunk to chunk, and never to what was
    there before.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parents.close()  # a fork holds that end too, and would never learn that the parent is gone
    gc.disable()
    gc.freeze()
    skeletons = Skeletons()
    with suppress(EOFError, OSError, MemoryError):  # the parent is gone, or there is no room for an answer
        for number in count_up():
            tasks, given_up = connection.recv()
            place.value = 0
            try:
                result: object = list(_count_each(tasks, given_up, place, request, skeletons))
            except Exception as error:  # noqa: BLE001 - the parent raises it
                result = MemoryError() if is_memory_error(error) else traceback.format_exc()
            connection.send(result)
            del tasks, result
            gc.collect(0 if number % CHUNKS_PER_FULL_COLLECTION else 2)


def _count_each(
    tasks: Iterable[CountTask], given_up: set[int], place: Any, request: CountRequest, skeletons: Skeletons
) -> Iterator[list[BatchRow]]:
    for number, task in enumerate(tasks):
        place.value = number
        yield [_killed_row(task)] if number in given_up else count(task, request, skeletons)


def _killed_row(task: CountTask) -> BatchRow:
    """Return the row of a design over which processes died."""
    text, hint = "the process that counted it was killed, twice", "not enough memory? try --jobs 1"
    error = SpecError("CC706", text, Span(Source(task.design.file)), hint)
    return BatchRow(task.design, errors=(error_text(error),))
