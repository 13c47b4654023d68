"""Packages that only some work needs: one that is not installed is told from one that cannot be loaded."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable
from functools import partial

from convcalc.errors import SpecError
from convcalc.memory_limits import is_short, require_room

ABSENT = "not installed"


def require(*modules: str, code: str, needed: str, hint: str, trial: Callable[[], object] = lambda: None) -> None:
    """Load modules.

    Args:
        modules: their dotted names; the first tells the package.
        code: of the error.
        needed: who needs which package: ``sweeps need NumPy``.
        hint: what installs it.
        trial: what the package does not survive without memory; tried apart where that is limited.

    Raises:
        SpecError: where the package is not installed, or is and cannot be loaded.
        MemoryError: where it cannot be loaded for want of memory.
    """
    wrong = fault(*modules, trial=trial)
    if wrong:
        package = modules[0].partition(".")[0]
        again = f"install {package} anew; python -c 'import {package}' shows more"
        raise SpecError(code, f"{needed}, which is {wrong}", hint=hint if wrong == ABSENT else again)


def fault(*modules: str, trial: Callable[[], object] = lambda: None) -> str:
    """Load modules of one package, and return what is wrong with it; nothing where all are loaded.

    Raises:
        MemoryError: where there is too little of it.
    """
    package = modules[0].partition(".")[0]
    if not _is_installed(package):
        return ABSENT
    if all(module in sys.modules for module in modules):
        return ""
    require_room(partial(_load, modules), trial)
    try:
        _load(modules)
    except Exception as error:
        if is_short(error):
            raise MemoryError from error
        if isinstance(error, ModuleNotFoundError) and error.name in {None, package}:
            return ABSENT
        said = next(iter(str(error).strip().splitlines()), "")
        return f"installed but cannot be loaded: {type(error).__name__}: {said}"
    return ""


def _load(modules: tuple[str, ...]) -> None:
    for module in modules:
        importlib.import_module(module)


def _is_installed(package: str) -> bool:
    """Whether there is such a package, without loading it; an import that is barred is none."""
    if package in sys.modules:
        return sys.modules[package] is not None
    try:
        return importlib.util.find_spec(package) is not None
    except ModuleNotFoundError:
        return False
