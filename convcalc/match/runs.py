"""Layers of one side alone, in runs, and the blocks that these are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby

from convcalc.match.differences import ADDED, MISSING, REORDERED, Difference, Side
from convcalc.match.layers import Layer

_START = -1
"""In place of the layer before the first."""


def unpaired_runs(sides: Sequence[Side], partners: Sequence[Mapping[int, Layer]]) -> Iterator[Difference]:
    """Give the layers of one side alone, in runs; where the runs of both sides are the same layers, they are one."""
    ours, theirs = (dict(_runs(side.layers, known)) for side, known in zip(sides, partners, strict=True))
    facing = {partners[0][before].index if before != _START else _START: run for before, run in ours.items()}
    for before, run in facing.items():
        other = theirs.get(before, ())
        if Counter(layer.key for layer in run) == Counter(layer.key for layer in other):
            yield Difference(REORDERED, run, theirs.pop(before))
        else:
            yield Difference(MISSING, run)
    yield from (Difference(ADDED, (), run, behind=partners[1].get(before)) for before, run in theirs.items())
    for side, known, kind in zip(sides, partners, (MISSING, ADDED), strict=True):
        alone = tuple(table for table in side.tables if table.index not in known)
        if alone:
            yield Difference(kind, *((alone, ()) if kind == MISSING else ((), alone)))


def _runs(layers: Sequence[Layer], known: Mapping[int, Layer]) -> Iterator[tuple[int, tuple[Layer, ...]]]:
    """Give the runs of layers without partner, each by the index of the layer before it."""
    before = _START
    for is_paired, group in groupby(layers, lambda layer: layer.index in known):
        run = tuple(group)
        if not is_paired:
            yield before, run
        before = run[-1].index


def whole_scopes(run: Sequence[Layer], side: Side) -> list[str]:
    """Return the blocks that a run consists of, the outermost that hold nothing else.

    A layer whose block holds layers beside the run stands for itself.
    """
    inside = scopes_of(run)
    found = (
        next((scope for scope in enclosing(layer.path) if side.scopes[scope] == inside[scope]), layer.path)
        for layer in run
    )
    return list(dict.fromkeys(found))


def scopes_of(layers: Iterable[Layer]) -> Counter[str]:
    """Return how many layers are at and below each path."""
    return Counter(scope for layer in layers for scope in enclosing(layer.path))


def enclosing(path: str) -> list[str]:
    """Return the scopes around a path, the outermost first, and the path itself.

    >>> enclosing("stage1.block2.conv")
    ['stage1', 'stage1.block2', 'stage1.block2.conv']
    """
    names = path.split(".")
    return [".".join(names[: end + 1]) for end in range(len(names))]
