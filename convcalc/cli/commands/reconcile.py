"""``convcalc reconcile``."""

from __future__ import annotations

import click

from convcalc.cli.group import DESIGNS, Command, Settings
from convcalc.cli.options.designs import DesignType, Reading, reading_options, warn
from convcalc.cli.output.targets import Target, output_options, write
from convcalc.errors import describe_one
from convcalc.render import RECONCILIATIONS


@click.command("reconcile", cls=Command, epilog=DESIGNS, short_help="What other tools print, and why.")
@click.argument("design", type=DesignType())
@reading_options
@output_options(RECONCILIATIONS)
@click.pass_obj
def command(settings: Settings, design: str, reading: Reading, targets: list[Target]) -> None:
    """Show what other tools print for DESIGN, and the terms that make it up.

    Every total is the sum of its terms: the multiplies that report counts, and
    what the tool adds to them or misses. What depends on how a model's source
    is written (a module, a function, an operator) is said by `via` in the spec.

    \b
    Examples:
      convcalc reconcile zoo:resnet50
      convcalc reconcile zoo:vit --batch 8 --json
      convcalc reconcile model.yaml -f markdown -o reconcile.md
      convcalc report zoo:resnet50 --profile thop
    """
    from convcalc.profiles import reconcile

    (network,) = reading.networks([design])
    found = reconcile(network.graph, network.design.text, network.title, batch=reading.batch)
    write(settings, targets, lambda format_, surface: RECONCILIATIONS[format_].reconciliation(found, surface))
    warn(settings, map(describe_one, network.graph.warnings))
