"""Where the points of a sweep go: lines as they come, a table of all, or a file that can be gone on with."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

import click

from convcalc.cli import say
from convcalc.cli.group import Settings
from convcalc.cli.output.atomic_files import Place, Places, place
from convcalc.cli.output.resumable_file import Converted, Resumable, Resumed
from convcalc.cli.output.row_output import Screen
from convcalc.cli.output.targets import Target
from convcalc.metrics.registry import measures
from convcalc.render import STREAMS
from convcalc.render.results import sweep_points as lines
from convcalc.render.results.sweep_points import scatter
from convcalc.render.tables.surface import Surface, is_terminal, surface
from convcalc.report.row_list import Field, Listing
from convcalc.sweep.checkpoint import Progress
from convcalc.sweep.evaluator import error_group
from convcalc.sweep.executors import BlockResult
from convcalc.sweep.job import SweepJob
from convcalc.sweep.selection import SelectedPoints, Selection

FORMATS = ("text", "csv", "json", "jsonl", "markdown", "parquet")
SHOWN = 1000
"""Points that a table for people has at most."""


class Outcome(NamedTuple):
    """What is said of all points: how many there were, and why some are no network."""

    counts: Mapping[str, int]
    dropped: Sequence[Mapping[str, Any]]

    @classmethod
    def of(cls, job: SweepJob, state: Progress) -> Outcome:
        """Word what a sweep has come to; of every reason the first point is worked out once more, for the sentence."""
        counts = {"points": job.point_count, "networks": state.valid, "kept": state.rows}
        reasons: list[dict[str, Any]] = []
        for why, (points, first) in sorted(state.invalid.items()):
            code, _, sentence = why.partition(" ")
            faults = job.errors_at(first)
            alike = [fault for fault in faults if error_group(fault.code, fault.text) == why]
            fault = [*alike, *(fault for fault in faults if fault.code == code), *faults][0]
            at = {
                name: value if type(value) is int else lines.plain(value)
                for name, value in job.values_at(first).items()
            }
            reasons.append({"code": code, "sentence": sentence, "points": points, "text": str(fault), "first": at})
        return cls(counts, reasons)

    def tell(self) -> None:
        """Say which points are no network."""
        if not self.dropped:
            return
        left_out = self.counts["points"] - self.counts["networks"]
        say(f"{left_out:,} of {self.counts['points']:,} points are no network:")
        for each in self.dropped:
            at = ", ".join(f"{name}={value}" for name, value in each["first"].items())
            say(f"  {each['points']:,}, first at {at}: {each['text']}")


class _Lines:
    """A format whose lines are written where the points are worked out."""

    def __init__(self, name: str, place: Place, job: SweepJob, *, begun: bool) -> None:
        self.name, self.place, self.job = name, place, job
        self.begun = begun
        self.empty = True

    def add(self, text: str, *, first: bool) -> None:
        if not self.begun:
            self.place.write(lines.head(self.name, self.job))
            self.begun = True
        self.place.write(text[1:] if first and self.name == "json" else text)

    def end(self, outcome: Outcome, points: SelectedPoints | None, keep: Selection) -> None:
        self.add("" if points is None else lines.LINES[self.name](self.job, points), first=True)
        self.place.write(lines.foot(self.name, outcome.counts, outcome.dropped))


class _Rows:
    """A format that takes rows: a table for people, or Parquet."""

    place: Place

    def __init__(self, name: str, job: SweepJob, surface: Surface) -> None:
        self.name, self.job, self.surface = name, job, surface
        titles = {measure.key: measure.title for measure in measures()}
        whole = [axis.is_numeric and axis.denominator == 1 for axis in job.axes]
        fields = [Field(axis.name, axis.name, number=is_whole) for axis, is_whole in zip(job.axes, whole, strict=True)]
        self.fields = [*fields, *(Field(key, titles[key], number=True) for key in job.output_metrics)]
        listing = Listing("point", self.fields)
        self.stream = STREAMS[name].stream(listing, surface)
        self.left = SHOWN if name == "text" else None
        self.known = 0

    def converted(self, rows: Iterable[Mapping[str, str]]) -> Iterator[str | bytes]:
        """Give the file of points that were written as CSV, piece by piece."""
        points = iter(rows)
        while some := list(islice(points, SHOWN)):
            yield self.stream.add([self._read(row) for row in some])
        yield self.stream.end()

    def _read(self, row: Mapping[str, str]) -> dict[str, Any]:
        return {field.key: int(row[field.key]) if field.number else row[field.key] for field in self.fields}

    def add(self, points: SelectedPoints) -> None:
        self.known += len(points.numbers)
        some = points.take(slice(self.left))
        if self.left is not None:
            self.left -= len(some.numbers)
        self.place.write(self.stream.add(list(_rows(self.job, some))))

    def end(self, outcome: Outcome, points: SelectedPoints | None, keep: Selection) -> None:
        if points is not None:
            self.add(points)
        self.place.write(self.stream.end())
        if self.name == "text" and outcome.counts["kept"] > SHOWN:
            self.place.write(f"… of {outcome.counts['kept']:,}: -f csv or -o points.csv has all\n")
        if self.name == "text" and keep.kind == "pareto" and points and len(keep.metrics) == 2:
            across, up = (points.metrics[key].tolist() for key in keep.keys[:2])
            drawn = scatter(across, up, (keep.keys[0], keep.keys[1]), ascii_only=self.surface.ascii_only)
            self.place.write(f"\n{drawn}")


def _rows(job: SweepJob, points: SelectedPoints) -> Iterator[dict[str, Any]]:
    stride, columns = job.point_count, []
    for axis in job.axes:
        stride //= len(axis.values)
        values = [axis.value(place) for place in (points.numbers // stride % len(axis.values)).tolist()]
        columns.append(
            [value if type(value) is int and axis.denominator == 1 else lines.plain(value) for value in values]
        )
    columns += [column.tolist() for column in lines.shown(job, points)]
    names = lines.keys(job)
    return (dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True))


class Outputs:
    """All that is written of a sweep."""

    def __init__(
        self, job: SweepJob, keep: Selection, written: Sequence[_Lines | _Rows], resumed: Resumed | None
    ) -> None:
        self.job, self.keep = job, keep
        self.written, self.resumed = written, resumed
        self.state = resumed.state if resumed else Progress()
        """What is done of it."""

    @property
    def drawn(self) -> tuple[Any, ...]:
        """What writes the lines of points where they are worked out."""
        if self.keep.kind != "all":
            return ()
        return tuple(lines.LINES[one.name] for one in self.written if isinstance(one, _Lines))

    @property
    def most(self) -> int | None:
        """How many points of every block are asked for as numbers."""
        if self.keep.kind != "all" or any(one.name == "parquet" for one in self.written):
            return None
        return SHOWN if any(one.name == "text" for one in self.written) else 0

    def add(self, result: BlockResult) -> None:
        """Write what came of a block, and take it into the state."""
        if self.keep.kind == "all":
            texts = iter(result.texts)
            for one in self.written:
                if isinstance(one, _Rows):
                    one.add(result.points)
                elif text := next(texts):
                    one.add(text, first=self.state.rows == 0)
        self.state.add(result, self.keep)
        if self.resumed:
            self.resumed.save(self.state)

    def settle(self) -> None:
        """Sort and cut a front, which is known when all blocks are."""
        if self.state.points is not None:
            self.state.points = self.keep.ordered(self.state.points)
            self.state.rows = len(self.state.points.numbers)

    def end(self, outcome: Outcome) -> None:
        """Write what stands behind the last point."""
        if self.resumed:
            self.resumed.save(self.state, ended=True)
        for one in self.written:
            one.end(outcome, self.state.points, self.keep)


@contextlib.contextmanager
def outputs(
    settings: Settings, targets: Sequence[Target], job: SweepJob, keep: Selection, given: Resumable | None
) -> Iterator[Outputs]:
    """Give what a sweep is written to. Files get into their places when all is done."""
    screen = surface(sys.stdout, color=settings.color, width=settings.width)
    paper = Surface(settings.width, color=settings.color == "always")
    written: list[_Lines | _Rows] = []
    resumed: Resumed | None = None
    with Places() as places:
        for target in targets:
            if target.format == "parquet" and not target.path and is_terminal(sys.stdout):
                raise click.UsageError("parquet is no text for a terminal; name a file with -o")
            rows = target.format in ("text", "parquet")
            made = _Rows(target.format, job, paper if target.path else screen) if rows else None
            if given:
                is_converted = made is not None and keep.kind == "all"
                resumed = Converted(given, made) if made and is_converted else Resumed(given)
                where = places.add(resumed)
                made = None if is_converted else made
            else:
                where = places.add(place(target.path) if target.path else Screen())
            if made is not None:
                made.place = where
            name = "csv" if rows else target.format
            written.append(made or _Lines(name, where, job, begun=bool(resumed and resumed.has_lines)))
        yield Outputs(job, keep, written, resumed)
        places.keep()
