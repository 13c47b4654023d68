"""Designs in, rows out, in the same order and as they are done: identical files once, many files by all cores."""

from __future__ import annotations

import os
import time
from collections import OrderedDict, deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from hashlib import blake2b
from itertools import chain
from typing import Any, NamedTuple, TypeAlias

from convcalc.batch.count import Counted, CountRequest, CountTask, ErrorText, count
from convcalc.designs.names import spec_path
from convcalc.designs.sources import past_spec
from convcalc.errors import Source, SpecError, SpecErrors
from convcalc.spec.document.loader import DocumentLoader
from convcalc.spec.limits import FILE_BYTES
from convcalc.spec.yaml.text import decode, read_text, require_inside_repository

START_WORKERS_AFTER = 0.25
"""Seconds of work in this process before others are started."""
MAX_TASKS_PER_CHUNK = 32
"""Designs that are handed to a process at a time, at most."""
MAX_BYTES_PER_CHUNK = 1 << 18
MAX_REPEATS_PER_CHUNK = 512
"""Designs in a chunk when most of them are identical to others."""
MAX_CACHED_FILES = 1 << 15
"""How many different files are remembered, in case that others are identical to them."""

DTYPE = "dtype"
"""What a row calls its number format."""

Key: TypeAlias = tuple[object, ...]


class Result(NamedTuple):
    """A row, with what is wrong with its design."""

    row: dict[str, Any]
    faults: tuple[ErrorText, ...]


class RowBatch(NamedTuple):
    """What is ready: the rows of some designs that were named, which may stand for several each, or for none."""

    named: int
    results: list[Result]


class _QueuedTask(NamedTuple):
    """A design in its place, and under which key its result is known or will be."""

    task: CountTask
    key: Key | None
    is_repeat: bool


def count_all(tasks: Iterable[CountTask], request: CountRequest, processes: int) -> Generator[RowBatch, None, None]:
    """Give the results of designs, some at a time, in the order of the designs; memory does not grow with their number.

    Args:
        tasks: the designs, with or without the bytes of their files.
        request: what is wanted of each.
        processes: how many may count at once; others than this one only start if there is a lot to do.
    """
    run = _Duplicates(request)
    entries = map(run.queue, tasks)
    begun = time.monotonic()
    while processes == 1 or time.monotonic() - begun < START_WORKERS_AFTER:
        entry = next(entries, None)
        if entry is None:
            return
        yield run.rows_for([entry], [] if entry.is_repeat else [count(entry.task, request)])
    entry = next(entries, None)
    if entry is not None:
        yield from _count_in_workers(run, chain([entry], entries), processes)


def _count_in_workers(run: _Duplicates, entries: Iterator[_QueuedTask], processes: int) -> Iterator[RowBatch]:
    """Let other processes count."""
    from convcalc.batch.worker_pool import Chunk, Workers  # a few designs do without

    order: deque[list[_QueuedTask]] = deque()

    def chunks() -> Iterator[Chunk]:
        for some in _group_tasks(entries):
            order.append(some)
            yield Chunk([entry.task for entry in some if not entry.is_repeat])

    with Workers(run.request, processes) as workers:
        for chunk in workers.run(chunks()):
            yield run.rows_for(order.popleft(), chunk.counted)


def _group_tasks(entries: Iterator[_QueuedTask]) -> Iterator[list[_QueuedTask]]:
    """Put designs together so that a chunk is neither too much to send nor too little to be worth it."""
    some: list[_QueuedTask] = []
    fresh = size = 0
    for entry in entries:
        some.append(entry)
        fresh += not entry.is_repeat
        size += len(entry.task.data or b"")
        if fresh >= MAX_TASKS_PER_CHUNK or size >= MAX_BYTES_PER_CHUNK or len(some) >= MAX_REPEATS_PER_CHUNK:
            yield some
            some, fresh, size = [], 0, 0
    if some:
        yield some


