"""``convcalc explain``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from convcalc.cli.group import DESIGNS, Command, Settings
from convcalc.cli.options.designs import DesignType, Reading, reading_options, warn
from convcalc.cli.output.targets import Target, output_options, write
from convcalc.cli.types import beginning
from convcalc.designs.names import ZOO, parse_design
from convcalc.errors import Span, SpecError, SpecErrors, quoted
from convcalc.guide.pages import WIDTH, error_codes, error_page, kind_page, kind_words
from convcalc.render import EXPLANATIONS, Surface

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


class Topic(DesignType):
    """An error code, a kind of layer, or a design."""

    name = "topic"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
        return beginning(incomplete, _words()) or super().shell_complete(ctx, param, incomplete)


def _words() -> tuple[str, ...]:
    return (*kind_words(), *error_codes())


@click.command(
    "explain", cls=Command, epilog=DESIGNS, short_help="A number of a design, an error code, a kind of layer."
)
@click.argument("topic", type=Topic(), metavar="DESIGN|CODE|KIND")
@click.argument("path", required=False, metavar="[PATH]")
@reading_options
@output_options(EXPLANATIONS)
@click.pass_obj
def command(settings: Settings, topic: str, path: str | None, reading: Reading, targets: list[Target]) -> None:
    """Explain where the numbers of a layer come from, or what an error code or a kind of layer means.

    With a design: its layer at PATH (or all below it, or the whole design), every number with the formula, the values
    put in and the result. A word that is a code or a kind is that; write ./conv for a file of such a name.

    \b
    Examples:
      convcalc explain zoo:resnet50 stage1.block1.conv2
      convcalc explain zoo:googlenet 3a
      convcalc explain CC404
      convcalc explain conv
    """
    word = next((word for word in (topic, topic.lower(), topic.upper()) if word in _words()), "")
    if word and path is None:
        _page(settings, word, targets)
        return
    if not _is_design(topic):
        from convcalc.spec.document.foreign_names import guess  # only what is wrong needs it

        said, hint = guess(topic, _words())
        near = said or (f"; {hint}" if hint else "") or f"; kinds are {', '.join(kind_words())}"
        raise click.BadParameter(f"no design, error code or kind of layer {quoted(topic)}{near}")
    _design(settings, topic, path, reading, targets)


def _is_design(topic: str) -> bool:
    file = parse_design(topic).file
    return file == "-" or file.startswith(ZOO) or os.path.exists(file) or os.path.splitext(file)[1] != ""


def _design(settings: Settings, topic: str, path: str | None, reading: Reading, targets: list[Target]) -> None:
    from convcalc.explain import explain

    (network,) = reading.networks([topic])
    try:
        explanation = explain(network, path or "", batch=reading.batch, dtype=reading.dtype)
    except SpecError as error:
        error.span = error.span or Span(network.source)
        raise SpecErrors([error]) from None
    write(settings, targets, lambda format_, surface: EXPLANATIONS[format_].explanation(explanation, surface))
    warn(settings, explanation.warnings)


def _page(settings: Settings, word: str, targets: list[Target]) -> None:
    page = error_page if word in error_codes() else kind_page

    def render(format_: str, surface: Surface) -> str:
        width = surface.width or WIDTH
        return page(word, width if settings.width else min(width, WIDTH))

    if any(target.format != "text" for target in targets):
        raise click.UsageError(f"{word} has a page of text; other formats are for designs")
    write(settings, targets, render)
