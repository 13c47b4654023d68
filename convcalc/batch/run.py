"""Designs in, rows out, in the same order and as they are done: identical files once, many files on all cores."""

from __future__ import annotations

import os
import time
from collections import OrderedDict, deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from hashlib import blake2b
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeAlias

from convcalc.batch.count import BatchRow, CountRequest, CountTask, count
from convcalc.batch.skeletons import Skeletons
from convcalc.batch.stored_rows import StoredRows
from convcalc.designs.imports import may_import
from convcalc.designs.names import is_named_as_spec, spec_path
from convcalc.designs.sources import read_spec
from convcalc.errors import Source, SpecError, SpecErrors
from convcalc.records import NamedTuple
from convcalc.spec.document.loader import DocumentLoader
from convcalc.spec.limits import FILE_BYTES
from convcalc.spec.yaml.text import decode, read_text, require_inside_repository

if TYPE_CHECKING:
    from convcalc.result_cache import ResultCache

START_WORKERS_AFTER = 0.25
"""Seconds of work in this process before others are started."""
MAX_TASKS_PER_CHUNK = 32
"""Designs that are handed to a process at a time, at most."""
MAX_BYTES_PER_CHUNK = 1 << 18
MAX_REPEATS_PER_CHUNK = 512
"""Designs in a chunk when most of them are identical to others."""
MAX_CACHED_FILES = 1 << 15
"""How many different files are remembered, in case that others are identical to them."""

Key: TypeAlias = tuple[object, ...]


class RowBatch(NamedTuple):
    """The rows of some designs that were named; each of these may have several rows, or none."""

    named: int
    rows: list[BatchRow]


class _QueuedTask(NamedTuple):
    """A design in its place, and the key of its rows in the cache."""

    task: CountTask
    key: Key | None
    is_repeat: bool
    address: str = ""
    """Of its rows on disk, where they are to be kept."""


def count_all(
    tasks: Iterable[CountTask], request: CountRequest, processes: int, cache: ResultCache | None = None
) -> Generator[RowBatch, None, None]:
    """Give the rows of designs, some at a time, in the order of the designs; memory does not grow with their number.

    Args:
        tasks: the designs, with or without the bytes of their files.
        request: what to count of each.
        processes: how many may count at once; others than this one start only after 0.25 seconds of work.
        cache: has the rows of files that were counted before, and takes those of the others.
    """
    run = _RowCache(request, None if cache is None else StoredRows(cache, request))
    skeletons = Skeletons()
    entries = map(run.queue, tasks)
    begun = time.monotonic()
    while processes == 1 or time.monotonic() - begun < START_WORKERS_AFTER:
        entry = next(entries, None)
        if entry is None:
            return
        yield run.rows_for([entry], [] if entry.is_repeat else [count(entry.task, request, skeletons)])
    entry = next(entries, None)
    if entry is not None:
        yield from _count_in_workers(run, chain([entry], entries), processes)


def _count_in_workers(run: _RowCache, entries: Iterator[_QueuedTask], processes: int) -> Iterator[RowBatch]:
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


