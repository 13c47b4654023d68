"""Lists that are written while they are worked out: whole rows to standard output, files whole or not at all."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from types import FrameType
from typing import IO, Any

import click

from convcalc.cli._group import Settings
from convcalc.cli._output import Target, is_device, permissions
from convcalc.errors import quoted
from convcalc.listing import Listing
from convcalc.render import STREAMS
from convcalc.render.layout.stream import Rows, Stream
from convcalc.render.surface import Surface, is_terminal, surface


class Outlet:
    """One list, in all formats and to all places that are asked for."""

    def __init__(self, streams: Sequence[tuple[Stream, _Place]]) -> None:
        self._streams = streams

    def add(self, rows: Rows) -> None:
        """Write rows."""
        for stream, place in self._streams:
            place.write(stream.add(rows))

    def end(self, errors: Rows = ()) -> None:
        """Write what stands behind the last row."""
        for stream, place in self._streams:
            place.write(stream.end(errors))


@contextlib.contextmanager
def outlet(settings: Settings, targets: Sequence[Target], listing: Listing) -> Iterator[Outlet]:
    """Give what rows are written to. Files get into their places when all is done, and not if anything goes wrong."""
    streams: list[tuple[Stream, _Place]] = []
    places: list[_Place] = []
    try:
        for target in targets:
            stream = _stream(settings, target, listing)
            places.append(File(target.path) if target.path else Screen())
            streams.append((stream, places[-1]))
        yield Outlet(streams)
        for place in places:
            place.close()
        for place in places:
            place.keep()
    finally:
        for place in places:
            place.discard()


def _stream(settings: Settings, target: Target, listing: Listing) -> Stream:
    if target.format == "parquet" and not target.path and is_terminal(sys.stdout):
        raise click.UsageError("parquet is no text for a terminal; name a file with -o")
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


class File:
    """A new file beside the one that it is to replace; or a device, which is written to as it is."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.staged = ""
        with self._blamed():
            self.file = self._opened()

    def _opened(self) -> IO[bytes]:
        if is_device(self.path):
            return open(self.path, "wb")
        import tempfile  # costs start-up time, and only files need it

        folder, name = os.path.split(os.path.realpath(self.path))
        handle, self.staged = tempfile.mkstemp(prefix=f".{name}.", dir=folder)
        return os.fdopen(handle, "wb")

    def write(self, data: str | bytes) -> None:
        """Write what comes next."""
        with self._blamed():
            self.file.write(data.encode("utf-8", "backslashreplace") if isinstance(data, str) else data)

    def close(self) -> None:
        """Make sure that all is written."""
        with self._blamed():
            self.file.close()

    def keep(self) -> None:
        """Put the file in its place, with the permissions of what was there."""
        if self.staged:
            with self._blamed():
                os.chmod(self.staged, permissions(self.path))
                os.replace(self.staged, os.path.realpath(self.path))
            self.staged = ""

    def discard(self) -> None:
        """Leave nothing behind, unless it is in its place already."""
        with contextlib.suppress(OSError):
            self.file.close()
        if self.staged:
            with contextlib.suppress(OSError):
                os.unlink(self.staged)

    @contextlib.contextmanager
    def _blamed(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise click.ClickException(f"cannot write {quoted(self.path)}: {error.strerror}") from None


_Place = Screen | File


@contextlib.contextmanager
def _unbroken() -> Iterator[None]:
    """Let Ctrl-C wait for the end of the block; a second one does not wait."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    usual: Any = signal.getsignal(signal.SIGINT)

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
