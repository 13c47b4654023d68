"""Which layer of one list is which of the other: pairs that keep the order of both."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from itertools import count, pairwise, takewhile
from typing import Any

from convcalc.graph.graph import Graph
from convcalc.match.layers import IGNORABLE, WINDOW, Layer
from convcalc.records import NamedTuple


class _Upstream(NamedTuple):
    """What leads to a node, itself included, by the deepest way from an input. Norms and activations are no steps."""

    depth: int
    forms: tuple[str, ...]
    """Kind, kernel and stride of the last layers on it, the last first."""
    others: tuple[str, ...]
    """Their other settings."""
    number: int
    """Equal for equal content, whichever graph it is in."""
    outline: int
    """Equal for equal content but for settings, norms and activations included."""


LAST = 8
"""So many layers tell branches apart."""
KEYS: tuple[Callable[[_Upstream], tuple[Any, ...]], ...] = (
    lambda upstream: upstream,
    lambda upstream: (upstream.others, upstream),
    lambda upstream: (upstream.forms, upstream),
    lambda upstream: (upstream.depth, upstream.forms, upstream.outline),
)
"""By what the branches of a join are sorted: a layer that differs leaves the order by one of them as it is."""
Numbering = defaultdict[Hashable, int]
"""Numbers for contents, in the order in which they come first: the same number for equal ones."""


def new_numbering() -> Numbering:
    return defaultdict(count().__next__)


def sorted_by_branches(graph: Graph, layers: Sequence[Layer], numbering: Numbering) -> list[list[Layer]]:
    """Return layers from the inputs to the outputs, the branches of each join one by one: in one order for each key.

    Linear in the edges of the graph, but for sorting the inputs of each join.
    """
    at = {layer.index: layer for layer in layers}
    upstream: list[_Upstream] = []
    for node in graph.nodes:
        upstream.append(_upstream([upstream[index] for index in node.inputs], at.get(node.index), numbering))
    return [[at[index] for index in _depth_first(graph, list(map(key, upstream))) if index in at] for key in KEYS]


def _upstream(inputs: Sequence[_Upstream], layer: Layer | None, numbering: Numbering) -> _Upstream:
    """Return what leads to a node. Branches without layers, such as masks, tell nothing."""
    branches = sorted({each for each in inputs if each.depth})
    deepest = branches[-1] if branches else _Upstream(0, (), (), -1, -1)
    number, outline = deepest.number, deepest.outline
    if len(branches) > 1:
        number = numbering[tuple(branches)]
        outline = numbering[tuple(sorted({each.outline for each in branches}))]
    if layer is None:
        return deepest._replace(number=number, outline=outline)
    number, outline = numbering[layer.key, number], numbering[layer.form, outline]
    if layer.kind in IGNORABLE:
        return deepest._replace(number=number, outline=outline)
    others = str([value for name, value in layer.settings.items() if name not in WINDOW[:3]])
    forms, trail = (str(layer.form), *deepest.forms[: LAST - 1]), (others, *deepest.others[: LAST - 1])
    return _Upstream(deepest.depth + 1, forms, trail, number, outline)


def _depth_first(graph: Graph, keys: Sequence[Any]) -> list[int]:
    """Return all nodes, each behind its inputs, the first of which come first with all that leads there."""
    ends = [*graph.outputs.values(), *range(len(graph.nodes))]
    inputs: list[list[int]] = [sorted(set(node.inputs), key=lambda index: (keys[index], index)) for node in graph.nodes]
    order: dict[int, None] = {}
    opened: set[int] = set()
    stack = list(reversed(ends))
    while stack:
        index = stack[-1]
        if index in opened:
            stack.pop()
            order.setdefault(index)
        else:
            opened.add(index)
            stack += [each for each in reversed(inputs[index]) if each not in opened]
    return list(order)


Pairs = list[tuple[int, int]]
"""Places of layers that are paired, ascending on both sides."""
LONG = 5000
"""Lists of more layers are aligned by block first."""
MOST_CANDIDATES = 1_000_000
"""Pairs of equal entries that one alignment weighs; with more, they are aligned step by step."""
AHEAD, AGREEING = 24, 4
"""Step by step: so far the next place is searched at which so many entries agree."""
Content = Callable[[Layer], Hashable]
Search = Callable[[Sequence[int], Sequence[int]], Iterable[tuple[int, int]]]
LEVELS: tuple[Content, ...] = (
    lambda layer: layer.key,
    lambda layer: (layer.own, layer.params),
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
    """Give the ways to pair two lists that may differ least: place by place, by longest runs, step by step."""
    if [layer.kind for layer in first] == [layer.kind for layer in second]:
        yield [(place, place) for place in range(len(first))]
        if all(layer.form == other.form for layer, other in zip(first, second, strict=True)):
            return
    for search, levels in ((_longest_runs, LEVELS), (_longest_runs, LEVELS[3:]), (_in_step, LEVELS)):
        yield _moved_to_blocks(_paired(first, second, levels, search), first, second)


def _paired(first: Sequence[Layer], second: Sequence[Layer], levels: Sequence[Content], search: Search) -> Pairs:
    whole, pairs = _Gap(0, len(first), 0, len(second)), Pairs()
    for level in levels:
        ours, theirs = _numbered([level(layer) for layer in first], [level(layer) for layer in second])
        for gap in list(_gaps(pairs, whole)):
            if max(gap.end - gap.start, gap.other_end - gap.other_start) > LONG:
                pairs += _by_blocks(ours, theirs, gap, (_blocks(first, *gap[:2]), _blocks(second, *gap[2:])))
            else:
                pairs += _common(ours, theirs, gap, search)
        pairs.sort()
    return pairs


def _numbered(*lists: Sequence[Hashable]) -> Iterator[list[int]]:
    """Give lists of numbers in place of contents, equal for equal ones."""
    numbers: dict[Hashable, int] = {}
    return ([numbers.setdefault(content, len(numbers)) for content in each] for each in lists)


def _gaps(pairs: Pairs, whole: _Gap) -> Iterator[_Gap]:
    """Give the gaps between pairs in which both lists have something left."""
    before, behind = (whole.start - 1, whole.other_start - 1), (whole.end, whole.other_end)
    for (place, other), (next_place, next_other) in pairwise([before, *pairs, behind]):
        if next_place - place > 1 and next_other - other > 1:
            yield _Gap(place + 1, next_place, other + 1, next_other)


def _common(ours: Sequence[int], theirs: Sequence[int], gap: _Gap, search: Search) -> Pairs:
    """Return a common subsequence: the common beginning and end, and between them what is searched."""
    start, end, other, other_end = gap
    pairs = []
    while start < end and other < other_end and ours[start] == theirs[other]:
        pairs.append((start, other))
        start, other = start + 1, other + 1
    while start < end and other < other_end and ours[end - 1] == theirs[other_end - 1]:
        end, other_end = end - 1, other_end - 1
        pairs.append((end, other_end))
    return pairs + [(start + one, other + two) for one, two in search(ours[start:end], theirs[other:other_end])]


def _longest_runs(left: Sequence[int], right: Sequence[int]) -> Iterable[tuple[int, int]]:
    """Give the longest run of equal entries, then those before and behind it: best where few entries are alike."""
    often = Counter(right)
    if sum(often[entry] for entry in left) > MOST_CANDIDATES:
        return _in_step(left, right)
    runs = SequenceMatcher(None, left, right, autojunk=False).get_matching_blocks()
    return ((run.a + step, run.b + step) for run in runs for step in range(run.size))


def _in_step(left: Sequence[int], right: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Give equal entries from the front on; behind an unequal one, from the nearest place at which the next few agree.

    Best where many entries are alike. Linear in the entries.
    """
    places: dict[object, list[int]] = {}
    for place in range(len(right)):
        places.setdefault(tuple(right[place : place + AGREEING]), []).append(place)
    one = two = 0
    while one < len(left) and two < len(right):
        if left[one] == right[two]:
            yield one, two
            more, other = 1, 1
        else:
            _, more, other = min(_agreeing(left, one, places, two), default=(2, 1, 1))
        one, two = one + more, two + other


