"""``convcalc report``."""

from __future__ import annotations

import click

from convcalc.cli._designs import DesignType, Reading, reading_options, warn
from convcalc.cli._group import Command, Settings, Word
from convcalc.cli._output import Target, output_options, write
from convcalc.fold import GROUPINGS, UnknownKey, View
from convcalc.render import FORMATS, Surface


def _columns(context: click.Context, parameter: click.Parameter, value: str | None) -> tuple[str, ...] | None:
    return tuple(key.strip() for key in value.split(",") if key.strip()) if value else None


@click.command("report", cls=Command, short_help="The layers of a design and what they cost.")
@click.argument("design", type=DesignType())
@click.option("--depth", type=click.IntRange(1), metavar="N", help="Fold layers to the first N segments of their path.")
@click.option("--by", type=Word(GROUPINGS), default="layer", show_default=True, metavar="GROUP", help="One row a layer, op or block.")
@click.option("--sort", metavar="KEY", help="A metric (largest first), path or op.")
@click.option("--top", type=click.IntRange(1), metavar="N", help="The N largest rows; the rest is summed.")
@click.option("--columns", metavar="KEYS", callback=_columns, help="Metrics to show, with commas between.")
@reading_options
@output_options(FORMATS)
@click.pass_obj
def command(
    settings: Settings, design: str, reading: Reading, targets: list[Target], depth: int | None, by: str, sort: str | None, top: int | None, columns: tuple[str, ...] | None
) -> None:
    """Count the layers of DESIGN: parameters, multiplies, activations, depth.

    \b
    DESIGN is FILE, FILE@variant, FILE#path, FILE@variant#path, zoo:NAME, or -.
    Examples:
      convcalc report zoo:resnet50 --depth 1
      convcalc report spec.yaml --set width=0.5 --sort params --top 10
      convcalc report spec.yaml -f markdown -f json=report.json
    """
    (network,) = reading.networks([design])
    report = reading.report(network)
    view = View(depth, by, sort, top, columns)

    def render(format_: str, surface: Surface) -> str:
        try:
            return FORMATS[format_].report(report, view, surface)
        except UnknownKey as error:
            raise click.UsageError(str(error)) from None

    write(settings, targets, render)
    warn(settings, [report])
