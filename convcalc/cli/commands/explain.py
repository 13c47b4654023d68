"""``convcalc explain``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from convcalc.cli.group import DESIGN_NAMES_HELP, Command, GeneralOptions
from convcalc.cli.options.designs import DesignType, print_warnings
from convcalc.cli.options.reading import DesignOptions, design_options
from convcalc.cli.output.targets import OutputTarget, output_options, write
from convcalc.cli.types import completions
from convcalc.designs.names import NOT_FILES, parse_design
from convcalc.errors import Span, SpecError, SpecErrors, quoted
from convcalc.guide.pages import WIDTH
from convcalc.guide.topics import find_pages, suggest_word, word_list, words
from convcalc.render import EXPLANATIONS, Surface
from convcalc.render.tables.blocks import fit_message
from convcalc.render.tables.characters import Characters

if TYPE_CHECKING:
    from collections.abc import Sequence

    from click.shell_completion import CompletionItem

    from convcalc.guide.topics import Page


class TopicType(DesignType):
    """A word that has a page, or a design."""

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
        found, designs = completions(incomplete, words()), super().shell_complete(ctx, param, incomplete)
        return [*found, *(one for one in designs if one.type == "plain")] if found else designs


@click.command(
    "explain",
    cls=Command,
    epilog=DESIGN_NAMES_HELP,
    short_help="Explain a layer's numbers, an error code or a layer type.",
)
@click.argument("topic", type=TopicType(), required=False, metavar="[DESIGN|WORD]")
@click.argument("rest", nargs=-1, metavar="[PATH]")
@design_options
@output_options(EXPLANATIONS)
@click.pass_obj
def command(
    settings: GeneralOptions, topic: str | None, rest: tuple[str, ...], reading: DesignOptions,
    targets: list[OutputTarget],
) -> None:  # fmt: skip
    """Explain the numbers of a layer, or the meaning of a word.

    With a design: its layer at PATH (or the group at PATH, or the whole design), each number with its formula,
    substituted values and result. Words are layer types, metrics, profiles of tools, devices, error codes and other
    terms of the field; without an argument all are listed. Words take precedence; write ./conv for a file named conv.

    \b
    Examples:
      convcalc explain zoo:resnet50 stage1.block1.conv2
      convcalc explain zoo:googlenet 3a
      convcalc explain conv
      convcalc explain macs
      convcalc explain squeeze and excitation
      convcalc explain CC404
    """
    if topic is None:
        _text(settings, "the list of words", targets, [word_list])
        return
    term, is_design = " ".join([topic, *rest]), _is_design(topic)
    pages = [] if rest and is_design else find_pages(term)
    if pages:
        _text(settings, term, targets, pages)
        return
    if not is_design:
        first = f"; did you mean {quoted(topic)}?" if rest and find_pages(topic) else suggest_word(topic)
        hint = suggest_word(term.replace(" ", "-")) or first or "; `convcalc explain` lists the words that have a page"
        raise click.BadParameter(f"no design {quoted(topic)}, and no word {quoted(term)}{hint}")
    if len(rest) > 1:
        raise click.UsageError(f"a design is followed by one PATH, not by {quoted(' '.join(rest))}")
    from convcalc.explain import explain

    (network,) = reading.networks([topic])
    try:
        explanation = explain(network, "".join(rest), batch=reading.batch, dtype=reading.dtype)
    except SpecError as error:
        error.span = error.span or Span(network.source)
        raise SpecErrors([error]) from None
    write(settings, targets, lambda format_, surface: EXPLANATIONS[format_].explanation(explanation, surface))
    print_warnings(settings, explanation.warnings)


def _is_design(topic: str) -> bool:
    file = parse_design(topic).file
    return file == "-" or file.startswith(NOT_FILES) or os.path.exists(file) or os.path.splitext(file)[1] != ""


def _text(settings: GeneralOptions, word: str, targets: list[OutputTarget], pages: Sequence[Page]) -> None:
    """Write pages one behind the other."""

    def render(format_: str, surface: Surface) -> str:
        width = surface.width or WIDTH
        text = "\n".join(page(width if settings.width else min(width, WIDTH)) for page in pages)
        return fit_message(text, surface.width, Characters(surface.ascii_only))

    if any(target.format != "text" for target in targets):
        raise click.UsageError(f"{word} has a page of text; other formats are for designs")
    write(settings, targets, render)
