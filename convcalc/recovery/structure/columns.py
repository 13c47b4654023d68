"""Values in the turns of a repeat, or the branches of an ``each``, as columns with names or expressions in a number."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import partial
from itertools import pairwise

from convcalc.recovery.items import ExpressionText, SpecItem, Value
from convcalc.recovery.structure.parameters import INNER, SIZES, free_name, multiple
from convcalc.recovery.structure.unify import TurnValues, map_values, mapped
from convcalc.recovery.writing.text import scalar

LISTED = 8
"""So many values in a list read well."""
MAX_PERIOD = 12


def by_number(values: Sequence[Value]) -> ExpressionText | None:
    """Return two values, one in some turns and one in the others, by a test of ``i``; nothing where there is none."""
    shown = [*map(repr, values)]
    if len({*shown}) != 2 or (test := _test([each == shown[0] for each in shown])) is None:
        return None
    other = next(value for value in values if repr(value) != shown[0])
    if type(other) is bool and type(values[0]) is bool:
        return ExpressionText(_test([*values]))
    one, two = text(values[0]), text(other)
    if test.startswith("not "):
        one, test, two = two, test.removeprefix("not "), one
    return ExpressionText(f"{one} if {test} else {two}") if one and two else None


def of_branches(values: Sequence[Value]) -> ExpressionText:
    """Return values by the number of their branch, if need be by a list.

    Raises:
        ValueError: where one of them cannot be in an expression.
    """
    if all(type(value) is int for value in values) and len({b - a for a, b in pairwise(values)}) == 1:
        return ExpressionText(_progression(values[0], values[1] - values[0]))
    texts = [*map(text, values)]
    if "" in texts:
        raise ValueError
    return by_number(values) or ExpressionText(f"[{', '.join(texts)}][i]")


def text(value: Value) -> str:
    """Return a value as an expression has it, or an empty text."""
    if type(value) is tuple:
        inner = [*map(text, value)]
        return "" if "" in inner else f"[{', '.join(inner)}]"
    is_plain = isinstance(value, bool | int | Fraction | ExpressionText) or (
        isinstance(value, str) and value.isidentifier()
    )
    return scalar(value) if is_plain else ""


def _progression(start: int, step: int) -> str:
    if step < 0:
        return f"{start} - i" if step == -1 else f"{start} - {-step}*i"
    turns = "i" if step == 1 else f"{step}*i"
    return turns if start == 0 else f"{turns} {'+' if start > 0 else '-'} {abs(start)}"


def _test(truth: Sequence[bool]) -> str | None:
    """Return in which turns something holds: up to one, from one on, or in one of so many, or in all but one."""
    count, first = len(truth), truth.index(not truth[0]) if len({*truth}) > 1 else 0
    if not any(truth[each] == truth[0] for each in range(first, count)):
        if first == 1:
            return "first" if truth[0] else "not first"
        if first == count - 1:
            return "not last" if truth[0] else "last"
        return f"i < {first}" if truth[0] else f"i >= {first}"
    for period in range(2, min(MAX_PERIOD, count // 2) + 1):
        turn = list(truth[:period])
        if all(each == turn[place % period] for place, each in enumerate(truth)):
            for is_one in (True, False):
                if turn.count(is_one) == 1:
                    return f"i % {period} {'==' if is_one else '!='} {turn.index(is_one)}"
    return None


def name_columns(items: Sequence[SpecItem], taken: set[str]) -> None:
    """Name the columns of all repeats among items; ``taken`` are names of variables, and grows."""
    for item in items:
        if item.kind == "repeat":
            _write(item.branches[0] if item.branches else [], item, taken)
            taken |= item.columns.keys()
        for branch in item.branches or ():
            name_columns(branch, taken)
    map_values(items, lambda _, __, value: value)  # what differs in the first turn becomes an expression


def _write(items: Sequence[SpecItem], repeat: SpecItem, taken: set[str], *, is_inner: bool = False) -> None:
    """Write the names of a repeat's columns into the items of its turns; inner ones have turns of their own."""

    def written(key: str, value: Value) -> Value:
        if not isinstance(value, TurnValues) or value.owner != repeat.owner:
            return value
        short = by_number(value.values) if len(value.values) > LISTED and not is_inner else None
        return short or _name_of(key, value, repeat, taken)

    for item in items:
        for key, value in item.args.items():
            item.args[key] = mapped(value, partial(written, key))
        for branch in item.branches or ():
            _write(branch, repeat, taken, is_inner=is_inner or item.kind in ("repeat", "each"))


def _name_of(key: str, turns: TurnValues, repeat: SpecItem, taken: set[str]) -> ExpressionText:
    """Return the column with these values, a multiple of one, or a new one."""
    is_size = key in SIZES and all(type(each) is int for each in turns.values)
    for name, known in repeat.columns.items():
        if list(map(repr, known)) == list(map(repr, turns.values)):
            return ExpressionText(name)
        if is_size and (text := multiple(name, known, turns.values)):
            return ExpressionText(text)
    name = free_name(INNER.get(key, key.rpartition(".")[2]), {*taken, *repeat.columns})
    repeat.columns[name] = turns.values
    return ExpressionText(name)
