"""A file that a killed sweep can go on with: it lies beside its place until it is whole, with notes of what is done."""

from __future__ import annotations

import contextlib
import csv
import io
import os
import stat
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import IO, NamedTuple, NoReturn, Protocol

import click

from convcalc.cli import FINE, say
from convcalc.cli.output.atomic_files import File, blamed, encoded, moved, remove_leftovers, require_writable, synced
from convcalc.cli.output.file_locks import is_there, locked
from convcalc.errors import escape
from convcalc.sweep.checkpoint import Checkpoint, Progress, SavedProgress, new_hash
from convcalc.sweep.fingerprint import differences

BETWEEN_SAVES = 0.2
"""Seconds between two notes of what is done: what is done twice after a kill is less than that, or one block."""
AT_ONCE = 1 << 20


class Table(Protocol):
    """What makes a file of rows that were written as CSV."""

    def converted(self, rows: Iterable[Mapping[str, str]]) -> Iterator[str | bytes]:
        """Give the file, piece by piece."""


class Resumable(NamedTuple):
    """How a sweep is gone on with: what it remembers, whether it shall go on, and whether it may say so."""

    journal: Checkpoint
    resume: bool
    quiet: bool = False


class Resumed:
    """The file and its notes, as one place.

    The notes are there before the first line and go after the last, so that at every moment either both tell how far a
    sweep has come, or the whole output is in its place.
    """

    def __init__(self, given: Resumable) -> None:
        self.path, self.journal, self.quiet = given.journal.path, given.journal, given.quiet
        self.kept = False
        self.saved = 0.0
        self.known = SavedProgress(self.journal.facts, Progress())
        with blamed(self.path):
            require_writable(self.path)
            remove_leftovers(self.path)
            self.file = self._opened()
        try:
            self.state = self._begun(resume=given.resume)
        except BaseException:
            self._closed_untouched()
            raise
        self.noted = self.state.done
        self.has_lines = self.file.tell() > 0

    def _opened(self) -> IO[bytes]:
        """Open the partial file for this run alone."""
        while True:
            flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
            handle = os.open(self.journal.partial, flags, 0o600)
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                os.close(handle)
                raise click.ClickException(f"cannot write '{escape(self.path)}': its partial file is no plain file")
            try:
                mine = locked(handle)
            except OSError as error:
                if os.fstat(handle).st_size == 0:
                    os.unlink(self.journal.partial)
                os.close(handle)
                said = f"no file can be locked there ({error.strerror}), which a sweep needs to go on with one"
                raise click.ClickException(
                    f"cannot write '{escape(self.path)}': {said}; -o - > FILE does without"
                ) from None
            if mine and is_there(handle, self.journal.partial):
                return os.fdopen(handle, "r+b")
            os.close(handle)
            if not mine:
                raise click.ClickException(f"cannot write '{escape(self.path)}': another sweep is writing it")

    def _begun(self, *, resume: bool) -> Progress:
        """Return what is done already, with the file at the end of its lines."""
        with blamed(self.path):
            known, size = self.journal.load(), os.fstat(self.file.fileno()).st_size
        self.journal.require_ours(known, size)
        is_moved = known is not None and known.whole != "" and size < known.length
        if resume and (is_moved or (known is None and os.path.lexists(self.path))):
            self._end_complete(known)
        if resume and known is not None:
            self.journal.require_same(known.facts)
            return self._gone_on(known)
        if known is not None and known.state.done and not is_moved:
            self._say_dropped(known)
        return self._anew()

    def _end_complete(self, known: SavedProgress | None) -> NoReturn:
        """End the run: the output is whole, and of this very sweep.

        Raises:
            SpecError: CC717, where it is not, or nobody knows.
        """
        with blamed(self.path):
            self.journal.require_complete(known)
            self.journal.remove()
        if not self.quiet:
            say(f"{escape(self.path)} is complete: nothing to do")
        raise click.exceptions.Exit(FINE)

    def _say_dropped(self, known: SavedProgress) -> None:
        if not self.quiet:
            same = not any(differences(known.facts, self.journal.facts))
            whose = "--resume would have gone on with it" if same else "it was another sweep"
            count = f"{known.state.done:,} block{'s' if known.state.done != 1 else ''}"
            say(f"{escape(self.path)}: the partial run of a sweep that was killed, {count}, is dropped; {whose}")

    def _anew(self) -> Progress:
        """Begin with nothing. The notes say so first: they are never behind what the file holds."""
        self.digest = new_hash()
        with blamed(self.path):
            self.journal.save(self.known._replace(digest=self.digest.hexdigest()))
            self.file.truncate(0)
        return Progress()

    def _gone_on(self, known: SavedProgress) -> Progress:
        self.digest = new_hash()
        left = known.length
        with blamed(self.path):
            while data := self.file.read(min(left, AT_ONCE)):
                self.digest.update(data)
                left -= len(data)
        self.journal.require_lines(known, self.digest.hexdigest())
        with blamed(self.path):
            self.file.seek(known.length)
            self.file.truncate()
        return known.state

    def _closed_untouched(self) -> None:
        """Leave everything as it was; an empty partial file is as good as none."""
        with contextlib.suppress(OSError):
            if os.fstat(self.file.fileno()).st_size == 0:
                os.unlink(self.journal.partial)
        self.file.close()

    def write(self, data: str | bytes) -> None:
        written = encoded(data)
        with blamed(self.path):
            self.file.write(written)
        self.digest.update(written)

    def save(self, state: Progress, *, ended: bool = False) -> None:
        """Note what is done: if nothing is noted yet, if the last note is old, and where all blocks are done."""
        if ended or not self.noted or time.monotonic() - self.saved >= BETWEEN_SAVES:
            with blamed(self.path):
                self.file.flush()
                self.known = SavedProgress(self.journal.facts, state, self.file.tell(), self.digest.hexdigest())
                self.journal.save(self.known)
            self.noted, self.saved = state.done, time.monotonic()

    def close(self) -> None:
        with blamed(self.path):
            synced(self.file)

    def keep(self) -> None:
        with blamed(self.path):
            self._note_whole(self.file, self.digest.hexdigest())
            moved(self.file, self.journal.partial, os.path.realpath(self.path))
            self.kept = True
            self._forget()

    def _forget(self) -> None:
        """Remove the notes and the partial file, whose lock holds until then."""
        if sys.platform == "win32":  # where no open file can be removed
            self.file.close()
        self.journal.remove()
        self.file.close()

    def _note_whole(self, file: IO[bytes], digest: str) -> None:
        """Note what the output is, on it and beside it, before it is moved to its place."""
        self.journal.sign(file.fileno(), digest)
        self.journal.save(self.known._replace(whole=digest))

    def discard(self) -> None:
        """Keep what is done, and say where it is; where nothing is done, leave nothing."""
        if self.kept:
            return
        with contextlib.suppress(OSError):
            if not self.noted:
                self._forget()
            self.file.close()
        if self.noted and not self.quiet:
            say(f"{escape(self.journal.partial)} holds what is done: the same command with --resume goes on")


class Converted(Resumed):
    """A Parquet file, which nothing can be added to: its points lie beside it as CSV until all are there."""

    def __init__(self, given: Resumable, table: Table) -> None:
        super().__init__(given)
        self.table = table

    def keep(self) -> None:
        made, digest = File(self.path), new_hash()
        self.file.seek(0)
        try:
            text = io.TextIOWrapper(self.file, encoding="utf-8", newline="")
            for data in self.table.converted(csv.DictReader(text)):
                digest.update(encoded(data))
                made.write(data)
            made.close()
            with blamed(self.path):
                self._note_whole(made.file, digest.hexdigest())
            made.keep()
            self.kept = True
            with blamed(self.path):
                self._forget()
        finally:
            made.discard()
