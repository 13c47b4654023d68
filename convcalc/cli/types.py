"""Types of arguments and options that several commands use."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from convcalc.designs.names import parse_design
from convcalc.errors import SpecError, SpecErrors, closest_match, did_you_mean, quoted
from convcalc.quantities import intended_quantity, parse_positive_integer

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from convcalc.spec.document.syntax_tree import Document

    AnyType = click.ParamType[Any]
    Choice = click.Choice[str]
else:  # there are releases of click in which they are not generic yet
    AnyType, Choice = click.ParamType, click.Choice


class TextParamType(AnyType):
    """A text that is read as a value; what is no text, such as a default, is one already."""

    name = "text"

    def read(self, text: str) -> Any:
        """Return the value of a text.

        Raises:
            BadParameter: what is wrong with it; or a ``SpecError``, which becomes one.
        """
        return text

    def known(self, ctx: click.Context | None, incomplete: str = "") -> Iterable[str]:
        """Return words that may be given, of which those are shown that complete what is typed."""
        return ()

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            return self.read(value) if isinstance(value, str) else value
        except SpecError as error:
            raise click.BadParameter(f"{error.text} ({error.hint})" if error.hint else error.text) from None

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
        return completions(incomplete, self.known(ctx, incomplete))


class WordType(TextParamType, Choice):
    """A choice that names the nearest word to a wrong one."""

    def read(self, text: str) -> str:
        if text not in self.choices:
            known = ", ".join(self.choices)
            raise click.BadParameter(f"{quoted(text)} is not one of {known}{did_you_mean(text, self.choices)}")
        return text

    def known(self, ctx: click.Context | None, incomplete: str = "") -> Iterable[str]:
        return self.choices


class PositiveInt(TextParamType):
    """An integer from 1, written as quantities are: ``32``, ``1k``, ``1e3``."""

    def read(self, text: str) -> int:
        number = parse_positive_integer(text.strip())
        if number is None:
            near = intended_quantity(text.strip())
            meant = f"; did you mean {quoted(near)}?" if near and parse_positive_integer(near) else ""
            raise click.BadParameter(f"{quoted(text)} is not a positive integer{meant}")
        return number


class FilePath(TextParamType):
    """``click.Path`` of a file, or of a folder that exists, made when needed: it asks for translations of its name."""

    envvar_list_splitter = os.path.pathsep

    def __init__(self, *, folder: bool = False) -> None:
        self.folder = folder

    def read(self, text: str) -> str:
        return str(self._made().convert(text, None, None))

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
        return self._made().shell_complete(ctx, param, incomplete)

    def _made(self) -> click.Path:
        return click.Path(exists=self.folder, file_okay=not self.folder)


def texts_of(values: Iterable[Any]) -> Iterator[str]:
    """Give every text among a command's arguments: names of designs and budgets, and others."""
    for value in values:
        if isinstance(value, str):
            yield value
        elif isinstance(value, tuple | list):
            yield from texts_of(value)


def completions(incomplete: str, words: Iterable[str]) -> list[CompletionItem[str]]:
    """Return the words that complete what is typed."""
    from click.shell_completion import CompletionItem  # costs start-up time, and only a shell needs it

    return [CompletionItem(word) for word in words if word.startswith(incomplete)]


class LazyChoice(TextParamType):
    """One of words that are loaded only when needed; unless the list is ``closed``, other texts are allowed too."""

    def __init__(self, words: Callable[[], Sequence[str]], *, closed: bool) -> None:
        self.words, self.closed = words, closed

    def read(self, text: str) -> str:
        return WordType(self.words()).read(text) if self.closed else text

    def known(self, ctx: click.Context | None, incomplete: str = "") -> Iterable[str]:
        return self.words()


class SpecName(TextParamType):
    """A text that begins with a name of the spec that is on the line, or a list of such names: they are completed."""

    def __init__(
        self, words: Callable[[Document], Iterable[str]], *, listed: bool = False, alone: Sequence[str] = ()
    ) -> None:
        self.words, self.listed, self.alone = words, listed, alone

    def known(self, ctx: click.Context | None, incomplete: str = "") -> Iterable[str]:
        from convcalc.designs.sources import open_spec

        assert ctx
        given = (ctx.params.get("design"), *(ctx.params.get("designs") or ctx.params.get("paths") or ()), *ctx.args)
        design = next((text for text in given if text and not text.startswith("-")), None)
        try:
            words = list(self.words(open_spec(parse_design(design).file).document)) if design else []
        except (SpecError, SpecErrors):
            return []
        before, comma, _ = incomplete.rpartition(",") if self.listed else ("", "", "")
        words = [word for word in words if word not in before.split(",")]
        return [*("" if comma else self.alone), *(f"{before}{comma}{word}" for word in words)]


class OptionOfAll(click.Option):
    """An option that every command has, and no command reads: where it is not given, there is nothing to do."""

    def handle_parse_result(
        self, ctx: click.Context, opts: Mapping[str, Any], args: list[str]
    ) -> tuple[Any, list[str]]:
        return super().handle_parse_result(ctx, opts, args) if self.name in opts else (None, args)


class OptionalWord(click.Option):
    """An option that takes one of its words, and without any of them behind it means ``alone``."""

    def __init__(self, *args: Any, alone: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.alone = alone

    def written_out(self, args: Sequence[str]) -> list[str]:
        """Return arguments of a command line in which the option never stands alone."""
        end = args.index("--") if "--" in args else len(args)
        words = self.type.choices if isinstance(self.type, click.Choice) else ()
        follows = [*args[1:], ""]

        def is_value(word: str) -> bool:
            """Whether it is one of the words, or one of them mistyped and no design."""
            return word in words or (word.isalnum() and not os.path.exists(word) and closest_match(word, words) != "")

        return [
            f"{arg}={self.alone}" if arg in self.opts and place < end and not is_value(follows[place]) else arg
            for place, arg in enumerate(args)
        ]
