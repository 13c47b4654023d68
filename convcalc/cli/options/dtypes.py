"""``--dtype``: one data type for all layers, and others for the layers that globs match."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import click

from convcalc.cli.types import WordType
from convcalc.dtypes import BIT_WIDTHS
from convcalc.errors import quoted


class DtypeType(WordType):
    """A data type, or one for the layers whose paths a glob matches: ``stage1.**=int8``."""

    name = "format"

    def __init__(self) -> None:
        super().__init__(tuple(BIT_WIDTHS))

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        glob, equals, name = str(value).rpartition("=")
        if equals and (not glob.strip() or "," in glob or "=" in glob):
            self.fail(f"{quoted(value)} is not GLOB=NAME, such as 'stage1.**=int8'", param, ctx)
        return f"{glob}{equals}{super().convert(name, param, ctx)}"


def _dtype_texts(context: click.Context, parameter: click.Parameter, values: Sequence[str]) -> tuple[str, ...]:
    """Return every format, with all exceptions, as one text; the last one of equal ones counts."""
    usual = list(dict.fromkeys(value for value in reversed(values) if "=" not in value))[::-1] or ["float32"]
    return tuple(", ".join([each, *(value for value in values if "=" in value)]) for each in usual)


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
                        show_default=True, metavar="[GLOB=]NAME", help=words)  # fmt: skip
