"""Types of arguments and options that several commands use."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click

from convcalc.errors import did_you_mean, quoted
from convcalc.quantities import intended_quantity, parse_positive_integer

__all__ = ["Choice", "ParamType", "Positive", "Word", "beginning"]

if TYPE_CHECKING:
    from click import Choice, ParamType
    from click.shell_completion import CompletionItem
else:

    class Choice(click.Choice):
        """``Choice[str]``, for releases of click in which it is not generic yet."""

        def __class_getitem__(cls, item: object) -> type:
            return cls

    class ParamType(click.ParamType):
        """``ParamType[str]``, for releases of click in which it is not generic yet."""

        def __class_getitem__(cls, item: object) -> type:
            return cls


class Word(Choice[str]):
    """A choice that names the nearest word to a wrong one."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if value not in self.choices:
            known = ", ".join(self.choices)
            self.fail(f"{quoted(value)} is not one of {known}{did_you_mean(value, self.choices)}", param, ctx)
        return str(value)


class Positive(ParamType[int]):
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


def beginning(incomplete: str, words: Iterable[str]) -> list[CompletionItem[str]]:
    """Return the words that complete what is typed."""
    from click.shell_completion import CompletionItem  # costs start-up time, and only a shell needs it

    return [CompletionItem(word) for word in words if word.startswith(incomplete)]
