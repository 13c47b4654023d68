"""``convcalc solve``."""

from __future__ import annotations

import click

from convcalc.budget.file.types import Limit
from convcalc.cli import FINDINGS, SUCCESS
from convcalc.cli.commands.sweep import KEYS, METRICS, read_axes
from convcalc.cli.group import DESIGN_NAMES_HELP, Command, GeneralOptions
from convcalc.cli.options.designs import DesignType, device_option
from convcalc.cli.options.limits import limit_options
from convcalc.cli.options.metrics import ColumnChoice, MetricKeyType, columns_option
from convcalc.cli.options.reading import VARIABLE, DesignOptions, design_options
from convcalc.cli.output.progress import progress_bar
from convcalc.cli.output.targets import OutputTarget, output_options, write
from convcalc.cli.types import WordType
from convcalc.render import SOLUTIONS
from convcalc.report.fold import DEFAULT_COLUMNS
from convcalc.sweep.axes import FOR
from convcalc.sweep.executors import require_arrays
from convcalc.sweep.job import make_job
from convcalc.sweep.search import MAX, MIN, MetricLimit, SolveProblem
from convcalc.sweep.solve import solve


@click.command(
    "solve", cls=Command, epilog=DESIGN_NAMES_HELP, short_help="Find the largest variable values within limits."
)
@click.argument("design", type=DesignType())
@click.option(
    "--for",
    "for_",
    type=VARIABLE,
    multiple=True,
    required=True,
    metavar="NAME=LO..HI[:STEP]",
    help="Variable and its range. Repeatable; earlier variables take precedence.",
)
@limit_options(KEYS, plain=True)
@click.option(
    "--largest/--smallest",
    "largest",
    default=None,
    help="Which values to find; default: --smallest if only --min is given, else --largest.",
)
@click.option("--maximize", type=WordType(KEYS), metavar="METRIC", help="Maximize this metric within the limits.")
@click.option("--minimize", type=WordType(KEYS), metavar="METRIC", help="Minimize this metric within the limits.")
@device_option("Device for least_time, in ns: a name or a YAML file.")
@columns_option(MetricKeyType(KEYS), "Metrics beside the limited ones, in place of params,macs; +KEY adds.")
@design_options
@output_options(SOLUTIONS)
@click.pass_obj
def command(
    settings: GeneralOptions, design: str, reading: DesignOptions, targets: list[OutputTarget], for_: tuple[str, ...],
    max_: tuple[Limit, ...], min_: tuple[Limit, ...], largest: bool | None,
    maximize: str | None, minimize: str | None, columns: ColumnChoice, device: str | None,
) -> int:  # fmt: skip
    """Find the largest values of variables for which DESIGN stays within limits.

    Exact also where counts are not monotonic: values are skipped only if bounds
    prove that they exceed a limit. The limit that the next value exceeds is
    shown, with the amount. Of values with equal --maximize or --minimize the
    --largest or --smallest are taken. The exit code is 1 if no value is within
    the limits.

    \b
    Examples:
      convcalc solve zoo:mobilenet_v2 --for alpha=0.25..2:0.05 --max params=5M
      convcalc solve zoo:resnet18 --for classes=1..10**9 --max params=20M
      convcalc solve zoo:resnet18 --for classes=1..999 --min params=11.5M
      convcalc solve model.yaml --for width=1..9 --max params=1k,macs=60k --json
    """
    require_arrays()
    bounds = tuple(
        MetricLimit(each.metric.key, kind, each.value, each.text)
        for kind, limits in ((MAX, max_), (MIN, min_)) for each in limits
    )  # fmt: skip
    if not bounds and not (maximize or minimize):
        raise click.UsageError("solve needs a limit: add --max or --min")
    if maximize and minimize:
        raise click.UsageError("--maximize and --minimize: give one of them")
    asked = [bound.metric for bound in bounds] + [key for key in (maximize, minimize) if key]
    axes = read_axes(for_, design, reading, FOR)
    metrics = columns.over(METRICS if settings.verbose else DEFAULT_COLUMNS)
    job = make_job(design, axes, reading.count_options, metrics=metrics).with_metrics(asked).on_device(device)
    first = bool(max_) or not min_ if largest is None else largest
    objective = maximize or (f"-{minimize}" if minimize else None)
    with progress_bar(settings, "Solving", lambda: job.point_count) as advance:
        answer = solve(job, SolveProblem(bounds, first, objective), advance)
    write(settings, targets, lambda format_, surface: SOLUTIONS[format_].solution(answer, surface))
    return FINDINGS if answer.solution is None else SUCCESS
