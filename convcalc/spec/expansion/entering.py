"""What a join has to do with words that describe what enters an item: behind a reduction they say the reduced size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from convcalc.errors import SpecError
from convcalc.shapes import Shape
from convcalc.spec.document.syntax_tree import BlockCall, Item, JoinItem, LayerItem, SequenceItem
from convcalc.spec.document.value_nodes import ValueNode

MISMATCH = "CC405"
AXES = {"cin": 0, "din": -1}
"""Word → the axis that it is the size of."""


def blame_entering(error: SpecError, join: JoinItem, ends: Sequence[Shape]) -> None:
    """Tell of branches that do not meet because a word in one is not what enters the block, but a later item."""
    for word, axis in AXES.items():
        value = next((value for value in _late(join) if word in value.names), None)
        if error.code == MISMATCH and value and len({str(shape[axis]) for shape in ends}) > 1 and not error.hint:
            error.notes = (*error.notes, (value.span, f"`{word}` is the size of what enters this item, not the block"))
            error.hint = f"a parameter of the block, `params: {{c: {word}}}`, is the size of what enters the block"


def _late(join: JoinItem) -> Iterator[ValueNode]:
    """Give the values of what stands behind the first item of a branch."""
    for branch in join.branches:
        if isinstance(branch.body, SequenceItem):
            for item in branch.body.items[1:]:
                yield from _values(item)


def _values(item: Item) -> Iterator[ValueNode]:
    match item.body:
        case LayerItem(arguments=arguments):
            yield from (given.value for given in arguments.values() if given.explicit)
        case BlockCall(arguments=given):
            yield from given.values()
        case SequenceItem(items=items) | JoinItem(branches=items):
            for inner in items:
                yield from _values(inner)
