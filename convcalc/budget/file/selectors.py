"""What a budget is about, read: patterns of designs, globs of layers, and paths that stay in the repository."""

from __future__ import annotations

import os
import re

from convcalc.budget.file.fields import BAD_STRUCTURE, read_choice, read_list, read_mapping, read_scalar
from convcalc.budget.file.types import LayerFilter, Pattern
from convcalc.designs.names import NOT_FILES, parse_pattern
from convcalc.errors import SpecError, quoted
from convcalc.git.worktree import leaves_repository
from convcalc.ops.registry import activation_names, kinds
from convcalc.paths import is_wild, syntax_error
from convcalc.spec.document.value_nodes import collect_errors
from convcalc.spec.yaml.nodes import ScalarNode, YamlNode

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
