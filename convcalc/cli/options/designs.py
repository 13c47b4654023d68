"""Options and arguments that name designs, and reading them."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from convcalc.cli import say
from convcalc.cli.group import Settings
from convcalc.cli.types import ParamType, Positive, Word, beginning
from convcalc.designs import sources
from convcalc.designs.names import ZOO, is_visible_spec, zoo
from convcalc.dtypes import BITS
from convcalc.errors import SpecErrors, quoted
from convcalc.report.report import Report

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from convcalc.designs.sources import Network


class Reading(NamedTuple):
    """How designs are to be read: overrides, library folders, batch and number format."""

    overrides: dict[str, str]
    inputs: dict[str, str]
    libraries: tuple[str, ...]
    variant: str | None
    batch: int
    dtypes: tuple[str, ...]
    """Every number format that is named, for rows of each; other commands take the last one."""

    @property
    def dtype(self) -> str:
        return self.dtypes[-1]

    @property
    def count_options(self) -> sources.CountOptions:
        """The options of sweeps and formulas."""
        return sources.CountOptions(self.overrides, self.libraries, self.variant, self.batch, self.dtype, self.inputs)

    def networks(self, texts: Iterable[str]) -> list[sources.Network]:
        """Read every design; the errors of all are reported together."""
        read, errors = [], []
        for text in texts:
            try:
                read.append(self._network(text))
            except SpecErrors as failed:
                errors += failed.errors
        if errors:
            raise SpecErrors(errors)
        return read

    def _network(self, text: str) -> sources.Network:
        return sources.open_design(
            text, overrides=self.overrides, variant=self.variant, libraries=self.libraries, inputs=self.inputs
        )

    def report(self, network: sources.Network, detailed: Collection[str] = ()) -> Report:
        """Count a design, with the details that are asked for."""
        return network.report(batch=self.batch, dtype=self.dtype, detailed=detailed)


def _overrides(context: click.Context, parameter: click.Parameter, values: Sequence[str]) -> dict[str, str]:
    given: dict[str, str] = {}
    for value in values:
        name, equals, expression = value.partition("=")
        if not equals or not name.strip() or not expression.strip():
            raise click.BadParameter(f"{quoted(value)} is not name=expression")
        given[name.strip()] = expression.strip()
    return given


def _inputs(context: click.Context, parameter: click.Parameter, values: Sequence[str]) -> dict[str, str]:
    given: dict[str, str] = {}
    for value in values:
        name, equals, shape = value.rpartition("=")
        if equals and not name.strip():
            raise click.BadParameter(f"{quoted(value)} has no name before the =")
        if name.strip() in given:
            raise click.BadParameter(f"{quoted(value)} is the second shape of one input")
        given[name.strip()] = shape.strip()
    if "" in given and len(given) > 1:
        raise click.BadParameter("a shape without a name is for the only input of a spec")
    return given


class Format(Word):
    """A number format, or one for the layers whose paths a glob matches: ``stage1.**=int8``."""

    name = "format"

    def __init__(self) -> None:
        super().__init__(tuple(BITS))

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        glob, equals, name = str(value).rpartition("=")
        if equals and (not glob.strip() or "," in glob or "=" in glob):
            self.fail(f"{quoted(value)} is not GLOB=NAME, such as 'stage1.**=int8'", param, ctx)
        return f"{glob}{equals}{super().convert(name, param, ctx)}"


def _formats(context: click.Context, parameter: click.Parameter, values: Sequence[str]) -> tuple[str, ...]:
    """Return every format, with all exceptions, as one text; the last one of equal ones counts."""
    usual = list(dict.fromkeys(value for value in reversed(values) if "=" not in value))[::-1] or ["float32"]
    return tuple(", ".join([each, *(value for value in values if "=" in value)]) for each in usual)


class DeviceType(ParamType[str]):
    """The name of a device that comes with the program, or the path of its file."""

    name = "device"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
        from convcalc.devices.roofline import devices

        return beginning(incomplete, devices())


def device_option(words: str) -> Callable[..., Any]:
    """``--device``, with what it is for."""
    return click.option("--device", type=DeviceType(), metavar="NAME|PATH", help=words)


def batch_option(words: str) -> Callable[..., Any]:
    """``--batch``, with what it is for."""
    return click.option("--batch", type=Positive(), default=1, show_default=True, metavar="N", help=words)


def dtype_option(words: str) -> Callable[..., Any]:
    """``--dtype``, with what it is for; several become one text."""
    return click.option("--dtype", type=Format(), multiple=True, callback=_formats, default=("float32",),
                        show_default=True, metavar="[GLOB=]NAME", help=words)  # fmt: skip


def reading_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--set``, ``--input``, ``--variant``, ``--lib``, ``--batch`` and ``--dtype``, as one ``reading``."""

    def collected(
        *args: Any,
        set_: dict[str, str],
        input_: dict[str, str],
        variant: str | None,
        lib: tuple[str, ...],
        batch: int,
        dtype: tuple[str, ...],
        **kwargs: Any,
    ) -> Any:
        return command(*args, reading=Reading(set_, input_, lib, variant, batch, dtype), **kwargs)

    collected.__doc__, collected.__name__ = command.__doc__, command.__name__
    collected.__click_params__ = list(getattr(command, "__click_params__", []))  # type: ignore[attr-defined]
    for option in (
        dtype_option(f"Number format: {', '.join(tuple(BITS)[1:4])}, …; for some layers: 'stage1.**=int8'."),
        batch_option("Samples at once."),
        lib_option,
        click.option("--variant", metavar="NAME", is_eager=True, help="A variant of the spec, as FILE@NAME."),
        click.option("--input", "input_", multiple=True, metavar="[NAME=]AXES", callback=_inputs,
                     help="Another input shape, channels first: 3,320,320; repeatable by name."),
        click.option("--set", "set_", multiple=True, metavar="NAME=EXPR", callback=_overrides,
                     help="Override a variable of the spec; repeatable."),
    ):  # fmt: skip
        collected = option(collected)
    return collected


