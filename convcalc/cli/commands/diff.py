"""``convcalc diff``."""

from __future__ import annotations

import os

import click

from convcalc.budget.diff.revisions import diff
from convcalc.cli import ERROR, SUCCESS, print_error
from convcalc.cli.group import Command, GeneralOptions
from convcalc.cli.options.designs import SpecType
from convcalc.cli.options.reading import lib_option
from convcalc.cli.output.progress import progress
from convcalc.cli.output.targets import OutputTarget, output_options, shows_errors, write
from convcalc.errors import format_errors
from convcalc.git.commit_tree import CommitTree
from convcalc.git.repository import Repository
from convcalc.render import DIFFS


@click.command("diff", cls=Command, short_help="Show what changed since a git revision.")
@click.argument("words", nargs=-1, type=SpecType(), metavar="[REV] [PATH…]")
@click.option("--base", metavar="REV", help="Target branch of the merge; default: from CI variables or origin.")
@lib_option
@output_options(DIFFS)
@click.pass_obj
def command(
    settings: GeneralOptions,
    words: tuple[str, ...],
    base: str | None,
    lib: tuple[str, ...],
    targets: list[OutputTarget],
) -> int:
    """Compare the specs in files, folders and globs (default: the current folder) with their state at a git revision.

    REV defaults to the merge base with the target branch, else HEAD. If the first argument exists as a path, it is a
    path. Specs that import a changed file are included.

    \b
    Examples:
      convcalc diff
      convcalc diff HEAD~1 specs
      convcalc diff HEAD model.yaml -f markdown -o diff.md
    """
    has_revision = bool(words) and not os.path.lexists(words[0])
    paths = words[has_revision:] or (".",)
    repository = Repository(".")
    if has_revision or (base is None and repository.has_no_target_branch()):
        commit = repository.commit(words[0] if has_revision else "HEAD")
    else:
        commit = repository.merge_base(base)
    found = diff(
        CommitTree(repository, commit, lib),
        paths,
        libraries=lib,
        advance=lambda files: progress(settings, list(files), "Comparing"),
    )
    write(settings, targets, lambda format_, surface: DIFFS[format_].diff(found, surface))
    if found.errors and not shows_errors(targets, ["json", "markdown"]):
        print_error(format_errors(found.errors))
    return ERROR if found.errors else SUCCESS
