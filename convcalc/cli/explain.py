"""``convcalc explain``."""

from __future__ import annotations

import click
from click.shell_completion import CompletionItem

from convcalc.cli._group import Command, Settings
from convcalc.cli._output import Target, write
from convcalc.errors import did_you_mean
from convcalc.pages import error_codes, error_page, kind_page, kind_words


class Topic(click.ParamType):
    """An error code or a kind of layer."""

    name = "topic"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return [CompletionItem(word) for word in (*kind_words(), *error_codes()) if word.startswith(incomplete)]


@click.command("explain", cls=Command, short_help="An error code, or a kind of layer.")
@click.argument("topic", type=Topic(), metavar="CODE|KIND")
@click.pass_obj
def command(settings: Settings, topic: str) -> None:
    """Explain an error code (CC404) or a kind of layer (conv): formula, shapes, arguments, examples."""
    if topic.upper() in error_codes():
        text = error_page(topic.upper())
    elif topic in kind_words():
        text = kind_page(topic)
    else:
        guess = did_you_mean(topic, kind_words()) or did_you_mean(topic.upper(), error_codes())
        raise click.UsageError(f"no error code or kind of layer {topic!r}{guess}; kinds: {', '.join(kind_words())}")
    write(settings, [Target("text")], lambda *_: text)
