"""The one door for numbers: what ``+ - *`` cannot do, for Python ints, NumPy arrays and symbols alike.

Formulas are written once over ``Number`` and run on all three kinds. NumPy and SymPy are never imported for ints.
``Number`` is an alias of ``int`` for the type checker: arrays and symbols behave like ints behind this door.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from fractions import Fraction
from functools import reduce
from typing import TYPE_CHECKING, Any, TypeAlias

from convcalc.errors import SpecError, Undecided
from convcalc.records import dataclass, field

if TYPE_CHECKING:
    import numpy

Number: TypeAlias = int
Condition: TypeAlias = bool

MAX_EXTREMES = 24
"""How many max and min a size of symbols may have: what is worked out with them grows exponentially."""


def is_plain(value: object) -> bool:
    """Whether a value is not an array and no symbol, so that its truth and its size are known now."""
    return not (hasattr(value, "free_symbols") or hasattr(value, "__array_ufunc__"))


def is_swept(value: object) -> bool:
    """Whether a value is an array of a sweep: it knows the axes that it spans, and its bounds."""
    return hasattr(value, "swept") and hasattr(value, "dtype")


def free_names(value: Any) -> tuple[str, ...]:
    """Return the names of the symbols in a value, sorted, or of the axes that an array of a sweep spans."""
    return getattr(value, "swept", ()) or tuple(sorted(str(symbol) for symbol in getattr(value, "free_symbols", ())))


def require_plain(value: Any, needed: str) -> Any:
    """Return a value that shapes the graph, or raise ``Undecided`` naming what was needed."""
    if is_plain(value):
        return value
    raise Undecided(needed, free_names(value))


def collapse_uniform(condition: Any) -> Any:
    """Return the truth of an array of a sweep whose points all share it as a bool, and anything else as it is."""
    if not is_swept(condition) or condition.dtype.kind != "b":  # numbers are no truths
        return condition
    return True if condition.all() else condition if condition.any() else False


def floordiv(dividend: Number, divisor: Number) -> Number:
    """⌊dividend / divisor⌋."""
    if type(dividend) is int and type(divisor) is int:
        return dividend // divisor
    if _symbolic(dividend, divisor):
        from convcalc.arith.symbols import FloorDiv

        return FloorDiv(dividend, divisor)
    numpy = _numpy()
    if not is_plain(divisor):  # zeros among many divisors are refused by a require() and masked there
        divisor = numpy.where(divisor == 0, 1, divisor)
    return numpy.floor_divide(dividend, divisor)  # type: ignore[no-any-return]


def floored_otherwise(size: int, factor: Fraction) -> int | None:
    """⌊size · factor⌋ in double precision, where it is not the exact one: 62 for 45 and 7/5, a hair below 63."""
    floating = math.floor(size * float(factor))
    return None if floating == math.floor(size * factor) else floating


def ceildiv(dividend: Number, divisor: Number) -> Number:
    """⌈dividend / divisor⌉ for a positive divisor."""
    return floordiv(dividend + divisor - 1, divisor)


def modulo(dividend: Number, divisor: Number) -> Number:
    """The remainder of floor division; it has the sign of the divisor."""
    if type(dividend) is int and type(divisor) is int:
        return dividend % divisor
    return dividend - divisor * floordiv(dividend, divisor)


def at_least(value: Number, floor: Number) -> Number:
    """max(value, floor)."""
    if type(value) is int and type(floor) is int:
        return max(value, floor)
    if _symbolic(value, floor):
        from convcalc.arith.symbols import maximum

        return maximum(value, floor)  # type: ignore[no-any-return]
    return _numpy().maximum(value, floor)  # type: ignore[no-any-return]


def at_most(value: Number, ceiling: Number) -> Number:
    """min(value, ceiling)."""
    if type(value) is int and type(ceiling) is int:
        return min(value, ceiling)
    if _symbolic(value, ceiling):
        from convcalc.arith.symbols import minimum

        return minimum(value, ceiling)  # type: ignore[no-any-return]
    return _numpy().minimum(value, ceiling)  # type: ignore[no-any-return]


def largest(values: Sequence[Number]) -> Number:
    """The greatest of all values; 0 for none. Symbolic values stay in one unevaluated maximum."""
    if {*map(type, values)} <= {int}:
        return max(values, default=0)
    if _symbolic(*values):
        from convcalc.arith.symbols import largest

        return largest(values)  # type: ignore[no-any-return]
    return reduce(at_least, values, 0)


def absolute(value: Number) -> Number:
    """|value|."""
    return at_least(value, -value)


def prod(values: Iterable[Number]) -> Number:
    """The product of all values; 1 for none."""
    return math.prod(values)  # which multiplies arrays and symbols as ``*`` does


def total(values: Iterable[Number]) -> Number:
    """The sum of all values; 0 for none."""
    return sum(values)


def select(condition: Condition, then: Number, otherwise: Number) -> Number:
    """``then`` where the condition holds, else ``otherwise``."""
    if isinstance(condition, bool):
        return then if condition else otherwise
    if _symbolic(condition, then, otherwise):
        from convcalc.arith.symbols import piecewise

        return piecewise(condition, then, otherwise)
    return _numpy().where(condition, then, otherwise)


def equal(left: Number, right: Number) -> Condition:
    """left = right; for symbols a relation, where ``==`` would compare their form."""
    if type(left) is int and type(right) is int:
        return left == right
    if _symbolic(left, right):
        from convcalc.arith.symbols import equality

        return _settled(equality(left, right))
    return left == right


def less(left: Number, right: Number) -> Condition:
    """left < right."""
    if type(left) is int and type(right) is int:
        return left < right
    if _symbolic(left, right):
        from convcalc.arith.symbols import less

        return _settled(less(left, right))
    return left < right


def less_equal(left: Number, right: Number) -> Condition:
    """left ≤ right."""
    if type(left) is int and type(right) is int:
        return left <= right
    if _symbolic(left, right):
        from convcalc.arith.symbols import less_equal

        return _settled(less_equal(left, right))
    return left <= right


def divides(divisor: Number, dividend: Number) -> Condition:
    """Whether the division leaves nothing."""
    if type(divisor) is int and type(dividend) is int:
        return dividend % divisor == 0
    return equal(modulo(dividend, divisor), 0)


def either(left: Condition, right: Condition) -> Condition:
    """left or right, without asking for the truth of an array or a symbol."""
    if isinstance(left, bool):
        return left or right
    return _settled(left | right)


def require(condition: Condition, code: str, text: str, *values: object) -> None:
    """Demand a relation between sizes.

    True: nothing happens. False: a ``SpecError`` with ``text`` (its ``{}`` filled with ``values``). An array: where a
    ``ConstraintLog`` records, the points where it is false are masked out with the reason, else any is an error.
    Undecided (a relation of symbols): recorded as an assumption where a ``ConstraintLog`` records, else ``Undecided``.
    """
    if condition is True:
        return
    if condition is False:
        raise SpecError(code, text.format(*values))
    ledger = _ledger.get()
    if _symbolic(condition):
        if ledger is None:
            raise Undecided(str(condition), free_names(condition))
        ledger.record_assumption(condition)
    elif ledger is not None:
        ledger.record_violation(condition, code, text)
    elif not _numpy().all(condition):
        raise SpecError(code, text.format(*values))


@dataclass(slots=True, eq=False)
class ConstraintLog:
    """What ``require`` noted while formulas ran on arrays or symbols."""

    assumptions: list[Any] = field(default_factory=list)
    """Relations of symbols that the result rests on, without those that follow from others."""
    violations: list[tuple[numpy.ndarray[Any, Any], str, str]] = field(default_factory=list)
    """(invalid points, error code, reason with ``{}`` for values), in the order met."""

    def record_assumption(self, condition: Any) -> None:
        from convcalc.arith.symbols import is_implied

        if not is_implied(condition, self.assumptions):
            self.assumptions[:] = [other for other in self.assumptions if not is_implied(other, [condition])]
            self.assumptions.append(condition)

    def record_violation(self, condition: Any, code: str, text: str) -> None:
        numpy = _numpy()
        failed = numpy.logical_not(condition)
        if failed.any():
            self.violations.append((failed, code, text))


@contextmanager
def record_constraints() -> Iterator[ConstraintLog]:
    """Let ``require`` note masked points and assumptions in the ledger that this gives, instead of raising."""
    ledger = ConstraintLog()
    token = _ledger.set(ledger)
    try:
        yield ledger
    finally:
        _ledger.reset(token)


_ledger: ContextVar[ConstraintLog | None] = ContextVar("ledger", default=None)


def _symbolic(*values: object) -> bool:
    return any(hasattr(value, "free_symbols") for value in values)


def _settled(condition: Any) -> Condition:
    """Turn a relation that SymPy decided into a bool; leave arrays and open relations."""
    if getattr(condition, "is_Boolean", False) and not condition.free_symbols:
        return bool(condition)
    return condition  # type: ignore[no-any-return]


def _numpy() -> Any:
    import numpy  # only a caller that brought an array comes here, so it is loaded already

    return numpy
