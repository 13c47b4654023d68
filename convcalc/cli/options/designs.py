"""Options and arguments that name designs, and reading them."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import click

from convcalc.cli import print_error
from convcalc.cli.group import GeneralOptions
from convcalc.cli.types import LazyChoice, PositiveInt, SpecName, TextParamType, completions
from convcalc.designs import sources
from convcalc.designs.names import CODE, MODEL_SUFFIXES, ZOO, is_spec_name, parse_design, zoo_paths
from convcalc.errors import SpecErrors, quoted
from convcalc.graph.graph import LEADING_TO

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from click.shell_completion import CompletionItem

    from convcalc.result_cache import ResultCache


no_cache_option = click.option(
    "--no-cache", is_flag=True, envvar="CONVCALC_NO_CACHE", show_envvar=True,
    help="Neither read nor write .convcalc_cache.",
)  # fmt: skip


def opened_cache(*, without: bool) -> AbstractContextManager[ResultCache | None]:
    """Return the cache of the repository around the current folder, to be entered; there may be none."""
    if without:
        return contextlib.nullcontext()
    from convcalc.result_cache import open_cache  # most commands do without

    return open_cache() or contextlib.nullcontext()


def _devices() -> tuple[str, ...]:
    from convcalc.devices.roofline import device_names

    return device_names()


def device_option(words: str) -> Callable[..., Any]:
    """``--device``, with its help."""
    return click.option("--device", type=LazyChoice(_devices, closed=False), metavar="NAME|PATH", help=words)


def variants_option(words: str) -> Callable[..., Any]:
    """``--variants``, as names; none of them for all."""

    def names(context: click.Context, parameter: click.Parameter, value: str | None) -> tuple[str, ...] | None:
        chosen = None if value is None else tuple(name.strip() for name in value.split(","))
        if chosen is not None and not all(chosen):
            raise click.BadParameter(f"{quoted(value or '')} is not all, nor names with commas between")
        return () if chosen == ("all",) else chosen

    of_spec = SpecName(lambda spec: spec.variants, listed=True, alone=("all",))
    return click.option("--variants", metavar="all|NAME,…", type=of_spec, callback=names, help=words,
                        is_eager=True)  # fmt: skip # --sort may name the axis of variants


def require_use_of_variants(designs: Iterable[str], variants: tuple[str, ...] | None) -> None:
    """Demand that ``--variants`` has a design to choose variants of.

    Raises:
        UsageError: where each names its variant.
    """
    if variants is not None and all(parse_design(text).variant is not None for text in designs):
        raise click.UsageError("--variants is for designs that name none: leave it out, or @VARIANT")


def _cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


jobs_option = click.option(
    "--jobs", type=PositiveInt(), default=_cores, metavar="N", envvar="CONVCALC_JOBS", show_envvar=True,
    help="Worker processes; default: all cores.",
)  # fmt: skip


class SpecType(TextParamType):
    """A spec or a folder of specs."""

    suffixes: tuple[str, ...] = ()
    """Endings of the files that are completed beside specs."""

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
        folder = os.path.dirname(incomplete)
        with contextlib.suppress(OSError):
            there = [name for name in sorted(os.listdir(folder or ".")) if not name.startswith(".")]
            found = [name for name in there if is_spec_name(name) or name.endswith(self.suffixes)]
            names = [os.path.join(folder, name) for name in found]
            folders = completions(incomplete, [incomplete])
            folders[0].type = "dir"
            return [*completions(incomplete, names), *folders]
        return []


class DesignType(SpecType):
    """The name of a design: a spec, a model, a bundled spec, a variant, a part."""

    suffixes = MODEL_SUFFIXES

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
        if "#" in incomplete:
            return completions(incomplete, _parts(*incomplete.rsplit("#", 1)))
        if "@" in incomplete:
            return completions(incomplete, _variants(incomplete.rsplit("@", 1)[0]))
        bundled = completions(incomplete, [f"{ZOO}{name}" for name in zoo_paths()])
        if incomplete.startswith(ZOO):
            return bundled
        return [*bundled, *completions(incomplete, [CODE]), *super().shell_complete(ctx, param, incomplete)]


class PathType(TextParamType):
    """A path in the design that is on the line, or a glob of such paths."""

    def known(self, ctx: click.Context | None, incomplete: str = "") -> Iterable[str]:
        assert ctx
        design = next((text for text in (ctx.params.get("design"), *ctx.args) if text), "")
        return [found.rpartition("#")[2] for found in _parts(design, incomplete)]


def _variants(file: str) -> list[str]:
    try:
        return [f"{file}@{name}" for name in sources.open_spec(file).document.variants]
    except SpecErrors:
        return []


def _parts(file: str, part: str) -> list[str]:
    """Return the paths of layers and groups of layers, as deep as the beginning of one that is given."""
    try:
        layers = sources.open_design(file).graph.layers
    except SpecErrors:
        return []
    before = LEADING_TO if part.startswith(LEADING_TO) else ""
    depth = part.removeprefix(before).count(".") + 1
    return list(dict.fromkeys(f"{file}#{before}{'.'.join(layer.path.split('.')[:depth])}" for layer in layers))


def print_warnings(settings: GeneralOptions, warnings: Iterable[str]) -> None:
    """Print the warnings of specs on standard error, each once, unless ``--quiet``."""
    if not settings.quiet:
        for text in dict.fromkeys(warnings):
            print_error(text)


def profile_keys() -> tuple[str, ...]:
    """Return the keys of all profiles, which load only where one is named."""
    from convcalc import profiles

    return profiles.profile_keys()


PROFILE = LazyChoice(profile_keys, closed=True)
profile_option = click.option(
    "--profile",
    type=PROFILE,
    metavar="NAME",
    help="Add the count of another tool, e.g. fvcore or thop: same as --columns +NAME.",
)
