"""Numbers with bounds: interval rules of the operations, and the operators of Python and NumPy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from convcalc.records import NamedTuple

Bounds: TypeAlias = tuple[int, int]


class BoundRule(NamedTuple):
    """An operation: its name in NumPy and the bounds of its result from those of its operands."""

    name: str
    bounds: Callable[[Bounds, Bounds], Bounds]


def _corners(left: Bounds, right: Bounds) -> Bounds:
    products = [one * other for one in left for other in right]
    return min(products), max(products)


def _quotients(left: Bounds, right: Bounds) -> Bounds:
    """⌊n/d⌋: at the corners where d keeps its sign, else no larger than n."""
    if right[0] > 0 or right[1] < 0:
        found = [one // other for one in left for other in right]
        return min(found), max(found)
    size = max(map(abs, left))
    return -size, size


ADD = BoundRule("add", lambda a, b: (a[0] + b[0], a[1] + b[1]))
SUBTRACT = BoundRule("subtract", lambda a, b: (a[0] - b[1], a[1] - b[0]))
MULTIPLY = BoundRule("multiply", _corners)
FLOOR_DIVIDE = BoundRule("floor_divide", _quotients)
MAXIMUM = BoundRule("maximum", lambda a, b: (max(a[0], b[0]), max(a[1], b[1])))
MINIMUM = BoundRule("minimum", lambda a, b: (min(a[0], b[0]), min(a[1], b[1])))
RULES = {rule.name: rule for rule in (ADD, SUBTRACT, MULTIPLY, FLOOR_DIVIDE, MAXIMUM, MINIMUM)}


def decide(name: str, left: Bounds, right: Bounds, *, same: bool) -> bool | None:
    """Decide ``equal``, ``less`` or ``less_equal`` from the bounds: True or False at every point, else ``None``.

    ``same`` says that both sides are one and the same number.
    """
    (low, high), (least, most) = left, right
    if name == "equal":
        apart, surely = high < least or most < low, same or low == high == least == most
    elif name == "less":
        apart, surely = low >= most or same, high < least
    else:
        apart, surely = low > most, high <= least or same
    return surely if apart or surely else None


class BoundedNumber:
    """Operators of Python and NumPy for numbers with bounds.

    A subclass has static methods for an operation (``apply``), a comparison (``compare``: equal, less, less_equal)
    and a choice between two numbers (``where``).
    """

    __slots__ = ()
    __hash__ = object.__hash__
    low: int
    high: int

    apply: Callable[[BoundRule, Any, Any], Any]
    compare: Callable[[str, Any, Any], Any]
    where: Callable[[Any, Any, Any], Any]

    def min(self) -> int:
        """A lower bound of all elements."""
        return self.low

    def max(self) -> int:
        """An upper bound of all elements."""
        return self.high

    def __str__(self) -> str:
        return f"{self.low}…{self.high}"

    def __add__(self, other: Any) -> Any:
        return self if type(other) is int and other == 0 else self.apply(ADD, self, other)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Any:
        return self if type(other) is int and other == 0 else self.apply(SUBTRACT, self, other)

    def __rsub__(self, other: Any) -> Any:
        return self.apply(SUBTRACT, other, self)

    def __mul__(self, other: Any) -> Any:
        return self if type(other) is int and other == 1 else self.apply(MULTIPLY, self, other)

    __rmul__ = __mul__

    def __neg__(self) -> Any:
        return self.apply(SUBTRACT, 0, self)

    def __pow__(self, exponent: int) -> Any:
        power: Any = 1
        for _ in range(exponent):
            power = power * self
        return power

    def __eq__(self, other: object) -> Any:
        return NotImplemented if isinstance(other, str) else self.compare("equal", self, other)

    def __ne__(self, other: object) -> Any:
        if isinstance(other, str):
            return NotImplemented  # ops compare their types with words: a number is none
        answer = self.compare("equal", self, other)
        return not answer if isinstance(answer, bool) else ~answer

    def __lt__(self, other: Any) -> Any:
        return self.compare("less", self, other)

    def __le__(self, other: Any) -> Any:
        return self.compare("less_equal", self, other)

    def __gt__(self, other: Any) -> Any:
        return self.compare("less", other, self)

    def __ge__(self, other: Any) -> Any:
        return self.compare("less_equal", other, self)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        rule = RULES.get(ufunc.__name__)
        return NotImplemented if rule is None or method != "__call__" or kwargs else self.apply(rule, *inputs)

    def __array_function__(self, function: Any, types: Any, args: Sequence[Any], kwargs: Any) -> Any:
        return self.where(*args) if function.__name__ == "where" else NotImplemented
