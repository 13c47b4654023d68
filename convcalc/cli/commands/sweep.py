"""``convcalc sweep``."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from itertools import islice

import click
from click.core import ParameterSource

from convcalc.cli import ERROR, SUCCESS, print_error
from convcalc.cli.group import DESIGN_NAMES_HELP, Command, GeneralOptions
from convcalc.cli.options.designs import DesignType, device_option, jobs_option, variants_option
from convcalc.cli.options.metrics import (
    AxisKeyType,
    ColumnChoice,
    MetricKeyType,
    MetricListType,
    SortKey,
    SortType,
    axis_names,
    columns_option,
    order_options,
    pareto_option,
)
from convcalc.cli.options.reading import VARIABLE, DesignOptions, design_options
from convcalc.cli.output.atomic_files import is_device
from convcalc.cli.output.progress import progress_bar
from convcalc.cli.output.resumable_file import ResumeOptions
from convcalc.cli.output.sweep_output import FORMATS, SweepSummary, open_sweep_output
from convcalc.cli.output.targets import OutputTarget, output_options
from convcalc.cli.types import PositiveInt, TextParamType
from convcalc.errors import SpecError, SpecErrors, quoted
from convcalc.report.fold import DEFAULT_COLUMNS
from convcalc.report.metrics import LEAST_TIME
from convcalc.sweep.axes import AXIS, Axis, read_axis, with_variable_hint
from convcalc.sweep.block_task import BlockTask
from convcalc.sweep.checkpoint import Checkpoint
from convcalc.sweep.executors import Engine, cluster, processes, require_arrays
from convcalc.sweep.fingerprint import facts
from convcalc.sweep.grid import blocks
from convcalc.sweep.job import SweepJob, make_job, metric_names, variables
from convcalc.sweep.selection import Selection
from convcalc.sweep.where import metrics_used

METRICS = metric_names()
KEYS = (*METRICS, LEAST_TIME)
KEY = AxisKeyType(KEYS)
MAX_SORTED_POINTS = 10**6
"""Most points that are sorted without --top: they are kept in memory."""
RESUMABLE_FORMATS = ("csv", "jsonl", "json", "markdown", "parquet")
"""Formats that a sweep of all points can resume; Parquet by way of messages of columns."""


class ColumnKeyType(MetricKeyType):
    """The key of a metric; the error of an axis says that it is shown anyway."""

    def read(self, text: str) -> str:
        if text in axis_names(click.get_current_context(silent=True)) and text not in self.choices:
            raise click.BadParameter(f"{quoted(text)} is an axis, and every row has all axes: name metrics")
        return super().read(text)


class KeepType(TextParamType):
    """``all``, ``pareto:METRIC,METRIC…`` or ``top:N:METRIC``."""

    def read(self, text: str) -> Selection:
        kind, *rest = text.split(":")
        if kind == "all" and not rest:
            return Selection()
        if kind == "pareto" and len(rest) == 1:
            return Selection(kind, MetricListType(KEY, signed=True).read(rest[0]).keys)
        if kind == "top" and len(rest) == 2:
            sign = "" if rest[1].startswith("-") else ":asc"
            sort = SortType(KEY).read(f"{rest[1].strip()}{sign}")
            return Selection(kind, (sort.signed,), PositiveInt().read(rest[0]))
        raise click.BadParameter(f"{quoted(text)} is not one of all, pareto:METRIC,METRIC and top:N:METRIC")


@click.command("sweep", cls=Command, epilog=DESIGN_NAMES_HELP, short_help="Count every point of a design space.")
@click.argument("design", type=DesignType())
@click.argument("axes", nargs=-1, type=VARIABLE, is_eager=True, metavar="NAME=VALUES…")
@variants_option("Add an axis of variants, before all others.")
@columns_option(ColumnKeyType(KEYS), f"Metrics in place of params,macs; +KEY adds: {', '.join(KEYS)}.")
@device_option("Add the least time on this device, in ns: a name or a YAML file.")
@click.option(
    "--where", metavar="EXPR", help="Keep only points that satisfy this condition: 'params <= 5M and macs <= 600M'."
)
@order_options(KEY, "points", order="Sort by a metric or an axis, largest first unless :asc; ties keep their order.")
@pareto_option(KEY, "points", "Of ties the first is kept.")
@click.option("--keep", type=KeepType(), hidden=True)
@jobs_option
@click.option("--dask", metavar="ADDRESS", help="Use a Dask cluster: tcp://HOST:8786, or local.")
@click.option(
    "--resume",
    is_flag=True,
    help="Resume an interrupted sweep with the same options and -o; if they differ, the differences are an error.",
)
@design_options
@output_options(FORMATS)
@click.pass_obj
def command(
    settings: GeneralOptions, design: str, axes: tuple[str, ...], reading: DesignOptions, targets: list[OutputTarget],
    variants: tuple[str, ...] | None, columns: ColumnChoice, where: str | None, sort: SortKey | None, top: int | None,
    pareto: ColumnChoice | None, keep: Selection | None, jobs: int, dask: str | None, resume: bool, device: str | None,
) -> int:  # fmt: skip
    """Count every point of a design space: the product of all axes, the last one varying fastest.

    An axis is a variable of the spec with values (width=32,64,128) or ranges, ends included (size=128..320:32,
    alpha=0.25..1.5:0.05); between integers the step is 1 by default. Where no variable is called batch, batch=1,8 are
    batch sizes. Invalid combinations are skipped and reported by reason. csv, json, jsonl, markdown and parquet are
    streamed.

    With one output file, PATH.partial and PATH.progress are kept beside it until it is complete: --resume continues a
    sweep that was killed or interrupted. Without --resume the same command starts again, with a note.

    \b
    Examples:
      convcalc sweep zoo:resnet18 classes=10,100,1000
      convcalc sweep zoo:mobilenet_v2 alpha=0.25..1.5:0.05 size=96..256:32
      convcalc sweep zoo:mobilenet_v2 size=96..256 --sort macs:asc --top 5
      convcalc sweep zoo:resnet18 classes=1..1000 --where 'params <= 11.5M'
      convcalc sweep zoo:resnet50 --variants all classes=10..100 -f csv
    """
    require_arrays()
    metrics = columns.over((*(METRICS if settings.verbose else DEFAULT_COLUMNS), *([LEAST_TIME] if device else ())))
    if keep and (sort or top or pareto):
        raise click.UsageError("--keep is the former name of --top, --sort and --pareto: use those alone")
    keep = keep or _keep(metrics, sort, top, pareto)
    read = read_axes(axes, design, reading)
    job = make_job(design, read, reading.count_options, variants=variants, metrics=metrics, where=where)
    keep = _with_axes(keep, job)
    job = job.with_metrics((*metrics_used(where, job.axes), *(key for key in keep.keys if key not in keep.axes)))
    job = job.on_device(device)
    if sort and not top and not pareto and job.point_count > MAX_SORTED_POINTS:
        raise click.UsageError(f"{job.point_count:,} points are too many to sort: add --top N")
    given = _resumable(settings, targets, job, keep, resume=resume)
    with open_sweep_output(settings, targets, job, keep, given) as out:
        with _engine(jobs, dask) as engine, progress_bar(settings, "Counting", lambda: job.point_count) as advance:
            task = BlockTask(job, keep, out.line_writers, out.rows_needed)
            left = islice(blocks(job.axes), out.state.done, None)
            with contextlib.closing(engine.run(task, left, lambda: keep.rivals(out.state.points))) as results:
                for result in results:
                    out.add(result)
                    advance(result.size)
        out.finish_selection()
        outcome = SweepSummary.of(job, out.state)
        out.end(outcome)
    if not settings.quiet:
        outcome.print()
    return SUCCESS if out.state.valid else ERROR


def _with_axes(keep: Selection, job: SweepJob) -> Selection:
    """Note which keys of a selection are axes.

    Raises:
        UsageError: for an axis of words or lists in a Pareto front.
    """
    axes = {axis.name: axis for axis in job.axes if axis.name in keep.keys}
    for metric in keep.metrics if keep.kind == "pareto" else ():
        axis = axes.get(metric.removeprefix("-"))
        if axis and not axis.is_numeric:
            raise click.UsageError(f"--pareto compares numbers, and the values of {quoted(axis.name)} are none")
    return keep._replace(axes=tuple(axes))


def _keep(metrics: Sequence[str], sort: SortKey | None, top: int | None, pareto: ColumnChoice | None) -> Selection:
    """Return which points stay, and in which order."""
    order = (sort or SortKey(metrics[0])).signed if sort or top else ""
    if pareto:
        return Selection("pareto", pareto.keys, top or 0, order)
    return Selection("top", (order,), top or MAX_SORTED_POINTS) if order else Selection()


def read_axes(texts: Sequence[str], design: str, reading: DesignOptions, argument: str = AXIS) -> list[Axis]:
    """Read axes of an argument; the errors of all are reported together, with the variables of the design."""
    read: list[Axis] = []
    errors: list[SpecError] = []
    for text in texts:
        try:
            read.append(read_axis(text, argument))
        except SpecError as error:
            errors.append(with_variable_hint(error, () if design == "-" else variables(design, reading.libraries)))
    if errors:
        raise SpecErrors(errors)
    return read


def _resumable(
    settings: GeneralOptions, targets: Sequence[OutputTarget], job: SweepJob, keep: Selection, *, resume: bool
) -> ResumeOptions | None:
    """Return how to resume the sweep if it is interrupted; nothing if it cannot be, with a note."""
    why = _why_not(targets, keep)
    if not why:
        ((format_, path),) = targets
        kept = "parquet (columns)" if format_ == "parquet" and keep.kind == "all" else format_
        return ResumeOptions(Checkpoint(str(path), facts(job, keep, kept)), resume, settings.quiet)
    if resume:
        raise click.UsageError(why)
    # a single block cannot be done in part
    if any(target.path for target in targets) and len([*islice(blocks(job.axes), 2)]) > 1 and not settings.quiet:
        print_error(f"note: if this sweep is interrupted it cannot be resumed: {why}")
    return None


def _why_not(targets: Sequence[OutputTarget], keep: Selection) -> str:
    if len(targets) != 1 or not targets[0].path or is_device(targets[0].path):
        return "--resume needs one file: -o PATH"
    if keep.kind == "all" and targets[0].format not in RESUMABLE_FORMATS:
        return f"--resume supports {', '.join(RESUMABLE_FORMATS)}, not {targets[0].format}"
    return ""


@contextlib.contextmanager
def _engine(jobs: int, dask: str | None) -> Iterator[Engine]:
    source = click.get_current_context().get_parameter_source("jobs")
    if dask and jobs > 1 and source is ParameterSource.COMMANDLINE:
        raise click.UsageError("--jobs is for this machine, --dask for a cluster: give one of them")
    if dask:
        with cluster(dask) as engine:
            yield engine
    else:
        yield processes(jobs)