class _RowCache:
    """The rows of files that have been counted, in this run or before, for files that are identical to them."""

    def __init__(self, request: CountRequest, stored: StoredRows | None = None) -> None:
        self.request = request
        self._stored = stored
        self._known: OrderedDict[Key, tuple[str, list[BatchRow]] | None] = OrderedDict()
        """Key → the file that was counted and its rows; nothing yet while it is being counted."""
        self._first: OrderedDict[bytes, str] = OrderedDict()
        """Digest of a text with imports → the file that had it first."""

    def queue(self, task: CountTask) -> _QueuedTask:
        """Read the file of a design, and see whether an identical one has been read."""
        data = _read_bytes(task.design.file)
        if data is None:
            return _QueuedTask(task, None, is_repeat=False)
        design = task.design
        key = (*self._content(design.file, data), design.variant, design.part, task.from_glob)
        if key in self._known:
            return _QueuedTask(task, key, is_repeat=True)
        address = self._stored.address(task, data) if self._stored else ""
        rows = self._stored.get(address, design.file) if self._stored else None
        _put_bounded(self._known, key, None if rows is None else (design.file, rows))
        if rows is not None:
            return _QueuedTask(task, key, is_repeat=True)
        return _QueuedTask(task._replace(data=data), key, is_repeat=False, address=address)

    def _content(self, file: str, data: bytes) -> Key:
        """Return what a file and its imports hold, as short as can be."""
        digest = _digest(data)
        if not may_import(data):
            return (digest,)
        first = self._first.get(digest)
        if first is None:
            _put_bounded(self._first, digest, file)
            return (digest,)
        return (digest, *self._digest_of_imports(first, file, data))

    def _digest_of_imports(self, first: str, file: str, data: bytes) -> Key:
        """Return what tells files of one text apart: their imports; nothing for those like the first of them."""
        if _folder(first) == _folder(file):
            return ()
        imports = digest_of_imports(file, data, self.request.options.libraries)
        if imports is None:
            return (file,)
        return () if imports == digest_of_imports(first, data, self.request.options.libraries) else (imports,)

    def rows_for(self, entries: Sequence[_QueuedTask], counted: Iterable[list[BatchRow]]) -> RowBatch:
        """Return the rows of some designs; ``counted`` has those of the ones that were not repeated."""
        fresh = iter(counted)
        rows: list[BatchRow] = []
        for entry in entries:
            own = self._copy_rows(entry) if entry.is_repeat else next(fresh)
            if (
                not entry.is_repeat
                and entry.key is not None
                and entry.key in self._known
                and not any(row.errors for row in own)
            ):
                self._known[entry.key] = entry.task.design.file, own  # not errors: they name the file
            if entry.address and self._stored:
                self._stored.put(entry.address, own)
            rows += own
        return RowBatch(len(entries), rows)

    def _copy_rows(self, entry: _QueuedTask) -> list[BatchRow]:
        """Return the rows of the identical file, under the name of this one."""
        assert entry.key is not None
        known = self._known.get(entry.key)
        if known is None:
            return count(entry.task, self.request)
        file, rows = known
        here = entry.task.design.file
        return [row._replace(design=row.design._replace(text=here + row.design.text[len(file) :])) for row in rows]


def _folder(file: str) -> str:
    return os.path.dirname(os.path.realpath(spec_path(file)))


def _put_bounded(known: OrderedDict[Any, Any], key: object, value: object) -> None:
    known[key] = value
    if len(known) > MAX_CACHED_FILES:
        known.popitem(last=False)


def _read_bytes(file: str) -> bytes | None:
    """Return the bytes of a file; nothing if it cannot be read, which is an error when it is counted, or is a model."""
    if not is_named_as_spec(file):
        from convcalc.importers.registry import importer_of  # specs do without

        if importer_of(file):
            return None
    try:
        require_inside_repository(path := spec_path(file))
        with open(path, "rb") as opened:
            data = opened.read(FILE_BYTES + 1)
    except (OSError, ValueError, SpecError):
        return None
    return data if len(data) <= FILE_BYTES else None


def _digest(data: bytes) -> bytes:
    return blake2b(data, digest_size=16).digest()


def digest_of_imports(file: str, data: bytes, libraries: Sequence[str]) -> bytes | None:
    """Return a digest of all that a spec imports; nothing if that cannot be read."""
    digests: list[bytes] = []

    def read_and_hash(path: str) -> Source:
        source = read_text(path)
        digests.append(_digest(source.text.encode("utf-8", "surrogatepass")))
        return source

    try:
        path = spec_path(file)
        read_spec(decode(data, path), file, path, DocumentLoader(read=read_and_hash, libraries=libraries))
    except (SpecError, SpecErrors):
        return None
    return b"".join(digests)
