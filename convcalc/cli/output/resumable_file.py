"""A file that an interrupted sweep can resume: partial until it is complete, with a checkpoint beside it."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
import time
from collections.abc import Callable, Iterator
from typing import IO, NoReturn, TypeAlias

import click

from convcalc.cli import SUCCESS, print_error
from convcalc.cli.output.atomic_files import (
    AtomicFile,
    Destination,
    encode_text,
    naming_path,
    replace_file,
    require_writable,
    sync_to_disk,
)
from convcalc.cli.output.file_locks import has_path, remove_leftovers, try_lock
from convcalc.errors import escape
from convcalc.records import NamedTuple
from convcalc.sweep.checkpoint import Checkpoint, Progress, SavedProgress, new_hash
from convcalc.sweep.fingerprint import differences

BETWEEN_SAVES = 0.2
"""Seconds between two checkpoints: less than that, or one block, is repeated after a kill."""
READ_SIZE = 1 << 20


Conversion: TypeAlias = Callable[[IO[bytes], int], Iterator[str | bytes]]
"""Gives a file, piece by piece, that is made of a partial file of so many bytes."""


class ResumeOptions(NamedTuple):
    """How to resume a sweep: its checkpoint, whether to resume it, and whether to print no notes."""

    journal: Checkpoint
    resume: bool
    quiet: bool = False


class ResumableFile(Destination):
    """The partial file and its checkpoint, as one place.

    The checkpoint exists from before the first line until after the last, so that at every moment either both tell how
    far the sweep is, or the complete output is in its place.
    """

    def __init__(self, given: ResumeOptions) -> None:
        self.path, self.journal, self.quiet = given.journal.path, given.journal, given.quiet
        self.kept = False
        self.saved = 0.0
        self.known = SavedProgress(self.journal.facts, Progress())
        with naming_path(self.path):
            require_writable(self.path)
            remove_leftovers(self.path)
            self.file = self._open_partial()
        try:
            self.state = self._restore(resume=given.resume)
        except BaseException:  # everything stays as it was; an empty partial file is as good as none
            with contextlib.suppress(OSError):
                if os.fstat(self.file.fileno()).st_size == 0:
                    os.unlink(self.journal.partial)
            self.file.close()
            raise
        self.noted = self.state.done
        self.has_lines = self.file.tell() > 0

    def _open_partial(self) -> IO[bytes]:
        """Open the partial file for this run alone."""
        while True:
            flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
            handle = os.open(self.journal.partial, flags, 0o600)
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                os.close(handle)
                raise self._refusal("its partial file is not a regular file")
            try:
                mine = try_lock(handle)
            except OSError as error:
                if os.fstat(handle).st_size == 0:
                    os.unlink(self.journal.partial)
                os.close(handle)
                why = f"files cannot be locked there ({error.strerror}), which --resume needs; use -o - > FILE"
                raise self._refusal(why) from None
            if mine and has_path(handle, self.journal.partial):
                return os.fdopen(handle, "r+b")
            os.close(handle)
            if not mine:
                raise self._refusal("another sweep is writing it")

    def _refusal(self, why: str) -> click.ClickException:
        return click.ClickException(f"cannot write '{escape(self.path)}': {why}")

    def _restore(self, *, resume: bool) -> Progress:
        """Return the progress so far, with the file at the end of its lines."""
        with naming_path(self.path):
            known, size = self.journal.load(), os.fstat(self.file.fileno()).st_size
        self.journal.require_ours(known, size)
        is_moved = known is not None and known.whole != "" and size < known.length
        if resume and (is_moved or (known is None and os.path.lexists(self.path))):
            self._end_if_complete(known)
        if resume and known is not None:
            self.journal.require_same(known.facts)
            return self._continue(known)
        if known is not None and known.state.done and not is_moved:
            self._say_discarded(known)
        return self._start_again()

    def _end_if_complete(self, known: SavedProgress | None) -> NoReturn:
        """End the run: the output is complete, and of this very sweep.

        Raises:
            SpecError: CC717, if it is not, or that is unknown.
        """
        with naming_path(self.path):
            self.journal.require_complete(known)
            self.journal.remove()
        if not self.quiet:
            print_error(f"{escape(self.path)} is complete: nothing to do")
        raise click.exceptions.Exit(SUCCESS)

    def _say_discarded(self, known: SavedProgress) -> None:
        if not self.quiet:
            same = not any(differences(known.facts, self.journal.facts))
            whose = "--resume would have continued it" if same else "it is of another sweep"
            count = f"{known.state.done:,} block{'s' if known.state.done != 1 else ''}"
            print_error(
                f"note: {escape(self.path)}: the partial output of an interrupted sweep, {count}, is discarded; {whose}"
            )

    def _start_again(self) -> Progress:
        """Start again. The checkpoint is written first: it is never behind the lines of the file."""
        self.digest = new_hash()
        with naming_path(self.path):
            self.journal.save(self.known._replace(digest=self.digest.hexdigest()))
            self.file.truncate(0)
        return Progress()

    def _continue(self, known: SavedProgress) -> Progress:
        self.digest = new_hash()
        left = known.length
        with naming_path(self.path):
            while data := self.file.read(min(left, READ_SIZE)):
                self.digest.update(data)
                left -= len(data)
        self.journal.require_lines(known, self.digest.hexdigest())
        with naming_path(self.path):
            self.file.seek(known.length)
            self.file.truncate()
        return known.state

    def write(self, data: str | bytes) -> None:
        written = encode_text(data)
        with naming_path(self.path):
            self.file.write(written)
        self.digest.update(written)

    @property
    def is_due(self) -> bool:
        """Whether there is no checkpoint yet, or the last one is old."""
        return not self.noted or time.monotonic() - self.saved >= BETWEEN_SAVES

    def save(self, state: Progress) -> None:
        """Write a checkpoint."""
        with naming_path(self.path):
            self.file.flush()
            self.known = SavedProgress(self.journal.facts, state, self.file.tell(), self.digest.hexdigest())
            self.journal.save(self.known)
        self.noted, self.saved = state.done, time.monotonic()

    def close(self) -> None:
        with naming_path(self.path):
            sync_to_disk(self.file)

    def commit(self) -> None:
        with naming_path(self.path):
            self._sign(self.file, self.digest.hexdigest())
            replace_file(self.file, self.journal.partial, os.path.realpath(self.path))
            self.kept = True
            self._remove_checkpoint()

    def _remove_checkpoint(self) -> None:
        """Remove the checkpoint and the partial file, whose lock holds until then."""
        if sys.platform == "win32":  # where no open file can be removed
            self.file.close()
        self.journal.remove()
        self.file.close()

    def _sign(self, file: IO[bytes], digest: str) -> None:
        """Sign the output and its checkpoint before it is moved to its place."""
        self.journal.sign(file.fileno(), digest)
        self.journal.save(self.known._replace(whole=digest))

    def rollback(self) -> None:
        """Keep the finished part, and say where it is; if there is none, leave nothing."""
        if self.kept:
            return
        with contextlib.suppress(OSError):
            if not self.noted:
                self._remove_checkpoint()
            self.file.close()
        if self.noted and not self.quiet:
            print_error(
                f"{escape(self.journal.partial)} has the finished part: resume with the same command and --resume"
            )


class ConvertedFile(ResumableFile):
    """A file that cannot be extended, as Parquet: its points are kept beside it until all are there."""

    def __init__(self, given: ResumeOptions, converted: Conversion) -> None:
        super().__init__(given)
        self.converted = converted

    def commit(self) -> None:
        made, digest, size = AtomicFile(self.path), new_hash(), self.file.tell()
        self.file.seek(0)
        try:
            for data in self.converted(self.file, size):
                digest.update(encode_text(data))
                made.write(data)
            made.close()
            with naming_path(self.path):
                self._sign(made.file, digest.hexdigest())
            made.commit()
            self.kept = True
            with naming_path(self.path):
                self._remove_checkpoint()
        finally:
            made.rollback()
