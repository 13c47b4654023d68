"""Layers that changed as a person wants to read them: whole scopes that are new, gone or moved are one row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from convcalc.budget.diff.match_layers import Counts, Pair, change_kind

ScopeChange = tuple[str, str]
"""What became of a layer, and which scope it had before; nothing for what is a row of its own."""


class Row(NamedTuple):
    """A layer, or all layers at and below a scope."""

    path: str
    was: str
    """The path before, where it was another."""
    change: str
    """grew, shrank, new, removed or moved."""
    layers: int
    before: Mapping[str, int] | None
    after: Mapping[str, int] | None

    def difference(self, metric: str) -> int:
        """Return by how much it grew."""
        return (self.after or {}).get(metric, 0) - (self.before or {}).get(metric, 0)


def group_changes(pairs: Sequence[Pair], metrics: Sequence[str]) -> list[Row]:
    """Return what changed, the largest first.

    Args:
        pairs: all layers of both sides.
        metrics: what tells whether a layer grew, and how much: the first in which anything changed.
    """
    stories = _changes_by_scope(pairs)
    runs: dict[tuple[str, ScopeChange], list[Pair]] = {}
    for pair in pairs:
        scope = next(
            (scope for scope in enclosing_scopes(pair.path) if _is_uniform(stories[_side(pair), scope])), pair.path
        )
        if layer_change_kind(pair, metrics):
            story = next(iter(stories[_side(pair), scope]))
            runs.setdefault((scope, story), []).append(pair)
    rows = [_row(scope, story, held, metrics) for (scope, story), held in runs.items()]
    leading = next((metric for metric in metrics if any(row.difference(metric) for row in rows)), "")
    return sorted(rows, key=lambda row: -abs(row.difference(leading)))


def _side(pair: Pair) -> str:
    return "before" if pair.after is None else "after"


def enclosing_scopes(path: str) -> Iterator[str]:
    """Give the scopes around a layer from the outermost in, the layer's own path last."""
    place = path.find(".")
    while place >= 0:
        yield path[:place]
        place = path.find(".", place + 1)
    yield path


def _changes_by_scope(pairs: Iterable[Pair]) -> dict[tuple[str, str], set[ScopeChange]]:
    """Return what became of the layers of every scope, on the side on which it is."""
    found: dict[tuple[str, str], set[ScopeChange]] = {}
    for pair in pairs:
        for scope in enclosing_scopes(pair.path):
            found.setdefault((_side(pair), scope), set()).add(_scope_change(pair, scope))
        for scope in enclosing_scopes(pair.was) if pair.after is not None and pair.was else ():
            found.setdefault(("before", scope), set()).add(("kept", ""))
    return found


def _scope_change(pair: Pair, scope: str) -> ScopeChange:
    if pair.before is None:
        return "new", ""
    if pair.after is None:
        return "removed", ""
    rest = pair.path.removeprefix(scope)
    if pair.moved and pair.before == pair.after and pair.was.endswith(rest):
        return "moved", pair.was.removesuffix(rest)
    return "", pair.path


def _is_uniform(stories: set[ScopeChange]) -> bool:
    return len(stories) == 1 and next(iter(stories))[0] in ("new", "removed", "moved")


def layer_change_kind(pair: Pair, metrics: Iterable[str]) -> str:
    """Return what became of a layer, by the first metric in which it differs; nothing where it is as it was."""
    leading = next((metric for metric in metrics if pair.difference(metric)), None)
    return change_kind(pair, pair.difference(leading) if leading else 0)


def _row(scope: str, story: ScopeChange, held: Sequence[Pair], metrics: Iterable[str]) -> Row:
    if len(held) == 1:
        pair = held[0]
        was = pair.was if pair.moved else ""
        return Row(pair.path, was, layer_change_kind(pair, metrics), 1, pair.before, pair.after)
    change, was = story
    before, after = _sum(pair.before for pair in held), _sum(pair.after for pair in held)
    return Row(scope, was, change, len(held), before, after)


def _sum(sides: Iterable[Counts | None]) -> dict[str, int] | None:
    """Add up one side; nothing where none of the layers is there."""
    there = [side for side in sides if side is not None]
    keys = dict.fromkeys(key for side in there for key in side)
    return {key: sum(side.get(key, 0) for side in there) for key in keys} if there else None
