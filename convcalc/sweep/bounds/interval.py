"""Numbers of which only bounds are known: the formulas of a spec run on them, and bound all points of a block at once.

Bounds are worked out by the rules of :mod:`convcalc.sweep.bounds.rules`, without any array. They are true and may be
wide: a total of a block lies within its bounds at every point, whether or not some point reaches them. So a block whose
bounds break a limit holds no point that keeps it, whatever the formula's shape, and nothing about monotony is assumed.
Beside its bounds a number knows what it is in terms of the axes (:mod:`convcalc.sweep.bounds.symbolic_terms`), so that
two of them are compared by their difference.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from typing import Any

from convcalc.errors import Undecided
from convcalc.records import NamedTuple
from convcalc.sweep.bounds.rules import SUBTRACT, BoundedNumber, BoundRule, Bounds, decide
from convcalc.sweep.bounds.symbolic_terms import (
    Atom,
    AtomTable,
    Definition,
    Terms,
    add,
    apply,
    atom_for,
    bounds_of_terms,
    constant,
    key,
)


class FakeDtype(NamedTuple):
    """A stand-in for a NumPy dtype: ``i`` for integers, ``b`` for booleans."""

    kind: str


class UnknownBoolean:
    """A boolean that the bounds do not decide; ``what`` is equal for equal conditions."""

    __slots__ = ("swept", "what")
    dtype = FakeDtype("b")
    size = 1

    def __init__(self, swept: tuple[str, ...], what: Any = None) -> None:
        self.swept = swept
        self.what = object() if what is None else what

    def any(self) -> bool:
        """Whether it may be true somewhere."""
        return True

    def all(self) -> bool:
        """Whether it is surely true everywhere."""
        return False

    def __bool__(self) -> bool:
        raise Undecided("a condition", self.swept)

    def __invert__(self) -> UnknownBoolean:
        return UnknownBoolean(self.swept, ("not", self.what))

    def __or__(self, other: object) -> UnknownBoolean:
        return self._joined("or", other)

    def __and__(self, other: object) -> UnknownBoolean:
        return self._joined("and", other)

    __ror__, __rand__ = __or__, __and__

    def _joined(self, word: str, other: object) -> UnknownBoolean:
        what = (word, self.what, other.what) if isinstance(other, UnknownBoolean) else None
        return UnknownBoolean(_names(self, other), what)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        return ~self if ufunc.__name__ == "logical_not" and method == "__call__" else NotImplemented

    def __array_function__(self, function: Any, types: Any, args: Sequence[Any], kwargs: Any) -> Any:
        return Interval.where(*args) if function.__name__ == "where" else NotImplemented


class Interval(BoundedNumber):
    """An integer between ``low`` and ``high``, at any point of a block; ``swept`` are the axes that it depends on.

    ``terms`` say what it is, a variable of its own where they are not given; numbers that share ``known`` know what is
    done to equal ones.
    """

    __slots__ = ("high", "known", "low", "swept", "terms")
    dtype = FakeDtype("i")
    size = 1

    def __init__(
        self, bounds: Bounds, swept: tuple[str, ...], known: AtomTable | None = None, terms: Terms | None = None
    ) -> None:
        self.low, self.high = bounds
        self.swept = swept
        self.known = {} if known is None else known
        self.terms: Terms = {(Atom(bounds),): 1} if terms is None else terms

    @staticmethod
    def apply(rule: BoundRule, left: Any, right: Any) -> Interval:
        known = _known(left, right)
        low, high = rule.bounds(bounds_of(left), bounds_of(right))
        terms = apply(rule, terms_of(left), terms_of(right), (low, high), known)
        if rule is SUBTRACT:
            least, most = bounds_of_terms(terms)
            low, high = max(low, least), min(high, most)
        return Interval((low, high), _names(left, right), known, terms)

    @staticmethod
    def compare(name: str, left: Any, right: Any) -> Any:
        answer = decide(name, bounds_of(left), bounds_of(right), same=left is right)
        if answer is not None:
            return answer
        difference = add(terms_of(left), terms_of(right), -1)
        answer = decide(name, bounds_of_terms(difference), (0, 0), same=False)
        return UnknownBoolean(_names(left, right), (name, key(difference))) if answer is None else answer

    @staticmethod
    def where(condition: Any, then: Any, otherwise: Any) -> Any:
        """Return ``then`` or ``otherwise``: where the condition is open, what may be any of the two."""
        if isinstance(condition, bool):
            return then if condition else otherwise
        bounds, known = _either(bounds_of(then), bounds_of(otherwise)), _known(then, otherwise)
        what = ("where", condition.what, key(terms_of(then)), key(terms_of(otherwise)))
        either = Definition((terms_of(then), terms_of(otherwise)), _either, is_exact=False)
        return Interval(bounds, _names(condition, then, otherwise), known, atom_for(what, bounds, known, either))


def bounds_of(value: Any) -> Bounds:
    """Return the bounds of a number."""
    return (value.low, value.high) if isinstance(value, Interval) else (value, value)


def terms_of(value: Any) -> Terms:
    """Return what a number is in terms of the axes."""
    return value.terms if isinstance(value, Interval) else constant(index(value))


def _either(one: Bounds, other: Bounds) -> Bounds:
    return min(one[0], other[0]), max(one[1], other[1])


def _known(*values: Any) -> AtomTable:
    return next((value.known for value in values if isinstance(value, Interval)), {})


def _names(*values: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for value in values for name in getattr(value, "swept", ())))
