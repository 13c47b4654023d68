"""``convcalc compare``."""

from __future__ import annotations

import click

from convcalc.cli.group import DESIGNS, Command, Settings
from convcalc.cli.options.designs import DesignType, Reading, profile_option, profiled, reading_options, warn
from convcalc.cli.output.targets import Target, output_options, write
from convcalc.errors import quoted
from convcalc.render import FORMATS
from convcalc.report.compare import compare


@click.command("compare", cls=Command, epilog=DESIGNS, short_help="Designs side by side: ratios and differences.")
@click.argument("designs", nargs=-1, required=True, type=DesignType(), metavar="DESIGN…")
@profile_option
@reading_options
@output_options(FORMATS)
@click.pass_obj
def command(
    settings: Settings, designs: tuple[str, ...], reading: Reading, targets: list[Target], profile: str | None
) -> None:
    """Compare designs with the first one. A single file with several outputs is compared output by output.

    \b
    Examples:
      convcalc compare zoo:resnet50 zoo:resnet50@101 zoo:mobilenet_v2
      convcalc compare specs/tutorials/googlenet_3a.yaml
      convcalc compare zoo:resnet50 zoo:mobilenet_v2 --profile fvcore
      convcalc compare model.yaml@small model.yaml@large -f markdown -o compare.md
    """
    networks = reading.networks(designs)
    if len(networks) == 1:
        networks = networks[0].outputs()
        if len(networks) == 1:
            raise click.ClickException(f"{quoted(designs[0])} has one output; name a second design to compare it with")
    reports = [profiled(reading.report(network), network, profile) for network in networks]
    comparison = compare(reports)
    write(settings, targets, lambda format_, surface: FORMATS[format_].comparison(comparison, surface))
    warn(settings, (warning for report in reports for warning in report.warnings))
