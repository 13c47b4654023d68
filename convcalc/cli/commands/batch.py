"""``convcalc batch``."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from itertools import chain
from typing import TYPE_CHECKING, Any

import click

from convcalc.batch.count import CountRequest, CountTask, ErrorText
from convcalc.batch.patterns import tasks_named as named
from convcalc.batch.run import Result, RowBatch, count_all
from convcalc.batch.selection import pareto_front, sort_rows
from convcalc.cli import FINE, UNUSABLE, say
from convcalc.cli.group import DESIGNS, Command, Settings
from convcalc.cli.options.designs import DesignType, Reading, reading_options
from convcalc.cli.output.progress import advancing
from convcalc.cli.output.row_output import Outlet, outlet
from convcalc.cli.output.targets import STANDARD, Target, output_options
from convcalc.cli.types import ParamType, Positive, Word, beginning
from convcalc.designs.names import parse_design
from convcalc.errors import SHOWN_ERRORS
from convcalc.memory_limits import is_short
from convcalc.metrics.registry import measures
from convcalc.render import STREAMS
from convcalc.render.tables.surface import is_terminal
from convcalc.report.row_list import Field, Listing

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

TITLES = {measure.key: measure.title for measure in measures()}
USUAL = ("params", "macs")
AT_THE_END = ("text", "markdown")
"""Formats whose rows are laid out when all are there."""
LONGEST_NAME = 1 << 16
"""Bytes of a name in a list."""

NAMED = DESIGNS.replace("A spec from standard input.", "A list of designs on standard input, one a line.")

Some = Iterable[Sequence[Result]]


class Metrics(ParamType[tuple[str, ...]]):
    """Keys of metrics with commas between."""

    name = "keys"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        return tuple(Word(tuple(TITLES)).convert(key.strip(), param, ctx) for key in value.split(","))

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
        before, comma, _ = incomplete.rpartition(",")
        return beginning(incomplete, [f"{before}{comma}{metric}" for metric in TITLES])


@click.command("batch", cls=Command, epilog=NAMED, short_help="Many designs, a row each, by all cores.")
@click.argument("paths", nargs=-1, required=True, type=DesignType(), metavar="PATH…")
@click.option("-0", "--null", "null", is_flag=True, help="Names in the list on standard input end with NUL.")
@click.option("--variants", type=Word(("all",)), metavar="all", help="A row for every variant of every file.")
@click.option("--columns", type=Metrics(), metavar="KEY,…", help=f"More metrics: {', '.join(TITLES)}.")
@click.option("--sort", type=Word(tuple(TITLES)), metavar="METRIC", help="Largest first; equal ones in their order.")
@click.option("--pareto", type=Metrics(), metavar="KEY,…", help="Only designs that no other one beats in all of these.")
@click.option("--jobs", type=Positive(), metavar="N", help="Processes; as many as there are cores by default.")
@reading_options
@output_options(STREAMS)
@click.pass_obj
def command(
    settings: Settings, paths: tuple[str, ...], reading: Reading, targets: list[Target], null: bool,
    variants: str | None, columns: tuple[str, ...] | None, sort: str | None, pareto: tuple[str, ...] | None,
    jobs: int | None,
) -> int:  # fmt: skip
    """Count many designs: one row each, in the order in which they are named.

    PATH is a design, a folder of specs, or a glob in quotes (** is any number of folders; zoo:* works too). With -
    the designs are read from standard input, one a line. A file that is broken is a row with its error; the exit
    code is then 2. csv, jsonl, json and parquet are written as the rows come, whatever their number.

    \b
    Examples:
      convcalc batch specs -f csv
      convcalc batch 'specs/**/*.yaml' --variants all --sort params
      convcalc batch 'zoo:*' --columns depth --pareto params,macs -f markdown
      convcalc batch specs -f csv -o designs.csv
      find . -name '*.yaml' -print0 | convcalc batch -0 - -f jsonl
    """
    if paths.count(STANDARD) > 1:
        raise click.UsageError("standard input can be read once: give - once")
    if variants and reading.variant:
        raise click.UsageError("--variant names one, --variants all asks for all")
    more = TITLES if settings.verbose else [*(columns or ()), *(pareto or ()), *filter(None, [sort])]
    metrics = tuple(dict.fromkeys([*USUAL, *more]))
    asked = CountRequest(
        metrics, reading.overrides, reading.libraries, reading.variant, variants == "all", reading.batch, reading.dtype
    )
    found = [_listed(null=null) if path == STANDARD else named(path) for path in paths]
    log = _Log(keeps=any(target.format == "json" for target in targets))
    with outlet(settings, targets, _listing(asked)) as out:
        with (
            advancing(_quiet(settings, targets), "Counting", lambda: _number(paths)) as advance,
            closing(count_all(chain(*found), asked, jobs or _cores())) as done,
        ):
            _write(out, log.noting(done, advance), sort, pareto)
        out.end(log.errors)
    log.tell()
    return UNUSABLE if log.broken else FINE


def _listing(asked: CountRequest) -> Listing:
    fields = [
        Field("design", "Design"),
        Field("name", "Name", wanted=4),
        Field("input", "Input", wanted=2),
        *(Field(key, TITLES[key], number=True, wanted=0 if key in USUAL else 1) for key in asked.metrics),
        Field("error", "Error", wanted=5, optional=True),
    ]
    return Listing("design", fields, circumstances={"batch": asked.batch, "dtype": asked.dtype}, has_errors=True)


def _write(out: Outlet, counted: Some, sort: str | None, pareto: tuple[str, ...] | None) -> None:
    """Write rows as they come, or those of the front; sorted ones when all are there."""
    if pareto:
        counted = [pareto_front(counted, pareto)]
    if not sort:
        for some in counted:
            out.add([result.row for result in some])
        return
    for rows in _sorted(counted, sort):
        out.add(rows)


def _sorted(counted: Some, sort: str) -> Iterator[list[dict[str, Any]]]:
    """Give sorted rows, by way of a temporary file."""
    import tempfile  # costs start-up time

    try:
        with tempfile.TemporaryFile() as file:
            yield from sort_rows(counted, sort, file)
    except OSError as error:
        if is_short(error):
            raise
        folder = os.environ.get("TMPDIR") or "of temporary files"
        raise click.ClickException(f"cannot sort in the folder {folder}: {error.strerror}; TMPDIR names it") from None


def _quiet(settings: Settings, targets: Iterable[Target]) -> Settings:
    """Go without a bar where rows run over the same screen."""
    over = any(not target.path and target.format not in AT_THE_END for target in targets)
    return settings._replace(no_progress=settings.no_progress or (over and is_terminal(sys.stdout)))


# --- what is named ----------------------------------------------------------------------------------------------------


def _listed(*, null: bool) -> Iterator[CountTask]:
    """Give the designs that standard input lists, as they come."""
    stream = getattr(sys.stdin, "buffer", None)
    names = (name for name in _split(stream.read1, b"\0" if null else b"\n") if name) if stream else iter(())
    first = next(names, None)
    if first is None:
        raise click.ClickException("standard input lists no designs")
    return map(_job, chain([first], names))


def _split(read: Callable[[int], bytes], mark: bytes) -> Iterator[bytes]:
    """Cut what is read where the mark stands; lines may end with CRLF."""
    rest = b""
    while data := read(LONGEST_NAME):
        *whole, rest = (rest + data).split(mark)
        yield from (name.removesuffix(b"\r") if mark == b"\n" else name for name in whole)
        if len(rest) > LONGEST_NAME:
            raise click.ClickException("a name on standard input is too long; are names ended as -0 says?")
    yield rest.removesuffix(b"\r") if mark == b"\n" else rest


def _job(name: bytes) -> CountTask:
    text = os.fsdecode(name)
    if text == STANDARD:
        raise click.ClickException("standard input lists the designs, and cannot be one of them")
    return CountTask(parse_design(text))


def _number(paths: Sequence[str]) -> int | None:
    """Return how many files there are; nothing while a list is being read."""
    return None if STANDARD in paths else sum(1 for path in paths for _ in named(path))


def _cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


# --- what is said -----------------------------------------------------------------------------------------------------


class _Log:
    """What is wrong, and with how many designs."""

    def __init__(self, *, keeps: bool) -> None:
        self.errors: list[dict[str, Any]] = []
        self.broken = 0
        self._keeps = keeps
        self._shown: list[str] = []
        self._faults = self._designs = 0

    def noting(self, done: Iterable[RowBatch], advance: Callable[[int], None]) -> Iterator[list[Result]]:
        """Give on what is done, after noting what is wrong with it."""
        for named_, results_ in done:
            self._designs += len(results_)
            for result in results_:
                if result.faults:
                    self._note(result)
            advance(named_)
            yield results_

    def _note(self, result: Result) -> None:
        self.broken += 1
        self._faults += len(result.faults)
        self._shown += (fault.excerpt for fault in result.faults[: SHOWN_ERRORS - len(self._shown)])
        if self._keeps:
            self.errors += (_error(result.row["design"], fault) for fault in result.faults)

    def tell(self) -> None:
        """Say the first errors in full, and how many there are."""
        if not self.broken:
            return
        more = self._faults - len(self._shown)
        for text in (*self._shown, *([f"and {more} more"] if more else [])):
            say(text)
        say(f"{self.broken:,} of {self._designs:,} designs are broken")


def _error(design: str, fault: ErrorText) -> dict[str, Any]:
    return {"design": design, "code": fault.code, "text": fault.text, "hint": fault.hint, "source": fault.source}
