"""The parts of a design that a budget is about."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from convcalc.budget.file.types import Budget, LayerFilter, Pattern
from convcalc.paths import matches
from convcalc.report.measurements import WHOLE_DESIGN, DesignPart, Measurements

SEPARATOR = "."


class PartFinder:
    """Finds the parts of designs that budgets limit. Designs with the same layers are searched once."""

    def __init__(self) -> None:
        self._outlines: dict[tuple[tuple[str, str], ...], int] = {}
        self._parts_by_outline: dict[tuple[int, int], tuple[Budget, Sequence[DesignPart], set[int]]] = {}
        self._matches_by_glob: dict[tuple[str, str], bool] = {}
        self.matched: set[int] = set()
        """The identities of the globs of layers that have matched anything; whoever wants to know when empties it."""

    def parts(self, budget: Budget, measured: Measurements) -> Sequence[DesignPart]:
        """Return the parts of a design that are limited one by one; none where no layer matches."""
        if budget.layers is None and budget.per == "total":
            return (WHOLE_DESIGN,)
        outline = self._outlines.setdefault(measured.layer_kinds, len(self._outlines))
        key = id(budget), outline
        if key not in self._parts_by_outline:  # with the budget: while it is held, no other has its id
            before, self.matched = self.matched, set()
            self._parts_by_outline[key] = budget, tuple(self._select(budget, measured.layer_kinds)), self.matched
            self.matched = before
        _, parts, matched = self._parts_by_outline[key]
        self.matched |= matched
        return parts

    def _select(self, budget: Budget, outline: Sequence[tuple[str, str]]) -> Iterable[DesignPart]:
        layers = budget.layers
        if budget.per == "group":
            return self._groups(outline, layers)
        chosen = [
            index
            for index, (path, kind) in enumerate(outline)
            if self.selects(layers, path) and _has_kind(layers, kind)
        ]
        if budget.per == "layer":
            return [DesignPart(outline[index][0], (index,)) for index in chosen]
        return [DesignPart("", tuple(chosen))] if chosen else []

    def _groups(self, outline: Sequence[tuple[str, str]], layers: LayerFilter | None) -> Iterable[DesignPart]:
        """Return every scope and layer that a budget names, with the layers at and below it, in network order."""
        below: dict[str, list[int]] = {}
        for index, (path, kind) in enumerate(outline):
            if _has_kind(layers, kind):
                segments = path.split(SEPARATOR)
                for end in range(1, len(segments) + 1):
                    below.setdefault(SEPARATOR.join(segments[:end]), []).append(index)
        whole = layers is None or not layers.kinds
        return [
            DesignPart(path, tuple(found), True, whole) for path, found in below.items() if self.selects(layers, path)
        ]

    def selects(self, layers: LayerFilter | None, path: str) -> bool:
        """Whether a path is among those that a budget names: in one of its globs and in none with a ``!``."""
        if layers is None or not layers.path_globs:
            return True
        fitting = [pattern for pattern in layers.path_globs if self._matches(pattern, path)]
        if any(pattern.is_exclusion for pattern in fitting):
            return False
        return bool(fitting) or all(pattern.is_exclusion for pattern in layers.path_globs)

    def _matches(self, pattern: Pattern, path: str) -> bool:
        key = pattern.text, path
        if key not in self._matches_by_glob:
            self._matches_by_glob[key] = matches(pattern.text, path, SEPARATOR)
        if self._matches_by_glob[key]:
            self.matched.add(id(pattern))
        return self._matches_by_glob[key]


def _has_kind(layers: LayerFilter | None, kind: str) -> bool:
    return layers is None or not layers.kinds or kind in layers.kinds
