"""``convcalc explain``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from convcalc.cli._group import Command, Settings
from convcalc.cli._output import Target, write
from convcalc.cli._types import ParamType, beginning
from convcalc.errors import did_you_mean, quoted
from convcalc.pages import WIDTH, error_codes, error_page, kind_page, kind_words
from convcalc.render import Surface

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


class Topic(ParamType[str]):
    """An error code or a kind of layer."""

    name = "topic"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        word = next((word for word in (value, value.lower(), value.upper()) if word in _words()), "")
        if not word:
            guess = did_you_mean(value, _words()) or f"; kinds are {', '.join(kind_words())}"
            self.fail(f"no error code or kind of layer {quoted(value)}{guess}", param, ctx)
        return word

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
        return beginning(incomplete, _words())


def _words() -> tuple[str, ...]:
    return (*kind_words(), *error_codes())


@click.command("explain", cls=Command, short_help="An error code, or a kind of layer.")
@click.argument("topic", type=Topic(), metavar="CODE|KIND")
@click.pass_obj
def command(settings: Settings, topic: str) -> None:
    """Explain an error code or a kind of layer: what it means, how it is written, what it counts.

    \b
    Examples:
      convcalc explain CC404
      convcalc explain conv
      convcalc explain relu
    """
    page = error_page if topic in error_codes() else kind_page

    def render(format_: str, surface: Surface) -> str:
        width = surface.width or WIDTH
        return page(topic, width if settings.width else min(width, WIDTH))

    write(settings, [Target("text")], render)
