"""Optional packages: errors where one is not installed or cannot be loaded; data frames of pandas and polars."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import partial
from typing import Any

from convcalc.errors import SpecError, SpecErrors
from convcalc.memory import is_memory_error, require_memory

NOT_INSTALLED = "not installed"
E_MISSING_PACKAGE = "CC719"


class LazyModule:
    """A module that is loaded when something of it is first asked for."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        value = self.__dict__[attribute] = getattr(importlib.import_module(self._name), attribute)
        return value


numpy: Any = LazyModule("numpy")


def require(*modules: str, code: str, needed: str, hint: str, trial: Callable[[], object] = lambda: None) -> None:
    """Load modules.

    Args:
        modules: their dotted names, all of one package.
        code: of the error.
        needed: begins the error: ``sweeps need NumPy``.
        hint: how to install the package.
        trial: work of the package that may end the process without memory: tried in a fork where memory is limited.

    Raises:
        SpecError: where the package is not installed, or is and cannot be loaded.
        MemoryError: where it cannot be loaded for want of memory.
    """
    wrong = loading_error(*modules, trial=trial)
    if wrong:
        package = modules[0].partition(".")[0]
        again = f"reinstall {package}; python -c 'import {package}' shows more"
        raise SpecError(code, f"{needed}, which is {wrong}", hint=hint if wrong == NOT_INSTALLED else again)


def loading_error(*modules: str, trial: Callable[[], object] = lambda: None) -> str:
    """Load modules of one package, and return what is wrong with it; an empty text where all are loaded.

    Raises:
        MemoryError: where there is too little of it.
    """
    package = modules[0].partition(".")[0]
    if not _is_installed(package):
        return NOT_INSTALLED
    if all(module in sys.modules for module in modules):
        return ""
    require_memory(partial(_load, modules), trial)
    try:
        _load(modules)
    except Exception as error:
        if is_memory_error(error):
            raise MemoryError from error
        if isinstance(error, ModuleNotFoundError) and error.name in {None, package}:
            return NOT_INSTALLED
        reason = next(iter(str(error).strip().splitlines()), "")
        return f"installed but cannot be loaded: {type(error).__name__}: {reason}"
    return ""


def _load(modules: tuple[str, ...]) -> None:
    for module in modules:
        importlib.import_module(module)


def _is_installed(package: str) -> bool:
    """Whether a package is installed, without loading it; one that ``sys.modules`` blocks is not."""
    if package in sys.modules:
        return sys.modules[package] is not None
    try:
        return importlib.util.find_spec(package) is not None
    except ModuleNotFoundError:
        return False


# --- data frames ------------------------------------------------------------------------------------------------------

FRAMES = ("pandas", "polars")
SIGNED = 2**63
"""Integers of 64 bits lie from −2⁶³ to below it."""


def data_frame(columns: Mapping[str, Any], library: str) -> Any:
    """Return a data frame; integers stay exact at any size, fractions become floats.

    Raises:
        ValueError: for a library that is none of ``FRAMES``.
        SpecErrors: CC719, where it is not installed or cannot be loaded.
    """
    if library not in FRAMES:
        raise ValueError(f"data frames are those of {' or '.join(FRAMES)}, not of {library!r}")
    hint = "pip install 'convcalc[dataframe]'"
    try:
        require(library, code=E_MISSING_PACKAGE, needed=f"data frames need {library}", hint=hint)
    except SpecError as error:
        raise SpecErrors([error]) from None
    frames = importlib.import_module(library)
    if library == "polars":
        return frames.DataFrame([_polars_column(frames, name, values) for name, values in columns.items()])
    return frames.DataFrame({name: _pandas_column(frames, values) for name, values in columns.items()})


def _kind(values: Sequence[Any]) -> type | None:
    """Return the one type of all values but ``None``; ``None`` for several types, or integers beyond 64 bits."""
    kinds = {type(value) for value in values if value is not None}
    if len(kinds) != 1 or (
        int in kinds and not all(-SIGNED <= value < SIGNED for value in values if value is not None)
    ):
        return None
    return kinds.pop()


def _plain(values: Any) -> list[Any]:
    each = values.tolist() if hasattr(values, "tolist") else values
    return [float(value) if isinstance(value, Fraction) else value for value in each]


def _pandas_column(pandas: Any, values: Any) -> Any:
    plain = _plain(values)
    kind = _kind(plain)
    whole = "Int64" if None in plain else "int64"  # a missing integer would make floats of all
    return pandas.Series(plain, dtype=whole if kind is int else None if kind in {str, float, bool} else object)


def _polars_column(polars: Any, name: str, values: Any) -> Any:
    plain = _plain(values)
    kind = _kind(plain)
    if kind is tuple and _kind([part for value in plain for part in value or ()]) is int:
        return polars.Series(name, [value and list(value) for value in plain], dtype=polars.List(polars.Int64))
    dtypes: dict[type | None, Any] = {
        int: polars.Int64,
        str: polars.String,
        float: polars.Float64,
        bool: polars.Boolean,
    }
    none_at_all = all(value is None for value in plain)
    return polars.Series(name, plain, dtype=polars.String if none_at_all else dtypes.get(kind, polars.Object))
