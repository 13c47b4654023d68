"""A cache on disk of what was worked out before, in the folder ``.convcalc_cache``.

A value lies under an address, the digest of all that it depends on: nothing here ever becomes wrong, and the folder may
be deleted at any time. Each is sealed with a key that this user alone has, kept outside of the repository: what comes
with a checkout, such as that of a pull request, is not believed. Files appear whole or not at all. What cannot be read
is worked out again, and where nothing can be written nothing is kept.
"""

from __future__ import annotations

import json
import os
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from hashlib import blake2b
from hmac import compare_digest
from typing import Any

import convcalc
from convcalc.paths import is_inside, repository_root

FOLDER = ".convcalc_cache"
KEY_BYTES = 32
DIGEST_BYTES = 20
HEAD = 4 * DIGEST_BYTES + 1
"""Characters before a value: its address and its seal in hexadecimal digits, with a space between them."""
MAX_FILE_BYTES = 1 << 19
"""Of one of the 256 files; beyond it the oldest values are left out."""
MAX_PENDING_BYTES = 1 << 22
"""Values that are kept in memory until they are written."""
OWN_FILES = {
    "CACHEDIR.TAG": "Signature: 8a477f597d28d172789f06886806bc55\n# Results of convcalc; safe to delete.\n",
    ".gitignore": "*\n",
}
_READ = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)


class ResultCache:
    """Values of JSON by the digest of what they depend on; as a context manager it writes at its end."""

    def __init__(self, folder: str, key: bytes) -> None:
        self._folder = folder
        self._key = key
        program = repr((convcalc.__version__, sys.version_info[:2], *_program_files()))
        self._program = blake2b(program.encode("utf-8", "surrogatepass"), digest_size=DIGEST_BYTES)
        self._pending: dict[str, dict[bytes, bytes]] = {}
        """Lines that are not written yet, by their files and addresses."""
        self._pending_bytes = 0

    def __enter__(self) -> ResultCache:
        return self

    def __exit__(self, *exception: object) -> None:
        self.write()

    def address(self, *parts: object) -> str:
        """Return the digest of values, whose ``repr`` tells them apart, and of this program."""
        digest = self._program.copy()
        digest.update(repr(parts).encode("utf-8", "surrogatepass"))
        return digest.hexdigest()

    def get(self, address: str) -> Any:
        """Return the value at an address; ``None`` where there is none that this user has put there."""
        data, sought = _read_plain(self._path(address[:2])) or b"", address.encode()
        start = 0 if data.startswith(sought) else data.find(b"\n" + sought) + 1
        line = data[start : data.find(b"\n", start)]
        body = line[HEAD:]
        return json.loads(body) if compare_digest(line[:HEAD], self._head(sought, body)) else None

    def put(self, address: str, value: Any) -> None:
        """Keep a value, where that can be done."""
        body, sought = json.dumps(value, separators=(",", ":")).encode(), address.encode()
        self._pending.setdefault(address[:2], {})[sought] = self._head(sought, body) + body
        self._pending_bytes += HEAD + len(body)
        if self._pending_bytes > MAX_PENDING_BYTES:
            self.write()

    def write(self) -> None:
        """Write what is kept in memory. What another process writes at the same time may be lost, and nothing else."""
        pending, self._pending, self._pending_bytes = self._pending, {}, 0
        for name, lines in pending.items():
            there = (_read_plain(self._path(name)) or b"").split(b"\n")
            kept = [line for line in there if len(line) > HEAD and line[: 2 * DIGEST_BYTES] not in lines]
            kept += lines.values()
            first, size = len(kept), 0
            while first and (size := size + len(kept[first - 1]) + 1) <= MAX_FILE_BYTES:
                first -= 1
            with suppress(OSError):  # the folder is gone, or full
                _write_whole(self._path(name), b"".join(line + b"\n" for line in kept[first:]))

    def _path(self, name: str) -> str:
        return os.path.join(self._folder, name)

    def _head(self, address: bytes, body: bytes) -> bytes:
        seal = blake2b(address + body, key=self._key, digest_size=DIGEST_BYTES)
        return address + b" " + seal.hexdigest().encode()


def open_cache(start: str = ".") -> ResultCache | None:
    """Open the cache at the top of the repository of a folder, or in the folder itself; make it if it is not there.

    Returns:
        Nothing where there can be none: in a folder that cannot be written to, or is a link or somebody else's, and
        where the user's key cannot be kept, or would lie in what is checked out.
    """
    try:
        top = os.path.realpath(repository_root(start) or start)
        folder = os.path.join(top, FOLDER)
        key = _user_key(top)
        if key is None:
            return None
        with suppress(FileExistsError):
            os.mkdir(folder)
        if not _is_own(os.lstat(folder), stat.S_ISDIR):
            return None
        for name, text in OWN_FILES.items():
            with suppress(FileExistsError):
                _write_new(os.path.join(folder, name), text.encode())
        return ResultCache(folder, key)
    except (OSError, ValueError):
        return None


def _user_key(tree: str) -> bytes | None:
    """Return the key of this user, made when it is first asked for; nothing where it lies in a tree."""
    base = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA") or os.path.expanduser("~/.cache")
    path = os.path.join(base, "convcalc", "key")
    if not os.path.isabs(base) or is_inside(os.path.realpath(path), tree):
        return None
    known = _read_plain(path)
    if known is not None and len(known) == KEY_BYTES and _is_secret(os.lstat(path)):
        return known
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    _write_whole(path, made := os.urandom(KEY_BYTES))
    return made


def _is_own(status: os.stat_result, is_kind: Any) -> bool:
    return is_kind(status.st_mode) and (not hasattr(os, "geteuid") or status.st_uid == os.geteuid())


def _is_secret(status: os.stat_result) -> bool:
    return _is_own(status, stat.S_ISREG) and (os.name == "nt" or not status.st_mode & 0o077)


def _read_plain(path: str) -> bytes | None:
    """Return the bytes of a file; nothing for links, pipes, what is too large and what cannot be read."""
    try:
        opened = os.open(path, _READ)
    except OSError:
        return None
    try:
        status = os.fstat(opened)
        is_plain = stat.S_ISREG(status.st_mode) and status.st_size <= MAX_FILE_BYTES
        return os.read(opened, status.st_size) if is_plain else None  # a larger buffer costs much more than the bytes
    except OSError:
        return None
    finally:
        os.close(opened)


def _write_new(path: str, data: bytes) -> None:
    with open(os.open(path, _WRITE, 0o600), "wb") as file:
        file.write(data)


def _write_whole(path: str, data: bytes) -> None:
    """Write a file under another name first: whoever reads it sees all of it, or what was there before."""
    new = f"{path}.{os.getpid()}.{time.monotonic_ns()}"
    try:
        _write_new(new, data)
        os.replace(new, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(new)
        raise


def _program_files() -> Iterator[tuple[str, int, int]]:
    """Give the name, size and time of every file of the program: a checkout changes, and its version does not."""
    folders = [os.path.dirname(convcalc.__file__)]
    while folders:
        for entry in sorted(os.scandir(folders.pop()), key=lambda entry: entry.name):
            if entry.is_dir(follow_symlinks=False):
                folders += [entry.path] if entry.name != "__pycache__" else []
            else:
                status = entry.stat()
                yield entry.name, status.st_size, status.st_mtime_ns
