"""``convcalc baseline``: the only commands that write a baseline."""

from __future__ import annotations

import click

from convcalc.budget.baseline.file import to_text
from convcalc.budget.baseline.update import BaselineUpdate, tighten, write
from convcalc.budget.check.accept import accept
from convcalc.budget.check.file_judge import Options
from convcalc.cli.group import Command, CommandGroup, GeneralOptions
from convcalc.cli.options.limits import budget_file, budget_option
from convcalc.cli.options.reading import lib_option
from convcalc.cli.output.progress import progress
from convcalc.cli.output.targets import write_file
from convcalc.errors import escape
from convcalc.paths import path_from_cwd


@click.group("baseline", cls=CommandGroup, short_help="Update the baseline that budgets compare with.")
def command() -> None:
    """Update the baseline that growth limits and ratchets compare with.

    Nothing is written if a spec is invalid. No other command writes a baseline.

    \b
    Examples:
      convcalc baseline COMMAND -h
    """


@command.command("write", cls=Command, short_help="Rewrite the baseline from current counts.")
@budget_option
@lib_option
@click.pass_obj
def write_command(settings: GeneralOptions, budget: str | None, lib: tuple[str, ...]) -> None:
    """Rewrite the baseline from the current counts of all designs of all budgets.

    Accepted values are dropped: the new counts include them.
    """
    file = budget_file(budget)
    _write_update(write(file, libraries=lib, advance=lambda names: progress(settings, names, "Counting")), anew=True)


@command.command("tighten", cls=Command, short_help="Lower baseline values of ratchets where designs shrank.")
@budget_option
@lib_option
def tighten_command(budget: str | None, lib: tuple[str, ...]) -> None:
    """Lower baseline values of ratchets where designs shrank. Never adds or raises values.

    Intended for a job that commits the file after each merge.
    """
    _write_update(tighten(budget_file(budget), libraries=lib))


@command.command("accept", cls=Command, short_help="Accept growth under budgets, with a reason.")
@click.argument("ids", nargs=-1, required=True, metavar="ID…")
@click.option("--reason", required=True, metavar="TEXT", help="Reason, stored with the values.")
@click.option("--design", metavar="GLOB", help="Accept only for these designs.")
@budget_option
@lib_option
def accept_command(
    ids: tuple[str, ...], reason: str, design: str | None, budget: str | None, lib: tuple[str, ...]
) -> None:
    """Accept the current values that exceed growth limits or ratchets of the budgets with these ids.

    Only growth and ratchets can be accepted; change a fixed limit in the budget file.
    """
    if not reason.strip():
        raise click.UsageError("--reason is empty")
    _write_update(accept(budget_file(budget), ids, reason.strip(), design=design, options=Options(libraries=lib)))


def _write_update(update: BaselineUpdate, *, anew: bool = False) -> None:
    """Write the file if something is new, and say what."""
    name = escape(path_from_cwd(update.path))
    if not update.changes and not anew:
        click.echo(f"{name} is up to date")
        return
    write_file(update.path, to_text(update.file))
    click.echo("\n".join([f"{name} written", *(f"  {escape(line)}" for line in update.changes)]))
