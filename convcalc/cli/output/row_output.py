"""Lists that are written while they are worked out: whole rows to standard output, files whole or not at all."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from types import FrameType
from typing import Any

import click

from convcalc.cli.group import Settings
from convcalc.cli.output.atomic_files import Place, Places, place
from convcalc.cli.output.targets import Target
from convcalc.render import STREAMS
from convcalc.render.results.row_list import Rows, Stream
from convcalc.render.tables.surface import Surface, is_terminal, surface
from convcalc.report.row_list import Listing


class Outlet:
    """One list, in all formats and to all places that are asked for."""

    def __init__(self, streams: Sequence[tuple[Stream, Place]]) -> None:
        self._streams = streams

    def add(self, rows: Rows) -> None:
        """Write rows."""
        for stream, where in self._streams:
            where.write(stream.add(rows))

    def end(self, errors: Rows = ()) -> None:
        """Write what stands behind the last row."""
        for stream, where in self._streams:
            where.write(stream.end(errors))


@contextlib.contextmanager
def outlet(settings: Settings, targets: Sequence[Target], listing: Listing) -> Iterator[Outlet]:
    """Give what rows are written to. Files get into their places when all is done, and not if anything goes wrong."""
    streams: list[tuple[Stream, Place]] = []
    with Places() as places:
        for target in targets:
            stream = _stream(settings, target, listing)
            streams.append((stream, places.add(place(target.path) if target.path else Screen())))
        yield Outlet(streams)
        places.keep()


def _stream(settings: Settings, target: Target, listing: Listing) -> Stream:
    if target.format == "parquet" and not target.path and is_terminal(sys.stdout):
        raise click.UsageError("parquet cannot be shown on a terminal; write to a file with -o")
    screen = surface(sys.stdout, color=settings.color, width=settings.width)
    paper = Surface(settings.width, color=settings.color == "always")
    return STREAMS[target.format].stream(listing, paper if target.path else screen)


class Screen:
    """Standard output. Rows leave at once, so that whoever reads along has them; Ctrl-C does not cut one."""

    def write(self, data: str | bytes) -> None:
        """Write whole rows."""
        with _unbroken():
            if isinstance(data, bytes):
                sys.stdout.buffer.write(data)
            else:
                sys.stdout.write(data)
            sys.stdout.flush()

    def close(self) -> None:
        """Do nothing: others write to it too."""

    keep = discard = close


@contextlib.contextmanager
def _unbroken() -> Iterator[None]:
    """Let Ctrl-C wait for the end of the block; a second one does not wait."""
    usual: Any = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(usual):  # ignored, as nohup does
        yield
        return
    came: list[int] = []

    def wait(number: int, frame: FrameType | None) -> None:
        came.append(number)
        signal.signal(signal.SIGINT, usual)

    signal.signal(signal.SIGINT, wait)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual)
    if came:
        raise KeyboardInterrupt
