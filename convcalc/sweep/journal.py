"""What a sweep remembers beside its output, so that it can go on where it was killed.

``PATH.partial`` holds the lines of the blocks that are done, ``PATH.progress`` how many blocks these are and how long
the lines were then. Lines go first: what stands behind that length is cut off when the sweep goes on. ``PATH`` itself
is there once it is whole.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from dataclasses import dataclass, field

from convcalc.errors import Source, Span, SpecError, quoted
from convcalc.sweep.blocks import Dropped, merged
from convcalc.sweep.engine import Result
from convcalc.sweep.keep import Keep, Points


@dataclass(slots=True)
class State:
    """What the blocks that are done have come to."""

    done: int = 0
    rows: int = 0
    valid: int = 0
    dropped: dict[str, Dropped] = field(default_factory=dict)
    points: Points | None = None
    """What a reduction has kept so far."""

    def add(self, result: Result, keep: Keep) -> None:
        """Count a block; a reduction takes its points in."""
        self.done += 1
        self.valid += result.valid
        self.dropped = merged(self.dropped, result.dropped)
        if keep.kind == "all":
            self.rows += result.kept
        else:
            self.points = keep.joined(self.points, result.points)
            self.rows = len(self.points.numbers)


class Journal:
    """The two files beside an output."""

    def __init__(self, path: str, *identity: object) -> None:
        self.path = path
        self.partial, self.progress = f"{path}.partial", f"{path}.progress"
        self.identity = hashlib.sha256(repr(identity).encode()).hexdigest()

    def load(self) -> tuple[State, int]:
        """Return what is done, and the length of its lines.

        Raises:
            SpecError: CC717, where another sweep has left the files.
        """
        try:
            with open(self.progress, encoding="utf-8") as file:
                known = json.load(file)
        except FileNotFoundError:
            return State(), 0
        if known["sweep"] != self.identity:
            text = f"{quoted(self.progress)} is of another sweep: its spec, axes, options or format differ"
            hint = f"repeat the sweep as it was, or delete it and {quoted(self.partial)}"
            raise SpecError("CC717", text, Span(Source(self.path)), hint=hint)
        dropped = {code: Dropped(*facts) for code, facts in known["dropped"].items()}
        return State(known["done"], known["rows"], known["valid"], dropped, _points(known["points"])), known["length"]

    def save(self, state: State, length: int) -> None:
        """Remember what is done, whole or not at all."""
        facts = {
            "sweep": self.identity,
            "done": state.done,
            "length": length,
            "rows": state.rows,
            "valid": state.valid,
            "dropped": state.dropped,
            "points": None if state.points is None else _plain(state.points),
        }
        written = f"{self.progress}.new"
        with open(written, "w", encoding="utf-8") as file:
            json.dump(facts, file)
        os.replace(written, self.progress)

    def remove(self) -> None:
        """Forget: the output is whole."""
        for path in (self.progress, self.partial, f"{self.progress}.new"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)


def _plain(points: Points) -> dict[str, object]:
    return {"numbers": points.numbers.tolist(), **{key: column.tolist() for key, column in points.metrics.items()}}


def _points(known: dict[str, list[int]] | None) -> Points | None:
    if known is None:
        return None
    import numpy

    def column(values: list[int]) -> object:
        return numpy.array(values, "int64" if all(-(2**63) <= value < 2**63 for value in values) else object)

    numbers = column(known.pop("numbers"))
    return Points(numbers, {key: column(values) for key, values in known.items()})
