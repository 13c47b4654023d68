"""What a budget measures designs for: ``batch``, ``dtype`` and ``device``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from convcalc.budget.file.fields import Fields, read_optional
from convcalc.budget.file.selectors import GLOB, require_inside_repository
from convcalc.designs.names import SPEC_SUFFIXES
from convcalc.dtypes import parse_dtype
from convcalc.errors import SpecError, SpecErrors, quoted
from convcalc.paths import is_inside, repository_root
from convcalc.quantities import parse_positive_integer
from convcalc.report.measurements import DEFAULT_CONDITIONS, Conditions
from convcalc.spec.yaml.nodes import ScalarNode

if TYPE_CHECKING:
    from convcalc.devices.roofline import Device

CONDITION_KEYS = ("batch", "dtype", "device")
QUANTITY = "CC633"


def read_conditions(given: Fields, folder: str, errors: list[SpecError]) -> Conditions:
    """Read them; faults are gathered. The path of a device's file is one from ``folder``."""
    return Conditions(
        read_optional(given, "batch", _read_batch, DEFAULT_CONDITIONS.batch, errors),
        read_optional(given, "dtype", _read_dtype, DEFAULT_CONDITIONS.dtype, errors),
        read_optional(given, "device", lambda written: _read_device(written, folder, errors), None, errors),
    )


def _read_batch(written: ScalarNode) -> int:
    number = parse_positive_integer(written.text.strip())
    if number is None:
        wrong = f"{quoted(written.text)} is not a number of samples"
        raise SpecError(QUANTITY, wrong, written.span, hint="an integer from 1, such as 32")
    return number


def _read_dtype(written: ScalarNode) -> str:
    try:
        parse_dtype(written.text)
    except SpecError as error:
        error.span = written.span
        raise
    return written.text.strip()


def _read_device(written: ScalarNode, folder: str, errors: list[SpecError]) -> Device | None:
    from convcalc.devices.roofline import device_names, read_device

    name = written.text.strip()
    looks_like_file = os.sep in name or name.endswith(SPEC_SUFFIXES)
    is_there = any(os.path.lexists(path) for path in (name, os.path.join(folder, name)))
    is_file = name not in device_names() and (looks_like_file or is_there)
    if is_file:
        _require_inside(name, written, folder)
    try:
        return read_device(os.path.join(folder, name) if is_file else name)._replace(key=name)
    except SpecErrors as faults:
        for error in faults.errors:
            if is_file:
                error.notes = (*error.notes, (written.span, "named here"))
            else:
                error.span = written.span
            errors.append(error)
        return None


def _require_inside(name: str, written: ScalarNode, folder: str) -> None:
    """Refuse a file, or a link to one, that is not in the repository: what is wrong with it would be shown."""
    require_inside_repository(name, written, folder)
    if "\0" in name:
        raise SpecError(GLOB, f"no file can be called {quoted(name)}", written.span, hint="such as devices/board.yaml")
    if not is_inside(os.path.realpath(os.path.join(folder, name)), os.path.realpath(repository_root(folder) or folder)):
        text = f"{quoted(name)} is a link that leads out of the repository of the budget file"
        raise SpecError(GLOB, text, written.span, hint="copy the file")
