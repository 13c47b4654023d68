"""Files that are written whole or not at all: beside their place first, then moved there, all of a run together.

What is being written to PATH has the name ``.PATH.XXXXXXXX.convcalc`` and is locked by the run that writes it. A run
that is killed leaves it behind, without the lock: the next one that writes to PATH removes it. Neither clocks nor
numbers of processes play a part in that.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import signal
import stat
import sys
import threading
from collections.abc import Iterator
from types import FrameType
from typing import IO, Any

import click

from convcalc.cli.output.file_locks import STAGED_SUFFIX, has_path, lock_new_file, remove_leftovers, staged_prefix
from convcalc.designs.names import SPEC_SUFFIXES
from convcalc.errors import escape

MAX_LINKS = 40
"""Links that are followed in a row, as Linux does."""
DESCRIPTORS = {"/dev/stdin": 0, "/dev/stdout": 1, "/dev/stderr": 2}
BY_NUMBER = re.compile(r"(?:/dev/fd|/proc/self/fd)/(\d{1,9})")


class Destination:
    """Where results go: a file, a device, standard output."""

    path: str
    file: IO[bytes]

    def write(self, data: str | bytes) -> None:
        """Write what comes next."""
        with naming_path(self.path):
            self.file.write(encode_text(data))

    def close(self) -> None:
        """Make sure that all is written."""

    def commit(self) -> None:
        """Put it where it belongs."""

    def rollback(self) -> None:
        """Leave nothing that is not whole, unless it is where it belongs already."""
        with contextlib.suppress(OSError):
            self.file.close()


class Destinations:
    """Where the results of one run go. All are kept together; whatever goes wrong before, none is."""

    def __init__(self) -> None:
        self._all: list[Destination] = []

    def __enter__(self) -> Destinations:
        return self

    def add(self, place: Destination) -> Destination:
        """Take a place in, and return it."""
        self._all.append(place)
        return place

    def commit(self) -> None:
        """Put everything where it belongs, once all of it is written."""
        for place in self._all:
            place.close()
        for place in self._all:
            place.commit()

    def __exit__(self, *exception: object) -> None:
        for place in self._all:
            place.rollback()


def open_destination(path: str | None) -> Destination:
    """Return what writes to a path, or to standard output."""
    return StandardOutput() if path is None else DeviceFile(path) if is_device(path) else AtomicFile(path)


class AtomicFile(Destination):
    """A new file beside the one that it is to replace."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.staged = ""
        with naming_path(path):
            require_writable(path)
            remove_leftovers(path)
            self.file = self._begun()

    def _begun(self) -> IO[bytes]:
        """Make the file; the run that looks for leftovers between its making and its lock takes it for one."""
        import tempfile  # costs start-up time, and only files need it

        folder, name = os.path.split(os.path.realpath(self.path))
        while True:
            handle, self.staged = tempfile.mkstemp(prefix=staged_prefix(name), suffix=STAGED_SUFFIX, dir=folder)
            if lock_new_file(handle) and has_path(handle, self.staged):
                return os.fdopen(handle, "wb")
            os.close(handle)

    def close(self) -> None:
        with naming_path(self.path):
            sync_to_disk(self.file)

    def commit(self) -> None:
        with naming_path(self.path):
            replace_file(self.file, self.staged, os.path.realpath(self.path))
        self.staged = ""

    def rollback(self) -> None:
        with contextlib.suppress(OSError):
            self.file.close()
        if self.staged:
            with contextlib.suppress(OSError):
                os.unlink(self.staged)


class DeviceFile(Destination):
    """What is not a regular file, e.g. a pipe: it cannot be replaced, and is written to as it is."""

    def __init__(self, path: str) -> None:
        self.path = path
        number, flags = _descriptor(path), os.O_WRONLY | getattr(os, "O_BINARY", 0)
        with naming_path(path):
            # a descriptor that is opened anew by its name would begin at the start of its file, and empty it
            self.file = os.fdopen(os.open(path, flags) if number is None else os.dup(number), "wb")

    def close(self) -> None:
        with naming_path(self.path):
            self.file.close()


class StandardOutput(Destination):
    """Standard output. Rows are flushed at once; Ctrl-C does not cut one."""

    def write(self, data: str | bytes) -> None:
        with _unbroken():
            if isinstance(data, bytes):
                sys.stdout.buffer.write(data)
            else:
                sys.stdout.write(data)
            sys.stdout.flush()

    def rollback(self) -> None:
        """Do nothing: others write to it too."""


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


def is_device(path: str) -> bool:
    """Whether a path exists and is not a regular file, or names something that this process has open."""
    return _descriptor(path) is not None or (os.path.exists(path) and not os.path.isfile(path))


def _descriptor(path: str) -> int | None:
    """Return the number of the open file that a path names, if it does: ``/dev/stdout``, or a link to it."""
    for _ in range(MAX_LINKS):
        named = os.path.normpath(path)
        if named in DESCRIPTORS:
            return DESCRIPTORS[named]
        if match := BY_NUMBER.fullmatch(named):
            return int(match[1])
        if not os.path.islink(path):
            return None
        path = os.path.join(os.path.dirname(path), os.readlink(path))
    return None


# --- steps ------------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def naming_path(path: str) -> Iterator[None]:
    """Turn errors of the system into one that names the path."""
    try:
        yield
    except OSError as error:
        if error.errno == errno.ENOMEM:
            raise
        raise click.ClickException(f"cannot write '{escape(path)}': {error.strerror or error}") from None


def encode_text(data: str | bytes) -> bytes:
    """Return the bytes of a text; what UTF-8 does not have is escaped."""
    return data.encode("utf-8", "backslashreplace") if isinstance(data, str) else data


def require_writable(path: str) -> None:
    """Demand that a file that is there may be written to, though it is the folder that is asked in the end.

    Raises:
        ClickException: for a YAML file: specs, budgets and devices are read, and no output is one.
        PermissionError: for a file that somebody has protected.
    """
    if os.path.isfile(path) and os.path.realpath(path).lower().endswith(SPEC_SUFFIXES):
        text = "it is YAML, like specs and budget files, and would be lost; give another name"
        raise click.ClickException(f"cannot write '{escape(path)}': {text}")
    if os.path.isfile(path) and not os.access(path, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)


def sync_to_disk(file: IO[bytes]) -> None:
    """Have a file on its disk: only then is it known that there was room for it."""
    file.flush()
    os.fsync(file.fileno())


def replace_file(file: IO[bytes], staged: str, place: str) -> None:
    """Move a file in the place of another, whose permissions and owner it gets. Its lock is kept until it is there."""
    with contextlib.suppress(OSError):
        old = os.stat(place)
        mine = os.fstat(file.fileno())
        if (old.st_uid, old.st_gid) != (mine.st_uid, mine.st_gid):
            os.chown(staged, old.st_uid, old.st_gid)
    os.chmod(staged, permissions(place))
    if sys.platform == "win32":  # where no open file can be moved
        file.close()
    os.replace(staged, place)
    file.close()


def permissions(path: str) -> int:
    """Return those of the file that is replaced, or those that a new file gets."""
    with contextlib.suppress(FileNotFoundError):
        return stat.S_IMODE(os.stat(path).st_mode)
    umask = os.umask(0)
    os.umask(umask)
    return 0o666 & ~umask
