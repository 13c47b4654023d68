"""What a budget is about, read: patterns of designs, globs of layers, and paths that stay in the repository."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from convcalc.budget.file.fields import (
    BAD_STRUCTURE,
    Fields,
    read_choice,
    read_list,
    read_mapping,
    read_optional,
    read_scalar,
)
from convcalc.budget.file.types import LayerFilter, Pattern
from convcalc.designs.names import NOT_FILES, SPEC_SUFFIXES, parse_pattern
from convcalc.dtypes import parse_dtype
from convcalc.errors import SpecError, SpecErrors, quoted
from convcalc.ops.registry import activation_names, kinds
from convcalc.paths import is_inside, is_wild, leaves_repository, repository_root, syntax_error
from convcalc.quantities import parse_positive_integer
from convcalc.report.measurements import DEFAULT_CONDITIONS, Conditions
from convcalc.spec.document.value_nodes import collect_errors
from convcalc.spec.yaml.nodes import ScalarNode, YamlNode

if TYPE_CHECKING:
    from convcalc.devices.roofline import Device

GLOB = "CC634"
LAYER_FILTER_KEYS = ("name", "op")
EXCLUSION_PREFIX = "!"
_DRIVE = re.compile(r"[A-Za-z]:[/\\]")


def read_design_patterns(node: YamlNode, folder: str, errors: list[SpecError]) -> tuple[Pattern, ...]:
    """Read the patterns of a budget; faults are gathered."""
    found, before = [], len(errors)
    with collect_errors(errors):
        for item in read_list(node, "designs"):
            with collect_errors(errors):
                found.append(read_design_pattern(read_scalar(item, "designs"), folder))
    if found and all(pattern.is_exclusion for pattern in found) and len(errors) == before:
        text = "every pattern begins with ! and takes designs away; none adds one"
        errors.append(SpecError(GLOB, text, found[0].span))
    return tuple(found)


def read_design_pattern(given: ScalarNode, folder: str) -> Pattern:
    """Read one pattern of designs.

    Raises:
        SpecError: CC634.
    """
    pattern = _read_pattern(given)
    _, file, variant, part = parse_pattern(pattern.text)
    if not file or variant == "" or part == "":
        raise SpecError(GLOB, f"{quoted(given.text)} is incomplete before or after @ or #", given.span)
    if part is not None and is_wild(part):
        hint = "for many layers write `layers: {name: …}`, with `per: group` for groups of them"
        raise SpecError(GLOB, f"the path behind # is not a glob: {quoted(part)}", given.span, hint=hint)
    if file.startswith(NOT_FILES):
        if is_wild(file):
            raise SpecError(GLOB, f"a bundled spec is named as it is, not by a glob: {quoted(file)}", given.span)
    else:
        require_inside_repository(file, given, folder)
        _require_valid_glob(file, "/", given)
    if variant is not None:
        _require_valid_glob(variant, None, given)
    return pattern


def read_design_name(given: ScalarNode, folder: str) -> str:
    """Read the name of one design, with no glob in it.

    Raises:
        SpecError: CC634.
    """
    pattern = read_design_pattern(given, folder)
    if pattern.is_exclusion or is_wild(pattern.text):
        raise SpecError(GLOB, f"one design is meant here, and {quoted(given.text)} is a glob", given.span)
    return pattern.text


def require_inside_repository(path: str, given: ScalarNode, folder: str) -> None:
    """Refuse a path, or the beginning of a glob, that is not inside the repository of a budget file.

    Raises:
        SpecError: CC634.
    """
    if os.path.isabs(path) or path.startswith(("/", "~")) or _DRIVE.match(path):
        text = f"{quoted(path)} is not relative to the folder of the budget file"
        raise SpecError(GLOB, text, given.span, hint="such as models/a.yaml")
    if "\\" in path:
        raise SpecError(GLOB, f"{quoted(path)} holds a backslash", given.span, hint="folders are parted by /")
    names = path.split("/")
    if "." in names:
        raise SpecError(GLOB, f"{quoted(path)} contains a '.' segment", given.span, hint="leave it out")
    if ".." in names[max(0, next((place for place, name in enumerate(names) if name != ".."), 0)) :]:
        raise SpecError(
            GLOB, f"{quoted(path)} goes up behind a name", given.span, hint="'..' is allowed only at the beginning"
        )
    if leaves_repository(path, folder):
        text = f"{quoted(path)} leads out of the repository of the budget file"
        raise SpecError(GLOB, text, given.span, hint="paths start in the folder of the budget file")


def read_layer_filter(key: ScalarNode, node: YamlNode, errors: list[SpecError]) -> LayerFilter | None:
    """Read which layers are meant; faults are gathered."""
    before = len(errors)
    with collect_errors(errors):
        given = read_mapping(node, "layers", LAYER_FILTER_KEYS, errors)
        names = (
            [_read_path_glob(item, errors) for item in read_list(given["name"][1], "name")] if "name" in given else []
        )
        ops = [_read_kind(item, errors) for item in read_list(given["op"][1], "op")] if "op" in given else []
        if not names and not ops and len(errors) == before:
            raise SpecError(
                BAD_STRUCTURE, "layers needs `name`, `op` or both", key.span, hint='such as {name: "stage*.**"}'
            )
        return LayerFilter(tuple(filter(None, names)), tuple(filter(None, ops)), key.span)
    return None


def _read_path_glob(node: YamlNode, errors: list[SpecError]) -> Pattern | None:
    with collect_errors(errors):
        given = read_scalar(node, "name")
        pattern = _read_pattern(given)
        _require_valid_glob(pattern.text, ".", given)
        return pattern
    return None


def _read_kind(node: YamlNode, errors: list[SpecError]) -> str:
    with collect_errors(errors):
        given = node.text if isinstance(node, ScalarNode) else ""
        is_activation = given in activation_names() and given not in kinds()
        hint = f"a layer {given} is of the kind act" if is_activation else "kinds of layers: `convcalc explain KIND`"
        return read_choice(node, "op", kinds(), hint)
    return ""


def _read_pattern(given: ScalarNode) -> Pattern:
    excludes = given.text.startswith(EXCLUSION_PREFIX)
    text = given.text[len(EXCLUSION_PREFIX) :] if excludes else given.text
    if not text:
        raise SpecError(GLOB, "nothing follows the !", given.span)
    return Pattern(text, given.span, excludes)


def _require_valid_glob(text: str, separator: str | None, given: ScalarNode) -> None:
    wrong = syntax_error(text, separator)
    if wrong:
        hint = "the character [ itself is written [[]" if "[" in wrong else ""
        raise SpecError(GLOB, f"{quoted(given.text)} {wrong}", given.span, hint=hint)


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
