"""Types of arguments and options that several commands use."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from convcalc.designs.names import parse_design
from convcalc.errors import SpecError, SpecErrors, closest_match, did_you_mean, quoted
from convcalc.quantities import intended_quantity, parse_positive_integer

__all__ = [
    "Choice",
    "FilePath",
    "LazyChoice",
    "OptionOfAll",
    "OptionalWord",
    "ParamType",
    "PositiveInt",
    "SpecName",
    "WordType",
    "completions",
    "texts_of",
]

if TYPE_CHECKING:
    from click import Choice, ParamType
    from click.shell_completion import CompletionItem

    from convcalc.spec.document.syntax_tree import Document
else:

    class Choice(click.Choice):
        """``Choice[str]``, for releases of click in which it is not generic yet."""

        def __class_getitem__(cls, item: object) -> type:
            return cls

    class ParamType(click.ParamType):
        """``ParamType[str]``, for releases of click in which it is not generic yet."""

        def __class_getitem__(cls, item: object) -> type:
            return cls


class WordType(Choice[str]):
    """A choice that names the nearest word to a wrong one."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if value not in self.choices:
            known = ", ".join(self.choices)
            self.fail(f"{quoted(value)} is not one of {known}{did_you_mean(value, self.choices)}", param, ctx)
        return str(value)


class PositiveInt(ParamType[int]):
    """An integer from 1, written as quantities are: ``32``, ``1k``, ``1e3``."""

    name = "integer"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        number = parse_positive_integer(str(value).strip())
        if number is None:
            near = intended_quantity(str(value).strip())
            wrong = f"{quoted(str(value))} is not a positive integer"
            self.fail(
                f"{wrong}; did you mean {quoted(near)}?" if near and parse_positive_integer(near) else wrong, param, ctx
            )
        return number


class FilePath(ParamType[str]):
    """``click.Path`` of a file, or of a folder that exists, made when needed: it asks for translations of its name."""

    envvar_list_splitter = os.path.pathsep

    def __init__(self, *, folder: bool = False) -> None:
        self.folder = folder
        self.name = "directory" if folder else "path"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        return str(self._made().convert(value, param, ctx))

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


class LazyChoice(ParamType[str]):
    """One of words that are loaded only when needed; unless the list is ``closed``, other texts are allowed too."""

    name = "name"

    def __init__(self, words: Callable[[], Sequence[str]], *, closed: bool) -> None:
        self.words, self.closed = words, closed

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        return WordType(self.words()).convert(value, param, ctx) if self.closed else str(value)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
        return completions(incomplete, self.words())


class SpecName(ParamType[str]):
    """A text that begins with a name of the spec that is on the line, or a list of such names: they are completed."""

    name = "name"

    def __init__(
        self, words: Callable[[Document], Iterable[str]], *, listed: bool = False, alone: Sequence[str] = ()
    ) -> None:
        self.words, self.listed, self.alone = words, listed, alone

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
        from convcalc.designs.sources import open_spec

        given = (ctx.params.get("design"), *(ctx.params.get("designs") or ctx.params.get("paths") or ()), *ctx.args)
        design = next((text for text in given if text and not text.startswith("-")), None)
        try:
            words = list(self.words(open_spec(parse_design(design).file).document)) if design else []
        except (SpecError, SpecErrors):
            return []
        before, comma, _ = incomplete.rpartition(",") if self.listed else ("", "", "")
        words = [word for word in words if word not in before.split(",")]
        return completions(incomplete, [*("" if comma else self.alone), *(f"{before}{comma}{word}" for word in words)])


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
