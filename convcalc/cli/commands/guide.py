"""``convcalc guide``."""

from __future__ import annotations

import click

from convcalc.cli.group import Command, GeneralOptions
from convcalc.cli.output.targets import OutputTarget, write
from convcalc.cli.types import WordType
from convcalc.guide.guides import contents, guide, guides
from convcalc.render.tables.rich_console import markdown


@click.command("guide", cls=Command, short_help="Print a guide: CI, sweeps, formulas, Python and others.")
@click.argument("name", type=WordType(guides()), required=False, metavar="[NAME]")
@click.pass_obj
def command(settings: GeneralOptions, name: str | None) -> None:
    """Print the guide NAME, or the list of all guides.

    Formatted on a terminal; Markdown in a pipe or a file.

    \b
    Examples:
      convcalc guide
      convcalc guide ci
      convcalc guide language > language.md
    """
    write(settings, [OutputTarget("text")], lambda _, surface: markdown(guide(name), surface) if name else contents())
