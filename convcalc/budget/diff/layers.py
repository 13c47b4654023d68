"""What became of the layers of a design: matched by path, then by other names; told in rows, whole scopes as one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from convcalc.budget.baseline.file import DesignCounts
from convcalc.findings import LayerMetricChange
from convcalc.graph.graph import enclosing
from convcalc.records import NamedTuple

Counts = Mapping[str, int]
Layers = Mapping[str, Counts]
"""Path → metric → value."""
MAX_FUZZY_SCOPES = 100
"""So many scopes on either side are compared with each other; beyond, only scopes that are wholly alike meet."""


class LayerChange(NamedTuple):
    """A layer, or all layers at and below a scope, before and after; nothing on the side on which it is not."""

    path: str
    old_path: str
    """The path before; nothing for a new layer."""
    before: Counts | None
    after: Counts | None
    change: str = ""
    """grew, shrank, new, removed or moved, where :mod:`~convcalc.budget.diff.layers` has told."""
    layers: int = 1

    @property
    def is_moved(self) -> bool:
        return bool(self.old_path) and self.old_path != self.path and self.after is not None

    def difference(self, metric: str) -> int:
        """Return by how much it grew."""
        return (self.after or {}).get(metric, 0) - (self.before or {}).get(metric, 0)


def match_layers(before: Layers, after: Layers) -> list[LayerChange]:
    """Match the layers: by path; then scopes of the same layers, then single layers that count the same.

    Returns:
        Every layer of either side once, in the order of those after, with those that are gone behind.
    """
    old = {path: before[path] for path in before if path not in after}
    new = {path: after[path] for path in after if path not in before}
    was = {path: path for path in after if path in before}
    was |= _match_renamed(old, new)
    kept = set(was.values())
    there = [LayerChange(path, was.get(path, ""), before.get(was.get(path, "")), after[path]) for path in after]
    return there + [LayerChange(path, path, before[path], None) for path in before if path not in kept]


def _match_renamed(old: Layers, new: Layers) -> dict[str, str]:
    """Return new path → old path of the layers that were given another name."""
    found: dict[str, str] = {}
    for match in (_match_equal_scopes, _match_similar_scopes, _match_equal_layers):
        left = {path: old[path] for path in old.keys() - set(found.values())}
        coming = {path: new[path] for path in new.keys() - found.keys()}
        found |= match(left, coming)
    return found


def _scopes(layers: Layers) -> dict[str, dict[str, Counts]]:
    """Return every scope that is given whole: scope → path within it → values; the outermost first."""
    found: dict[str, dict[str, Counts]] = {}
    for path in sorted(layers):
        scope, _, name = path.rpartition(".")
        while scope:
            found.setdefault(scope, {})[name] = layers[path]
            scope, _, last = scope.rpartition(".")
            name = f"{last}.{name}"
    return dict(sorted(found.items(), key=lambda item: (item[0].count("."), item[0])))


def _match_equal_scopes(old: Layers, new: Layers) -> dict[str, str]:
    """Match scopes that hold the same layers with the same values."""
    waiting: dict[object, list[str]] = {}
    inside = _scopes(old)
    for scope, held in inside.items():
        waiting.setdefault(_content(held), []).append(scope)
    found: dict[str, str] = {}
    gone: set[str] = set()
    for scope, held in _scopes(new).items():
        if any(f"{scope}.{name}" in found for name in held):
            continue  # a scope around it was matched
        candidates = waiting.get(_content(held), [])
        free = [each for each in candidates if f"{each}.{next(iter(held))}" not in gone]
        if free:
            best = max(free, key=lambda each: (_shared_segments(scope, each), -free.index(each)))
            found |= {f"{scope}.{name}": f"{best}.{name}" for name in held}
            gone |= {f"{best}.{name}" for name in held}
    return found


def _content(held: Mapping[str, Counts]) -> object:
    return frozenset((name, frozenset(values.items())) for name, values in held.items())


def _shared_segments(path: str, other: str) -> int:
    """Return how many segments two paths share, by their place."""
    return sum(one == two for one, two in zip(path.split("."), other.split("."), strict=False))


def _match_similar_scopes(old: Layers, new: Layers) -> dict[str, str]:
    """Match scopes of which more than half of the layers have the same names, the most alike first."""
    gone, come = _scopes(old), _scopes(new)
    if len(gone) > MAX_FUZZY_SCOPES or len(come) > MAX_FUZZY_SCOPES:
        return {}
    ranked = sorted(
        (-len(common), -_shared_segments(scope, other), scope, other)
        for scope, held in come.items()
        for other, before in gone.items()
        if 2 * len(common := held.keys() & before.keys()) > max(len(held), len(before))
    )
    found: dict[str, str] = {}
    taken: set[str] = set()
    for _, _, scope, other in ranked:
        names = [name for name in come[scope] if name in gone[other]]
        if not any(f"{scope}.{name}" in found or f"{other}.{name}" in taken for name in names):
            found |= {f"{scope}.{name}": f"{other}.{name}" for name in names}
            taken |= {f"{other}.{name}" for name in names}
    return found


def _match_equal_layers(old: Layers, new: Layers) -> dict[str, str]:
    """Match layers that count the same in every metric, where each is the only such one on its side."""
    contents = {path: frozenset(values.items()) for layers in (old, new) for path, values in layers.items()}
    often, coming = Counter(contents[path] for path in old), Counter(contents[path] for path in new)
    single = {contents[path]: path for path in old if often[contents[path]] == 1}
    return {path: single[contents[path]] for path in new if contents[path] in single and coming[contents[path]] == 1}


def metric_changes(before: DesignCounts, after: DesignCounts, metrics: Iterable[str]) -> tuple[LayerMetricChange, ...]:
    """Return the layers that changed: for each metric those that changed most first, those that only moved last.

    Args:
        before: the baseline's.
        after: the present one's.
        metrics: those that are looked at, in their order; sums of layers.
    """
    matched = match_layers(before.layers, after.layers)
    found = [_change(pair, metric) for metric in metrics for pair in _largest_first(matched, metric)]
    return tuple(change for change in found if change)


def _largest_first(matched: Iterable[LayerChange], metric: str) -> Iterator[LayerChange]:
    yield from sorted(matched, key=lambda pair: -abs(pair.difference(metric)))


def _change(pair: LayerChange, metric: str) -> LayerMetricChange | None:
    before, after = (None if side is None else side.get(metric, 0) for side in (pair.before, pair.after))
    change = change_kind(pair, pair.difference(metric)) if before or after else ""
    old_path = pair.old_path if pair.is_moved else ""
    return LayerMetricChange(pair.path, metric, change, before, after, old_path) if change else None


def change_kind(pair: LayerChange, difference: int) -> str:
    """Return what became of a layer, in the words of the findings."""
    if pair.before is None:
        return "new"
    if pair.after is None:
        return "removed"
    if difference:
        return "grew" if difference > 0 else "shrank"
    return "moved" if pair.is_moved else ""


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
        scope = next((scope for scope in enclosing(pair.path) if _is_uniform(stories[_side(pair), scope])), pair.path)
        if layer_change_kind(pair, metrics):
            story = next(iter(stories[_side(pair), scope]))
            runs.setdefault((scope, story), []).append(pair)
    rows = [_group_change(scope, story, held, metrics) for (scope, story), held in runs.items()]
    leading = next((metric for metric in metrics if any(row.difference(metric) for row in rows)), "")
    return sorted(rows, key=lambda row: -abs(row.difference(leading)))


def _side(pair: LayerChange) -> str:
    return "before" if pair.after is None else "after"


def _changes_by_scope(pairs: Iterable[LayerChange]) -> dict[tuple[str, str], set[ScopeChange]]:
    """Return what became of the layers of every scope, on the side on which it is."""
    found: dict[tuple[str, str], set[ScopeChange]] = {}
    for pair in pairs:
        for scope in enclosing(pair.path):
            found.setdefault((_side(pair), scope), set()).add(_scope_change(pair, scope))
        for scope in enclosing(pair.old_path) if pair.after is not None and pair.old_path else ():
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
