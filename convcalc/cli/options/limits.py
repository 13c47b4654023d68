"""Options of limits: ``--budget``, and ``--max`` and ``--min``, which are read as those of a budget file."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import click

from convcalc.budget.file.reader import find_budget_file, read_budget_file
from convcalc.budget.file.rules import read_limit, require_satisfiable
from convcalc.budget.file.types import RATIO_SUFFIX, BudgetFile, Limit, LimitedMetric
from convcalc.cli.types import FilePath, TextParamType
from convcalc.designs.names import BUDGET_FILE
from convcalc.errors import Source, Span, SpecError, quoted
from convcalc.paths import path_from_cwd
from convcalc.spec.yaml.nodes import ScalarNode

budget_option = click.option(
    "--budget", metavar="PATH", type=FilePath(), help=f"Budget file; default: {BUDGET_FILE} here or in a parent folder."
)


def budget_file(path: str | None) -> BudgetFile:
    """Read the budget file that is named, or the one found from the current folder upward.

    Raises:
        SpecErrors: what is wrong with it.
    """
    found = path or find_budget_file(os.getcwd())
    if found is None:
        raise click.ClickException(f"no {BUDGET_FILE} here or in a parent folder; name one with --budget")
    return read_budget_file(path_from_cwd(found))


class LimitListType(TextParamType):
    """``KEY=V,KEY=V…``; errors are those of a budget file."""

    def __init__(self, option: str, keys: Sequence[str], *, plain: bool) -> None:
        self.option, self.keys = option, keys
        self.plain = plain
        """Whether limits are on metrics themselves, and on no shares of them."""

    def read(self, text: str) -> tuple[Limit, ...]:
        return tuple(map(self._limit, text.split(",")))

    def _limit(self, text: str) -> Limit:
        key, equals, amount = (part.strip() for part in text.partition("="))
        if not re.fullmatch(r"\w+[%/]?", key) or not equals or not amount:
            raise click.BadParameter(f"{quoted(text)} is not metric=limit: write {self._intended(text)}")
        if key.endswith(RATIO_SUFFIX) and not self.plain:
            raise click.BadParameter(f"{quoted(key)} needs a reference design: write a budget")
        source = Source(self.option, text)
        name, _, value = text.partition("=")
        place = Span(source, 1, len(name) + 2, max(1, len(value)))
        read = read_limit(ScalarNode(key, Span(source, 1, 1, max(1, len(name)))), ScalarNode(amount, place))
        if self.plain and key not in self.keys and not read.metric.suffix:
            raise click.BadParameter(f"{quoted(key)} cannot be limited here; limit one of {', '.join(self.keys)}")
        if self.plain and read.metric.suffix:
            raise click.BadParameter(f"{quoted(key)}: limit the metric itself: {read.metric.key}")
        return read

    def _intended(self, text: str) -> str:
        """Return a limit with its metric and its quantity, as far as they are given."""
        found = re.fullmatch(r"\W*([^\W\d]\w{,40}[%/]?)?\W*([0-9][\w.]*%?)?", text.strip())
        key, amount = found.groups() if found else (None, None)
        return f"{key or self.keys[0]}={amount or ('40%' if (key or '').endswith('%') else '5M')}"

    def known(self, ctx: click.Context | None, incomplete: str = "") -> Iterable[str]:
        before, comma, _ = incomplete.rpartition(",")
        return [f"{before}{comma}{metric}=" for metric in self.keys]


def limit_options(
    keys: Sequence[str], words: str = "", *, plain: bool = False
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """``--max`` and ``--min``, each a tuple of limits; ``words`` say what they are of."""

    def consistent(context: click.Context, parameter: click.Parameter, values: Any) -> tuple[Limit, ...]:
        found: dict[LimitedMetric, Limit] = {}
        for one in (one for group in values for one in group):
            first = found.setdefault(one.metric, one)
            if first is not one:
                raise click.BadParameter(f"{one.metric.label} is limited twice, to {first.text} and to {one.text}")
        given = {**context.params, parameter.name: tuple(found.values())}
        try:
            require_satisfiable(given.get("max_", ()), given.get("min_", ()))
        except SpecError as error:
            raise click.BadParameter(error.text) from None
        return tuple(found.values())

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        for kind, side, example in (("min", "Lower", ""), ("max", "Upper", ", e.g. params=5M,macs=600M")):
            command = click.option(
                f"--{kind}", f"{kind}_", type=LimitListType(f"--{kind}", keys, plain=plain), multiple=True,
                metavar="KEY=V,…", callback=consistent, help=f"{side} limits{words}{example}. Repeatable.",
            )(command)  # fmt: skip
        return command

    return decorate
