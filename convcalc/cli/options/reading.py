"""Options of reading and counting designs, which commands get as one ``reading``."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from convcalc.cli.types import FilePath, OptionalWord, PositiveInt, SpecName, TextParamType, WordType, texts_of
from convcalc.designs import sources
from convcalc.designs.names import CODE
from convcalc.dtypes import BIT_WIDTHS, RECIPES, TRAIN, USUAL, parse_dtype, recipes_in
from convcalc.errors import SpecErrors, quoted
from convcalc.report.report import Report

if TYPE_CHECKING:
    from convcalc.report.fold import TableOptions

TRAINING_MODE = "mode"
"""The word that ``--train`` has alone: models in code keep training mode."""


class DtypeType(TextParamType):
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


class DesignOptions(sources.CountOptions):
    """Options of reading and counting designs, which read and count them."""

    __slots__ = ()

    @property
    def dtype(self) -> str:
        """The only data type.

        Raises:
            UsageError: where there are several.
        """
        return only_format(self.dtypes)

    @property
    def count_options(self) -> sources.CountOptions:
        """The options of sweeps and formulas, which are of one data type."""
        return self._replace(dtypes=(self.dtype,))

    def networks(self, texts: Iterable[str]) -> list[sources.Network]:
        """Read every design; the errors of all are reported together.

        Beside a model that is code, whose inputs have their own names, other designs may have other names.
        """
        read, errors = [], []
        texts = list(texts)
        is_beside_code = any(text.startswith(CODE) for text in texts)
        for text in texts:
            try:
                network = sources.open_design(
                    text, overrides=self.overrides, variant=self.variant, libraries=self.libraries, code=self.code,
                    inputs=self._inputs_of_code() if is_beside_code and not text.startswith(CODE) else self.inputs,
                )  # fmt: skip
                if self.strict:
                    network.require_counted()
                read.append(network)
            except SpecErrors as failed:
                errors += failed.errors
        if errors:
            raise SpecErrors(errors)
        return read

    def _inputs_of_code(self) -> sources.Inputs:
        from convcalc.spec.document.given_inputs import BESIDE  # specs alone do without

        return {name and name + BESIDE: shape for name, shape in self.inputs.items()}

    def report(
        self, network: sources.Network, extra: Collection[str] = (), device: str | None = None,
        seen: TableOptions | None = None,
    ) -> Report:  # fmt: skip
        """Count a design, with the metrics beside those of all reports that are asked for, such as a device's."""
        return network.report(batch=self.batch, dtype=self.dtype, extra=extra, device=device, seen=seen)


def _overrides(context: click.Context, parameter: click.Parameter, values: Sequence[str]) -> dict[str, str]:
    given: dict[str, str] = {}
    for value in values:
        name, equals, expression = value.partition("=")
        if not equals or not name.strip() or not expression.strip():
            near = f"{name.strip() or 'width'}={expression.strip() or 64}"
            raise click.BadParameter(f"{quoted(value)} is not name=expression: write {quoted(near)}")
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
        raise click.BadParameter("a shape without a name is for the only input of a design")
    return given


VARIABLE = SpecName(lambda spec: [f"{name}=" for name in spec.vars])
"""What begins with a variable and ``=``."""
INPUT = SpecName(lambda spec: [f"{name}=" for name in spec.inputs])


def batch_option(words: str) -> Callable[..., Any]:
    """``--batch``, with its help."""
    return click.option("--batch", type=PositiveInt(), default=1, show_default=True, metavar="N", help=words)


lib_option = click.option(
    "--lib", multiple=True, metavar="DIR", type=FilePath(folder=True),
    help="Folder searched for imports; repeatable.", envvar="CONVCALC_LIB", show_envvar=True,
)  # fmt: skip
input_option = click.option(
    "--input", "input_", multiple=True, metavar="[NAME=]AXES", callback=_inputs, type=INPUT,
    help="Override an input shape, channels first: 3,320,320; repeatable by name.",
)  # fmt: skip
allow_code_option = click.option(
    "--allow-code", is_flag=True, help="Run the code of torch: models; it can do whatever you can."
)
_SET = click.option("--set", "set_", multiple=True, metavar="NAME=EXPR", callback=_overrides, type=VARIABLE,
                    help="Override a variable of the spec; repeatable.")  # fmt: skip
