"""Designs in, rows out, in the same order and as they are done: identical files once, many files by all cores."""

from __future__ import annotations

import os
import time
from collections import OrderedDict, deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from hashlib import blake2b
from itertools import chain
from typing import Any, NamedTuple, TypeAlias

from convcalc.batch.count import Asked, Counted, Fault, Job, count
from convcalc.designs.names import spec_path
from convcalc.designs.sources import past_spec
from convcalc.errors import Source, SpecError, SpecErrors
from convcalc.spec.document.loader import Files
from convcalc.spec.limits import FILE_BYTES
from convcalc.spec.yaml.text import decode, read, require_own

PATIENCE = 0.25
"""Seconds of work in this process before others are started."""
CHUNK = 32
"""Designs that are handed to a process at a time, at most."""
CHUNK_BYTES = 1 << 18
TICKETS = 512
"""Designs in a chunk when most of them are identical to others."""
REMEMBERED = 1 << 15
"""How many different files are remembered, in case that others are identical to them."""

Key: TypeAlias = tuple[object, ...]


class Result(NamedTuple):
    """A row, with what is wrong with its design."""

    row: dict[str, Any]
    faults: tuple[Fault, ...]


class Done(NamedTuple):
    """What is ready: the rows of some designs that were named, which may stand for several each, or for none."""

    named: int
    results: list[Result]


class _Ticket(NamedTuple):
    """A design in its place, and under which key its result is known or will be."""

    job: Job
    key: Key | None
    repeated: bool


def results(jobs: Iterable[Job], asked: Asked, processes: int) -> Generator[Done, None, None]:
    """Give the results of designs, some at a time, in the order of the designs; memory does not grow with their number.

    Args:
        jobs: the designs, with or without the bytes of their files.
        asked: what is wanted of each.
        processes: how many may count at once; others than this one only start if there is a lot to do.
    """
    run = _Run(asked)
    tickets = map(run.ticket, jobs)
    begun = time.monotonic()
    while processes == 1 or time.monotonic() - begun < PATIENCE:
        ticket = next(tickets, None)
        if ticket is None:
            return
        yield run.settled([ticket], [] if ticket.repeated else [count(ticket.job, asked)])
    ticket = next(tickets, None)
    if ticket is not None:
        yield from _spread(run, chain([ticket], tickets), processes)


def _spread(run: _Run, tickets: Iterator[_Ticket], processes: int) -> Iterator[Done]:
    """Let other processes count."""
    from convcalc.batch.worker_pool import Chunk, Workers  # a few designs do without

    order: deque[list[_Ticket]] = deque()

    def chunks() -> Iterator[Chunk]:
        for some in _grouped(tickets):
            order.append(some)
            yield Chunk([ticket.job for ticket in some if not ticket.repeated])

    with Workers(run.asked, processes) as workers:
        for chunk in workers.run(chunks()):
            yield run.settled(order.popleft(), chunk.counted)


def _grouped(tickets: Iterator[_Ticket]) -> Iterator[list[_Ticket]]:
    """Put tickets together so that a chunk is neither too much to send nor too little to be worth it."""
    some: list[_Ticket] = []
    fresh = size = 0
    for ticket in tickets:
        some.append(ticket)
        fresh += not ticket.repeated
        size += len(ticket.job.data or b"")
        if fresh >= CHUNK or size >= CHUNK_BYTES or len(some) >= TICKETS:
            yield some
            some, fresh, size = [], 0, 0
    if some:
        yield some


