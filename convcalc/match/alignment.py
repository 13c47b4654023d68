"""Which layer of one list is which of the other: pairs that keep the order of both."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from difflib import SequenceMatcher
from itertools import pairwise
from typing import NamedTuple

from convcalc.match.layers import Layer

Pairs = list[tuple[int, int]]
"""Places of layers that are paired, ascending on both sides."""
LONG = 5000
"""Lists of more layers are aligned by block first."""
MOST_CANDIDATES = 1_000_000
"""Pairs of equal entries that one alignment weighs; beyond, entries are paired from the front alone."""
LEVELS: tuple[Callable[[Layer], Hashable], ...] = (
    lambda layer: layer.key,
    lambda layer: layer.own,
    lambda layer: layer.form,
    lambda layer: layer.kind,
)
"""By what layers are paired, the strictest first; each level pairs between the pairs of those before."""


class _Gap(NamedTuple):
    """What is not paired yet: places of the first list and of the second, from and up to."""

    start: int
    end: int
    other_start: int
    other_end: int


def alignments(first: Sequence[Layer], second: Sequence[Layer]) -> Iterator[Pairs]:
    """Give the ways to pair two lists that may differ least: place by place, by all facts first, by form first."""
    if [layer.kind for layer in first] == [layer.kind for layer in second]:
        yield [(place, place) for place in range(len(first))]
        if all(layer.form == other.form for layer, other in zip(first, second, strict=True)):
            return
    yield _moved_to_blocks(_paired(first, second, LEVELS), first, second)
    yield _moved_to_blocks(_paired(first, second, LEVELS[2:]), first, second)


def _paired(first: Sequence[Layer], second: Sequence[Layer], levels: Sequence[Callable[[Layer], Hashable]]) -> Pairs:
    whole, pairs = _Gap(0, len(first), 0, len(second)), Pairs()
    for level in levels:
        ours, theirs = [level(layer) for layer in first], [level(layer) for layer in second]
        for gap in list(_gaps(pairs, whole)):
            if max(gap.end - gap.start, gap.other_end - gap.other_start) > LONG:
                pairs += _by_blocks(ours, theirs, gap, (_blocks(first, *gap[:2]), _blocks(second, *gap[2:])))
            else:
                pairs += _common(ours, theirs, gap)
        pairs.sort()
    return pairs


def _gaps(pairs: Pairs, whole: _Gap) -> Iterator[_Gap]:
    """Give the gaps between pairs in which both lists have something left."""
    before, behind = (whole.start - 1, whole.other_start - 1), (whole.end, whole.other_end)
    for (place, other), (next_place, next_other) in pairwise([before, *pairs, behind]):
        if next_place - place > 1 and next_other - other > 1:
            yield _Gap(place + 1, next_place, other + 1, next_other)


def _common(ours: Sequence[Hashable], theirs: Sequence[Hashable], gap: _Gap) -> Pairs:
    """Return a common subsequence: the common beginning and end, and between them the longest runs."""
    start, end, other, other_end = gap
    pairs = []
    while start < end and other < other_end and ours[start] == theirs[other]:
        pairs.append((start, other))
        start, other = start + 1, other + 1
    while start < end and other < other_end and ours[end - 1] == theirs[other_end - 1]:
        end, other_end = end - 1, other_end - 1
        pairs.append((end, other_end))
    left, right = ours[start:end], theirs[other:other_end]
    often = Counter(right)
    if sum(often[entry] for entry in left) <= MOST_CANDIDATES:
        runs = SequenceMatcher(None, left, right, autojunk=False).get_matching_blocks()
        pairs += [(start + run.a + step, other + run.b + step) for run in runs for step in range(run.size)]
    return pairs


def _by_blocks(
    ours: Sequence[Hashable], theirs: Sequence[Hashable], gap: _Gap, blocks: tuple[Sequence[range], Sequence[range]]
) -> Pairs:
    """Return pairs of the layers of blocks that are equal as wholes, and of those between them."""
    contents, others = (
        [tuple(ours[block.start : block.stop]) for block in blocks[0]],
        [tuple(theirs[block.start : block.stop]) for block in blocks[1]],
    )
    matched = _common(contents, others, _Gap(0, len(contents), 0, len(others)))
    pairs = [pair for one, two in sorted(matched) for pair in zip(blocks[0][one], blocks[1][two], strict=True)]
    return pairs + [pair for between in _gaps(pairs, gap) for pair in _common(ours, theirs, between)]


def _blocks(layers: Sequence[Layer], start: int, end: int) -> list[range]:
    """Return runs of layers that are in one scope."""
    bounds = [place for place in range(start + 1, end) if scope(layers[place]) != scope(layers[place - 1])]
    return [range(here, there) for here, there in pairwise([start, *bounds, end])]


def scope(layer: Layer) -> str:
    """Return the path of what a layer is in."""
    return layer.path.rpartition(".")[0]


# --- where blocks begin -----------------------------------------------------------------------------------------------


def _moved_to_blocks(pairs: Pairs, first: Sequence[Layer], second: Sequence[Layer]) -> Pairs:
    """Return pairs in which a run without partner begins where a block does, if the layers around it allow that.

    Of equal blocks in a row any may be the one without partner; half of one and half of the next are not.
    """
    swapped = [(other, place) for place, other in _moved(pairs, second)]
    return [(place, other) for other, place in _moved(swapped, first)]


def _moved(pairs: Pairs, second: Sequence[Layer]) -> Pairs:
    pairs = list(pairs)
    for number, ((place, other), (next_place, next_other)) in enumerate(pairwise(pairs)):
        length = next_other - other - 1
        if length and next_place - place == 1:
            starts = [other + 1 - steps for steps in _steps(pairs, number, second, length)]
            steps = next((other + 1 - start for start in starts if _begins(second, start)), 0)
            for step in range(steps):
                one, two = pairs[number - step]
                pairs[number - step] = (one, two + length)
    return pairs


def _steps(pairs: Pairs, number: int, second: Sequence[Layer], length: int) -> Iterator[int]:
    """Give by how many layers the run behind a pair may move to the front."""
    last, other = pairs[number]
    yield 0
    for steps in range(min(length - 1, number + 1)):
        if pairs[number - steps] != (last - steps, other - steps):
            return
        if second[other - steps].key != second[other - steps + length].key:
            return
        yield steps + 1


def _begins(layers: Sequence[Layer], place: int) -> bool:
    """Whether a block begins at a place."""
    return place == 0 or scope(layers[place]) != scope(layers[place - 1])