def _agreeing(
    left: Sequence[int], start: int, places: Mapping[object, Sequence[int]], other: int
) -> Iterator[tuple[int, int, int]]:
    """Give by how much to go on on both sides, in all and on each, to a place at which the next few entries agree."""
    for more in range(min(AHEAD, len(left) - start)):
        near = places.get(tuple(left[start + more : start + more + AGREEING]), ())
        found = bisect_left(near, other)
        if found < len(near) and near[found] - other < AHEAD:
            yield more + near[found] - other, more, near[found] - other


def _by_blocks(
    ours: Sequence[int], theirs: Sequence[int], gap: _Gap, blocks: tuple[Sequence[range], Sequence[range]]
) -> Pairs:
    """Return pairs of the layers of blocks that are equal as wholes, and of those between them."""
    contents, others = _numbered(
        [tuple(ours[block.start : block.stop]) for block in blocks[0]],
        [tuple(theirs[block.start : block.stop]) for block in blocks[1]],
    )
    matched = _common(contents, others, _Gap(0, len(contents), 0, len(others)), _in_step)
    pairs = [pair for one, two in sorted(matched) for pair in zip(blocks[0][one], blocks[1][two], strict=True)]
    return pairs + [pair for between in _gaps(pairs, gap) for pair in _common(ours, theirs, between, _in_step)]


