"""``convcalc solve``."""

from __future__ import annotations

import click

from convcalc.budget.file.types import Limit
from convcalc.cli import FINDING, FINE
from convcalc.cli.commands.sweep import METRICS, AxisType, read_axes
from convcalc.cli.group import DESIGNS, Command, Settings
from convcalc.cli.options.designs import DesignType, Reading, reading_options
from convcalc.cli.options.limits import limit_options
from convcalc.cli.options.metrics import MetricKey, Metrics, columns_option
from convcalc.cli.output.progress import advancing
from convcalc.cli.output.targets import Target, output_options, write
from convcalc.cli.types import Word
from convcalc.render import SOLUTIONS
from convcalc.report.fold import DEFAULT_COLUMNS
from convcalc.sweep.axes import FOR
from convcalc.sweep.executors import require_arrays
from convcalc.sweep.job import make_job
from convcalc.sweep.search import MAX, MIN, MetricLimit, SolveProblem
from convcalc.sweep.solve import solve


@click.command("solve", cls=Command, epilog=DESIGNS, short_help="The largest values of variables within limits.")
@click.argument("design", type=DesignType())
@click.option(
    "--for",
    "for_",
    type=AxisType(),
    multiple=True,
    required=True,
    metavar="NAME=LO..HI[:STEP]",
    help="What to solve for. Repeatable: the first is made as large as can be, then the second, and so on.",
)
@limit_options(METRICS, plain=True)
@click.option(
    "--largest/--smallest",
    "largest",
    default=None,
    help="Which values to find; the smallest by default where there are minima alone.",
)
@click.option("--maximize", type=Word(METRICS), metavar="METRIC", help="Of all that fit, those with most of this.")
@click.option("--minimize", type=Word(METRICS), metavar="METRIC", help="Of all that fit, those with least of this.")
@columns_option(
    MetricKey(METRICS), "What to show beside the limited metrics, in place of params,macs or with + beside them."
)
@reading_options
@output_options(SOLUTIONS)
@click.pass_obj
def command(
    settings: Settings, design: str, reading: Reading, targets: list[Target], for_: tuple[str, ...],
    max_: tuple[Limit, ...], min_: tuple[Limit, ...], largest: bool | None,
    maximize: str | None, minimize: str | None, columns: Metrics,
) -> int:  # fmt: skip
    """Find the largest values of variables for which DESIGN keeps its limits.

    The answer is that of counting every value, also where counts do not grow
    steadily: no value is passed over that is not proved to break a limit. It
    names the limit that the next value breaks, and by how much. Of values
    with the same --maximize or --minimize the largest are taken. The exit
    code is 1 when no value fits.

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
        raise click.UsageError("nothing limits the values: give --max or --min")
    if maximize and minimize:
        raise click.UsageError("--maximize and --minimize: give one of them")
    axes = read_axes(for_, design, reading, FOR)
    job = make_job(design, axes, reading.count_options, metrics=columns.over(DEFAULT_COLUMNS))
    first = bool(max_) or not min_ if largest is None else largest
    objective = maximize or (f"-{minimize}" if minimize else None)
    with advancing(settings, "Solving", lambda: job.point_count) as advance:
        answer = solve(job, SolveProblem(bounds, first, objective), advance)
    write(settings, targets, lambda format_, surface: SOLUTIONS[format_].solution(answer, surface))
    return FINDING if answer.solution is None else FINE
