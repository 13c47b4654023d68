"""What a repeat runs over: a count, or columns of equal length. Both shape the graph, so that they are plain values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from convcalc.arith import is_plain, names_of
from convcalc.errors import SpecError, Undecided, quoted
from convcalc.ops._arguments import named
from convcalc.spec.items import Repeat
from convcalc.spec.limits import REPEAT
from convcalc.spec.value import Value, structural

Evaluate: TypeAlias = Callable[[Value], Any]
Columns: TypeAlias = dict[str, tuple[Any, ...]]


def turns(repeat: Repeat, evaluate: Evaluate) -> tuple[Columns, int]:
    """Return the columns of a repeat, and how often it runs.

    Raises:
        SpecError: CC414 where it is no count and no columns, CC502 where it is too long, CC411 where it is swept.
    """
    if repeat.count is not None:
        columns, count = Columns(), _count(repeat.count, evaluate)
    else:
        columns = {name: _column(name, column, evaluate) for name, column in repeat.columns.items()}
        count = _length(repeat, columns)
    if count > REPEAT:
        raise SpecError("CC502", f"a repeat of {count} exceeds the limit of {REPEAT}", repeat.span)
    return columns, count


def _count(value: Value, evaluate: Evaluate) -> int:
    count = _plain(value, "a repeat count", evaluate)
    if type(count) is not int or count < 0:
        text = f"a repeat count must be an integer of at least 0, not {named(count)}"
        raise SpecError("CC414", text, value.span)
    return count


def _column(name: str, value: Value, evaluate: Evaluate) -> tuple[Any, ...]:
    column = _plain(value, "a column of a repeat", evaluate)
    if not isinstance(column, tuple):
        text = f"the column {quoted(name)} of a repeat must be a list, not {named(column)}"
        raise SpecError("CC414", text, value.span)
    return column


def _plain(value: Value, needed: str, evaluate: Evaluate) -> Any:
    found = evaluate(value)
    if is_plain(found):
        return found
    raise structural(Undecided(needed, names_of(found)), value)


def _length(repeat: Repeat, columns: Columns) -> int:
    """Return the length that all columns have."""
    count = len(next(iter(columns.values())))
    other = next((name for name, column in columns.items() if len(column) != count), None)
    if other is not None:
        lengths = ", ".join(f"{name} has {len(column)}" for name, column in columns.items())
        raise SpecError("CC414", f"the columns of a repeat differ in length: {lengths}", repeat.columns[other].span)
    return count
