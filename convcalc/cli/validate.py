"""``convcalc validate``."""

from __future__ import annotations

import json

import click

from convcalc.cli import UNUSABLE
from convcalc.cli._designs import spec_files
from convcalc.cli._group import Command, Settings
from convcalc.cli._output import Target, output_options, write
from convcalc.designs import Checked, check_file
from convcalc.errors import SpecError, describe


@click.command("validate", cls=Command, short_help="Parse and shape-check specs, with all their variants.")
@click.argument("paths", nargs=-1, required=True, metavar="PATH…")
@click.option("--lib", multiple=True, metavar="DIR", type=click.Path(exists=True, file_okay=False), help="A folder that specs may import from.")
@output_options(("text", "concise", "json"))
@click.pass_obj
def command(settings: Settings, paths: tuple[str, ...], lib: tuple[str, ...], targets: list[Target]) -> int:
    """Parse and shape-check spec files and the specs in folders, with every variant. Ends with 2 when one is broken."""
    checked = [check_file(path, libraries=lib) for path in spec_files(paths)]
    write(settings, targets, lambda format_, _: _FORMATS[format_](checked))
    if not settings.quiet:
        for warning in dict.fromkeys(warning for one in checked for warning in one.warnings):
            click.echo(warning, err=True)
    return UNUSABLE if any(one.errors for one in checked) else 0


def _text(checked: list[Checked]) -> str:
    lines = []
    for one in checked:
        variants = f" ({', '.join(one.variants)})" if one.variants else ""
        lines.append(describe(one.errors) if one.errors else f"{one.file}: fine{variants}")
    broken = sum(bool(one.errors) for one in checked)
    lines.append(f"{len(checked)} spec{'s' if len(checked) != 1 else ''}, {broken} broken")
    return "\n".join(lines)


def _concise(checked: list[Checked]) -> str:
    return "\n".join(str(error) for one in checked for error in one.errors)


def _json(checked: list[Checked]) -> str:
    specs = [{"file": one.file, "valid": not one.errors, "variants": list(one.variants)} for one in checked]
    errors = [_error(error) for one in checked for error in one.errors]
    return json.dumps({"schema_version": 1, "specs": specs, "errors": errors}, indent=1)


def _error(error: SpecError) -> dict[str, object]:
    span = error.span
    place = {"file": span.file, "line": span.line, "column": span.column} if span else {}
    return {"code": error.code, "text": error.text, **place, "hint": error.hint}


_FORMATS = {"text": _text, "concise": _concise, "json": _json}
