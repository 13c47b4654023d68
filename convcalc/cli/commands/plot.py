"""``convcalc plot``."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import closing
from itertools import chain, starmap

import click
from click.core import ParameterSource

from convcalc.batch.count import CountRequest, CountTask
from convcalc.batch.results import ResultTable, is_results_file, of_rows, read_results
from convcalc.batch.run import count_all
from convcalc.cli import ERROR, SUCCESS, print_error
from convcalc.cli.group import DESIGN_NAMES_HELP, Command, GeneralOptions
from convcalc.cli.options.designs import (
    DesignType,
    jobs_option,
    print_warnings,
    require_use_of_variants,
    variants_option,
)
from convcalc.cli.options.reading import DesignOptions, design_options
from convcalc.cli.output.progress import progress_bar
from convcalc.cli.output.targets import OutputTarget, output_options, write
from convcalc.cli.types import PositiveInt, WordType
from convcalc.designs.patterns import MAGIC, designs_named
from convcalc.errors import MAX_SHOWN_ERRORS, quoted
from convcalc.render import PLOTS
from convcalc.render.pictures.scatter.drawing import LABELS
from convcalc.render.pictures.svg import THEMES
from convcalc.render.plots.drawing import COMPARED, KINDS, LEAST_WIDTH, Drawing, draw_comparison, draw_report
from convcalc.render.plots.table import LOGS, ScatterOptions, plot_results
from convcalc.render.tables.surface import is_terminal
from convcalc.report.compare import compare
from convcalc.report.drawn import words

SCATTER = "scatter"
OF_TABLES = {"x": "--x", "y": "--y", "size": "--size", "groups": "--color", "log": "--log", "pareto": "--pareto",
             "label": "--label", "variants": "--variants"}  # fmt: skip
"""Parameters of scatter plots → their options."""
DESIGN_OPTIONS = {
    "set_": "--set", "input_": "--input", "lib": "--lib", "variant": "--variant", "variants": "--variants",
    "batch": "--batch", "dtype": "--dtype", "strict": "--strict", "jobs": "--jobs",
}  # fmt: skip
"""Parameters that a table, which has its numbers, does not take."""
COLUMN = "COLUMN"


@click.command("plot", cls=Command, epilog=DESIGN_NAMES_HELP, short_help="Draw designs, or a table of results.")
@click.argument("designs", nargs=-1, required=True, type=DesignType(), metavar="DESIGN…|FILE")
@click.option("--kind", type=WordType((*KINDS, COMPARED[0], SCATTER)), metavar="KIND",
              help="bridge (of one design), compare (of several), scatter (of a table, a folder or a glob), bars, "
              "skyline, treemap.")  # fmt: skip
@click.option("--depth", type=PositiveInt(), metavar="N", help="Of bars, a row for N segments of paths.")
@click.option("--x", metavar=COLUMN, help="Column of the x axis; default: params.")
@click.option("--y", metavar=COLUMN, help="Column of the y axis; default: a quality such as top1, or macs.")
@click.option("--size", metavar=COLUMN, help="Column that areas of points are in the ratio of.")
@click.option("--color", "groups", metavar=COLUMN, help="Column of groups, a colour for each, e.g. variant.")
@click.option("--log", type=WordType(tuple(LOGS)), default="auto", show_default=True, metavar="AXES",
              help="Logarithmic axes: auto, x, y, both or none.")  # fmt: skip
@click.option("--pareto", metavar="[-]COLUMN,…", help="Mark the Pareto-optimal points: smaller is better; -COLUMN: "
              "larger. Default: both axes, where one is a quality.")  # fmt: skip
@click.option("--label", type=WordType(LABELS), default="auto", show_default=True, metavar="WHICH",
              help="Names of points: auto (as many as fit), all, front or none.")  # fmt: skip
@click.option("--theme", type=WordType(THEMES), default="auto", show_default=True, metavar="THEME",
              help="auto (that of the reader's system), light or dark.")  # fmt: skip
@variants_option("All variants of each design in a scatter plot, or the variants named.")
@jobs_option
@design_options
@output_options(PLOTS)
@click.pass_context
def command(
    context: click.Context, designs: tuple[str, ...], reading: DesignOptions, targets: list[OutputTarget],
    kind: str | None, depth: int | None, x: str | None, y: str | None, size: str | None, groups: str | None, log: str,
    pareto: str | None, label: str, theme: str, variants: tuple[str, ...] | None, jobs: int,
) -> int:  # fmt: skip
    """Draw one design, several to one scale, or a table of results as points.

    A table is a file of batch, sweep or zoo (csv, jsonl, json, parquet), or any with a line of names and columns of
    numbers; a folder or a glob ('zoo:*') is counted. --width is that of the picture in pixels. Formats: svg, png (with
    the extra png), vega (Vega-Lite 6 with the data: x.vl.json).

    \b
    Examples:
      convcalc plot zoo:resnet50 -o resnet50.svg
      convcalc plot zoo:resnet50 --kind skyline --theme dark -o resnet50.png
      convcalc plot zoo:resnet50 zoo:mobilenet_v2 -o both.svg
      convcalc plot 'zoo:*' --variants all --color variant -o zoo.svg
      convcalc plot results.csv --x macs --y top1 -o front.vl.json
    """
    settings = context.find_object(GeneralOptions) or GeneralOptions()
    tables = [design for design in designs if is_results_file(design)]
    many = [design for design in designs if MAGIC.search(design) or os.path.isdir(design)]
    chosen = kind or (SCATTER if tables or many else COMPARED[0] if len(designs) > 1 else KINDS[0])
    if chosen != SCATTER:
        if tables or many:
            raise click.UsageError(
                f"{quoted((tables or many)[0])} is drawn as a scatter plot: leave out --kind {chosen}"
            )
        refuse(context, OF_TABLES, f"is for scatter plots, not for {chosen}")
    _require_viewer(targets)
    if settings.width and settings.width < LEAST_WIDTH:
        raise click.UsageError(f"--width is that of the picture in pixels, and at least {LEAST_WIDTH}")
    if depth and (chosen != "bars" or len(designs) > 1):
        raise click.UsageError("--depth is for bars of one design")
    failed = False
    if chosen != SCATTER:
        drawing = _designs(settings, designs, reading, chosen, depth)
    else:
        options = ScatterOptions(x, y, size, groups, log, words(pareto) if pareto else (), label)  # type: ignore[arg-type]
        if tables:
            if len(designs) > 1:
                raise click.UsageError("a table is drawn alone: name one file")
            refuse(context, DESIGN_OPTIONS, f"is for designs; {quoted(tables[0])} has its numbers")
            results = read_results(tables[0])
        else:
            require_use_of_variants(designs, variants)
            results, failed = counted(settings, designs, reading, variants, options.metrics, jobs)
        drawing = plot_results(results, options, **({"width": settings.width} if settings.width else {}))
    shown = Drawing(drawing.picture, drawing.chart, theme)  # type: ignore[arg-type] # one of THEMES
    write(settings, targets, lambda format_, surface: PLOTS[format_].plot(shown, surface))
    return ERROR if failed else SUCCESS


def refuse(context: click.Context, options: dict[str, str], why: str) -> None:
    """Demand that none of some options is given."""
    for name, option in options.items():
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            raise click.UsageError(f"{option} {why}")


def _require_viewer(targets: Sequence[OutputTarget]) -> None:
    if OutputTarget("svg") in targets and is_terminal(sys.stdout):
        raise click.UsageError("a picture is for a browser or a viewer; write to a file with -o")


def _designs(
    settings: GeneralOptions, designs: Sequence[str], reading: DesignOptions, kind: str, depth: int | None
) -> Drawing:
    """Draw one design, or several compared."""
    networks = reading.networks(designs)
    if kind == COMPARED[0] and len(networks) == 1:
        networks = networks[0].outputs()
        if len(networks) == 1:
            raise click.UsageError(f"{quoted(designs[0])} has one output; name a second design to compare it with")
    if len(networks) > 1 and kind not in COMPARED:
        raise click.UsageError(f"{kind} is of one design; --kind {' or '.join(COMPARED)} for several")
    reports = [reading.report(network, ["peak"] if kind == "skyline" else ()) for network in networks]
    print_warnings(settings, (warning for report in reports for warning in report.warnings))
    if len(reports) > 1:
        return draw_comparison(compare(reports), kind, width=settings.width)
    return draw_report(reports[0], kind, width=settings.width, depth=depth)


def counted(
    settings: GeneralOptions, paths: Sequence[str], reading: DesignOptions, variants: tuple[str, ...] | None,
    metrics: tuple[str, ...], jobs: int,
) -> tuple[ResultTable, bool]:  # fmt: skip
    """Return the counts of designs, folders and globs, and whether any is invalid: their errors are printed."""
    request = CountRequest(metrics, reading._replace(code=None), variants)
    tasks = list(starmap(CountTask, chain.from_iterable(map(designs_named, paths))))
    rows, errors = [], []
    with (
        progress_bar(settings, "Counting", lambda: len(tasks)) as advance,
        closing(count_all(tasks, request, jobs)) as done,
    ):
        for named, some in done:
            advance(named)
            rows += [row.facts(metrics) for row in some if not row.errors]
            errors += [error.excerpt for row in some for error in row.errors]
    for text in errors[:MAX_SHOWN_ERRORS]:
        print_error(text)
    if len(errors) > MAX_SHOWN_ERRORS:
        print_error(f"and {len(errors) - MAX_SHOWN_ERRORS} more")
    if not rows:
        raise click.ClickException("no design could be counted")
    return of_rows(rows, paths[0]), bool(errors)
