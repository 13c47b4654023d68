"""Repeats whose count is a symbol: the first turn, and all others as one, or in parts where something tells them apart.

    repeat: depth        turns 0, and 1 … depth − 1
    when: i < dense      turns 0, 1 … dense − 1, and dense … depth − 1

Every part is expanded once, and its layers stand for as many as it has turns. So the turns of a part have to be equal:
what leaves one has the shape of what enters it, and no size depends on ``i``.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from itertools import pairwise
from typing import Any

from convcalc.arith import equal, less_equal, record_constraints, require
from convcalc.arith.turns import SplitTurnsError, Turns, within_turns
from convcalc.errors import SpecError, quoted
from convcalc.graph.builder import GraphBuilder
from convcalc.graph.graph import LayerFacts
from convcalc.spec.document.syntax_tree import Item
from convcalc.spec.document.value_nodes import StructuralError
from convcalc.spec.expansion.frames import OMITTED, Frame, Loop
from convcalc.spec.expansion.scopes import FAILED

MAX_PARTS = 24
"""Of more parts a repeat is not made: something compares ``i`` anew in each of them."""
NO_COUNT = "CC411"
ONE_COUNT = "give the count a number with --set, or compare counts in a sweep"


class TurnParts:
    """Where turns are split, for every repeat of a spec whose count is a symbol; known only after some expansions."""

    def __init__(self) -> None:
        self._splits: dict[Hashable, list[Any]] = {}
        self._last: dict[str, Hashable] = {}
        """The name of what stands for ``last`` → the repeat."""
        self._counts: dict[Hashable, Any] = {}

    def frames(self, repeat: Hashable, count: Any, frame: Frame) -> Iterator[Frame]:
        """Give the frame of every part of the turns."""
        from convcalc.arith.symbols import turn_symbol

        self._counts[repeat] = count
        ends = [0, *self._splits.setdefault(repeat, [1]), count]
        last = equal(turn_symbol(f"last turn of {count}"), 1)
        self._last[str(next(iter(last.free_symbols)))] = repeat  # type: ignore[attr-defined]
        loop = Loop()
        known = [less_equal(first, end) for first, end in pairwise(ends)]
        for place, (first, end) in enumerate(pairwise(ends)):
            require(
                less_equal(first, end),
                NO_COUNT,
                "a repeat of {} turns does not have the turns {} to {}",
                count,
                first,
                end,
            )
            index = first if end - first == 1 else turn_symbol("i")
            turns = Turns(repeat, place, first, end, index, [each for each in known if each is not True])
            is_last = place == len(ends) - 2 if count - ends[-2] == 1 else last
            variables = {"i": turns.index, "first": place == 0, "last": is_last}
            yield frame.for_iteration(variables, loop, turns)

    def split(self, error: SplitTurnsError) -> bool:
        """Split turns where an error says; return whether that was possible."""
        return self._insert(error.turns.repeat, error.turns.place, error.at)

    def split_last(self, errors: Sequence[SpecError]) -> bool:
        """Split off the last turn where ``last`` was asked for; return whether it was."""
        names = [name for error in errors if isinstance(error, StructuralError) for name in error.names]
        asked = {self._last[name] for name in names if name in self._last}
        made = [self._insert(key, len(self._splits[key]), self._counts[key] - 1) for key in asked]
        return any(made)

    def _insert(self, repeat: Hashable, place: int, at: Any) -> bool:
        splits = self._splits[repeat]
        if len(splits) >= MAX_PARTS or at in splits:
            return False
        splits.insert(place, at)
        return True


def first_turn(item: Item, made: tuple[int, int], frame: Frame) -> tuple[int, int]:
    """Return the nodes of an item's first turn, whose weights the others share.

    Raises:
        SpecError: CC409, where it has no turns.
        SplitTurnsError: the first is not apart from the others yet.
    """
    if frame.loop is None:
        text = "`tie: true` needs a `repeat` or `each`; or name the layer to share weights with"
        raise SpecError("CC409", text, item.span)
    if frame.turns and not frame.turns.is_one and id(item.body) not in frame.loop:
        raise SplitTurnsError(frame.turns, frame.turns.first + 1)
    return frame.loop.setdefault(id(item.body), made)


def expand_turns(turns: Turns, builder: GraphBuilder, entering: int, expand: Callable[[], int]) -> int:
    """Expand a part, and let its layers stand for all of its turns.

    Raises:
        SpecError: CC411, where the turns are not equal.
    """
    if turns.is_one:
        with within_turns(turns):
            return expand()
    start = len(builder.nodes)
    with within_turns(turns), record_constraints() as ledger:
        leaving = expand()
    if FAILED in (entering, leaving):
        return leaving
    for node in builder.nodes[start:]:
        if turns.index in _symbols(node.facts):
            raise _differ(f"the size of {quoted(node.path)} depends on `i`")
        node.times = turns.count * node.times
    for assumption in ledger.assumptions:
        if turns.index in assumption.free_symbols:
            raise _differ(f"not all have {str(assumption).replace(str(turns.index), 'i')}")
        require(assumption, NO_COUNT, "{} does not hold", assumption)
    shapes = [builder.shape(index) for index in (entering, entering if leaving == OMITTED else leaving)]
    if shapes[0] != shapes[1]:
        raise _differ(f"{shapes[0]} enters one, and {shapes[1]} leaves it")
    return leaving


def _differ(how: str) -> SpecError:
    return SpecError(NO_COUNT, f"the turns of a repeat differ, and their count is a symbol: {how}", hint=ONE_COUNT)


def _symbols(facts: LayerFacts) -> set[Any]:
    """Return the symbols in the sizes of a layer."""
    shapes = (facts.output, *facts.weights.values(), *facts.buffers.values())
    sizes = [size for shape in shapes for size in shape]
    sizes += [size for product in facts.products for size in (product.multiplies, product.outputs)]
    return {symbol for size in sizes for symbol in getattr(size, "free_symbols", ())}


def too_many_parts(error: SplitTurnsError) -> SpecError:
    """Return the error for turns that cannot be split where something tells them apart."""
    return _differ(f"something compares `i` with {error.at}")
