"""Contents of a repository by their names, from one process of git."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import re
import weakref
from typing import IO, cast

from convcalc.git.process import Running, start
from convcalc.spec.limits import FILE_BYTES

MAX_EXPRESSION_BYTES = 4096
"""Bytes of a name: more than any expression of a revision has."""
_ANSWER = re.compile(rb"([0-9a-f]{40}|[0-9a-f]{64}) ([a-z]+) ([0-9]+)\n")


class Dialogue:
    """A process of git that is begun when the first thing is asked, and ends with the object."""

    def __init__(self, top: str, *arguments: str) -> None:
        self._top = top
        self._arguments = arguments
        self._process: Running | None = None

    def ask(self, question: bytes) -> io.BufferedReader:
        """Return the stream on which the answer stands; all of it is to be read before the next question."""
        process = self._ensure_running()
        with contextlib.suppress(OSError):  # it has ended: so has the stream
            cast(IO[bytes], process.stdin).write(question)
            cast(IO[bytes], process.stdin).flush()
        return cast(io.BufferedReader, process.stdout)

    def reset(self) -> None:
        """Begin anew with the next question: the process has ended."""
        self._process = None

    def _ensure_running(self) -> Running:
        if self._process is None:
            self._process = start(self._top, *self._arguments)
            weakref.finalize(self, _end, self._process)
        return self._process


def _end(process: Running) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
    process.wait()


class ObjectReader:
    """Commits and files."""

    def __init__(self, top: str) -> None:
        self._git = Dialogue(top, "cat-file", "--batch")
        self._contents: dict[str, bytes | None] = {}

    def content(self, name: str) -> bytes | None:
        """Return the bytes of an object, one more than a spec may have at the most; nothing where git has none.

        Args:
            name: its whole name; each is read once.
        """
        if name not in self._contents:
            found = self._answer(name)
            self._contents[name] = found and found[2]
        return self._contents[name]

    def hash_of(self, expression: str, kind: str) -> str:
        """Return the whole name of what an expression means to git; nothing where it means nothing of that kind."""
        found = self._answer(expression)
        return found[0] if found and found[1] == kind else ""

    def _answer(self, expression: str) -> tuple[str, str, bytes] | None:
        try:
            asked = os.fsencode(expression)
        except UnicodeEncodeError:
            return None
        if b"\n" in asked or b"\0" in asked or len(asked) > MAX_EXPRESSION_BYTES:
            return None
        stream = self._git.ask(asked + b"\n")
        line = stream.readline()
        if not line:
            self._git.reset()  # it gives up where it would have to fetch
        found = _ANSWER.fullmatch(line)
        if not found:
            return None
        size = int(found[3])
        left = size + 1  # with the line end behind it
        content = stream.read(min(left, FILE_BYTES + 2))
        left -= len(content)
        while left > 0 and (passed := stream.read(min(left, FILE_BYTES))):
            left -= len(passed)
        return found[1].decode("ascii"), found[2].decode("ascii"), content[:size]


def blob_hash(content: bytes, length: int) -> str:
    """Return the name that git gives to the content of a file: SHA-1 or SHA-256, by its length."""
    whole = b"blob %d\0%b" % (len(content), content)
    return (hashlib.sha1(whole, usedforsecurity=False) if length == 40 else hashlib.sha256(whole)).hexdigest()
