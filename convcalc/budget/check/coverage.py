"""Designs that no budget guards."""

from __future__ import annotations

import os
from collections.abc import Iterator

from convcalc.budget.file.types import BudgetFile
from convcalc.budget.select.plan import CheckPlan, FileToCheck
from convcalc.designs.names import DesignName, is_spec_name
from convcalc.errors import Source, Span, SpecError, SpecErrors
from convcalc.findings import Finding
from convcalc.spec.yaml.nodes import MapNode, parse_yaml
from convcalc.spec.yaml.text import read_text

UNCOVERED = "CC619"
LAYERS = "layers"


def designs_without_budget(file: BudgetFile | None, found: CheckPlan, *, confined: bool) -> Iterator[Finding]:
    """Give a finding for every design without a budget.

    Of the designs that a check is confined to, each is looked at; otherwise every spec below the budget file's folder,
    which is every YAML file with ``layers`` at its top. A file is guarded when one of its designs is.
    """
    for wanted in found.files.values():
        for design in dict.fromkeys(wanted.requested) if confined else ():
            if not _has_budget(wanted, design):
                yield _finding(file, design.text, wanted.path)
    if not confined and file is not None:
        for name, path in _specs_below(file.folder):
            if name not in found.files and _is_network(path):
                yield _finding(file, name, path)


def _has_budget(wanted: FileToCheck, design: DesignName) -> bool:
    """Whether something guards a design; of a file that holds blocks alone there is nothing to guard."""
    if design.is_whole_file:
        return bool(wanted.budgets) or (os.path.isfile(wanted.path) and not _is_network(wanted.path))
    return bool(wanted.budgets.get(design))


def _specs_below(folder: str) -> Iterator[tuple[str, str]]:
    """Give the YAML files below a folder that are not hidden: name from there, path from the current folder."""
    for here, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if is_spec_name(name) and not name.startswith("."):
                path = os.path.join(here, name)
                yield os.path.relpath(path, folder).replace(os.sep, "/"), os.path.relpath(path)


def _is_network(path: str) -> bool:
    """Whether a YAML file has layers; one that is not YAML is not a spec that anybody could guard."""
    try:
        source = read_text(path)
        top = parse_yaml(source) if LAYERS in source.text else None
    except (SpecError, SpecErrors):
        return False
    return isinstance(top, MapNode) and any(key.text == LAYERS for key, _ in top.pairs)


def _finding(file: BudgetFile | None, name: str, path: str) -> Finding:
    text = f"no budget covers {name}"
    hint = f"add it to the designs of a budget in {file.source.name}" if file else "write a budget file, or name limits"
    return Finding("coverage", UNCOVERED, "error", name, "", text, Span(Source(path), 1, 1), hint)
