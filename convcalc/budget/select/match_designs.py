"""Patterns of designs: globs over files, perhaps with ``@VARIANT`` and ``#PATH`` behind them, and what they match."""

from __future__ import annotations

import os
from collections.abc import Iterable

from convcalc.budget.file.types import Budget, Pattern
from convcalc.budget.select.finder import SpecFinder, is_spec_match
from convcalc.designs.names import ZOO, parse_pattern
from convcalc.errors import SpecError, SpecErrors, quoted
from convcalc.globs import matches, matches_word


def pattern_matches(pattern: str, design: str) -> bool:
    """Whether a pattern matches the name of a design (relative to the budget file's folder, with ``/``).

    Without ``@`` a pattern means the design that a file is without a variant, without ``#`` the whole of it.

    Examples:
        >>> pattern_matches("models/**", "models/edge/a.yaml"), pattern_matches("models/**", "models/edge/a.yaml@wide")
        (True, False)
    """
    meant, given = parse_pattern(pattern), parse_pattern(design)
    if meant.part != given.part or (meant.variant is None) is not (given.variant is None):
        return False
    if meant.variant is not None and not matches_word(meant.variant, given.variant or ""):
        return False
    if meant.file.startswith(ZOO) or given.file.startswith(ZOO):
        return meant.file == given.file
    return matches(meant.file, given.file, "/") and is_spec_match(meant.file, os.path.basename(given.file))


def patterns_match(patterns: Iterable[Pattern], design: str) -> bool:
    """Whether patterns match the name of a design and none of those with ``!`` does."""
    found = False
    for pattern in patterns:
        if pattern_matches(pattern.text, design):
            if pattern.is_exclusion:
                return False
            found = True
    return found


def matching_designs(budget: Budget, folder: str, finder: SpecFinder | None = None) -> list[str]:
    """Return the names of the designs below a folder that a budget is about, sorted; see :func:`matches_by_pattern`."""
    found = matches_by_pattern(budget, folder, finder)
    names = {name for pattern, held in found.items() if not pattern.is_exclusion for name in held}
    return sorted(names.difference(*(held for pattern, held in found.items() if pattern.is_exclusion)))


def matches_by_pattern(budget: Budget, folder: str, finder: SpecFinder | None = None) -> dict[Pattern, list[str]]:
    """Return what each pattern of a budget matches on the disk; for one with ``!``, what it removes.

    Names are relative to the folder, with ``/``. Specs are opened only where a pattern has a glob behind ``@``; a file
    that cannot be read then stands as ``FILE@GLOB``, so that whoever opens that design learns why.

    Args:
        budget: whose patterns are looked up.
        folder: that of the budget file.
        finder: of the same folder, where several budgets are looked up: every folder and file is then read once.

    Raises:
        SpecErrors: CC634, where a file that is matched lies outside the repository.
    """
    finder = finder or SpecFinder(folder)
    kept = [pattern for pattern in budget.designs if not pattern.is_exclusion]
    found = {pattern: finder.designs(pattern) for pattern in kept}
    names = sorted({name for held in found.values() for name in held})
    removed = {
        pattern: [name for name in names if pattern_matches(pattern.text, name)]
        for pattern in budget.designs
        if pattern.is_exclusion
    }
    gone = {name for held in removed.values() for name in held}
    _require_inside(finder, {pattern: [name for name in held if name not in gone] for pattern, held in found.items()})
    return {pattern: removed[pattern] if pattern.is_exclusion else found[pattern] for pattern in budget.designs}


def _require_inside(finder: SpecFinder, found: dict[Pattern, list[str]]) -> None:
    errors = []
    for pattern, names in found.items():
        outside = next((name for name in names if name in finder.outside), None)
        if outside is not None:
            text = f"{quoted(pattern.text)} matches {quoted(outside)}, which leads out of the repository {finder.root}"
            errors.append(SpecError("CC634", text, pattern.span))
    if errors:
        raise SpecErrors(errors)
