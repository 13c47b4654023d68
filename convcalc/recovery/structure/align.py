"""Blocks of which some have layers that others lack: one block whose layers are optional."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from convcalc.recovery.items import ENTRY, SpecItem, Value
from convcalc.recovery.structure.unify import ABSENT, Column, First, column, is_call, skeleton, unify_arguments

LEAST_SHARED = 0.5
"""The part of the smaller series that both must have."""
MAX_OPTIONAL = 4
"""Items, one behind the other, that only some members have."""


class Sides:
    """Two series of members, so many of each, to be merged into one."""

    def __init__(self, first: int, second: int) -> None:
        self.first, self.second = first, second
        self.renamed: dict[int, int] = {}
        """Nodes of the second series → the same ones of the first."""

    def merge(self, one: Sequence[SpecItem], other: Sequence[SpecItem], *, whole: bool = True) -> list[SpecItem] | None:
        """Return both series as one, or nothing where they have too little in common.

        Args:
            one: items of the first members.
            other: items of the second.
            whole: whether much must be common; a branch may be all optional.
        """
        pairs = self._aligned(one, other)
        made: list[SpecItem] = []
        shared = optional = 0
        for a, b in pairs:
            if a is not None and b is not None:
                merged = self._pair(a, b)
                if merged is None:
                    return None
                made.append(merged)
                shared += weight(a)
            else:
                made.append(self._optional(a, b))
                optional += 1
        least = min(sum(map(weight, one)), sum(map(weight, other)))
        if whole and (shared < LEAST_SHARED * least or optional > MAX_OPTIONAL or not shared):
            return None
        return made

    def _aligned(
        self, one: Sequence[SpecItem], other: Sequence[SpecItem]
    ) -> list[tuple[SpecItem | None, SpecItem | None]]:
        """Return the longest common subsequence, by weight."""
        best = [[0] * (len(other) + 1) for _ in range(len(one) + 1)]
        for i in range(len(one) - 1, -1, -1):
            for j in range(len(other) - 1, -1, -1):
                both = best[i + 1][j + 1] + weight(one[i]) if _alike(one[i], other[j]) else 0
                best[i][j] = max(both, best[i + 1][j], best[i][j + 1])
        pairs: list[tuple[SpecItem | None, SpecItem | None]] = []
        i = j = 0
        while i < len(one) and j < len(other):
            if _alike(one[i], other[j]) and best[i][j] == best[i + 1][j + 1] + weight(one[i]):
                pairs.append((one[i], other[j]))
                i, j = i + 1, j + 1
            elif best[i][j] == best[i + 1][j]:
                pairs.append((one[i], None))
                i += 1
            else:
                pairs.append((None, other[j]))
                j += 1
        return [*pairs, *((a, None) for a in one[i:]), *((None, b) for b in other[j:])]

    def _pair(self, a: SpecItem, b: SpecItem) -> SpecItem | None:
        self.renamed.update(zip(b.nodes, a.nodes, strict=False))
        unify_arguments([a, b])  # both have the same arguments then
        made = a.copy()
        made.args = {
            key: column((*expanded(a.args[key], self.first), *expanded(b.args[key], self.second))) for key in a.args
        }
        if a.present or b.present:
            made.present = (*(a.present or (True,) * self.first), *(b.present or (True,) * self.second))
        if a.branches is not None and b.branches is not None:
            made.branches = []
            spare = _spare(a, b)
            for number in range(max(len(a.branches), len(b.branches))):
                if number == spare:
                    made.branches.append([self._optional(*_branch_of(a, b, number))])
                    continue
                shift = number - 1 if spare is not None and number > spare else number
                one, other = (
                    side[shift if len(side) == min(len(a.branches), len(b.branches)) else number]
                    for side in (a.branches, b.branches)
                )
                is_same_layer = len(one) == len(other) == 1 and one[0].kind == other[0].kind
                merged = self.merge(one, other, whole=bool(one) and bool(other) and not is_same_layer)
                if merged is None:
                    return None
                made.branches.append(merged)
        return made

    def _optional(self, a: SpecItem | None, b: SpecItem | None) -> SpecItem:
        """Return an item that only one side has."""
        item = a or b
        assert item is not None
        made = item.copy()
        has_it = item.present or (True,) * (self.first if a else self.second)
        made.present = self._beside(has_it, False, is_first=a is not None)
        self._widen(made, is_first=a is not None)
        return made

    def _beside(self, own: tuple[Any, ...], none: object, *, is_first: bool) -> tuple[Any, ...]:
        """Return the values of one side for all members, with ``none`` for those of the other."""
        return (*own, *(none,) * self.second) if is_first else (*(none,) * self.first, *own)

    def _widen(self, item: SpecItem, *, is_first: bool) -> None:
        """Let the columns of an item and of all below it have a value, or none, for every member."""
        for key, value in item.args.items():
            own = expanded(value, self.first if is_first else self.second)
            item.args[key] = column(self._beside(own, ABSENT, is_first=is_first))
        if item.branches is not None:
            item.branches = [[each.copy() for each in branch] for branch in item.branches]
            for each in (inner for branch in item.branches for inner in branch):
                if each.present:
                    each.present = self._beside(each.present, False, is_first=is_first)
                self._widen(each, is_first=is_first)


def expanded(value: Value, count: int) -> tuple[Value, ...]:
    """Return a value for each of so many members."""
    if isinstance(value, Column):
        return value.values
    if isinstance(value, First):
        pairs = zip(expanded(value.first, count), expanded(value.rest, count), strict=True)
        return tuple(First(first, rest) for first, rest in pairs)
    if isinstance(value, tuple) and any(isinstance(each, Column | tuple) for each in value) and type(value) is tuple:
        return tuple(zip(*(expanded(each, count) for each in value), strict=True))
    return (value,) * count


def weight(item: SpecItem) -> int:
    """Return how many layers an item is, as far as they are written."""
    return 1 + sum(weight(each) for branch in item.branches or () for each in branch)


def _alike(a: SpecItem, b: SpecItem) -> bool:
    """Whether two items may be one of the merged block."""
    if a.kind != b.kind or (_spare(a, b) is None and len(a.branches or ()) != len(b.branches or ())):
        return False
    if is_call(a) or a.kind == "repeat":
        return is_call(a) or skeleton([a]) == skeleton([b])
    return _without_branches(a) == _without_branches(b)


def _branch_of(a: SpecItem, b: SpecItem, number: int) -> tuple[SpecItem | None, SpecItem | None]:
    """Return the only item of a branch that one of two joins has, on its side."""
    if len(a.branches or ()) > len(b.branches or ()):
        return (a.branches or [])[number][0], None
    return None, (b.branches or [])[number][0]


def _spare(a: SpecItem, b: SpecItem) -> int | None:
    """Return which branch only one of two joins has, if it has one more, which reads another layer."""
    long, short = sorted((a.branches or [], b.branches or []), key=len, reverse=True)
    if len(long) != len(short) + 1 or not short:
        return None
    return next((at for at, branch in enumerate(long) if [each.kind for each in branch] == ["from"]), None)


def _without_branches(item: SpecItem) -> object:
    """Return the structure of an item without that of its branches, and with one value in place of a column."""
    bare = item.copy()
    bare.branches, bare.present = None, None
    bare.args = {key: _one_of(value) for key, value in bare.args.items()}
    return skeleton([bare])


def _one_of(value: Value) -> Value:
    if isinstance(value, Column):
        return _one_of(next((each for each in value.values if each is not ABSENT), 0))
    return tuple(map(_one_of, value)) if type(value) is tuple else value


def linear(items: Sequence[SpecItem]) -> list[SpecItem] | None:
    """Return a residual that stands first, with its body as a series before it: ``add`` reads what entered."""
    if not items or items[0].branches is None or len(items[0].branches) != 2 or items[0].source is not None:
        return None
    first, *rest = items
    assert first.branches is not None
    one, other = first.branches
    if bool(one) == bool(other):
        return None
    join = first.copy()
    shortcut = [SpecItem("from", source=ENTRY)]
    join.branches = [shortcut, []] if other else [[], shortcut]
    return [*(one or other), join, *rest]
