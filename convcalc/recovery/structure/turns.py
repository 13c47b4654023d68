"""Values in the turns of a repeat, or in the branches of an ``each``, as expressions in the number of the turn."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

from convcalc.recovery.items import Expression, Value
from convcalc.recovery.writing.text import scalar

LISTED = 8
"""So many values in a list read well."""
MAX_PERIOD = 12


def by_number(values: Sequence[Value]) -> Expression | None:
    """Return two values, one in some turns and one in the others, by a test of ``i``; nothing where there is none."""
    shown = [*map(repr, values)]
    if len({*shown}) != 2 or (test := _test([each == shown[0] for each in shown])) is None:
        return None
    other = next(value for value in values if repr(value) != shown[0])
    if type(other) is bool and type(values[0]) is bool:
        return Expression(_test([*values]))
    one, two = text(values[0]), text(other)
    if test.startswith("not "):
        one, test, two = two, test.removeprefix("not "), one
    return Expression(f"{one} if {test} else {two}") if one and two else None


def of_branches(values: Sequence[Value]) -> Expression | None:
    """Return values as an expression, if need be by a list; nothing where one cannot be in an expression."""
    if all(type(value) is int for value in values) and len({b - a for a, b in pairwise(values)}) == 1:
        return Expression(_progression(values[0], values[1] - values[0]))
    texts = [*map(text, values)]
    return None if "" in texts else by_number(values) or Expression(f"[{', '.join(texts)}][i]")


def text(value: Value) -> str:
    """Return a value as an expression has it, or an empty text."""
    if type(value) is tuple:
        inner = [*map(text, value)]
        return "" if "" in inner else f"[{', '.join(inner)}]"
    is_plain = isinstance(value, bool | int | Fraction | Expression) or (
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
