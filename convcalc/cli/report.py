"""``convcalc report``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from convcalc.analyzers import measures
from convcalc.cli._designs import DesignType, Reading, reading_options, warn
from convcalc.cli._group import DESIGNS, Command, Settings
from convcalc.cli._output import Target, output_options, write
from convcalc.cli._types import ParamType, Positive, Word, beginning
from convcalc.fold import GROUPINGS, TEXT_KEYS, View
from convcalc.render import FORMATS

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

METRICS = tuple(measure.key for measure in measures() if measure.whole is None)
"""The metrics that single layers have."""


class Metrics(ParamType[tuple[str, ...]]):
    """Keys of metrics with commas between."""

    name = "keys"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        return tuple(Word(METRICS).convert(key.strip(), param, ctx) for key in value.split(","))

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
        before, comma, _ = incomplete.rpartition(",")
        return beginning(incomplete, [f"{before}{comma}{metric}" for metric in METRICS])


@click.command("report", cls=Command, epilog=DESIGNS, short_help="The layers of a design and what they cost.")
@click.argument("design", type=DesignType())
@click.option("--depth", type=Positive(), metavar="N", help="Fold layers to the first N segments of their path.")
@click.option(
    "--by",
    type=Word(GROUPINGS),
    default="layer",
    show_default=True,
    metavar="GROUP",
    help="One row per layer, op or block.",
)
@click.option("--sort", type=Word((*METRICS, *TEXT_KEYS)), metavar="KEY", help="A metric (largest first), path or op.")
@click.option("--top", type=Positive(), metavar="N", help="Only the N largest rows, and one that sums the others.")
@click.option("--columns", type=Metrics(), metavar="KEY,…", help=f"Metrics to show: {', '.join(METRICS)}.")
@reading_options
@output_options(FORMATS)
@click.pass_obj
def command(
    settings: Settings, design: str, reading: Reading, targets: list[Target], depth: int | None, by: str,
    sort: str | None, top: int | None, columns: tuple[str, ...] | None,
) -> None:  # fmt: skip
    """Count the layers of DESIGN: parameters, multiplies, activations, depth.

    \b
    Examples:
      convcalc report model.yaml
      convcalc report zoo:resnet50@101 --depth 1
      convcalc report model.yaml --set width=0.5 --sort params --top 10
      convcalc report model.yaml -f text -f json=report.json
    """
    (network,) = reading.networks([design])
    report = reading.report(network)
    view = View(depth, by, sort, top, columns or (METRICS if settings.verbose else None))
    write(settings, targets, lambda format_, surface: FORMATS[format_].report(report, view, surface))
    warn(settings, report.warnings)
