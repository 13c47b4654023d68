"""A folder with a few small specs in it, the same before every input: whatever is written there is gone after it."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from stat import S_ISDIR

SMALL = """\
input: [3, 8, 8]
vars: {width: 8, act: relu, deep: 2}
variants: {wide: {width: 16}, deeper: {deep: 3}}
layers:
  - {conv: {out: width, kernel: 3, padding: same, norm: batch, act: act}, name: stem}
  - {conv: [width, 3], repeat: deep, name: stage}
  - [avgpool: global, flatten, linear: 10]
claims: [{params: 1.6k, source: here}, {variant: wide, macs: 1M, source: there}]
"""
PARTS = """\
name: two parts
input: [4, n, n]
vars: {n: 8, groups: 2}
layers:
  - {conv: [6, 3], name: left}
  - {seq: [conv: {out: 6, kernel: 1, groups: groups}, relu], name: right, from: input}
outputs: [left, right]
"""
SEQUENCE = "input: [tokens, 16]\nvars: {tokens: 5, heads: 2}\nlayers: [attention: heads, {norm: layer}, lstm: 4]\n"
BUDGETS = """\
version: 1
baseline: {file: baseline.json}
budgets:
  - {id: a, designs: small.yaml, max: {params: 5k, macs: 60k}}
  - {id: b, designs: ["small.yaml", "parts.yaml"], per: layer, max: {"params%": 80%}}
  - {id: c, designs: small.yaml, growth: {params: +1%}}
"""
BROKEN = "input: [3, 8, 8]\nlayers: [conv: [8, 9]]\n"
FILES = {
    "small.yaml": SMALL.encode(), "parts.yaml": PARTS.encode(), "sub/sequence.yaml": SEQUENCE.encode(),
    "broken.yaml": BROKEN.encode(), "budgets.conf": BUDGETS.encode(), ".git/HEAD": b"",
}  # fmt: skip
"""An empty ``.git`` ends every search for a repository or a budget file above."""


class Folder:
    """The folder, made when it is first needed."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="convcalc-fuzz-"))
        self._state: dict[str, tuple[int, int]] = {}
        self.restore()

    def restore(self) -> None:
        """Put everything back if anything differs."""
        if self._state and self._seen() == self._state:
            return
        for entry in self.path.iterdir():
            shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
        for name, data in FILES.items():
            path = self.path / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(data)
        self._state = self._seen()

    def _seen(self) -> dict[str, tuple[int, int]]:
        """Return of every file its size and its time; folders tell themselves when what is in them changes."""
        return {entry.path: _state(entry) for folder in (self.path, self.path / "sub") for entry in _entries(folder)}


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    with contextlib.suppress(OSError), os.scandir(folder) as found:
        return [*found]
    return []


def _state(entry: os.DirEntry[str]) -> tuple[int, int]:
    status = entry.stat(follow_symlinks=False)
    return (0, 0) if S_ISDIR(status.st_mode) else (status.st_size, status.st_mtime_ns)


_made: list[Folder] = []


@contextlib.contextmanager
def folder(files: Mapping[str, bytes] | None = None) -> Iterator[Path]:
    """Stand in the folder, with more files in it, until everything is put back."""
    if not _made:
        _made.append(Folder())
    (held,) = _made
    before = os.open(".", os.O_RDONLY)
    os.chdir(held.path)
    try:
        for name, data in (files or {}).items():
            Path(name).write_bytes(data)
        yield held.path
    finally:
        for name in files or {}:
            Path(held.path, name).unlink(missing_ok=True)
        held.restore()
        os.fchdir(before)
        os.close(before)


def remove() -> None:
    """Remove the folder at the end of a campaign."""
    while _made:
        shutil.rmtree(_made.pop().path, ignore_errors=True)