_VARIANT = click.option("--variant", metavar="NAME", is_eager=True, type=SpecName(lambda spec: spec.variants),
                        help="Variant of the spec, as in FILE@NAME.")  # fmt: skip
_CODE = (
    click.option("--timeout", type=click.FloatRange(min=0, min_open=True), default=300, show_default=True,
                 metavar="SECONDS", help="Of torch: models, how long one may take."),
    click.option("--train", cls=OptionalWord, alone=TRAINING_MODE, type=WordType((*RECIPES, TRAINING_MODE)),
                 metavar="[RECIPE]",
                 help=f"Recipe of training bytes: {', '.join(RECIPES)}; alone: keep training mode, of torch:."),
    click.option("--inputs", default="", metavar="MODULE:FUNCTION",
                 help="Of torch: models, a function that returns (args, kwargs) of forward."),
    click.option("--arg", multiple=True, metavar="NAME=VALUE", callback=_overrides,
                 help="Of torch: models, an argument of the callable; repeatable."),
)  # fmt: skip
_COUNTING = (
    click.option("--strict", is_flag=True, help="Exit 2 where a layer is not counted, rather than print ≥."),
    dtype_option(f"Data type: {', '.join(tuple(BIT_WIDTHS)[1:4])}, …; per layer: 'stage1.**=int8'; weights=int4g128."),
    batch_option("Batch size."),
)


def code_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--arg``, ``--inputs``, ``--train``, ``--timeout``: one ``code``, for models that are code."""

    @wraps(command)
    def collected(*args: Any, arg: dict[str, str], inputs: str, train: str, timeout: float, **kwargs: Any) -> Any:
        mode = train == TRAINING_MODE
        given = {"--arg": arg, "--inputs": inputs, "--train": mode}
        if any(given.values()) and not any(text.startswith((CODE, "-")) for text in texts_of(kwargs.values())):
            option = next(name for name, value in given.items() if value)
            recipes = f"; a recipe of training is {', '.join(RECIPES)}" if option == "--train" else ""
            text = f"{option} is for models in code, torch:MODULE:CALLABLE, and none is named{recipes}"
            raise click.UsageError(text)
        if train in RECIPES:
            _add_recipe(kwargs, train)
        code = {"arguments": tuple(arg.items()), "inputs": inputs, "train": mode, "timeout": timeout}
        return command(*args, code=code, **kwargs)

    for option in _CODE:
        collected = option(collected)
    return collected


def _add_recipe(given: dict[str, Any], recipe: str) -> None:
    """Add a recipe of training to the number formats that a command counts bytes in."""
    if "dtype" not in given:
        raise click.UsageError(f"--train {recipe}: this command counts no bytes")
    if named := next((each for dtype in given["dtype"] for each in recipes_in(dtype) if each != recipe), ""):
        raise click.UsageError(f"--train {recipe}, but --dtype has {TRAIN}={named}: give one of them")
    if recipe != RECIPES[0]:
        added = f", {TRAIN}={recipe}"
        given["dtype"] = tuple(dtype + ("" if recipes_in(dtype) else added) for dtype in given["dtype"])


def _reading(*options: Callable[..., Any], **fixed: Any) -> Callable[..., Any]:
    """Return a decorator that adds options, and hands them to a command as one ``reading``."""

    def added(command: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(command)
        def collected(*args: Any, **kwargs: Any) -> Any:
            if kwargs.get("variant") and kwargs.get("variants") is not None:
                raise click.UsageError("--variant and --variants: give one of them")
            given = {field: kwargs.pop(word) for word, field in _FIELDS.items() if word in kwargs}
            return command(*args, reading=DesignOptions(**given, **fixed), **kwargs)

        for option in options:
            collected = option(collected)
        return code_options(collected)

    return added


_FIELDS = {"set_": "overrides", "input_": "inputs", "lib": "libraries", "variant": "variant", "batch": "batch",
           "dtype": "dtypes", "strict": "strict", "code": "code"}  # fmt: skip
"""Parameter of a command → field of ``DesignOptions``."""
design_options = _reading(*_COUNTING, lib_option, _VARIANT, input_option, _SET)
"""How designs are read and counted, as one ``reading``."""
source_options = _reading(lib_option, _VARIANT, input_option, _SET)
"""How a design is read, as one ``reading``."""
reading_options = _reading(lib_option, input_option, _SET, strict=True)
"""How designs are read of which every layer is counted, as one ``reading``."""
