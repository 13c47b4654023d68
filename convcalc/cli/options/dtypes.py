"""``--dtype``: one data type for all layers, and others for the layers that globs match."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from convcalc.cli.types import ParamType, completions
from convcalc.dtypes import BIT_WIDTHS, USUAL, parse_dtype
from convcalc.errors import SpecError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


class DtypeType(ParamType[str]):
    """Formats with commas between them, each of all layers, or of those before its ``=``: ``stage1.**=int8``."""

    name = "format"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            parse_dtype(str(value))
        except SpecError as error:
            self.fail(f"{error.text} ({error.hint})", param, ctx)
        return str(value)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
        return completions(incomplete, BIT_WIDTHS)


def _dtype_texts(context: click.Context, parameter: click.Parameter, values: Sequence[str]) -> tuple[str, ...]:
    """Return each that names a format of all layers, with those that name none; the last one of equal ones counts."""
    whole = [value for value in values if any("=" not in part for part in value.split(","))]
    usual = list(dict.fromkeys(reversed(whole)))[::-1] or [USUAL]
    return tuple(", ".join([each, *(value for value in values if value not in whole)]) for each in usual)


def only_format(dtypes: tuple[str, ...]) -> str:
    """Return the data type of a command that counts for one alone.

    Raises:
        UsageError: where there are several.
    """
    if len(dtypes) > 1:
        names = " and ".join(text.partition(",")[0] for text in dtypes)
        raise click.UsageError(f"--dtype {names}: one of them is for all layers; only batch counts for several")
    return dtypes[0]


def dtype_option(words: str) -> Callable[..., Any]:
    """``--dtype``, with its help; several become one text."""
    return click.option("--dtype", type=DtypeType(), multiple=True, callback=_dtype_texts, default=("float32",),
                        show_default=True, metavar="[WHAT=]NAME,…", help=words)  # fmt: skip
