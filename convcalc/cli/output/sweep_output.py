"""Output of a sweep: lines that are streamed, a table of all points, or a file that can be resumed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import IO, Any, TypeAlias, cast

from convcalc.cli import print_error
from convcalc.cli.group import GeneralOptions
from convcalc.cli.output.atomic_files import Destination, Destinations, open_destination
from convcalc.cli.output.resumable_file import ConvertedFile, ResumableFile, ResumeOptions
from convcalc.cli.output.targets import OutputTarget, surface_of
from convcalc.number_format import count_of
from convcalc.records import NamedTuple
from convcalc.render import STREAMS
from convcalc.render.results import sweep_points as lines
from convcalc.render.results.row_list import ColumnStream
from convcalc.render.results.sweep_points import scatter
from convcalc.render.tables.blocks import fit_message
from convcalc.render.tables.characters import Characters
from convcalc.render.tables.surface import Surface
from convcalc.report.metrics import whole_metrics
from convcalc.report.row_list import Listing, RowField
from convcalc.sweep.block_task import BlockResult
from convcalc.sweep.checkpoint import Progress
from convcalc.sweep.evaluator import error_group
from convcalc.sweep.job import SweepJob
from convcalc.sweep.selection import SelectedPoints, Selection

FORMATS = ("text", "csv", "json", "jsonl", "markdown", "parquet")
MAX_TABLE_ROWS = 1000
"""Points of a table for people, at most."""


class SweepSummary(NamedTuple):
    """Summary of a sweep: how many points there are, and why some are invalid."""

    counts: Mapping[str, int]
    dropped: Sequence[Mapping[str, Any]]

    @classmethod
    def of(cls, job: SweepJob, state: Progress) -> SweepSummary:
        """Summarize a sweep; the first point of every reason is evaluated once more, for its error."""
        counts = {"points": job.point_count, "networks": state.valid, "kept": state.rows}
        reasons: list[dict[str, Any]] = []
        for group, (points, first) in sorted(state.invalid.items()):
            code, _, sentence = group.partition(" ")
            errors = job.errors_at(first)
            alike = [error for error in errors if error_group(error.code, error.text) == group]
            error = [*alike, *(error for error in errors if error.code == code), *errors][0]
            at = {
                name: value if type(value) is int else lines.plain(value)
                for name, value in job.values_at(first).items()
            }
            reasons.append({"code": code, "sentence": sentence, "points": points, "text": str(error), "first": at})
        return cls(counts, reasons)

    def print(self) -> None:
        """Print why points are invalid."""
        if self.dropped:
            total = self.counts["points"]
            invalid = total - self.counts["networks"]
            verb = "is" if invalid == 1 else "are"
            print_error(f"{invalid:,} of {count_of(total, 'combination')} {verb} invalid:")
        for each in self.dropped:
            at = ", ".join(f"{name}={value}" for name, value in each["first"].items())
            print_error(f"  {each['points']:,}, first at {at}: {each['text']}")


class _LineWriter:
    """A format whose lines are written where the points are evaluated."""

    place: Destination

    def __init__(self, name: str, job: SweepJob) -> None:
        self.name, self.job = name, job
        self.begun = False

    def add(self, text: str, *, first: bool) -> None:
        if not self.begun:
            self.place.write(lines.document_head(self.name, self.job))
            self.begun = True
        self.place.write(text[1:] if first and self.name == "json" else text)

    def end(self, outcome: SweepSummary, points: SelectedPoints | None, keep: Selection) -> None:
        self.add("" if points is None else lines.ROW_WRITERS[self.name](self.job, points), first=True)
        self.place.write(lines.document_tail(self.name, outcome.counts, outcome.dropped))


def _listing(job: SweepJob) -> Listing:
    """Return what a list of points consists of."""
    titles = {measure.key: measure.title for measure in whole_metrics()}
    axes = [RowField(axis.name, axis.name, number=axis.is_numeric and axis.denominator == 1) for axis in job.axes]
    return Listing("point", [*axes, *(RowField(key, titles[key], number=True) for key in job.output_metrics)])


class _ParquetWriter:
    """Writes columns; where the sweep can be resumed, as messages, of which the file is made at last."""

    name = "parquet"
    place: Destination

    def __init__(self, job: SweepJob, surface: Surface, *, packs: bool) -> None:
        self.job, self.packs = job, packs
        self.stream = cast("ColumnStream", STREAMS[self.name].stream(_listing(job), surface))

    def add(self, points: SelectedPoints) -> None:
        if points:
            add = self.stream.pack if self.packs else self.stream.add_columns
            self.place.write(add(lines.arrays_of(self.job, points)))

    def converted(self, file: IO[bytes], size: int) -> Iterator[str | bytes]:
        """Give the file of the points whose messages another one has, piece by piece."""
        yield from self.stream.unpacked(file, size)
        yield self.stream.end()

    def end(self, outcome: SweepSummary, points: SelectedPoints | None, keep: Selection) -> None:
        if points is not None:
            self.add(points)
        if not self.packs:
            self.place.write(self.stream.end())


class _TableWriter:
    """Writes a table for people."""

    name = "text"
    place: Destination

    def __init__(self, job: SweepJob, surface: Surface) -> None:
        self.job, self.surface = job, surface
        self.stream = STREAMS[self.name].stream(_listing(job), surface)
        self.left = MAX_TABLE_ROWS

    def add(self, points: SelectedPoints) -> None:
        some = points.take(slice(self.left))
        self.left -= len(some.numbers)
        self.place.write(self.stream.add(list(_rows(self.job, some))))

    def end(self, outcome: SweepSummary, points: SelectedPoints | None, keep: Selection) -> None:
        if points is not None:
            self.add(points)
        self.place.write(self.stream.end())
        if outcome.counts["kept"] > MAX_TABLE_ROWS:
            shown = (
                f"showing {MAX_TABLE_ROWS:,} of {outcome.counts['kept']:,} points; -f csv or -o points.csv for all\n"
            )
            self.place.write(fit_message(shown, self.surface.width, Characters(self.surface.ascii_only)))
        if keep.kind == "pareto" and points and len(keep.metrics) == 2 and not keep.axes:
            across, up = (points.metrics[key].tolist() for key in keep.keys[:2])
            drawn = scatter(across, up, (keep.keys[0], keep.keys[1]), self.surface)
            self.place.write(f"\n{drawn}")


def _rows(job: SweepJob, points: SelectedPoints) -> Iterator[dict[str, Any]]:
    columns = []
    for axis, places in lines.axis_places(job, points):
        values = [axis.value(place) for place in places.tolist()]
        columns.append(
            [value if type(value) is int and axis.denominator == 1 else lines.plain(value) for value in values]
        )
    columns += [column.tolist() for column in lines.shown(job, points)]
    names = lines.keys(job)
    return (dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True))


_Writer: TypeAlias = _LineWriter | _TableWriter | _ParquetWriter


class SweepOutput:
    """All outputs of a sweep."""

    def __init__(
        self, job: SweepJob, keep: Selection, written: Sequence[_Writer], resumed: ResumableFile | None
    ) -> None:
        self.job, self.keep = job, keep
        self.written, self.resumed = written, resumed
        self.state = resumed.state if resumed else Progress()
        """The progress of the sweep."""

    @property
    def line_writers(self) -> tuple[Any, ...]:
        """Writers of lines, for where the points are evaluated."""
        if self.keep.kind != "all":
            return ()
        return tuple(lines.ROW_WRITERS[one.name] for one in self.written if isinstance(one, _LineWriter))

    @property
    def rows_needed(self) -> int | None:
        """How many points of every block are needed as numbers."""
        if self.keep.kind != "all" or any(one.name == "parquet" for one in self.written):
            return None
        return MAX_TABLE_ROWS if any(one.name == "text" for one in self.written) else 0

    def add(self, result: BlockResult) -> None:
        """Write the result of a block, and add it to the progress."""
        if self.keep.kind == "all":
            texts = iter(result.texts)
            for one in self.written:
                if not isinstance(one, _LineWriter):
                    one.add(result.points)
                elif text := next(texts):
                    one.add(text, first=self.state.rows == 0)
        self.state.add(result, self.keep)
        if self.resumed and self.resumed.is_due:
            self.state.settle(self.keep)
            self.resumed.save(self.state)

    def finish_selection(self) -> None:
        """Sort and cut a selection, which is known when all blocks are done."""
        self.state.settle(self.keep)
        if self.state.points is not None:
            self.state.points = self.keep.ordered(self.state.points)
            self.state.rows = len(self.state.points.numbers)

    def end(self, outcome: SweepSummary) -> None:
        """Write what comes after the last point."""
        if self.resumed:
            self.resumed.save(self.state)
        for one in self.written:
            one.end(outcome, self.state.points, self.keep)


@contextlib.contextmanager
def open_sweep_output(
    settings: GeneralOptions,
    targets: Sequence[OutputTarget],
    job: SweepJob,
    keep: Selection,
    given: ResumeOptions | None,
) -> Iterator[SweepOutput]:
    """Give what a sweep is written to. Files get into their places when all is done."""
    written: list[_Writer] = []
    resumed: ResumableFile | None = None
    with Destinations() as places:
        for target in targets:
            surface, name = surface_of(settings, target), target.format
            one: _Writer = _TableWriter(job, surface) if name == "text" else _LineWriter(name, job)
            if name == "parquet":
                one = _ParquetWriter(job, surface, packs=bool(given) and keep.kind == "all")
            if given and isinstance(one, _ParquetWriter) and one.packs:
                resumed = ConvertedFile(given, one.converted)
            elif given:
                resumed = ResumableFile(given)
            if resumed and isinstance(one, _LineWriter):
                one.begun = resumed.has_lines
            one.place = places.add(resumed or open_destination(target.path))
            written.append(one)
        yield SweepOutput(job, keep, written, resumed)
        places.commit()
