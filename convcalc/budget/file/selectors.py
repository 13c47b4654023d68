"""What a budget is about, read: patterns of designs, globs of layers, and paths that stay in the repository."""

from __future__ import annotations

import os
import re

from convcalc.budget.file.fields import FORM, choice, fields, listed, word
from convcalc.budget.file.types import Layers, Pattern
from convcalc.designs.names import ZOO, parts
from convcalc.errors import SpecError, quoted
from convcalc.git.worktree import leads_out
from convcalc.globs import fault, is_wild
from convcalc.ops.registry import activations, kinds
from convcalc.spec.document.value_nodes import gathering
from convcalc.spec.yaml.nodes import Node, Scalar

GLOB = "CC634"
CHOSEN = ("name", "op")
NOT = "!"
_DRIVE = re.compile(r"[A-Za-z]:[/\\]")


def designs(node: Node, folder: str, errors: list[SpecError]) -> tuple[Pattern, ...]:
    """Read the patterns of a budget; faults are gathered."""
    found, before = [], len(errors)
    with gathering(errors):
        for item in listed(node, "designs"):
            with gathering(errors):
                found.append(design(word(item, "designs"), folder))
    if found and all(pattern.excludes for pattern in found) and len(errors) == before:
        text = "every pattern begins with ! and takes designs away; none adds one"
        errors.append(SpecError(GLOB, text, found[0].span))
    return tuple(found)


def design(given: Scalar, folder: str) -> Pattern:
    """Read one pattern of designs.

    Raises:
        SpecError: CC634.
    """
    pattern = _pattern(given)
    file, variant, part = parts(pattern.text)
    if not file or variant == "" or part == "":
        raise SpecError(GLOB, f"{quoted(given.text)} lacks what belongs before or behind its @ or #", given.span)
    if part is not None and is_wild(part):
        hint = "for many layers write `layers: {name: …}`, with `per: group` for groups of them"
        raise SpecError(GLOB, f"the path behind # is no glob: {quoted(part)}", given.span, hint=hint)
    if file.startswith(ZOO):
        if is_wild(file):
            raise SpecError(GLOB, f"a shipped spec is named as it is, not by a glob: {quoted(file)}", given.span)
    else:
        require_inside(file, given, folder)
        _require_form(file, "/", given)
    if variant is not None:
        _require_form(variant, None, given)
    return pattern


def one_design(given: Scalar, folder: str) -> str:
    """Read the name of one design, with no glob in it.

    Raises:
        SpecError: CC634.
    """
    pattern = design(given, folder)
    if pattern.excludes or is_wild(pattern.text):
        raise SpecError(GLOB, f"one design is meant here, and {quoted(given.text)} is a glob", given.span)
    return pattern.text


def require_inside(path: str, given: Scalar, folder: str) -> None:
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
        raise SpecError(GLOB, f"{quoted(path)} holds a folder '.', which says nothing", given.span, hint="leave it out")
    if ".." in names[max(0, next((place for place, name in enumerate(names) if name != ".."), 0)) :]:
        raise SpecError(GLOB, f"{quoted(path)} goes up behind a name", given.span, hint="'..' stands at the beginning")
    if leads_out(path, folder):
        text = f"{quoted(path)} leads out of the repository of the budget file"
        raise SpecError(GLOB, text, given.span, hint="paths start in the folder of the budget file")


def layers(key: Scalar, node: Node, errors: list[SpecError]) -> Layers | None:
    """Read which layers are meant; faults are gathered."""
    before = len(errors)
    with gathering(errors):
        given = fields(node, "layers", CHOSEN, errors)
        names = [_path(item, errors) for item in listed(given["name"][1], "name")] if "name" in given else []
        ops = [_kind(item, errors) for item in listed(given["op"][1], "op")] if "op" in given else []
        if not names and not ops and len(errors) == before:
            raise SpecError(FORM, "layers needs `name`, `op` or both", key.span, hint='such as {name: "stage*.**"}')
        return Layers(tuple(filter(None, names)), tuple(filter(None, ops)), key.span)
    return None


def _path(node: Node, errors: list[SpecError]) -> Pattern | None:
    with gathering(errors):
        given = word(node, "name")
        pattern = _pattern(given)
        _require_form(pattern.text, ".", given)
        return pattern
    return None


def _kind(node: Node, errors: list[SpecError]) -> str:
    with gathering(errors):
        given = node.text if isinstance(node, Scalar) else ""
        is_activation = given in activations() and given not in kinds()
        hint = f"a layer {given} is of the kind act" if is_activation else "kinds of layers: `convcalc explain KIND`"
        return choice(node, "op", kinds(), hint)
    return ""


def _pattern(given: Scalar) -> Pattern:
    excludes = given.text.startswith(NOT)
    text = given.text[len(NOT) :] if excludes else given.text
    if not text:
        raise SpecError(GLOB, "nothing stands behind the !", given.span)
    return Pattern(text, given.span, excludes)


def _require_form(text: str, separator: str | None, given: Scalar) -> None:
    wrong = fault(text, separator)
    if wrong:
        hint = "the character [ itself is written [[]" if "[" in wrong else ""
        raise SpecError(GLOB, f"{quoted(given.text)} {wrong}", given.span, hint=hint)