def _blocks(layers: Sequence[Layer], start: int, end: int) -> list[range]:
    """Return runs of layers that are in one scope."""
    bounds = [place for place in range(start + 1, end) if scope(layers[place]) != scope(layers[place - 1])]
    return [range(here, there) for here, there in pairwise([start, *bounds, end])]


def scope(layer: Layer) -> str:
    """Return the path of what a layer is in."""
    return layer.path.rpartition(".")[0]


# --- where blocks begin -----------------------------------------------------------------------------------------------


def _moved_to_blocks(pairs: Pairs, first: Sequence[Layer], second: Sequence[Layer]) -> Pairs:
    """Return pairs in which a run without partners is whole blocks, if the layers around it allow that.

    Of equal blocks in a row any may be the one without partner; half of one and half of the next are not.
    """
    swapped = [(other, place) for place, other in _moved(pairs, first, second)]
    return [(place, other) for other, place in _moved(swapped, second, first)]


def _moved(pairs: Pairs, first: Sequence[Layer], second: Sequence[Layer]) -> Pairs:
    pairs = list(pairs)
    for number in range(len(pairs) - 1):
        (place, other), (next_place, next_other) = pairs[number : number + 2]
        length = next_other - other - 1
        if length and next_place - place == 1:
            to_front = _steps(pairs[number::-1], first, second, length)
            to_end = _steps(pairs[number + 1 :], first, second, -length)
            depths = {step: _inside(second, other + 1 + step, length) for step in range(-to_front, to_end + 1)}
            best = min(depths, key=lambda step: (depths[step], abs(step)))
            for step in range(-best):
                one, two = pairs[number - step]
                pairs[number - step] = (one, two + length)
            for step in range(best):
                one, two = pairs[number + 1 + step]
                pairs[number + 1 + step] = (one, two - length)
    return pairs


def _steps(neighbours: Pairs, first: Sequence[Layer], second: Sequence[Layer], by: int) -> int:
    """Return how many pairs beside a run may have partners that are so many layers further, and be as equal as now."""
    forward = 1 if by < 0 else -1
    for steps, (place, other) in enumerate(neighbours[: abs(by) - 1]):
        if (place, other) != (neighbours[0][0] + forward * steps, neighbours[0][1] + forward * steps):
            return steps
        layer, now, then = first[place], second[other], second[other + by]
        if any(level(layer) == level(now) != level(then) for level in LEVELS):
            return steps
    return min(len(neighbours), abs(by) - 1)


def _inside(layers: Sequence[Layer], start: int, length: int) -> int:
    """Return how deep in common scopes a run begins and ends."""
    bounds = (layers[start - 1 : start + 1], layers[start + length - 1 : start + length + 1])
    return sum(_shared(*pair) for pair in bounds if len(pair) == 2)


def _shared(one: Layer, two: Layer) -> int:
    """Return how many scopes around two layers are the same."""
    segments = zip(one.path.split("."), two.path.split("."), strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], segments))