class _Run:
    """What is remembered in the course of a run."""

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self._known: OrderedDict[Key, tuple[str, list[Counted]] | None] = OrderedDict()
        """Key → the file that was counted and what came out; nothing yet while it is being counted."""
        self._first: OrderedDict[bytes, str] = OrderedDict()
        """Digest of a text with imports → the file that had it first."""

    def ticket(self, job: Job) -> _Ticket:
        """Read the file of a design, and see whether an identical one has been read."""
        data = _bytes(job.design.file)
        if data is None:
            return _Ticket(job, None, repeated=False)
        design = job.design
        key = (*self._content(design.file, data), design.variant, design.part, job.found)
        repeated = key in self._known
        if not repeated:
            _remember(self._known, key, None)
        return _Ticket(job if repeated else job._replace(data=data), key, repeated)

    def _content(self, file: str, data: bytes) -> Key:
        """Return what a file and its imports hold, as short as can be."""
        digest = _digest(data)
        if b"import" not in data:
            return (digest,)
        first = self._first.get(digest)
        if first is None:
            _remember(self._first, digest, file)
            return (digest,)
        return (digest, *self._imported(first, file, data))

    def _imported(self, first: str, file: str, data: bytes) -> Key:
        """Tell files of one text apart by what they import; the first of them, and all like it, by nothing."""
        if _folder(first) == _folder(file):
            return ()
        held = imports(file, data, self.asked.libraries)
        if held is None:
            return (file,)
        return () if held == imports(first, data, self.asked.libraries) else (held,)

    def settled(self, tickets: Sequence[_Ticket], counted: Iterable[list[Counted]]) -> Done:
        """Return the results of some tickets; ``counted`` has those of the tickets that were not repeated."""
        fresh = iter(counted)
        found: list[Result] = []
        for ticket in tickets:
            here = self._repeated(ticket) if ticket.repeated else next(fresh)
            if not ticket.repeated:
                self._keep(ticket, here)
            found += (self._result(ticket.job, one) for one in here)
        return Done(len(tickets), found)

    def _keep(self, ticket: _Ticket, counted: list[Counted]) -> None:
        """Remember what came out; not what is wrong, which names the file."""
        if ticket.key is not None and ticket.key in self._known and not any(one.faults for one in counted):
            self._known[ticket.key] = ticket.job.design.file, counted

    def _repeated(self, ticket: _Ticket) -> list[Counted]:
        """Return what came out for the identical file, under this one's name."""
        assert ticket.key is not None
        known = self._known.get(ticket.key)
        if known is None:
            return count(ticket.job, self.asked)
        file, counted = known
        return [one._replace(design=ticket.job.design.file + one.design[len(file) :]) for one in counted]

    def _result(self, job: Job, one: Counted) -> Result:
        name = one.name or one.design
        row: dict[str, Any] = {
            "design": one.design,
            "name": f"{name} · {job.design.part}" if job.design.part else name,
            "input": one.input,
            **dict(zip(self.asked.metrics, one.totals or (None,) * len(self.asked.metrics), strict=True)),
            "error": one.faults[0].line if one.faults else None,
        }
        if one.faults:
            row["name"] = None
        return Result(row, one.faults)


def _folder(file: str) -> str:
    return os.path.dirname(os.path.realpath(spec_path(file)))


def _remember(known: OrderedDict[Any, Any], key: object, value: object) -> None:
    known[key] = value
    if len(known) > REMEMBERED:
        known.popitem(last=False)


def _bytes(file: str) -> bytes | None:
    """Return what a file holds; nothing where it cannot be read, which is said when it is counted."""
    try:
        require_own(path := spec_path(file))
        with open(path, "rb") as opened:
            data = opened.read(FILE_BYTES + 1)
    except (OSError, ValueError, SpecError):
        return None
    return data if len(data) <= FILE_BYTES else None


def _digest(data: bytes) -> bytes:
    return blake2b(data, digest_size=16).digest()


def imports(file: str, data: bytes, libraries: tuple[str, ...]) -> bytes | None:
    """Return a digest of all that a spec imports; nothing where that cannot be read."""
    held: list[bytes] = []

    def noted(path: str) -> Source:
        source = read(path)
        held.append(_digest(source.text.encode("utf-8", "surrogatepass")))
        return source

    try:
        path = spec_path(file)
        past_spec(decode(data, path), file, path, Files(read=noted, libraries=libraries))
    except (SpecError, SpecErrors):
        return None
    return b"".join(held)
