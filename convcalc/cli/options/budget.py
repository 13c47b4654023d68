"""The budget file of a command: named, or found from the current folder upward."""

from __future__ import annotations

import os

import click

from convcalc.budget.file.reader import find_budget_file, read_budget_file
from convcalc.budget.file.types import BudgetFile
from convcalc.designs.names import BUDGET
from convcalc.repository_paths import path_from_cwd

budget_option = click.option(
    "--budget", metavar="PATH", type=click.Path(),
    help=f"Budget file; default: {BUDGET} here or in a parent folder.",
)  # fmt: skip


def budget_file(path: str | None) -> BudgetFile:
    """Read the budget file.

    Raises:
        SpecErrors: what is wrong with it.
    """
    found = path or find_budget_file(os.getcwd())
    if found is None:
        raise click.ClickException(f"no {BUDGET} here or in a parent folder; name one with --budget")
    return read_budget_file(path_from_cwd(found))
