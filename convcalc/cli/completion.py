"""``convcalc completion``."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from convcalc.cli._group import Command, Word, convcalc

SHELLS = ("bash", "zsh", "fish")


@click.command("completion", cls=Command, short_help="Shell completion: commands, options, designs.")
@click.argument("shell", type=Word(SHELLS), metavar="SHELL")
def command(shell: str) -> None:
    """Print the completion script of SHELL (bash, zsh or fish).

    \b
    bash:  convcalc completion bash > ~/.local/share/bash-completion/completions/convcalc
    zsh:   convcalc completion zsh > ~/.zfunc/_convcalc
    fish:  convcalc completion fish > ~/.config/fish/completions/convcalc.fish
    """
    found = get_completion_class(shell)
    assert found is not None
    click.echo(found(convcalc, {}, "convcalc", "_CONVCALC_COMPLETE").source())
