"""``convcalc batch``."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from itertools import chain
from typing import Any

import click

from convcalc.batch.count import CountRequest, CountTask, ErrorText
from convcalc.batch.run import DTYPE, Result, RowBatch, count_all
from convcalc.batch.selection import first_rows, pareto_front, sort_rows
from convcalc.cli import FINE, UNUSABLE, say
from convcalc.cli.group import DESIGNS, Command, Settings
from convcalc.cli.options.designs import DesignType, Reading, jobs_option, reading_options, variants_option
from convcalc.cli.options.metrics import (
    MetricKey,
    Metrics,
    Sort,
    columns_option,
    order_options,
    pareto_option,
)
from convcalc.cli.output.progress import advancing
from convcalc.cli.output.row_output import outlet
from convcalc.cli.output.targets import STANDARD, Target, output_options
from convcalc.designs.names import parse_design
from convcalc.designs.patterns import designs_named
from convcalc.errors import SHOWN_ERRORS
from convcalc.memory_limits import is_short
from convcalc.metrics.registry import measures
from convcalc.render import STREAMS
from convcalc.render.tables.surface import is_terminal
from convcalc.report.fold import DEFAULT_COLUMNS
from convcalc.report.row_list import Field, Listing

TITLES = {measure.key: measure.title for measure in measures()}
KEY = MetricKey(tuple(TITLES))
AT_THE_END = ("text", "markdown")
"""Formats whose rows are laid out when all are there."""
LONGEST_NAME = 1 << 16
"""Bytes of a name in a list."""

NAMED = DESIGNS.replace("A spec from standard input.", "A list of designs on standard input, one a line.")

Some = Iterable[Sequence[Result]]


@click.command("batch", cls=Command, epilog=NAMED, short_help="Many designs, a row each, by all cores.")
@click.argument("paths", nargs=-1, required=True, type=DesignType(), metavar="PATH…")
@click.option("-0", "--null", "null", is_flag=True, help="Names in the list on standard input end with NUL.")
@variants_option("A row for every variant of every file, or for those that are named.")
@columns_option(KEY, f"In place of params,macs, or with + beside them, any of {', '.join(TITLES)}.")
@order_options(KEY, "designs")
@pareto_option(KEY, "Equal designs all stay.")
@click.option("--where", metavar="EXPR", help="Only designs for which this holds: 'params <= 5M and macs <= 600M'.")
@jobs_option
@reading_options
@output_options(STREAMS)
@click.pass_obj
def command(
    settings: Settings, paths: tuple[str, ...], reading: Reading, targets: list[Target], null: bool,
    variants: tuple[str, ...] | None, columns: Metrics, sort: Sort | None, top: int | None, pareto: Metrics | None,
    where: str | None, jobs: int,
) -> int:  # fmt: skip
    """Count many designs: one row each, in the order in which they are named.

    PATH is a design, a folder of specs, or a glob in quotes (** is any number of folders; zoo:* works too). With -
    the designs are read from standard input, one a line. A file that is broken is a row with its error; the exit
    code is then 2. csv, jsonl, json and parquet are written as the rows come, whatever their number. Several --dtype
    are a row each.

    \b
    Examples:
      convcalc batch specs -f csv
      convcalc batch 'specs/**/*.yaml' --variants all --sort params
      convcalc batch 'zoo:*' --columns +depth --pareto params,macs -f markdown
      convcalc batch 'zoo:*' --where 'params <= 5M' --sort macs:asc --top 3
      convcalc batch specs -f csv -o designs.csv
      find . -name '*.yaml' -print0 | convcalc batch -0 - -f jsonl
    """
    if paths.count(STANDARD) > 1:
        raise click.UsageError("standard input can be read once: give - once")
    keys = pareto.keys if pareto else ()
    usual = tuple(TITLES) if settings.verbose else DEFAULT_COLUMNS
    shown = tuple(dict.fromkeys((*columns.over(usual), *_unsigned(keys), *([sort.key] if sort else []))))
    order = (sort or Sort(shown[0])).signed if sort or top else ""
    metrics = tuple(dict.fromkeys((*DEFAULT_COLUMNS, *shown, *_metrics_read(where))))
    asked = CountRequest(
        metrics, reading.overrides, reading.libraries, reading.variant, variants, reading.batch,
        reading.dtypes, reading.inputs,
    )  # fmt: skip
    found = [_listed(null=null) if path == STANDARD else _named(path) for path in paths]
    log = _Log(keeps=any(target.format == "json" for target in targets))
    with outlet(settings, targets, _listing(asked, shown)) as out:
        with (
            advancing(_quiet(settings, targets), "Counting", lambda: _number(paths)) as advance,
            closing(count_all(chain(*found), asked, jobs)) as done,
        ):
            chosen: Some = log.noting(done, advance)
            chosen = _matching(chosen, where) if where else chosen
            chosen = [pareto_front(chosen, keys)] if keys else chosen
            for rows in first_rows(_sorted(chosen, order) if order else map(_rows, chosen), top):
                out.add(rows)
        out.end(log.errors)
    log.tell()
    return UNUSABLE if log.broken else FINE


def _unsigned(keys: Iterable[str]) -> list[str]:
    return [key.removeprefix("-") for key in keys]


def _metrics_read(where: str | None) -> tuple[str, ...]:
    """Return the metrics that a condition reads."""
    if where is None:
        return ()
    from convcalc.sweep.where import metrics_used  # sweeps load where one of their conditions is used

    return metrics_used(where, ())


def _matching(counted: Some, where: str) -> Iterator[list[Result]]:
    """Give the designs for which a condition holds, and those of which that cannot be known: the broken ones."""
    from convcalc.sweep.where import holds

    keys = _metrics_read(where)
    for some in counted:
        yield [one for one in some if one.faults or holds(where, {key: one.row[key] for key in keys})]


def _rows(some: Iterable[Result]) -> list[dict[str, Any]]:
    return [result.row for result in some]


def _listing(asked: CountRequest, shown: Sequence[str]) -> Listing:
    always = [key for key in DEFAULT_COLUMNS if key not in shown]  # programs may rely on these
    fields = [
        Field("design", "Design"),
        Field("name", "Name", wanted=4),
        Field("input", "Input", wanted=2),
        *([Field(DTYPE, "Format")] if len(asked.dtypes) > 1 else []),
        *(Field(key, TITLES[key], number=True, people=False) for key in always),
        *(Field(key, TITLES[key], number=True, wanted=int(key not in shown[:2])) for key in shown),
        Field("error", "Error", wanted=5, optional=True),
    ]
    circumstances: dict[str, Any] = {"batch": asked.batch, "dtype": "; ".join(asked.dtypes)}
    if asked.inputs:
        circumstances["given_inputs"] = {name or "input": text for name, text in asked.inputs.items()}
    return Listing("design", fields, circumstances=circumstances, has_errors=True)


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


def _named(path: str) -> Iterator[CountTask]:
    return (CountTask(*found) for found in designs_named(path))


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
    return None if STANDARD in paths else sum(1 for path in paths for _ in designs_named(path))


# --- what is said -----------------------------------------------------------------------------------------------------


class _Log:
    """What is wrong, and with how many designs."""

    def __init__(self, *, keeps: bool) -> None:
        self.errors: list[dict[str, Any]] = []
        self.broken = 0
        self._keeps = keeps
        self._shown: dict[str, None] = {}
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
        for fault in result.faults:
            self._faults += fault.excerpt not in self._shown
            if len(self._shown) < SHOWN_ERRORS:
                self._shown.setdefault(fault.excerpt)
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