class _Duplicates:
    """What is remembered in the course of a run."""

    def __init__(self, request: CountRequest) -> None:
        self.request = request
        self._known: OrderedDict[Key, tuple[str, list[Counted]] | None] = OrderedDict()
        """Key → the file that was counted and what came out; nothing yet while it is being counted."""
        self._first: OrderedDict[bytes, str] = OrderedDict()
        """Digest of a text with imports → the file that had it first."""

    def queue(self, task: CountTask) -> _QueuedTask:
        """Read the file of a design, and see whether an identical one has been read."""
        data = _read_bytes(task.design.file)
        if data is None:
            return _QueuedTask(task, None, is_repeat=False)
        design = task.design
        key = (*self._content(design.file, data), design.variant, design.part, task.from_glob)
        repeated = key in self._known
        if not repeated:
            _put_bounded(self._known, key, None)
        return _QueuedTask(task if repeated else task._replace(data=data), key, repeated)

    def _content(self, file: str, data: bytes) -> Key:
        """Return what a file and its imports hold, as short as can be."""
        digest = _digest(data)
        if b"import" not in data:
            return (digest,)
        first = self._first.get(digest)
        if first is None:
            _put_bounded(self._first, digest, file)
            return (digest,)
        return (digest, *self._digest_of_imports(first, file, data))

    def _digest_of_imports(self, first: str, file: str, data: bytes) -> Key:
        """Tell files of one text apart by what they import; the first of them, and all like it, by nothing."""
        if _folder(first) == _folder(file):
            return ()
        held = digest_of_imports(file, data, self.request.libraries)
        if held is None:
            return (file,)
        return () if held == digest_of_imports(first, data, self.request.libraries) else (held,)

    def rows_for(self, entries: Sequence[_QueuedTask], counted: Iterable[list[Counted]]) -> RowBatch:
        """Return the rows of some designs; ``counted`` has those of the ones that were not repeated."""
        fresh = iter(counted)
        found: list[Result] = []
        for entry in entries:
            here = self._copy_rows(entry) if entry.is_repeat else next(fresh)
            if not entry.is_repeat:
                self._keep(entry, here)
            found += (self._result(entry.task, one) for one in here)
        return RowBatch(len(entries), found)

    def _keep(self, entry: _QueuedTask, counted: list[Counted]) -> None:
        """Remember what came out; not what is wrong, which names the file."""
        if entry.key is not None and entry.key in self._known and not any(one.faults for one in counted):
            self._known[entry.key] = entry.task.design.file, counted

    def _copy_rows(self, entry: _QueuedTask) -> list[Counted]:
        """Return what came out for the identical file, under this one's name."""
        assert entry.key is not None
        known = self._known.get(entry.key)
        if known is None:
            return count(entry.task, self.request)
        file, counted = known
        return [one._replace(design=entry.task.design.file + one.design[len(file) :]) for one in counted]

    def _result(self, task: CountTask, one: Counted) -> Result:
        name = one.name or one.design
        row: dict[str, Any] = {
            "design": one.design,
            "name": f"{name} · {task.design.part}" if task.design.part else name,
            "input": one.input,
            **({DTYPE: one.dtype or None} if len(self.request.dtypes) > 1 else {}),
            **dict(zip(self.request.metrics, one.totals or (None,) * len(self.request.metrics), strict=True)),
            "error": one.faults[0].line if one.faults else None,
        }
        if one.faults:
            row["name"] = None
        return Result(row, one.faults)


def _folder(file: str) -> str:
    return os.path.dirname(os.path.realpath(spec_path(file)))


def _put_bounded(known: OrderedDict[Any, Any], key: object, value: object) -> None:
    known[key] = value
    if len(known) > MAX_CACHED_FILES:
        known.popitem(last=False)


def _read_bytes(file: str) -> bytes | None:
    """Return what a file holds; nothing where it cannot be read, which is said when it is counted."""
    try:
        require_inside_repository(path := spec_path(file))
        with open(path, "rb") as opened:
            data = opened.read(FILE_BYTES + 1)
    except (OSError, ValueError, SpecError):
        return None
    return data if len(data) <= FILE_BYTES else None


def _digest(data: bytes) -> bytes:
    return blake2b(data, digest_size=16).digest()


def digest_of_imports(file: str, data: bytes, libraries: tuple[str, ...]) -> bytes | None:
    """Return a digest of all that a spec imports; nothing where that cannot be read."""
    held: list[bytes] = []

    def noted(path: str) -> Source:
        source = read_text(path)
        held.append(_digest(source.text.encode("utf-8", "surrogatepass")))
        return source

    try:
        path = spec_path(file)
        past_spec(decode(data, path), file, path, DocumentLoader(read=noted, libraries=libraries))
    except (SpecError, SpecErrors):
        return None
    return b"".join(held)
