"""A budget file, found and read: everything that is wrong with its form is said at once, each at its place."""

from __future__ import annotations

import os

from convcalc.budget.file.entries import SETTINGS, Entries, Settings, settings
from convcalc.budget.file.fields import FORM, Fields, fields, mappings, word
from convcalc.budget.file.selectors import require_inside
from convcalc.budget.file.types import BudgetFile, Origin
from convcalc.designs.names import BUDGET
from convcalc.errors import Source, Span, SpecError, SpecErrors, few_guesses
from convcalc.gc_pause import uncollected
from convcalc.git.worktree import upward
from convcalc.spec.document.value_nodes import gathering
from convcalc.spec.yaml.fields import is_empty
from convcalc.spec.yaml.nodes import Mapping, Node, Scalar, compose
from convcalc.spec.yaml.text import read

TOP = ("version", "note", "baseline", "defaults", "budgets", "waivers")
ORIGINS = ("git", "file")
HINTS = {
    "CC631": "`convcalc explain CC631` shows a budget file",
    "CC634": "`convcalc explain CC634` tells how patterns are written",
    "CC636": "such as id: edge-total",
}
"""For mistakes of which nothing closer can be said."""
A_BUDGET = "- {id: edge, designs: models/*.yaml, max: {params: 5M}}"
A_WAIVER = "- {budget: edge, design: models/a.yaml, until: 2030-12-31, reason: …}"


def find(start: str) -> str | None:
    """Return the nearest budget file from a folder upward, as far as that of the repository or the file system.

    The path is relative to the current folder unless ``start`` is absolute.
    """
    for folder in upward(start):
        path = os.path.join(folder, BUDGET)
        if os.path.isfile(path):
            return path if os.path.isabs(start) else os.path.relpath(path)
    return None


def read_budget(path: str) -> BudgetFile:
    """Read a budget file; ``-`` is standard input, with the current folder as its own.

    Raises:
        SpecErrors: everything that is wrong with it: CC0nn and CC1nn the file and its YAML, CC631 its form, CC632
            words, CC633 quantities, CC634 globs and paths, CC635 waivers, CC636 ids.
    """
    try:
        source = read(path)
    except SpecError as error:
        raise SpecErrors([error]) from None
    root = compose(source)
    if not isinstance(root, Mapping):
        what = "is empty" if is_empty(root) else "is not a mapping"
        text = f"the budget file {what}; it begins with `version: 1` and has `budgets:`"
        raise SpecErrors([SpecError(FORM, text, Span(source, 1, 1), hint=HINTS[FORM])])
    errors: list[SpecError] = []
    with uncollected(), few_guesses():
        found = _file(source, root, os.path.dirname(os.path.abspath(path)), errors)
    if errors:
        for mistake in errors:
            mistake.hint = mistake.hint or HINTS.get(mistake.code, "")
        raise SpecErrors(errors)
    return found


def _file(source: Source, root: Mapping, folder: str, errors: list[SpecError]) -> BudgetFile:
    given = fields(root, "a budget file", TOP, errors)
    with gathering(errors):
        _require_version(root, given)
    with gathering(errors):
        note = word(given["note"][1], "note").text if "note" in given else ""
    inherited = _defaults(given["defaults"][1], errors) if "defaults" in given else Settings()
    entries = Entries(folder, errors)
    budgets = [entries.budget(node, inherited) for node in _items(root, given, "budgets", A_BUDGET, errors)]
    waivers = [entries.waiver(node) for node in _items(root, given, "waivers", A_WAIVER, errors)]
    return BudgetFile(
        source=source,
        folder=folder,
        budgets=tuple(budget for budget in budgets if budget),
        waivers=tuple(waiver for waiver in waivers if waiver),
        baseline=_origin(*given["baseline"], folder, errors) if "baseline" in given else None,
        note=note if not errors else "",
    )


def _require_version(root: Mapping, given: Fields) -> None:
    if "version" not in given:
        place = _place(root, "version")
        raise SpecError(FORM, "a budget file needs its `version`", place, hint="its first line is `version: 1`")
    node = given["version"][1]
    if not isinstance(node, Scalar) or node.text != "1":
        raise SpecError(FORM, "this program reads budget files of `version: 1`", node.span)


def _items(root: Mapping, given: Fields, key: str, form: str, errors: list[SpecError]) -> list[Node]:
    """Return the items of a list of mappings; there must be a budget."""
    with gathering(errors):
        items = mappings(given[key][1], key, form) if key in given else []
        if not items and key == "budgets":
            raise SpecError(FORM, "a budget file without a budget guards nothing", _place(root, key), hint=form)
        return items
    return []


def _place(root: Mapping, key: str) -> Span:
    """Return the place of a key that has nothing behind it, or else of the whole."""
    return next((name.span for name, _ in root.pairs if name.text == key), root.span)


def _defaults(node: Node, errors: list[SpecError]) -> Settings:
    with gathering(errors):
        return settings(fields(node, "defaults", SETTINGS, errors), Settings(), errors)
    return Settings()


def _origin(key: Scalar, node: Node, folder: str, errors: list[SpecError]) -> Origin | None:
    before = len(errors)
    with gathering(errors):
        given = fields(node, "baseline", ORIGINS, errors)
        if len(given) != 1:
            if len(errors) > before:
                return None
            text = "a baseline is either in git or in a file"
            raise SpecError(FORM, text, key.span, hint="{git: merge-base} or {file: convcalc-baseline.json}")
        ((kind, (_, value)),) = given.items()
        where = word(value, kind)
        if kind == "file":
            require_inside(where.text, where, folder)
        return Origin(kind, where.text, where.span)
    return None
