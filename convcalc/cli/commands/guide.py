"""``convcalc guide``."""

from __future__ import annotations

import click

from convcalc.cli.group import Command, GeneralOptions
from convcalc.cli.output.targets import OutputTarget, write
from convcalc.cli.types import WordType
from convcalc.guide.guides import contents, guide, guides
from convcalc.render.tables.blocks import fit_message
from convcalc.render.tables.characters import Characters
from convcalc.render.tables.rich_console import markdown
from convcalc.render.tables.surface import Surface


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

    def render(_: str, surface: Surface) -> str:
        if name is not None:
            return markdown(guide(name), surface)
        return fit_message(contents(), surface.width, Characters(surface.ascii_only))

    write(settings, [OutputTarget("text")], render)
