"""Hints on joins in which ``cin`` is the size of what enters a later item, and not of what enters the block."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from convcalc.errors import SpecError
from convcalc.shapes import Shape
from convcalc.spec.document.syntax_tree import BlockCall, Item, JoinItem, LayerItem, SequenceItem
from convcalc.spec.document.value_nodes import ValueNode

AXES = {"cin": 0, "din": -1}
"""Word → the axis that it is the size of."""


def blame_entering(error: SpecError, join: JoinItem, ends: Sequence[Shape]) -> None:
    """Add to an error of branches of different sizes that a word in one describes what enters a later item."""
    values = [
        value
        for branch in join.branches
        if isinstance(branch.body, SequenceItem)
        for item in branch.body.items[1:]
        for value in _values(item)
    ]
    for word, axis in AXES.items():
        value = next((value for value in values if word in value.names), None)
        if error.code == "CC405" and value and len({str(shape[axis]) for shape in ends}) > 1 and not error.hint:
            error.notes = (*error.notes, (value.span, f"`{word}` is the size of what enters this item, not the block"))
            error.hint = f"a parameter of the block, `params: {{c: {word}}}`, is the size of what enters the block"


def _values(item: Item) -> Iterator[ValueNode]:
    match item.body:
        case LayerItem(arguments=arguments):
            yield from (given.value for given in arguments.values() if given.explicit)
        case BlockCall(arguments=given):
            yield from given.values()
        case SequenceItem(items=items) | JoinItem(branches=items):
            for inner in items:
                yield from _values(inner)
