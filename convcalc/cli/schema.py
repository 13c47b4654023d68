"""``convcalc schema``."""

from __future__ import annotations

import click

from convcalc.cli._group import Command, Settings, Word
from convcalc.cli._output import Target, write
from convcalc.schemas import NAMES, schema


@click.command("schema", cls=Command, short_help="JSON Schemas of specs and of machine output.")
@click.argument("name", type=Word(NAMES), metavar="NAME")
@click.option("-o", "--output", metavar="PATH", help="Write to a file.")
@click.pass_obj
def command(settings: Settings, name: str, output: str | None) -> None:
    """Print a JSON Schema (draft-07): spec (what editors complete and check), report, compare.

    \b
    For VS Code and other editors with yaml-language-server:
      convcalc schema spec -o convcalc-spec.schema.json
      # yaml-language-server: $schema=./convcalc-spec.schema.json
    """
    write(settings, [Target("json", output if output != "-" else None)], lambda *_: schema(name))
