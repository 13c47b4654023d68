"""``convcalc batch``."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from itertools import chain, starmap
from typing import Any

import click

from convcalc.batch.count import DTYPE, BatchRow, CountRequest, CountTask
from convcalc.batch.run import RowBatch, count_all
from convcalc.batch.selection import pareto_front, sort_rows
from convcalc.cli import ERROR, SUCCESS, print_error
from convcalc.cli.group import DESIGN_NAMES_HELP, Command, GeneralOptions
from convcalc.cli.options.designs import (
    DesignType,
    jobs_option,
    no_cache_option,
    opened_cache,
    require_use_of_variants,
    variants_option,
)
from convcalc.cli.options.metrics import (
    ColumnChoice,
    MetricKeyType,
    SortKey,
    columns_option,
    order_options,
    pareto_option,
)
from convcalc.cli.options.reading import DesignOptions, allow_code_option, design_options
from convcalc.cli.output.progress import progress_bar
from convcalc.cli.output.row_output import open_output
from convcalc.cli.output.targets import STDOUT, OutputTarget, output_options, shows_errors
from convcalc.designs.names import parse_design
from convcalc.designs.patterns import designs_named
from convcalc.errors import MAX_SHOWN_ERRORS
from convcalc.memory import is_memory_error
from convcalc.metrics.registry import report_metrics
from convcalc.number_format import count_of
from convcalc.render import STREAMS
from convcalc.render.tables.surface import is_terminal
from convcalc.report.fold import DEFAULT_COLUMNS
from convcalc.report.row_list import Listing, RowField

TITLES = {measure.key: measure.title for measure in report_metrics()}
KEY = MetricKeyType(tuple(TITLES))
BUFFERED_FORMATS = ("text", "markdown")
"""Formats that are written when all rows are there."""
SHORTEST_ERROR = 20
"""Cells of an error in a table, at least: its code and the first words."""
MAX_NAME_BYTES = 1 << 16
"""Bytes of a name on standard input, at most."""

DESIGN_LIST_HELP = DESIGN_NAMES_HELP.replace(
    "A spec from standard input.", "A list of designs from standard input, one per line."
)


@click.command(
    "batch", cls=Command, epilog=DESIGN_LIST_HELP, short_help="Count many designs, one row each, on all cores."
)
@click.argument("paths", nargs=-1, required=True, type=DesignType(), metavar="PATH…")
@click.option("-0", "--null", "null", is_flag=True, help="Names read from standard input are separated by NUL.")
@variants_option("One row for every variant of every file, or for the variants named.")
@columns_option(KEY, f"Metrics in place of params,macs; +KEY adds: {', '.join(TITLES)}.")
@order_options(KEY, "designs")
@pareto_option(KEY, "designs", "Ties are all kept.")
@click.option(
    "--where", metavar="EXPR", help="Keep only designs that satisfy this condition: 'params <= 5M and macs <= 600M'."
)
@jobs_option
@no_cache_option
@allow_code_option
@design_options
@output_options(STREAMS)
@click.pass_obj
def command(
    settings: GeneralOptions, paths: tuple[str, ...], reading: DesignOptions, targets: list[OutputTarget], null: bool,
    variants: tuple[str, ...] | None, columns: ColumnChoice, sort: SortKey | None, top: int | None,
    pareto: ColumnChoice | None, where: str | None, jobs: int, no_cache: bool, allow_code: bool,
) -> int:  # fmt: skip
    """Count many designs, one row each, in the order given.

    PATH is a design, a folder of specs, or a glob in quotes (** is any number of folders; zoo:* works too). With -
    the designs are read from standard input, one per line. An invalid file gives a row with its error and exit
    code 2. csv, jsonl, json and parquet are streamed. With several --dtype each design has one row per data type.

    \b
    Examples:
      convcalc batch specs -f csv
      convcalc batch 'specs/**/*.yaml' --variants all --sort params
      convcalc batch 'zoo:*' --columns +depth --pareto params,macs -f markdown
      convcalc batch 'zoo:*' --where 'params <= 5M' --sort macs:asc --top 3
      convcalc batch specs -f csv -o designs.csv
      find . -name '*.yaml' -print0 | convcalc batch -0 - -f jsonl
    """
    if paths.count(STDOUT) > 1:
        raise click.UsageError("standard input can be read once: give - once")
    require_use_of_variants(paths, variants)
    best = pareto.keys if pareto else ()
    usual = tuple(TITLES) if settings.verbose else DEFAULT_COLUMNS
    asked = [*(key.removeprefix("-") for key in best), *([sort.key] if sort else [])]
    shown = tuple(dict.fromkeys((*columns.over(usual), *asked)))
    conditional = _metrics_read(where)
    metrics = tuple(dict.fromkeys((*DEFAULT_COLUMNS, *shown, *conditional)))
    request = CountRequest(metrics, reading if allow_code else reading._replace(code=None), variants)
    tasks = chain(
        *(_tasks_from_stdin(null=null) if path == STDOUT else starmap(CountTask, designs_named(path)) for path in paths)
    )
    log = _ErrorLog(keeps=any(target.format == "json" for target in targets))

    def file_count() -> int | None:
        return None if STDOUT in paths else sum(1 for path in paths for _ in designs_named(path))

    with open_output(settings, targets, _listing(reading, shown)) as out:
        with (
            opened_cache(without=no_cache) as known,
            progress_bar(_quiet(settings, targets), "Counting", file_count) as advance,
            closing(count_all(tasks, request, jobs, known)) as done,
        ):
            rows: Iterable[Sequence[BatchRow]] = log.noting(done, advance)
            if where:
                rows = _matching(rows, where, conditional, metrics)
            if best:
                rows = [pareto_front(rows, best, metrics)]
            if sort or top:
                for some in _sorted(rows, sort or SortKey(shown[0]), metrics, top):
                    out.add(some)
            else:
                for part in rows:
                    out.add([row.facts(metrics) for row in part])
        out.end(log.errors)
    if not shows_errors(targets, ["json"]):
        log.print()
    return ERROR if log.invalid else SUCCESS


def _metrics_read(where: str | None) -> tuple[str, ...]:
    """Return the metrics that a condition reads."""
    if where is None:
        return ()
    from convcalc.sweep.where import metrics_used  # sweeps load where one of their conditions is used

    return metrics_used(where, ())


def _matching(
    rows: Iterable[Sequence[BatchRow]], where: str, keys: Sequence[str], metrics: Sequence[str]
) -> Iterator[list[BatchRow]]:
    """Give the designs that satisfy a condition, and the invalid ones."""
    from convcalc.sweep.where import holds

    places = [metrics.index(key) for key in keys]
    for some in rows:
        yield [
            row for row in some
            if row.errors or holds(where, dict(zip(keys, (row.totals[place] for place in places), strict=True)))
        ]  # fmt: skip


def _listing(reading: DesignOptions, shown: Sequence[str]) -> Listing:
    always = [key for key in DEFAULT_COLUMNS if key not in shown]  # programs may rely on these
    fields = [
        RowField("design", "Design"),
        RowField("name", "Name", drop_priority=4, optional=True),
        RowField("input", "Input", drop_priority=2),
        *([RowField(DTYPE, "Data type")] if len(reading.dtypes) > 1 else []),
        *(RowField(key, TITLES[key], number=True, shown_to_people=False) for key in always),
        *(RowField(key, TITLES[key], number=True, drop_priority=int(key not in shown[:2])) for key in shown),
        RowField("error", "Error", optional=True, shortest=SHORTEST_ERROR),
    ]
    conditions: dict[str, Any] = {"batch": reading.batch, "dtype": "; ".join(reading.dtypes)}
    if reading.inputs:
        conditions["given_inputs"] = {name or "input": text for name, text in reading.inputs.items()}
    if reading.overrides:
        conditions["overrides"] = dict(reading.overrides)
    row = "row" if len(reading.dtypes) > 1 else "design"
    return Listing("design", fields, shared_values=conditions, has_errors=True, row=row)


def _sorted(
    rows: Iterable[Sequence[BatchRow]], sort: SortKey, metrics: Sequence[str], top: int | None
) -> Iterator[list[dict[str, Any]]]:
    """Give sorted rows, by way of a temporary file."""
    import tempfile  # costs start-up time

    try:
        with tempfile.TemporaryFile() as file:
            yield from sort_rows(rows, sort.signed, metrics, top, file)
    except OSError as error:
        if is_memory_error(error):
            raise
        folder = os.environ.get("TMPDIR") or "of temporary files"
        raise click.ClickException(f"cannot sort in the folder {folder}: {error.strerror}; set TMPDIR") from None


def _quiet(settings: GeneralOptions, targets: Iterable[OutputTarget]) -> GeneralOptions:
    """Go without a bar where rows are written to the same screen."""
    over = any(not target.path and target.format not in BUFFERED_FORMATS for target in targets)
    return settings._replace(no_progress=settings.no_progress or (over and is_terminal(sys.stdout)))


# --- designs ----------------------------------------------------------------------------------------------------------


def _tasks_from_stdin(*, null: bool) -> Iterator[CountTask]:
    """Give the designs that are listed on standard input, as they are read."""
    stream = getattr(sys.stdin, "buffer", None)
    names = (name for name in _split_names(stream.read1, b"\0" if null else b"\n") if name) if stream else iter(())
    first = next(names, None)
    if first is None:
        raise click.ClickException("standard input lists no designs")
    return map(_task, chain([first], names))


def _split_names(read: Callable[[int], bytes], mark: bytes) -> Iterator[bytes]:
    """Split what is read at a mark; lines may end with CRLF."""
    rest = b""
    while data := read(MAX_NAME_BYTES):
        *whole, rest = (rest + data).split(mark)
        yield from (name.removesuffix(b"\r") if mark == b"\n" else name for name in whole)
        if len(rest) > MAX_NAME_BYTES:
            raise click.ClickException("a name on standard input is too long; does -0 fit the list?")
    yield rest.removesuffix(b"\r") if mark == b"\n" else rest


def _task(name: bytes) -> CountTask:
    text = os.fsdecode(name)
    if text == STDOUT:
        raise click.ClickException("standard input has the list of designs, and cannot be one of them")
    return CountTask(parse_design(text))


# --- errors -----------------------------------------------------------------------------------------------------------


class _ErrorLog:
    """The errors of all designs: the first ones for people, all for programs that read them."""

    def __init__(self, *, keeps: bool) -> None:
        self.errors: list[dict[str, Any]] = []
        self.invalid = 0
        self._keeps = keeps
        self._excerpts: list[str] = []
        self._count = self._designs = 0
        self._file, self._places, self._shown = "", set[object](), set[object]()

    def noting(self, done: Iterable[RowBatch], advance: Callable[[int], None]) -> Iterator[list[BatchRow]]:
        """Give rows, after noting their errors."""
        for named, rows in done:
            self._designs += len(rows)
            for row in rows:
                if row.errors:
                    self._note(row)
            advance(named)
            yield rows

    def _note(self, row: BatchRow) -> None:
        """Note the errors of a row; of a file, an error at one place is shown once, whatever its variants."""
        self.invalid += 1
        if row.design.file != self._file:
            self._file, self._places = row.design.file, set()
        known = self._places | self._shown
        for error in row.errors:
            place = (error.code, *(error.source or {"text": error.text}).values())
            if place not in known:
                self._places.add(place)
                self._count += 1
                if len(self._excerpts) < MAX_SHOWN_ERRORS:
                    self._shown.add(place)
                    self._excerpts.append(error.excerpt)
        if self._keeps:
            self.errors += (
                {"design": row.design.text, "code": error.code, "text": error.text, "hint": error.hint,
                 "source": error.source}
                for error in row.errors
            )  # fmt: skip

    def print(self) -> None:
        """Print the first errors in full, and how many there are."""
        if self.invalid:
            more = self._count - len(self._excerpts)
            for text in (*self._excerpts, *([f"and {more} more"] if more else [])):
                print_error(text)
            verb = "is" if self.invalid == 1 else "are"
            print_error(f"{self.invalid:,} of {count_of(self._designs, 'design')} {verb} invalid")
