"""Layers that changed as a person wants to read them: whole scopes that are new, gone or moved are one row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from convcalc.budget.diff.match_layers import Counts, LayerChange, change_kind

ScopeChange = tuple[str, str]
"""What became of a layer, and which scope it had before; nothing for what is a row of its own."""


def group_changes(pairs: Sequence[LayerChange], metrics: Sequence[str]) -> list[LayerChange]:
    """Return what changed, the largest first.

    Args:
        pairs: all layers of both sides.
        metrics: what tells whether a layer grew, and how much: the first in which anything changed.
    """
    stories = _changes_by_scope(pairs)
    runs: dict[tuple[str, ScopeChange], list[LayerChange]] = {}
    for pair in pairs:
        scope = next(
            (scope for scope in enclosing_scopes(pair.path) if _is_uniform(stories[_side(pair), scope])), pair.path
        )
        if layer_change_kind(pair, metrics):
            story = next(iter(stories[_side(pair), scope]))
            runs.setdefault((scope, story), []).append(pair)
    rows = [_group_change(scope, story, held, metrics) for (scope, story), held in runs.items()]
    leading = next((metric for metric in metrics if any(row.difference(metric) for row in rows)), "")
    return sorted(rows, key=lambda row: -abs(row.difference(leading)))


def _side(pair: LayerChange) -> str:
    return "before" if pair.after is None else "after"


def enclosing_scopes(path: str) -> Iterator[str]:
    """Give the scopes around a layer from the outermost in, the layer's own path last."""
    place = path.find(".")
    while place >= 0:
        yield path[:place]
        place = path.find(".", place + 1)
    yield path


def _changes_by_scope(pairs: Iterable[LayerChange]) -> dict[tuple[str, str], set[ScopeChange]]:
    """Return what became of the layers of every scope, on the side on which it is."""
    found: dict[tuple[str, str], set[ScopeChange]] = {}
    for pair in pairs:
        for scope in enclosing_scopes(pair.path):
            found.setdefault((_side(pair), scope), set()).add(_scope_change(pair, scope))
        for scope in enclosing_scopes(pair.old_path) if pair.after is not None and pair.old_path else ():
            found.setdefault(("before", scope), set()).add(("kept", ""))
    return found


def _scope_change(pair: LayerChange, scope: str) -> ScopeChange:
    if pair.before is None:
        return "new", ""
    if pair.after is None:
        return "removed", ""
    rest = pair.path.removeprefix(scope)
    if pair.is_moved and pair.before == pair.after and pair.old_path.endswith(rest):
        return "moved", pair.old_path.removesuffix(rest)
    return "", pair.path


def _is_uniform(stories: set[ScopeChange]) -> bool:
    return len(stories) == 1 and next(iter(stories))[0] in ("new", "removed", "moved")


def layer_change_kind(pair: LayerChange, metrics: Iterable[str]) -> str:
    """Return what became of a layer, by the first metric in which it differs; nothing where it is as it was."""
    leading = next((metric for metric in metrics if pair.difference(metric)), None)
    return change_kind(pair, pair.difference(leading) if leading else 0)


def _group_change(scope: str, story: ScopeChange, held: Sequence[LayerChange], metrics: Iterable[str]) -> LayerChange:
    if len(held) == 1:
        (pair,) = held
        old_path = pair.old_path if pair.is_moved else ""
        return pair._replace(old_path=old_path, change=layer_change_kind(pair, metrics))
    change, old_path = story
    before, after = _sum(pair.before for pair in held), _sum(pair.after for pair in held)
    return LayerChange(scope, old_path, before, after, change, len(held))


def _sum(sides: Iterable[Counts | None]) -> dict[str, int] | None:
    """Add up one side; nothing where none of the layers is there."""
    there = [side for side in sides if side is not None]
    keys = dict.fromkeys(key for side in there for key in side)
    return {key: sum(side.get(key, 0) for side in there) for key in keys} if there else None
