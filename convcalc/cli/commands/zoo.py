"""``convcalc zoo``."""

from __future__ import annotations

import click

from convcalc.cli.group import Command, GeneralOptions
from convcalc.cli.output.progress import progress
from convcalc.cli.output.row_output import open_output
from convcalc.cli.output.targets import OutputTarget, output_options
from convcalc.designs.names import zoo_paths
from convcalc.designs.zoo import listing, row, search_zoo
from convcalc.errors import did_you_mean, quoted
from convcalc.render import STREAMS


@click.command("zoo", cls=Command, short_help="List the bundled networks.")
@click.argument("words", nargs=-1, metavar="[WORD…]")
@output_options(STREAMS)
@click.pass_obj
def command(settings: GeneralOptions, words: tuple[str, ...], targets: list[OutputTarget]) -> None:
    """List the bundled networks whose name, source or framework module contains every WORD; default: all.

    Each is a design for every command: `convcalc report zoo:resnet50@101`. "Equals" names the framework module that
    has the same layers.

    \b
    Examples:
      convcalc zoo
      convcalc zoo efficientnet
      convcalc zoo timm resnet --json
    """
    found = list(search_zoo(words))
    if not found:
        unknown = (word for word in words if not any(search_zoo([word])))
        near = next(filter(None, (did_you_mean(word, zoo_paths()) for word in unknown)), "; `convcalc zoo` lists all")
        raise click.ClickException(f"no bundled network matches {quoted(' '.join(words))}{near}")
    rows = [row(one) for one in progress(settings, found, "Counting")]
    with open_output(settings, targets, listing()) as out:
        out.add(rows)
        out.end()
