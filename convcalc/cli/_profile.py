"""``--profile``: a tool's way of counting beside ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from convcalc.cli._types import ParamType, Word, beginning

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from convcalc.designs import Network
    from convcalc.report import Report


class ProfileType(ParamType[str]):
    """The key of a profile; the profiles load only where one is named."""

    name = "name"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from convcalc.profiles import names

        return Word(names()).convert(value, param, ctx)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
        from convcalc.profiles import names

        return beginning(incomplete, names())


profile_option = click.option(
    "--profile", type=ProfileType(), metavar="NAME", help="Add what a tool prints, such as fvcore or thop."
)


def profiled(report: Report, network: Network, name: str | None) -> Report:
    """Return a report with a tool's counts as one more metric, if a tool is named."""
    if name is None:
        return report
    from convcalc.profiles import find
    from convcalc.profiles import profiled as counted

    return counted(report, network.graph, find(name))
