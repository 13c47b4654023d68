"""``convcalc reconcile``."""

from __future__ import annotations

import click

from convcalc.cli.group import DESIGN_NAMES_HELP, Command, GeneralOptions
from convcalc.cli.options.designs import DesignType, print_warnings
from convcalc.cli.options.reading import DesignOptions, design_options
from convcalc.cli.output.targets import OutputTarget, output_options, write
from convcalc.errors import format_error
from convcalc.render import RECONCILIATIONS


@click.command(
    "reconcile", cls=Command, epilog=DESIGN_NAMES_HELP, short_help="Explain the counts that other tools report."
)
@click.argument("design", type=DesignType())
@design_options
@output_options(RECONCILIATIONS)
@click.pass_obj
def command(settings: GeneralOptions, design: str, reading: DesignOptions, targets: list[OutputTarget]) -> None:
    """Show the count that each tool reports for DESIGN as a sum of terms.

    The terms are the multiplies that `report` counts, and what the tool adds or
    misses. Where a tool's count depends on how the model's source is written (a
    module, a function, an operator), that is set with `via` in the spec.

    \b
    Examples:
      convcalc reconcile zoo:resnet50
      convcalc reconcile zoo:vit --batch 8 --json
      convcalc reconcile model.yaml -f markdown -o reconcile.md
      convcalc report zoo:resnet50 --profile thop
    """
    from convcalc.profiles import reconcile

    (network,) = reading.networks([design])
    network.require_counted()
    found = reconcile(network.graph, network.design.text, network.title, batch=reading.batch)
    found = found._replace(given_inputs=network.given_inputs)
    write(settings, targets, lambda format_, surface: RECONCILIATIONS[format_].reconciliation(found, surface))
    print_warnings(settings, map(format_error, network.graph.warnings))
