"""The columns of repeats: each gets a name, which stands in place of its values."""

from __future__ import annotations

from collections.abc import Sequence

from convcalc.recovery.items import Expression, Item, Value
from convcalc.recovery.structure.parameters import INNER, SIZES, free_name, multiple
from convcalc.recovery.structure.turns import LISTED, by_number
from convcalc.recovery.structure.unify import First, Turns, map_values


def name_columns(items: Sequence[Item], taken: set[str]) -> None:
    """Name the columns of all repeats among items; ``taken`` are names of variables, and grows."""
    for item in items:
        if item.kind == "repeat":
            _write(item.branches[0] if item.branches else [], item, taken)
            taken |= item.columns.keys()
        for branch in item.branches or ():
            name_columns(branch, taken)
    map_values(items, lambda _, __, value: value)  # what differs in the first turn becomes an expression


def _write(items: Sequence[Item], repeat: Item, taken: set[str], *, is_inner: bool = False) -> None:
    """Write the names of a repeat's columns into the items of its turns; inner ones have turns of their own."""
    for item in items:
        for key, value in item.args.items():
            item.args[key] = _written(key, value, repeat, taken, is_inner=is_inner)
        for branch in item.branches or ():
            _write(branch, repeat, taken, is_inner=is_inner or item.kind in ("repeat", "each"))


def _written(key: str, value: Value, repeat: Item, taken: set[str], *, is_inner: bool) -> Value:
    if isinstance(value, First):
        first, rest = (_written(key, each, repeat, taken, is_inner=is_inner) for each in value)
        return first if first == rest else First(first, rest)
    if isinstance(value, Turns):
        if value.owner != repeat.owner:
            return value
        short = by_number(value.values) if len(value.values) > LISTED and not is_inner else None
        return short or _name_of(key, value, repeat, taken)
    if type(value) is tuple:
        return tuple(_written(key, each, repeat, taken, is_inner=is_inner) for each in value)
    return value


def _name_of(key: str, turns: Turns, repeat: Item, taken: set[str]) -> Expression:
    """Return the column with these values, a multiple of one, or a new one."""
    is_size = key in SIZES and all(type(each) is int for each in turns.values)
    for name, known in repeat.columns.items():
        if list(map(repr, known)) == list(map(repr, turns.values)):
            return Expression(name)
        if is_size and (text := multiple(name, known, turns.values)):
            return Expression(text)
    name = free_name(INNER.get(key, key.rpartition(".")[2]), {*taken, *repeat.columns})
    repeat.columns[name] = turns.values
    return Expression(name)
