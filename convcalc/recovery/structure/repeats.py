"""Neighbours that are alike, as repeats: with a count, with columns, or as stages whose first turn differs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import combinations, count, takewhile
from typing import Any

from convcalc.recovery.items import ExpressionText, SpecItem, Value, copied, every
from convcalc.recovery.reading.links import Links
from convcalc.recovery.structure.align import weight
from convcalc.recovery.structure.columns import LISTED, by_number, of_branches
from convcalc.recovery.structure.parameters import LOCAL
from convcalc.recovery.structure.unify import Column, First, TurnValues, is_call, mapped, skeleton, unify

MAX_PERIOD = 8
MAX_COLUMNS = 7
MAX_LAYER_COLUMNS = 2
"""The same for a repeat of a single layer, which reads well without."""
MAX_FIRST = 2
"""Arguments that may have another value in the first turn."""
_owners = count(1)
INNER = ("repeat", "each")
"""Items in which ``first`` and ``i`` are those of their own turns."""


def compressed(items: Sequence[SpecItem], links: Links) -> list[SpecItem]:
    """Return a list in which neighbours that are alike are repeats, and branches that are alike are one."""
    for item in items:
        if item.branches is not None:
            item.branches = [compressed(branch, links) for branch in item.branches]
        if item.kind == "each":
            item.branches = _as_one(item.branches or [], links) or item.branches
    found = list(items)
    keys = list(map(_key, found)) if len(found) > 1 else []
    for period in range(1, min(MAX_PERIOD, len(found) // 2) + 1):
        found, keys = _with_period(found, keys, period, links)
    return found


def _with_period(items: list[SpecItem], keys: list[Any], period: int, links: Links) -> tuple[list[SpecItem], list[Any]]:
    """Return a list in which windows of so many items are turns of repeats, and the structure of each item."""
    found: list[SpecItem] = []
    structures: list[Any] = []
    at = 0
    while at < len(items):
        turns = _turns_at(items, keys, at, period, links)
        made = list(_repeats(turns)) if len(turns) > 1 else []
        found += made or [items[at]]
        structures += map(_key, made) if made else [keys[at]]
        at += period * len(turns) if made else 1
    return found, structures


def _key(item: SpecItem) -> Any:
    """Return the structure of an item that may be repeated."""
    may_repeat = item.kind != "from" and "when" not in item.modifiers and item.present is None
    return skeleton([item]) if may_repeat else None


def _turns_at(
    items: Sequence[SpecItem], keys: Sequence[Any], at: int, period: int, links: Links
) -> list[list[SpecItem]]:
    """Return the turns of a series that begins at a place: windows of equal structure, which read the same layers."""
    first = keys[at : at + period]
    windows: list[list[SpecItem]] = []
    while None not in first and keys[at : at + period] == first:
        windows.append(list(items[at : at + period]))
        at += period
    read = links.of_turn(windows[0]) if len(windows) > 1 else None
    turns = list(takewhile(lambda window: read is not None and links.of_turn(window) == read, windows))
    return turns[: next((at for at, turn in enumerate(turns, 1) if links.is_read(turn)), None)]


def experts_as_one(items: Iterable[SpecItem], links: Links) -> None:
    """Let the branches of each ``each`` be one, where they are alike."""
    for item in every(items):
        if item.kind == "each":
            item.branches = _as_one(item.branches or [], links) or item.branches


def _as_one(branches: Sequence[list[SpecItem]], links: Links) -> list[list[SpecItem]] | None:
    """Return branches that are alike as one, with the number of the branch in its values; else nothing."""
    turns = [copied(branch) for branch in branches]
    end = turns[-1][-1].span[1]
    _tie_to_first(turns)
    _write_stops(turns, links)
    read = {None if links.is_read(turn) else links.of_turn(turn, end) for turn in turns}
    if len({skeleton(turn) for turn in turns}) > 1 or len(read) > 1 or None in read:
        return None
    body = unify(turns)
    inner = (each for outer in every(body) if outer.kind in INNER for each in outer.branches or ())
    if any(map(_columns, inner)):
        return None
    try:
        _replace(body, of_branches)
    except ValueError:
        return None
    return [body]


def _repeats(turns: list[list[SpecItem]]) -> Iterator[SpecItem]:
    """Yield repeats in place of turns, if they are shorter; for stages two, one in the other."""
    unify(turns)  # all have the same arguments then
    vectors = [list(_values(turn)) for turn in turns]
    varying = [place for place in range(len(vectors[0])) if len({repr(vector[place]) for vector in vectors}) > 1]
    if not varying:
        if len(turns[0]) > 1 or turns[0][0].kind != "act":
            yield _repeat(turns)
        return
    is_stage = any(map(is_call, every(turns[0]))) or sum(map(weight, turns[0])) > 2
    has_repeat = any(each.kind in INNER for each in every(turns[0]))
    if not has_repeat and len(turns) > LISTED and _is_by_number(vectors, varying):
        yield _repeat(turns)
        return
    stages = _stages(vectors, varying) if is_stage and not has_repeat else None
    if stages is None or len(stages) > 0.6 * len(turns) or len(turns) < 3:
        if _is_shorter(turns):
            yield _repeat(turns)
        return
    rests = _rests(vectors, varying, stages)
    made = [[_first_turns(turns[start:end], rests)] for start, end in stages]
    if len(made) > 1 and len({skeleton(stage) for stage in made}) == 1 and _is_shorter(made):
        yield _repeat(made)
        return
    for (start, end), stage in zip(stages, made, strict=True):
        is_repeat = end - start > 2 or (end - start == 2 and vectors[start] == vectors[start + 1])
        yield from stage if is_repeat else [item for turn in turns[start:end] for item in turn]


def _is_by_number(vectors: Sequence[Sequence[Any]], varying: Sequence[int]) -> bool:
    """Whether one value differs, and the number of the turn says which it is."""
    columns = {repr(values): values for values in ([vector[place][1] for vector in vectors] for place in varying)}
    values = columns.popitem()[1]
    test = by_number([ExpressionText(repr(each)) for each in values])
    return not columns and test is not None and ("%" in test or {*map(type, values)} == {bool})


def _values(items: Sequence[SpecItem]) -> Iterator[tuple[str, Value]]:
    """Yield all values in the arguments of items, with their keys."""
    for item in items:
        for key, value in sorted(item.args.items()):
            if key not in LOCAL:
                yield key, value
        for branch in item.branches or ():
            yield from _values(branch)


def _is_shorter(turns: Sequence[Sequence[SpecItem]]) -> bool:
    body = unify(turns)
    columns = {*map(repr, _columns(body))}
    lines = sum(map(weight, turns[0]))
    if lines == 1 and len(columns) > MAX_LAYER_COLUMNS and not is_call(turns[0][0]):
        return False
    after = lines + (1 if len(columns) == 1 else len(columns) + 1)
    return len(columns) <= MAX_COLUMNS and after < lines * len(turns)


def _columns(items: Sequence[SpecItem]) -> list[Column]:
    """Return what differs among the arguments of items."""
    found: list[Value] = []
    for _, value in _values(items):
        mapped(value, found.append)
    return [value for value in found if isinstance(value, Column)]


def _stages(vectors: Sequence[Sequence[Any]], varying: Sequence[int]) -> list[tuple[int, int]] | None:
    """Return turns cut into the fewest stages in which all but the first turn are equal, and it nearly."""
    found = None
    for size in range(MAX_FIRST + 1):
        for others in combinations(varying, size):
            cut = list(_cut(vectors, [place for place in varying if place not in others], others))
            if found is None or len(cut) < len(found):
                found = cut
    return found


def _cut(vectors: Sequence[Sequence[Any]], fixed: Sequence[int], others: Sequence[int]) -> Iterator[tuple[int, int]]:
    start = 0
    for at in range(1, len(vectors)):
        is_next = any(vectors[at][place] != vectors[start][place] for place in fixed)
        differs = at > start + 1 and any(vectors[at][place] != vectors[start + 1][place] for place in others)
        if is_next or differs:
            yield start, at
            start = at
    yield start, len(vectors)


def _rests(
    vectors: Sequence[Sequence[Any]], varying: Sequence[int], stages: Sequence[tuple[int, int]]
) -> dict[int, Value]:
    """Return the values, by place, that the later turns of all stages have, and some first turns have not."""
    found: dict[int, Value] = {}
    for place in varying:
        pairs = [(vectors[start][place], vectors[end - 1][place]) for start, end in stages if end - start > 1]
        if len({repr(rest) for _, rest in pairs}) == 1 and any(first != rest for first, rest in pairs):
            found[place] = pairs[0][1][1]
    return found


def _with_values(turn: Sequence[SpecItem], values: dict[int, Value]) -> list[SpecItem]:
    """Return a copy of a turn with other values in some places."""
    made, place = copied(turn), count()

    def replace(items: Sequence[SpecItem]) -> None:
        for item in items:
            for key in sorted(item.args):
                if key not in LOCAL:
                    item.args[key] = values.get(next(place), item.args[key])
            for branch in item.branches or ():
                replace(branch)

    replace(made)
    return made


def _first_turns(turns: Sequence[list[SpecItem]], rests: dict[int, Value]) -> SpecItem:
    """Return a repeat of turns that are equal but for the first; a single turn is as if others followed it."""
    body = unify(turns if len(turns) > 1 else [turns[0], _with_values(turns[0], rests)])
    _replace(body, lambda values: First(values[0], values[-1]))
    return _made(turns, body)


def _repeat(turns: Sequence[list[SpecItem]]) -> SpecItem:
    """Return a repeat whose differences are columns."""
    body, owner = unify(turns), next(_owners)
    _replace(body, lambda values: TurnValues(owner, values))
    return _made(turns, body, owner)


def _made(turns: Sequence[list[SpecItem]], body: list[SpecItem], owner: int = 0) -> SpecItem:
    one, last = turns[0][0], turns[-1][-1]
    made = SpecItem("repeat", {"n": len(turns)}, last.nodes, [body], path=one.path, reads=one.reads, owner=owner)
    made.span = one.span[0], last.span[1]
    made.places = [turn[0].path for turn in turns]
    return made


def _tie_to_first(turns: Sequence[Sequence[SpecItem]]) -> None:
    """Note of what shares its weights with the same layer of the first turn that it does so."""
    for one, *others in zip(*map(every, turns), strict=False):
        if others and one.tie is None and all(other.tie in one.nodes for other in others):
            for item in (one, *others):
                item.tie, item.modifiers["tie"] = None, True


def _write_stops(turns: Sequence[Sequence[SpecItem]], links: Links) -> None:
    """Write where a slice ends that goes up to the end of its axis, if it does not in all turns."""
    for items in zip(*map(every, turns), strict=False):
        if all(item.kind == "slice" for item in items) and any("stop" in item.args for item in items):
            for item in items:
                item.args.setdefault("stop", links.entering(item)[item.args.get("axis", 0)])


def _replace(items: Sequence[SpecItem], made: Callable[[tuple[Value, ...]], Value]) -> None:
    for item in items:
        for key in LOCAL:
            item.args.pop(key, None)
        for key, value in item.args.items():
            item.args[key] = mapped(value, lambda leaf: made(leaf.values) if isinstance(leaf, Column) else leaf)
        for branch in item.branches or ():
            _replace(branch, made)
