"""Options that name metrics: which to show, by which to sort, in which rows are Pareto-optimal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import click

from convcalc.cli.options.designs import profile_keys
from convcalc.cli.types import PositiveInt, TextParamType, WordType
from convcalc.errors import quoted
from convcalc.records import NamedTuple
from convcalc.report.fold import TEXT_SORT_KEYS


class ColumnChoice(NamedTuple):
    """Keys of metrics, in place of the default ones or beside them."""

    keys: tuple[str, ...] = ()
    adds: bool = True

    def over(self, usual: Iterable[str]) -> tuple[str, ...]:
        """Return the metrics that are shown, for a default."""
        return tuple(dict.fromkeys([*(usual if self.adds else ()), *self.keys]))


def split_columns(
    columns: ColumnChoice, whole: Sequence[str], profile: str | None
) -> tuple[ColumnChoice, tuple[str, ...]]:
    """Return the columns of layers, with that of ``--profile``, and the metrics that only whole designs have."""
    keys = [key for key in columns.keys if key not in whole]
    adds = columns.adds or not keys
    layers = ColumnChoice(tuple(dict.fromkeys([*keys, *([profile] if profile else [])])), adds)
    return layers, tuple(key for key in columns.keys if key in whole)


class MetricKeyType(WordType):
    """The key of a metric; where a report is made, that of a profile too: they load only for a key of theirs."""

    def __init__(self, keys: Sequence[str], *, profiles: bool = False) -> None:
        super().__init__(keys)
        self.profiles = profiles

    def read(self, text: str) -> str:
        if self.profiles and text not in self.choices and text in profile_keys():
            return text
        if text not in self.choices:
            from convcalc.spec.document.foreign_names import names, plain  # only mistakes need them

            if (meant := names().metrics.get(plain(text), "")) in self.choices:
                raise click.BadParameter(f"{quoted(text)} is no metric; did you mean {quoted(meant)}?")
        return super().read(text)

    def known(self, ctx: click.Context | None, incomplete: str = "") -> Sequence[str]:
        return (*self.choices, *(profile_keys() if self.profiles else ()))


class AxisKeyType(MetricKeyType):
    """The key of a metric, or the name of an axis of the same sweep, which goes before it."""

    def read(self, text: str) -> str:
        return WordType(self.known(click.get_current_context(silent=True))).read(text)

    def known(self, ctx: click.Context | None, incomplete: str = "") -> Sequence[str]:
        return (*axis_names(ctx), *self.choices)


def axis_names(ctx: click.Context | None) -> list[str]:
    """Return the names of the axes of a sweep, which are read before its other options."""
    given = ctx.params if ctx else {}
    texts = [*(given.get("axes") or ()), *(ctx.args if ctx else ())]  # for completion, those that are left unread
    names = [text.partition("=")[0].strip() for text in texts if "=" in text]
    return names if given.get("variants") is None else ["variant", *names]


class MetricListType(TextParamType):
    """``KEY,KEY…``, or ``+KEY,KEY…`` for what is added to the usual ones; ``signed`` ones may have a minus each."""

    def __init__(self, key: MetricKeyType, *, signed: bool = False) -> None:
        self.key, self.signed = key, signed

    def read(self, text: str) -> ColumnChoice:
        adds = not self.signed and text.startswith("+")
        keys = [key.strip() for key in text.removeprefix("+" if adds else "").split(",")]
        return ColumnChoice(tuple(dict.fromkeys(map(self._key, keys))), adds)

    def _key(self, text: str) -> str:
        sign = "-" if self.signed and text.startswith("-") else ""
        return sign + self.key.read(text.removeprefix(sign))

    def known(self, ctx: click.Context | None, incomplete: str = "") -> Iterable[str]:
        before, comma, last = incomplete.rpartition(",")
        sign = last[:1] if last[:1] == ("-" if self.signed else "+" * (not comma)) else ""
        return [f"{before}{comma}{sign}{metric}" for metric in self.key.known(ctx)]


class SortKey(NamedTuple):
    """By what rows are sorted, and whether the largest comes first."""

    key: str
    descending: bool = True

    @property
    def signed(self) -> str:
        """The key, with a minus where larger is better."""
        return f"-{self.key}" if self.descending else self.key


class SortType(TextParamType):
    """``KEY``, ``KEY:asc`` or ``KEY:desc``: a metric sorts largest first by default, and with ``-KEY``."""

    def __init__(self, key: MetricKeyType) -> None:
        self.key = key

    def read(self, text: str) -> SortKey:
        key, colon, order = text.removeprefix("-").partition(":")
        signed = text.startswith("-")
        known = self.key.read(key.strip())
        if colon and order not in ("asc", "desc"):
            raise click.BadParameter(f"{quoted(text)} is not one of {known}, {known}:asc and {known}:desc")
        if signed and order == "asc":
            raise click.BadParameter(f"{quoted(text)} combines a minus (largest first) with asc (smallest first)")
        return SortKey(known, signed or order == "desc" or (not order and known not in TEXT_SORT_KEYS))

    def known(self, ctx: click.Context | None, incomplete: str = "") -> Iterable[str]:
        key, colon, _ = incomplete.partition(":")
        return [f"{key}:{order}" for order in ("asc", "desc")] if colon else self.key.known(ctx)


def columns_option(key: MetricKeyType, words: str) -> Callable[..., Any]:
    """``--columns``, with what there is to choose from; ``+KEY,…`` adds."""
    return click.option("--columns", type=MetricListType(key), default=ColumnChoice(), metavar="[+]KEY,…", help=words)


SORT_HELP = "Sort by a metric, largest first unless :asc; ties keep their order."


def order_options(key: MetricKeyType, rows: str, *, order: str = SORT_HELP, words: str = "") -> Callable[..., Any]:
    """``--sort`` and ``--top``, of some rows."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        choice = f"Show the first N {rows} by --sort, else those largest in the first metric{words}."
        top = click.option("--top", type=PositiveInt(), metavar="N", help=choice)
        return click.option("--sort", type=SortType(key), metavar="KEY[:asc|desc]", help=order)(top(command))

    return decorate


def pareto_option(key: MetricKeyType, rows: str, ties: str) -> Callable[..., Any]:
    """``--pareto``, with what becomes of ties."""
    best = f"Keep the Pareto-optimal {rows} in these metrics: smaller is better; -KEY: larger."
    return click.option("--pareto", type=MetricListType(key, signed=True), metavar="[-]KEY,…", help=f"{best} {ties}")
