"""The one door to git. Nothing that a repository holds, its own configuration among it, makes git run a command.

Git reads programs to run out of a repository's configuration: for the index (fsmonitor), hooks, contents (filters, diff
drivers), transports, pagers, signatures. Only plumbing that needs none of them is called (``rev-parse``, ``cat-file``,
``ls-tree``, ``merge-base``, ``check-ignore --no-index``), and what could still reach one is switched off here.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import os
import re
import subprocess
import weakref
from typing import IO, TypeAlias, cast

from convcalc.spec.limits import FILE_BYTES

Done: TypeAlias = subprocess.CompletedProcess[bytes]
Running: TypeAlias = subprocess.Popen[bytes]
PROGRAM = "git.exe" if os.name == "nt" else "git"
SETTINGS = (
    "safe.bareRepository=explicit",  # a bare repository that lies in a work tree as plain files is none
    "core.fsmonitor=false",
    f"core.hooksPath={os.devnull}",
    "core.sshCommand=false",
    "core.gitProxy=none",
    "credential.helper=",
    "protocol.allow=never",
)
"""They go before every file of configuration, the user's too: its relative paths lead into the work tree."""
KEPT_VARIABLES = ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_NOSYSTEM", "GIT_CONFIG_SYSTEM")
"""The variables of git that stay. They say where the user's own configuration is, and with it ``safe.directory``. All
others lead git elsewhere (hooks set them), name programs, or write files."""
SET_VARIABLES = {
    "LC_ALL": "C",
    "GIT_ALLOW_PROTOCOL": "",  # older versions fetch what a partial clone lacks: none may be spoken
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
}
MAX_EXPRESSION_BYTES = 4096
"""Bytes of a name: more than any expression of a revision has."""
_ANSWER = re.compile(rb"([0-9a-f]{40}|[0-9a-f]{64}) ([a-z]+) ([0-9]+)\n")


def run(top: str, *arguments: str) -> Done:
    """Run git at the top of a work tree.

    Raises:
        OSError: git is not there.
    """
    return subprocess.run(
        _command(top, arguments), env=_environment(top), stdin=subprocess.DEVNULL, capture_output=True, check=False
    )


def first_line(said: bytes) -> str:
    """Return the first line of what git says of a fault."""
    return next(iter(said.decode("utf-8", "replace").splitlines()), "").removeprefix("fatal: ")


def _command(top: str, arguments: tuple[str, ...]) -> list[str]:
    settings = [word for setting in SETTINGS for word in ("-c", setting)]
    return [_program(), "--no-pager", *settings, "-C", top, *arguments]


def _program() -> str:
    for folder in _folders():
        path = os.path.join(folder, PROGRAM)
        if os.path.isfile(path) and os.access(path, os.X_OK):
            return path
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), PROGRAM)


def _folders() -> list[str]:
    """Return the folders of ``PATH`` but for relative ones: those lead into whatever tree is looked at."""
    folders = (folder.strip('"') for folder in os.environ.get("PATH", os.defpath).split(os.pathsep))
    return [folder for folder in folders if os.path.isabs(folder)]


def _environment(top: str) -> dict[str, str]:
    """Return what git runs with: English, asking nobody, and about the folder that it is called for alone."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.upper().startswith("GIT_") or name.upper() in KEPT_VARIABLES
    }
    ceiling = {"GIT_CEILING_DIRECTORIES": os.path.dirname(top), "PATH": os.pathsep.join(_folders())}
    return {**kept, **SET_VARIABLES, **ceiling}


class Dialogue:
    """A process of git that is begun when the first thing is asked, and ends with the object."""

    def __init__(self, top: str, *arguments: str) -> None:
        self._top = top
        self._arguments = arguments
        self._process: Running | None = None

    def ask(self, question: bytes) -> io.BufferedReader:
        """Return the stream on which the answer stands; all of it is to be read before the next question.

        Raises:
            OSError: git is not there.
        """
        if self._process is None:
            command, environment, pipe = _command(self._top, self._arguments), _environment(self._top), subprocess.PIPE
            self._process = subprocess.Popen(
                command, env=environment, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL
            )
            weakref.finalize(self, _end, self._process)
        with contextlib.suppress(OSError):  # it has ended: so has the stream
            cast(IO[bytes], self._process.stdin).write(question)
            cast(IO[bytes], self._process.stdin).flush()
        return cast(io.BufferedReader, self._process.stdout)

    def reset(self) -> None:
        """Begin anew with the next question: the process has ended."""
        self._process = None


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
