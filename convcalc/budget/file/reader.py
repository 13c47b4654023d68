"""A budget file, found and read: everything that is wrong with its form is said at once, each at its place."""

from __future__ import annotations

import os

from convcalc.budget.file.entries import DEFAULT_KEYS, BudgetDefaults, EntryReader, read_defaults
from convcalc.budget.file.fields import BAD_STRUCTURE, Fields, read_list, read_mapping, read_optional, read_scalar
from convcalc.budget.file.selectors import require_inside_repository
from convcalc.budget.file.types import BaselineLocation, BudgetFile
from convcalc.designs.names import BUDGET_FILE
from convcalc.errors import Source, Span, SpecError, SpecErrors, limit_suggestions
from convcalc.memory import paused
from convcalc.paths import folders_up_to_root
from convcalc.spec.document.value_nodes import collect_errors
from convcalc.spec.yaml.fields import is_empty
from convcalc.spec.yaml.nodes import ListNode, MapNode, ScalarNode, YamlNode, parse_yaml
from convcalc.spec.yaml.text import read_text

TOP_LEVEL_KEYS = ("version", "note", "baseline", "defaults", "budgets", "waivers")
BASELINE_KINDS = ("git", "file")
DEFAULT_HINTS = {
    "CC631": "`convcalc explain CC631` shows a budget file",
    "CC634": "`convcalc explain CC634` tells how patterns are written",
    "CC636": "such as id: edge-total",
}
"""For mistakes of which nothing closer can be said."""
BUDGET_EXAMPLE = "- {id: edge, designs: models/*.yaml, max: {params: 5M}}"
WAIVER_EXAMPLE = "- {budget: edge, design: models/a.yaml, until: 2030-12-31, reason: …}"


def find_budget_file(start: str) -> str | None:
    """Return the nearest budget file from a folder upward, as far as that of the repository or the file system.

    The path is relative to the current folder unless ``start`` is absolute.
    """
    for folder in folders_up_to_root(start):
        path = os.path.join(folder, BUDGET_FILE)
        if os.path.isfile(path):
            return path if os.path.isabs(start) else os.path.relpath(path)
    return None


def read_budget_file(path: str) -> BudgetFile:
    """Read a budget file; ``-`` is standard input, with the current folder as its own.

    Raises:
        SpecErrors: everything that is wrong with it: CC0nn and CC1nn the file and its YAML, CC631 its form, CC632
            words, CC633 quantities, CC634 globs and paths, CC635 waivers, CC636 ids.
    """
    try:
        source = read_text(path)
    except SpecError as error:
        raise SpecErrors([error]) from None
    root = parse_yaml(source)
    if not isinstance(root, MapNode):
        what = "is empty" if is_empty(root) else "is not a mapping"
        text = f"the budget file {what}; it begins with `version: 1` and has `budgets:`"
        raise SpecErrors([SpecError(BAD_STRUCTURE, text, Span(source, 1, 1), hint=DEFAULT_HINTS[BAD_STRUCTURE])])
    errors: list[SpecError] = []
    with paused(), limit_suggestions():
        found = _read_file(source, root, os.path.dirname(os.path.abspath(path)), errors)
    if errors:
        for mistake in errors:
            mistake.hint = mistake.hint or DEFAULT_HINTS.get(mistake.code, "")
        raise SpecErrors(errors)
    return found


def _read_file(source: Source, root: MapNode, folder: str, errors: list[SpecError]) -> BudgetFile:
    given = read_mapping(root, "a budget file", TOP_LEVEL_KEYS, errors)
    with collect_errors(errors):
        _require_version(root, given)
    note = read_optional(given, "note", lambda node: node.text, "", errors)
    inherited = BudgetDefaults()
    with collect_errors(errors):
        if "defaults" in given:
            defaults = read_mapping(given["defaults"][1], "defaults", DEFAULT_KEYS, errors)
            inherited = read_defaults(defaults, inherited, errors)
    entries = EntryReader(folder, errors)
    items = _read_items(root, given, "budgets", BUDGET_EXAMPLE, errors)
    budgets = [entries.read_budget(node, inherited) for node in items]
    waivers = [entries.read_waiver(node) for node in _read_items(root, given, "waivers", WAIVER_EXAMPLE, errors)]
    return BudgetFile(
        source=source,
        folder=folder,
        budgets=tuple(budget for budget in budgets if budget),
        waivers=tuple(waiver for waiver in waivers if waiver),
        baseline=_read_baseline_location(*given["baseline"], folder, errors) if "baseline" in given else None,
        note=note,
    )


def _require_version(root: MapNode, given: Fields) -> None:
    if "version" not in given:
        text, place = "a budget file needs its `version`", _place_of_key(root, "version")
        raise SpecError(BAD_STRUCTURE, text, place, hint="its first line is `version: 1`")
    node = given["version"][1]
    if not isinstance(node, ScalarNode) or node.text != "1":
        raise SpecError(BAD_STRUCTURE, "this program reads budget files of `version: 1`", node.span)


def _read_items(root: MapNode, given: Fields, key: str, form: str, errors: list[SpecError]) -> list[YamlNode]:
    """Return the items of a list of mappings; there must be a budget."""
    with collect_errors(errors):
        if key in given and not isinstance(given[key][1], ListNode):
            raise SpecError(BAD_STRUCTURE, f"{key} is a list: {form}", given[key][1].span)
        items = read_list(given[key][1], key) if key in given else []
        if not items and key == "budgets":
            text = "the budget file lists no budgets"
            raise SpecError(BAD_STRUCTURE, text, _place_of_key(root, key), hint=form)
        return items
    return []


def _place_of_key(root: MapNode, key: str) -> Span:
    """Return the place of a key that has nothing behind it, or else of the whole."""
    return next((name.span for name, _ in root.pairs if name.text == key), root.span)


def _read_baseline_location(
    key: ScalarNode, node: YamlNode, folder: str, errors: list[SpecError]
) -> BaselineLocation | None:
    before = len(errors)
    with collect_errors(errors):
        given = read_mapping(node, "baseline", BASELINE_KINDS, errors)
        if len(given) != 1:
            if len(errors) > before:
                return None
            text = "a baseline is either in git or in a file"
            raise SpecError(BAD_STRUCTURE, text, key.span, hint="{git: merge-base} or {file: convcalc-baseline.json}")
        ((kind, (_, value)),) = given.items()
        where = read_scalar(value, kind)
        if kind == "file":
            require_inside_repository(where.text, where, folder)
        return BaselineLocation(kind, where.text, where.span)
    return None
