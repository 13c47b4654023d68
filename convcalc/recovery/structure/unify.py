"""Series of items that are alike, as one: what differs among them becomes a column of values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from convcalc.ops.make import get
from convcalc.ops.op import arguments_of
from convcalc.records import NamedTuple
from convcalc.recovery.items import ExpressionText, SpecItem, Value
from convcalc.recovery.writing.text import scalar

ABSENT = object()
"""The value of an argument in a member that has not the layer."""
LISTS = ("seq", "repeat", "each", "from")


class Column(NamedTuple):
    """The values of an argument, one for each member."""

    values: tuple[Any, ...]


class First(NamedTuple):
    """A value in the first turn of a repeat, and another in all that follow."""

    first: Value
    rest: Value


class TurnValues(NamedTuple):
    """The values of an argument in the turns of a repeat, which ``owner`` identifies."""

    owner: int
    values: tuple[Any, ...]


def is_call(item: SpecItem) -> bool:
    """Whether an item calls a block."""
    return item.kind[:1].isupper()


def skeleton(items: Sequence[SpecItem]) -> tuple[Any, ...]:
    """Return the structure of items without the values that may differ."""
    return tuple(map(_skeleton_of, items))


def _skeleton_of(item: SpecItem) -> Any:
    args = frozenset(_structural(item))
    below = tuple(map(skeleton, item.branches)) if item.branches is not None else None
    links = item.source is not None, tuple(item.references), item.tie is not None, item.modifiers.get("tie")
    return item.kind, args, below, links, item.present is None, item.modifiers.get("when")


def _structural(item: SpecItem) -> list[tuple[str, Any]]:
    """Return which arguments an item has, as far as they have no default that could be written instead."""
    return [
        (key, form)
        for key, value in item.args.items()
        if not ((form := _form(key, value)) is None and default_of(item.kind, key) is not ABSENT)
    ]


def _form(key: str, value: Value) -> Any:
    """Return what values of one column have in common: the lengths of lists, whether a padding is a word."""
    if type(value) is int:
        return None
    if isinstance(value, TurnValues):
        return "turns", value.values
    if isinstance(value, First):
        forms = _form(key, value.first), _form(key, value.rest)
        return None if forms == (None, None) else ("first", *forms)
    if isinstance(value, tuple):
        return tuple(_form(key, each) for each in value)
    return "word" if key == "padding" and isinstance(value, str) else None


@cache
def default_of(kind: str, key: str) -> Value:
    """Return the value of an argument that is not written, if there is one to write."""
    if kind[:1].isupper():
        return 0  # every call has all arguments
    if kind in LISTS:
        return ABSENT
    op, (_, dot, inner) = get(kind), key.partition(".")
    if dot:
        return "none" if inner == "type" and op.accepts_norm_act else ABSENT
    if key == "via":
        return op.source_form
    argument = arguments_of(op).get(key)
    return ABSENT if argument is None or argument.required or argument.default is None else argument.default


def bias_of(item: SpecItem) -> Value:
    """Return whether a layer has a bias, which is false by default with a fused norm."""
    return item.args.get("bias", item.args.get("norm.type", "none") == "none")


def unify(members: Sequence[Sequence[SpecItem]]) -> list[SpecItem]:
    """Return members of equal skeletons as one; its nodes are those of the first."""
    return [_unify_items(each) for each in zip(*members, strict=True)]


def _unify_items(items: Sequence[SpecItem]) -> SpecItem:
    one = items[0]
    made = one.copy()
    made.args = unify_arguments(items)
    if one.branches is not None:
        made.branches = [unify(each) for each in zip(*(item.branches or () for item in items), strict=True)]
    return made


def unify_arguments(items: Sequence[SpecItem]) -> dict[str, Value]:
    """Return the arguments of items of one kind; what only some have is given to the others too, as its default."""
    one = items[0]
    keys = dict.fromkeys(key for item in items for key in item.args).keys()
    for item in items:
        if "bias" in keys and not is_call(one) and get(one.kind).accepts_norm_act:
            item.args["bias"] = bias_of(item)
        for key in keys - item.args.keys():
            item.args[key] = default_of(one.kind, key)
    return {key: column([item.args[key] for item in items]) for key in keys}


def column(values: Sequence[Value]) -> Value:
    """Return one value where all are equal, a list of columns for lists, else a column."""
    known = [value for value in values if value is not ABSENT]
    if any(isinstance(value, First) for value in known):
        pairs = [value if isinstance(value, First) else First(value, value) for value in values]
        return First(column([pair.first for pair in pairs]), column([pair.rest for pair in pairs]))
    if any(isinstance(value, TurnValues) for value in known):
        return known[0]
    if known and all(type(value) is type(known[0]) and value == known[0] for value in known):
        return known[0]
    if known and all(isinstance(value, tuple) and not isinstance(value, Column) for value in known):
        lists = [value if value is not ABSENT else (ABSENT,) * len(known[0]) for value in values]
        return tuple(column(each) for each in zip(*lists, strict=True))
    return Column(tuple(values))


def mapped(value: Value, change: Callable[[Value], Value]) -> Value:
    """Return a value in which what is not a list has been replaced."""
    if isinstance(value, First):
        first, rest = (mapped(each, change) for each in value)
        return First(first, rest)
    if isinstance(value, Column | TurnValues) or not isinstance(value, tuple):
        return change(value)
    return tuple(mapped(each, change) for each in value)


def map_values(items: Sequence[SpecItem], change: Callable[[SpecItem, str, Value], Value]) -> None:
    """Replace what is not a list in the arguments of items, in the order in which they are written."""
    for item in items:
        if item.kind == "repeat":
            map_values(item.branches[0] if item.branches else [], change)
        for key, value in item.args.items():
            item.args[key] = _without_first(mapped(value, lambda each, item=item, key=key: change(item, key, each)))  # type: ignore[misc]
        if item.kind != "repeat":
            for branch in item.branches or ():
                map_values(branch, change)


def _without_first(value: Value) -> Value:
    """Return a value in which what differs in the first turn is an expression."""
    if isinstance(value, First):
        first, rest = map(_without_first, value)
        if (first, rest) in {(True, False), (False, True)} and isinstance(rest, bool):
            return ExpressionText("first" if first else "not first")
        return rest if first == rest else ExpressionText(f"{scalar(first)} if first else {scalar(rest)}")
    return tuple(map(_without_first, value)) if type(value) is tuple else value
