"""``--dtype``: one data type for all layers, and others for the layers that globs match."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import click

from convcalc.cli.types import TextType
from convcalc.dtypes import BIT_WIDTHS, USUAL, parse_dtype


class DtypeType(TextType):
    """Formats with commas between them, each of all layers, or of those before its ``=``: ``stage1.**=int8``."""

    def read(self, text: str) -> str:
        parse_dtype(text)
        return text

    def known(self, ctx: click.Context | None, incomplete: str = "") -> Iterable[str]:
        return BIT_WIDTHS


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
