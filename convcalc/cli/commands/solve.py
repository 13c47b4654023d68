"""``convcalc solve``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from convcalc.budget.file.rules import read_limit
from convcalc.cli import FINDING, FINE
from convcalc.cli.commands.sweep import METRICS, AxisType, Metrics, circumstances, read_axes
from convcalc.cli.group import DESIGNS, Command, Settings
from convcalc.cli.options.designs import DesignType, Reading, reading_options
from convcalc.cli.output.progress import advancing
from convcalc.cli.output.targets import Target, output_options, write
from convcalc.cli.types import ParamType, Word, beginning
from convcalc.errors import Source, Span, SpecError, quoted
from convcalc.render import SOLUTIONS
from convcalc.spec.yaml.nodes import ScalarNode
from convcalc.sweep import MetricLimit, SolveProblem, make_job, require_arrays, solve
from convcalc.sweep.axes import FOR
from convcalc.sweep.search import MAX, MIN

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

SHOWN = ("params", "macs")


class Limits(ParamType[tuple[MetricLimit, ...]]):
    """``METRIC=LIMIT,METRIC=LIMIT…``; quantities are read as those of budgets are."""

    name = "limits"

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[MetricLimit, ...]:
        if isinstance(value, tuple):
            return value
        try:
            return tuple(self._bound(text, param, ctx) for text in value.split(","))
        except SpecError as error:
            return self.fail(f"{error.text}{f' ({error.hint})' if error.hint else ''}", param, ctx)

    def _bound(self, text: str, param: click.Parameter | None, ctx: click.Context | None) -> MetricLimit:
        key, equals, amount = (part.strip() for part in text.partition("="))
        if not key or not equals or not amount:
            self.fail(f"{quoted(text)} is not metric=limit", param, ctx)
        span = Span(Source(f"--{self.kind}", text), 1, 1, len(text))
        read = read_limit(ScalarNode(key, span), ScalarNode(amount, span))
        if read.metric.suffix:
            self.fail(f"{quoted(key)}: limits are on metrics themselves: write {read.metric.key}", param, ctx)
        return MetricLimit(read.metric.key, self.kind, read.value, amount)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
        before, comma, _ = incomplete.rpartition(",")
        return beginning(incomplete, [f"{before}{comma}{metric}=" for metric in METRICS])


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
@click.option(
    "--max",
    "max_",
    type=Limits(MAX),
    multiple=True,
    metavar="METRIC=LIMIT,…",
    help="Maxima, as params=5M,macs=600M. Repeatable.",
)
@click.option("--min", "min_", type=Limits(MIN), multiple=True, metavar="METRIC=LIMIT,…", help="Minima. Repeatable.")
@click.option(
    "--largest/--smallest",
    "largest",
    default=None,
    help="Which values to find; the smallest by default where there are minima alone.",
)
@click.option("--maximize", type=Word(METRICS), metavar="METRIC", help="Of all that fit, those with most of this.")
@click.option("--minimize", type=Word(METRICS), metavar="METRIC", help="Of all that fit, those with least of this.")
@click.option(
    "--metrics",
    type=Metrics(),
    default=",".join(SHOWN),
    show_default=True,
    metavar="KEY,…",
    help="What to show beside the limited metrics.",
)
@reading_options
@output_options(SOLUTIONS)
@click.pass_obj
def command(
    settings: Settings, design: str, reading: Reading, targets: list[Target], for_: tuple[str, ...],
    max_: tuple[tuple[MetricLimit, ...], ...], min_: tuple[tuple[MetricLimit, ...], ...], largest: bool | None,
    maximize: str | None, minimize: str | None, metrics: tuple[str, ...],
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
    bounds = tuple(bound for group in (*max_, *min_) for bound in group)
    if not bounds and not (maximize or minimize):
        raise click.UsageError("nothing limits the values: give --max or --min")
    if maximize and minimize:
        raise click.UsageError("--maximize and --minimize: give one of them")
    job = make_job(design, read_axes(for_, design, reading, FOR), circumstances(reading), metrics=metrics)
    first = bool(max_) or not min_ if largest is None else largest
    objective = maximize or (f"-{minimize}" if minimize else None)
    with advancing(settings, "Solving", lambda: job.point_count) as advance:
        answer = solve(job, SolveProblem(bounds, first, objective), advance)
    write(settings, targets, lambda format_, surface: SOLUTIONS[format_].solution(answer, surface))
    return FINDING if answer.solution is None else FINE