def variants_option(words: str) -> Callable[..., Any]:
    """``--variants``, as names; none of them for all."""

    def names(context: click.Context, parameter: click.Parameter, value: str | None) -> tuple[str, ...] | None:
        if value is not None and context.params.get("variant"):
            raise click.UsageError("--variant and --variants: give one of them")
        chosen = None if value is None else tuple(name.strip() for name in value.split(","))
        if chosen is not None and not all(chosen):
            raise click.BadParameter(f"{quoted(value or '')} is not all, nor names with commas between")
        return () if chosen == ("all",) else chosen

    return click.option("--variants", metavar="all|NAME,…", callback=names, help=words)


def _cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


jobs_option = click.option(
    "--jobs", type=Positive(), metavar="N", default=_cores, envvar="CONVCALC_JOBS", show_envvar=True,
    help="Processes; as many as there are cores by default.",
)  # fmt: skip

lib_option = click.option(
    "--lib", multiple=True, metavar="DIR", type=click.Path(exists=True, file_okay=False),
    help="A folder that specs may import from; repeatable.", envvar="CONVCALC_LIB", show_envvar=True,
)  # fmt: skip


class SpecType(ParamType[str]):
    """A spec or a folder of specs."""

    name = "path"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
        folder = os.path.dirname(incomplete)
        with contextlib.suppress(OSError):
            names = [os.path.join(folder, name) for name in sorted(os.listdir(folder or ".")) if is_visible_spec(name)]
            folders = beginning(incomplete, [incomplete])
            folders[0].type = "dir"
            return [*beginning(incomplete, names), *folders]
        return []


class DesignType(SpecType):
    """The name of a design: a spec, a shipped one, a variant, a part."""

    name = "design"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
        if "#" in incomplete:
            return beginning(incomplete, _parts(*incomplete.rsplit("#", 1)))
        if "@" in incomplete:
            return beginning(incomplete, _variants(incomplete.rsplit("@", 1)[0]))
        shipped = beginning(incomplete, [f"{ZOO}{name}" for name in zoo()])
        if incomplete.startswith(ZOO):
            return shipped
        return [*shipped, *super().shell_complete(ctx, param, incomplete)]


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
    depth = part.count(".") + 1
    return list(dict.fromkeys(f"{file}#{'.'.join(layer.path.split('.')[:depth])}" for layer in layers))


def warn(settings: Settings, warnings: Iterable[str]) -> None:
    """Say the warnings of specs on standard error, each once, unless ``--quiet``."""
    if not settings.quiet:
        for text in dict.fromkeys(warnings):
            say(text)


class ProfileType(ParamType[str]):
    """The key of a profile; the profiles load only where one is named."""

    name = "name"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from convcalc.profiles import profile_keys

        return Word(profile_keys()).convert(value, param, ctx)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
        from convcalc.profiles import profile_keys

        return beginning(incomplete, profile_keys())


profile_option = click.option(
    "--profile", type=ProfileType(), metavar="NAME", help="Add what a tool prints: short for --columns +NAME."
)


def profiled(report: Report, network: Network, names: Collection[str]) -> Report:
    """Return a report with the counts of some tools as metrics."""
    if names:
        from convcalc.profiles import add_profile_column, profiles

        for profile in profiles():
            if profile.key in names:
                report = add_profile_column(report, network.graph, profile)
    return report
