"""``convcalc schema``."""

from __future__ import annotations

import click

from convcalc.cli.group import Command, GeneralOptions
from convcalc.cli.output.targets import one_target, output_option, write
from convcalc.cli.types import WordType
from convcalc.schemas import NAMES, schema


@click.command("schema", cls=Command, short_help="Print JSON Schemas of specs, budgets and JSON output.")
@click.argument("name", type=WordType(NAMES), metavar="NAME")
@output_option("Write to a .json file.")
@click.pass_obj
def command(settings: GeneralOptions, name: str, output: str | None) -> None:
    """Print the JSON Schema (draft-07) NAME: spec for editors; the others for what -f json writes.

    \b
    With the YAML language server (VS Code, Neovim, …) a spec is completed and
    checked while it is written:
      convcalc schema spec -o convcalc-spec.schema.json
    and as the first line of the spec:
      # yaml-language-server: $schema=./convcalc-spec.schema.json
    """
    write(settings, [one_target("json", output)], lambda *_: schema(name))
