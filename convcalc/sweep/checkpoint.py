"""Checkpoint files that let an interrupted sweep resume.

``PATH.partial`` holds the lines of the blocks that are done (for Parquet, messages with their columns),
``PATH.progress`` how many blocks these are, how long the lines were then and their digest. Lines go first: what stands
behind that length is cut off when the sweep goes on.
``PATH`` itself is there once it is whole; then both files are gone, and what sweep has made it is an attribute of the
file, where the file system has those.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
from collections.abc import Mapping
from typing import Any

from convcalc.errors import Source, Span, SpecError, escape
from convcalc.extras import numpy
from convcalc.records import NamedTuple, dataclass, field
from convcalc.sweep.block_task import BlockResult
from convcalc.sweep.evaluator import InvalidPoints, merge_invalid
from convcalc.sweep.fingerprint import Facts, differences
from convcalc.sweep.selection import SelectedPoints, Selection

OTHER_SWEEP = "CC717"
MARK = "convcalc sweep"
"""Notes begin with it."""
ATTRIBUTE = "user.convcalc.sweep"
START_ANEW_HINT = "omit --resume to start over, which replaces it"


@dataclass(slots=True)
class Progress:
    """Progress of the blocks that are done."""

    done: int = 0
    rows: int = 0
    valid: int = 0
    invalid: dict[str, InvalidPoints] = field(default_factory=dict)
    points: SelectedPoints | None = None
    """Points selected so far, without those that wait."""
    waiting: list[SelectedPoints] = field(default_factory=list)
    """Points that later blocks have given, to be merged."""

    def add(self, result: BlockResult, keep: Selection) -> None:
        """Count a block; a reduction takes its points in."""
        self.done += 1
        self.valid += result.valid
        self.invalid = merge_invalid(self.invalid, result.invalid)
        if keep.kind == "all":
            self.rows += result.kept
        else:
            self.waiting += [result.points] if result.points or self.points is None else []
            if self.points is None or sum(len(each.numbers) for each in self.waiting) >= self.rows // 4:
                self.settle(keep)

    def settle(self, keep: Selection) -> None:
        """Merge the points that wait: a large front is not sorted for every block."""
        if self.waiting:
            self.points = keep.merge(self.points, *self.waiting)
            self.rows = len(self.points.numbers)
            self.waiting.clear()


class SavedProgress(NamedTuple):
    """Contents of a checkpoint."""

    facts: Facts
    state: Progress
    length: int = 0
    digest: str = ""
    """Of so many bytes of the partial file."""
    whole: str = ""
    """The digest of the whole output, once that is about to be moved to its place."""


class Checkpoint:
    """The two checkpoint files beside an output."""

    def __init__(self, path: str, facts: Facts) -> None:
        self.path = path
        place = os.path.realpath(path) if os.path.islink(path) else path
        self.partial, self.progress = f"{place}.partial", f"{place}.progress"
        self.facts = facts

    def load(self) -> SavedProgress | None:
        """Return what the notes say; nothing where there are none.

        Raises:
            SpecError: CC717 for a file that no sweep wrote.
        """
        try:
            check, _, text = _read_plain_file(self.progress).partition("\n")
            if check != _header(text):
                raise ValueError
            known = json.loads(text)
            dropped = {code: InvalidPoints(*facts) for code, facts in known["dropped"].items()}
            state = Progress(known["done"], known["rows"], known["valid"], dropped, _points_from_json(known["points"]))
            return SavedProgress(_read_facts(known["sweep"]), state, known["length"], known["digest"], known["whole"])
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError, AttributeError):
            text = f"'{escape(self.progress)}' does not hold the notes of a sweep of this version"
            raise self._error(text, f"move it away, or delete it and '{escape(self.partial)}'") from None

    def require_same(self, facts: Facts) -> None:
        """Demand that what is there came of this very sweep.

        Raises:
            SpecError: CC717, with what differs.
        """
        differing = list(differences(facts, self.facts))
        if differing:
            text = f"'{escape(self.path)}' was made by another sweep: {'; '.join(differing)}"
            raise self._error(text, f"repeat that sweep, give another -o, or {START_ANEW_HINT}")

    def require_lines(self, known: SavedProgress, digest: str) -> None:
        """Demand that the lines of the blocks that are done are as they were written.

        Raises:
            SpecError: CC717.
        """
        if digest != known.digest:
            text = f"'{escape(self.partial)}' is not as the sweep that was killed had left it"
            raise self._error(text, START_ANEW_HINT)

    def require_ours(self, known: SavedProgress | None, size: int) -> None:
        """Demand that the partial file, of so many bytes, is one that a sweep has left.

        Raises:
            SpecError: CC717.
        """
        if known is None and size > 0:
            raise self._error(f"'{escape(self.partial)}' is in the way, and no sweep has left it", "move it away")

    def require_complete(self, known: SavedProgress | None) -> None:
        """Demand that what has the output's name is the whole output of this very sweep.

        Args:
            known: notes of a sweep that was killed when all was in its place; without, the file itself tells.

        Raises:
            SpecError: CC717, with what differs, where that is known.
        """
        made = (known.facts, known.whole) if known else self._read_attribute()
        if made is None:
            text = f"'{escape(self.path)}' is complete, or no sweep that can be gone on with has made it"
            raise self._error(text, START_ANEW_HINT)
        self.require_same(made[0])
        if not os.path.isfile(self.path) or made[1] != digest_of(self.path):
            raise self._error(f"'{escape(self.path)}' has been changed since its sweep had ended", START_ANEW_HINT)

    def _read_attribute(self) -> tuple[Facts, str] | None:
        """Return what sweep made the output, and the digest that it had."""
        with contextlib.suppress(OSError, AttributeError, ValueError, KeyError, TypeError):
            made = json.loads(os.getxattr(self.path, ATTRIBUTE))
            return _read_facts(made["sweep"]), str(made["digest"])
        return None

    def sign(self, handle: int, digest: str) -> None:
        """Note on a file what sweep has made it, if the file system has a place for that."""
        with contextlib.suppress(OSError, AttributeError):
            os.setxattr(handle, ATTRIBUTE, json.dumps({"sweep": self.facts, "digest": digest}).encode())

    def _error(self, text: str, hint: str) -> SpecError:
        return SpecError(OTHER_SWEEP, text, Span(Source(self.path)), hint=hint)

    def save(self, known: SavedProgress) -> None:
        """Remember what is done, whole or not at all."""
        state, points = known.state, None
        if state.points is not None:
            metrics = {key: column.tolist() for key, column in state.points.metrics.items()}
            points = {"numbers": state.points.numbers.tolist(), "metrics": metrics}
        facts = {
            "sweep": known.facts,
            "done": state.done,
            "length": known.length,
            "digest": known.digest,
            "whole": known.whole,
            "rows": state.rows,
            "valid": state.valid,
            "dropped": state.invalid,
            "points": points,
        }
        written = f"{self.progress}.new"
        text = json.dumps(facts)
        try:
            with open(self._open_new(written), "w", encoding="utf-8") as file:
                file.write(f"{_header(text)}\n{text}")
            os.replace(written, self.progress)
        except OSError:
            with contextlib.suppress(OSError):
                os.unlink(written)
            raise

    def _open_new(self, path: str) -> int:
        """Make a new file, in the place of one that a killed sweep has left there and of nothing else.

        Raises:
            SpecError: CC717 where another file, or a link, has this name.
        """
        new = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        try:
            return os.open(path, new, 0o600)
        except FileExistsError:
            if not _is_unfinished_notes(path):
                raise self._error(f"'{escape(path)}' is in the way, and no sweep has left it", "move it away") from None
        os.unlink(path)
        return os.open(path, new, 0o600)

    def remove(self) -> None:
        """Forget: the output is whole, or nothing of it is done. Notes go last, so that no lines are without."""
        begun = f"{self.progress}.new"
        for path in (self.partial, *([begun] if _is_unfinished_notes(begun) else []), self.progress):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)


def _read_plain_file(path: str) -> str:
    """Return the text of a plain file.

    Raises:
        ValueError: it is a pipe or another device, or no text.
    """
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    with open(handle, encoding="utf-8") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise ValueError(path)
        return file.read()


def _is_unfinished_notes(path: str) -> bool:
    """Whether a file is what a killed sweep leaves: the beginning of notes, or nothing yet."""
    try:
        return not os.path.islink(path) and MARK.startswith(_read_plain_file(path)[: len(MARK)])
    except (OSError, ValueError):
        return False


def _header(text: str) -> str:
    """Return the first line of notes: what they are, and a digest of them."""
    digest = new_hash()
    digest.update(text.encode())
    return f"{MARK} {digest.hexdigest()}"


def _read_facts(known: Mapping[str, Any]) -> Facts:
    return {key: (str(shown), str(digest)) for key, (shown, digest) in known.items()}


def digest_of(path: str) -> str:
    """Return the digest of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, new_hash).hexdigest()


def new_hash() -> Any:
    """Return what digests of outputs are made with."""
    return hashlib.blake2b(digest_size=16)


def _points_from_json(known: dict[str, Any] | None) -> SelectedPoints | None:
    if known is None:
        return None

    def column(values: list[int]) -> object:
        return numpy.array(values, "int64" if all(-(2**63) <= value < 2**63 for value in values) else object)

    return SelectedPoints(column(known["numbers"]), {key: column(values) for key, values in known["metrics"].items()})
