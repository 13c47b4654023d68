"""Numbers of which only bounds are known: the formulas of a spec run on them, and bound all points of a block at once.

Bounds are worked out by the rules of :mod:`convcalc.sweep.operators`, without any array. They are true and may be wide:
a total of a block lies within its bounds at every point, whether or not some point reaches them. So a block whose
bounds break a limit holds no point that keeps it, whatever the formula's shape, and nothing about monotony is assumed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from convcalc.errors import Undecided
from convcalc.sweep.operators import Bounds, Operators, Rule, settled


class Kind(NamedTuple):
    """What stands for a NumPy dtype: ``i`` for integers, ``b`` for truths."""

    kind: str


class Unsettled:
    """A truth that the bounds do not tell: it may differ from point to point."""

    __slots__ = ("swept",)
    dtype = Kind("b")
    size = 1

    def __init__(self, swept: tuple[str, ...]) -> None:
        self.swept = swept

    def any(self) -> bool:
        """Whether it may be true somewhere."""
        return True

    def all(self) -> bool:
        """Whether it is surely true everywhere."""
        return False

    def __bool__(self) -> bool:
        raise Undecided("a condition", self.swept)

    def __invert__(self) -> Unsettled:
        return self

    def __or__(self, other: object) -> Unsettled:
        return self

    __ror__ = __and__ = __rand__ = __or__

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        return self if ufunc.__name__ == "logical_not" and method == "__call__" else NotImplemented

    def __array_function__(self, function: Any, types: Any, args: Sequence[Any], kwargs: Any) -> Any:
        return Interval.chosen(*args) if function.__name__ == "where" else NotImplemented


class Interval(Operators):
    """An integer between ``low`` and ``high``, at any point of a block; ``swept`` are the axes that it depends on."""

    __slots__ = ("high", "low", "swept")
    dtype = Kind("i")
    size = 1

    def __init__(self, bounds: Bounds, swept: tuple[str, ...]) -> None:
        self.low, self.high = bounds
        self.swept = swept

    @staticmethod
    def combined(rule: Rule, left: Any, right: Any) -> Interval:
        return Interval(rule.bounds(ends(left), ends(right)), _names(left, right))

    @staticmethod
    def compared(name: str, left: Any, right: Any) -> Any:
        answer = settled(name, ends(left), ends(right), same=left is right)
        return Unsettled(_names(left, right)) if answer is None else answer

    @staticmethod
    def chosen(condition: Any, then: Any, otherwise: Any) -> Any:
        """Return ``then`` or ``otherwise``: where the condition is open, what may be any of the two."""
        if isinstance(condition, bool):
            return then if condition else otherwise
        (low, high), (least, most) = ends(then), ends(otherwise)
        return Interval((min(low, least), max(high, most)), _names(condition, then, otherwise))


def ends(value: Any) -> Bounds:
    """Return the bounds of a number."""
    return (value.low, value.high) if isinstance(value, Interval) else (value, value)


def _names(*values: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for value in values for name in getattr(value, "swept", ())))
