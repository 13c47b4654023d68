"""Options and arguments that name designs, and reading them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import click
from click.shell_completion import CompletionItem

from convcalc import designs
from convcalc.cli._group import Settings
from convcalc.errors import SpecErrors
from convcalc.report import Report
from convcalc.shapes import BITS


class Reading(NamedTuple):
    """How designs are to be read: overrides, library folders, batch and number format."""

    overrides: dict[str, str]
    libraries: tuple[str, ...]
    variant: str | None
    batch: int
    dtype: str

    def networks(self, texts: Iterable[str]) -> list[designs.Network]:
        """Read every design; the errors of all are reported together."""
        read, errors = [], []
        for text in texts:
            try:
                read.append(designs.open_design(text, overrides=self.overrides, variant=self.variant, libraries=self.libraries))
            except SpecErrors as failed:
                errors += failed.errors
        if errors:
            raise SpecErrors(errors)
        return read

    def report(self, network: designs.Network) -> Report:
        return network.report(batch=self.batch, dtype=self.dtype)


def _overrides(context: click.Context, parameter: click.Parameter, values: Sequence[str]) -> dict[str, str]:
    given: dict[str, str] = {}
    for value in values:
        name, equals, expression = value.partition("=")
        if not equals or not name.strip() or not expression.strip():
            raise click.BadParameter(f"{value!r} is not name=expression")
        given[name.strip()] = expression.strip()
    return given


def reading_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--set``, ``--variant``, ``--lib``, ``--batch`` and ``--dtype``, as one ``reading``."""

    def collected(*args: Any, set_: dict[str, str], variant: str | None, lib: tuple[str, ...], batch: int, dtype: str, **kwargs: Any) -> Any:
        return command(*args, reading=Reading(set_, lib, variant, batch, dtype), **kwargs)

    collected.__doc__, collected.__name__ = command.__doc__, command.__name__
    collected.__click_params__ = list(getattr(command, "__click_params__", []))  # type: ignore[attr-defined]
    from convcalc.cli._group import Word

    for option in (
        click.option("--dtype", type=Word(tuple(BITS)), default="float32", show_default=True, metavar="NAME", help="Number format."),
        click.option("--batch", type=click.IntRange(1), default=1, show_default=True, metavar="N", help="Samples at once."),
        click.option("--lib", multiple=True, metavar="DIR", type=click.Path(exists=True, file_okay=False), help="A folder that specs may import from."),
        click.option("--variant", metavar="NAME", help="A variant of the spec, as FILE@NAME."),
        click.option("--set", "set_", multiple=True, metavar="NAME=EXPR", callback=_overrides, help="Override a variable of the spec; repeatable."),
    ):
        collected = option(collected)
    return collected


class DesignType(click.ParamType):
    """The name of a design; completes files, variants and shipped specs."""

    name = "design"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        stem, at, _ = incomplete.partition("@")
        if at:
            return [CompletionItem(f"{stem}@{name}") for name in _variants(stem) if f"{stem}@{name}".startswith(incomplete)]
        if incomplete.startswith(designs.ZOO) or incomplete and designs.ZOO.startswith(incomplete):
            names = (f"{designs.ZOO}{name}" for name in designs.zoo())
            return [CompletionItem(name) for name in names if name.startswith(incomplete)]
        return [CompletionItem(incomplete, type="file")]


def _variants(file: str) -> list[str]:
    try:
        return list(designs.open_design(file).document.variants)
    except SpecErrors:
        return []


def warn(settings: Settings, reports: Iterable[Report]) -> None:
    """Say the warnings of specs on standard error, unless ``--quiet``."""
    if not settings.quiet:
        for text in dict.fromkeys(warning for report in reports for warning in report.warnings):
            click.echo(text, err=True)


def spec_files(paths: Iterable[str]) -> list[str]:
    """Return the spec files that paths name: files as they are, folders by the YAML files below them."""
    found: list[str] = []
    for path in paths:
        if os.path.isdir(path):
            below = [os.path.join(folder, name) for folder, _, names in os.walk(path) for name in names if name.endswith((".yaml", ".yml"))]
            if not below:
                raise click.UsageError(f"no .yaml file in the folder {path}")
            found += sorted(below)
        else:
            found.append(path)
    return list(dict.fromkeys(found))
