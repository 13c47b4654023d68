"""``convcalc completion``."""

from __future__ import annotations

import click
from click.shell_completion import BashComplete, ShellComplete, get_completion_class

from convcalc.cli import COMPLETION_VARIABLE, PROGRAM
from convcalc.cli.group import Command, GeneralOptions, convcalc
from convcalc.cli.output.targets import OutputTarget, write
from convcalc.cli.types import WordType

SHELLS = ("bash", "zsh", "fish")


class Bash(BashComplete):
    """Bash breaks words at ``:``, ``=`` and ``@``, which designs hold: here the line is read as it is typed.

    What comes back is a whole word; its part before the last break is on the line already and is cut off.
    """

    source_template = """\
%(complete_func)s() {
    local IFS=$'\\n' line="${COMP_LINE:0:COMP_POINT}" word kept type value
    word="${line##*[[:space:]]}"
    kept="${word%%"${word##*[:=@]}"}"
    COMPREPLY=()
    while IFS=, read -r type value; do
        value="${value#"$kept"}"
        case $type in
            plain) COMPREPLY+=("${value// /\\\\ }") ;;
            dir) compopt -o nospace; COMPREPLY+=($(compgen -d -S / -- "$value")) ;;
            file) compopt -o default ;;
        esac
    done < <(COMP_WORDS="$line" COMP_CWORD="$(wc -w <<< "${line%%"$word"}")" %(complete_var)s=bash_complete "$1")
    [[ ${#COMPREPLY[@]} -ne 1 || ${COMPREPLY[0]} == */ ]] || compopt +o nospace
}

complete -o nosort -F %(complete_func)s %(prog_name)s
"""

    def source(self) -> str:
        return ShellComplete.source(self)


@click.command("completion", cls=Command, short_help="Print a shell completion script.")
@click.argument("shell", type=WordType(SHELLS), metavar="SHELL")
@click.pass_obj
def command(settings: GeneralOptions, shell: str) -> None:
    """Print the completion script of SHELL: bash, zsh or fish.

    \b
    bash, in ~/.bashrc:
      eval "$(convcalc completion bash)"
    zsh, in ~/.zshrc:
      eval "$(convcalc completion zsh)"
    fish:
      convcalc completion fish > ~/.config/fish/completions/convcalc.fish
    """
    found = Bash if shell == "bash" else get_completion_class(shell)
    assert found is not None
    script = found(convcalc, {}, PROGRAM, COMPLETION_VARIABLE).source()
    write(settings, [OutputTarget("text")], lambda *_: script)
