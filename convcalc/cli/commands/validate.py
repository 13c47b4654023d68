"""``convcalc validate``."""

from __future__ import annotations

import json
from collections.abc import Sequence

import click

from convcalc.cli import ERROR, SUCCESS
from convcalc.cli.group import Command, GeneralOptions
from convcalc.cli.options.designs import SpecType, print_warnings
from convcalc.cli.options.reading import lib_option
from convcalc.cli.output.targets import OutputTarget, output_options, write
from convcalc.designs.patterns import spec_files
from convcalc.designs.validation import ValidationResult, validate_file
from convcalc.errors import escape, format_errors
from convcalc.render.tables.blocks import fit_message
from convcalc.render.tables.characters import Characters
from convcalc.render.tables.surface import Surface


@click.command("validate", cls=Command, short_help="Check the syntax and shapes of specs and their variants.")
@click.argument("paths", nargs=-1, required=True, type=SpecType(), metavar="PATH…")
@lib_option
@output_options(("text", "concise", "json"))
@click.pass_obj
def command(settings: GeneralOptions, paths: tuple[str, ...], lib: tuple[str, ...], targets: list[OutputTarget]) -> int:
    """Check the syntax and shapes of spec files, and of the specs in folders or matched by quoted globs.

    Every variant is checked and all errors are listed; the exit code is 2 if a spec is invalid.

    \b
    Examples:
      convcalc validate model.yaml
      convcalc validate specs -f concise
      convcalc validate 'specs/**/mo*.yaml'
      convcalc validate - < model.yaml
    """
    checked = [validate_file(path, libraries=lib) for path in spec_files(paths)]
    write(settings, targets, lambda format_, surface: _FORMATS[format_](checked, surface))
    print_warnings(settings, (warning for one in checked for warning in one.warnings))
    return ERROR if any(one.errors for one in checked) else SUCCESS


def _text(checked: Sequence[ValidationResult], surface: Surface) -> str:
    lines = []
    for one in checked:
        variants = f" ({', '.join(one.variants)})" if one.variants else ""
        lines.append(format_errors(one.errors) if one.errors else f"{escape(one.file)}: valid{variants}")
    invalid = sum(bool(one.errors) for one in checked)
    lines.append(f"{len(checked)} spec{'s' if len(checked) != 1 else ''}, {invalid} invalid")
    return fit_message("\n".join(lines), surface.width, Characters(surface.ascii_only))


def _concise(checked: Sequence[ValidationResult], surface: Surface) -> str:
    return "\n".join(str(error) for one in checked for error in one.errors)


def _json(checked: Sequence[ValidationResult], surface: Surface) -> str:
    specs = [{"file": one.file, "valid": not one.errors, "variants": list(one.variants)} for one in checked]
    errors = []
    for error in (error for one in checked for error in one.errors):
        place = {"file": error.span.file, "line": error.span.line, "column": error.span.column} if error.span else {}
        errors.append({"code": error.code, "text": error.text, **place, "hint": error.hint})
    return json.dumps({"schema_version": 1, "specs": specs, "errors": errors}, indent=1)


_FORMATS = {"text": _text, "concise": _concise, "json": _json}
