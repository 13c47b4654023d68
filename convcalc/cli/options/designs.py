"""Options and arguments that name designs, and reading them."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from convcalc.cli import print_error
from convcalc.cli.group import GeneralOptions
from convcalc.cli.types import LazyChoice, ParamType, PositiveInt, SpecName, WordType, completions
from convcalc.designs import sources
from convcalc.designs.names import ZOO, is_visible_spec, zoo_paths
from convcalc.dtypes import BIT_WIDTHS
from convcalc.errors import SpecErrors, quoted
from convcalc.report.report import Report

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


class DesignOptions(NamedTuple):
    """Options of reading and counting designs: overrides, library folders, batch and data types."""

    overrides: dict[str, str]
    inputs: dict[str, str]
    libraries: tuple[str, ...]
    variant: str | None
    batch: int
    dtypes: tuple[str, ...]
    """All data types that are given, for a row of each."""
    strict: bool = False
    """Whether a layer that is not counted is an error."""

    @property
    def dtype(self) -> str:
        """The only one.

        Raises:
            UsageError: where there are several.
        """
        return only_format(self.dtypes)

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
                if self.strict:
                    read[-1].require_counted()
            except SpecErrors as failed:
                errors += failed.errors
        if errors:
            raise SpecErrors(errors)
        return read

    def _network(self, text: str) -> sources.Network:
        return sources.open_design(
            text, overrides=self.overrides, variant=self.variant, libraries=self.libraries, inputs=self.inputs
        )

    def report(self, network: sources.Network, extra: Collection[str] = (), device: str | None = None) -> Report:
        """Count a design, with the metrics beside those of all reports that are asked for, such as a device's."""
        return network.report(batch=self.batch, dtype=self.dtype, extra=extra, device=device)


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


VARIABLE = SpecName(lambda spec: [f"{name}=" for name in spec.vars])
"""What begins with a variable and ``=``."""
INPUT = SpecName(lambda spec: [f"{name}=" for name in spec.inputs])


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


def _devices() -> tuple[str, ...]:
    from convcalc.devices.roofline import device_names

    return device_names()


def device_option(words: str) -> Callable[..., Any]:
    """``--device``, with its help."""
    return click.option("--device", type=LazyChoice(_devices, closed=False), metavar="NAME|PATH", help=words)


def batch_option(words: str) -> Callable[..., Any]:
    """``--batch``, with its help."""
    return click.option("--batch", type=PositiveInt(), default=1, show_default=True, metavar="N", help=words)


def dtype_option(words: str) -> Callable[..., Any]:
    """``--dtype``, with its help; several become one text."""
    return click.option("--dtype", type=DtypeType(), multiple=True, callback=_dtype_texts, default=("float32",),
                        show_default=True, metavar="[GLOB=]NAME", help=words)  # fmt: skip


def design_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--set``, ``--input``, ``--variant``, ``--lib``, ``--batch``, ``--dtype``, ``--strict``: one ``reading``."""

    @wraps(command)
    def collected(
        *args: Any,
        set_: dict[str, str],
        input_: dict[str, str],
        variant: str | None,
        lib: tuple[str, ...],
        batch: int,
        dtype: tuple[str, ...],
        strict: bool,
        **kwargs: Any,
    ) -> Any:
        return command(*args, reading=DesignOptions(set_, input_, lib, variant, batch, dtype, strict), **kwargs)

    for option in (
        click.option("--strict", is_flag=True, help="Exit 2 where a layer is not counted, rather than print ≥."),
        dtype_option(f"Data type: {', '.join(tuple(BIT_WIDTHS)[1:4])}, …; per layer: 'stage1.**=int8'."),
        batch_option("Batch size."),
        lib_option,
        click.option("--variant", metavar="NAME", is_eager=True, type=SpecName(lambda spec: spec.variants),
                     help="Variant of the spec, as in FILE@NAME."),
        click.option("--input", "input_", multiple=True, metavar="[NAME=]AXES", callback=_inputs, type=INPUT,
                     help="Override an input shape, channels first: 3,320,320; repeatable by name."),
        click.option("--set", "set_", multiple=True, metavar="NAME=EXPR", callback=_overrides, type=VARIABLE,
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

    of_spec = SpecName(lambda spec: spec.variants, listed=True, alone=("all",))
    return click.option("--variants", metavar="all|NAME,…", type=of_spec, callback=names, help=words)


def _cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


jobs_option = click.option(
    "--jobs", type=PositiveInt(), default=_cores, metavar="N", envvar="CONVCALC_JOBS", show_envvar=True,
    help="Worker processes; default: all cores.",
)  # fmt: skip

lib_option = click.option(
    "--lib", multiple=True, metavar="DIR", type=click.Path(exists=True, file_okay=False),
    help="Folder searched for imports; repeatable.", envvar="CONVCALC_LIB", show_envvar=True,
)  # fmt: skip


class SpecType(ParamType[str]):
    """A spec or a folder of specs."""

    name = "path"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
        folder = os.path.dirname(incomplete)
        with contextlib.suppress(OSError):
            names = [os.path.join(folder, name) for name in sorted(os.listdir(folder or ".")) if is_visible_spec(name)]
            folders = completions(incomplete, [incomplete])
            folders[0].type = "dir"
            return [*completions(incomplete, names), *folders]
        return []


class DesignType(SpecType):
    """The name of a design: a spec, a bundled one, a variant, a part."""

    name = "design"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
        if "#" in incomplete:
            return completions(incomplete, _parts(*incomplete.rsplit("#", 1)))
        if "@" in incomplete:
            return completions(incomplete, _variants(incomplete.rsplit("@", 1)[0]))
        bundled = completions(incomplete, [f"{ZOO}{name}" for name in zoo_paths()])
        if incomplete.startswith(ZOO):
            return bundled
        return [*bundled, *super().shell_complete(ctx, param, incomplete)]


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
