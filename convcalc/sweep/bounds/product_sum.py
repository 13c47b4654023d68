"""Numbers of a sweep that are kept as sums of products, Σ count · Π table, where every table spans axes of its own.

What a layer costs is a product of functions of single axes far more often than not: k·k·Cin(w)·Cout(w)·H(s)·W(s). Sums
and products keep that form, so that one walk serves a whole space, and no array spans all its axes. Any other operation
on numbers that depend on different axes (a quotient, a maximum, a comparison) is worked out for all combinations of
these, as one table; where they are too many, ``TooManyPoints`` asks for a smaller part of the sweep.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from math import prod
from typing import Any

from convcalc.extras import numpy
from convcalc.sweep.bounds import terms as sums
from convcalc.sweep.bounds.bounded_array import BoundedArray, Memo, axes_of, fits_int64, is_small, spans_of
from convcalc.sweep.bounds.interval import FakeDtype
from convcalc.sweep.bounds.rules import (
    ADD,
    FLOOR_DIVIDE,
    MAXIMUM,
    MULTIPLY,
    SUBTRACT,
    BoundedNumber,
    BoundRule,
    Bounds,
    decide,
)
from convcalc.sweep.bounds.terms import NOTHING_KEPT, Terms, Window, require_size

MAX_TINY_SIZE = 256
"""Most elements of a table over several axes that costs less than a product of two."""
MAX_CACHED_TERMS = 4
"""Most products of a result that is kept."""
MAX_TERMS = 256
"""Most products of a sum; where more are left when they are merged, it becomes one table."""

ROOM_OF_RESULT = 64
"""Numbers of 64 bits that take as much memory as the objects of a result."""


class ResultMemo(dict[tuple[object, ...], Any]):
    """A memo that knows how much memory its results take."""

    def __init__(self) -> None:
        super().__init__()
        self._counted = self._room = 0

    def forget(self, *, over: int) -> None:
        """Forget all results where they take more than so many numbers of 64 bits."""
        self._room += sum(map(_room, islice(self.values(), self._counted, None)))
        self._counted = len(self)
        if self._room > over:
            self.clear()
            self._counted = self._room = 0


class Truths(BoundedArray):
    """Truths about such numbers."""

    __slots__ = ()

    def __or__(self, other: Any) -> Any:
        require_size([self, other])
        return super().__or__(other)

    def __and__(self, other: Any) -> Any:
        require_size([self, other])
        return super().__and__(other)

    __ror__, __rand__ = __or__, __and__

    @staticmethod
    def where(condition: Any, then: Any, otherwise: Any) -> Any:
        return ProductSum.where(condition, then, otherwise)


class ProductSum(BoundedNumber):
    """An integer between ``low`` and ``high`` at every point of a block: a sum of products of tables."""

    __slots__ = ("high", "low", "memo", "swept", "table", "terms")
    dtype = FakeDtype("i")

    def __init__(self, terms: Terms, bounds: Bounds, swept: tuple[str, ...], memo: Memo) -> None:
        self.terms = terms
        self.low, self.high = bounds
        self.swept = swept
        self.memo = memo
        self.table: BoundedArray | None = None
        """Its only table, where it is nothing but one."""

    @classmethod
    def of(cls, table: BoundedArray) -> ProductSum:
        """Return the number that a table holds."""
        number = cls({(table,): 1}, (table.low, table.high), table.swept, table.memo)
        number.table = table
        return number

    @property
    def tables(self) -> list[BoundedArray]:
        """All tables of its products."""
        return [table for factors in self.terms for table in factors]

    @property
    def size(self) -> int:
        """How many combinations there are of the values of the axes that it spans."""
        return prod(sums.joint_shape(self.tables))

    @property
    def is_small(self) -> bool:
        """Whether it is worth keeping as a result: a layer's sizes are, the growing sum of all layers is not."""
        return len(self.terms) <= MAX_CACHED_TERMS if self.table is None else is_small(self.table)

    @staticmethod
    def apply(rule: BoundRule, left: Any, right: Any) -> Any:
        """Return the result of an operation; the same operands give the same object."""
        memo = (left if isinstance(left, ProductSum) else right).memo
        key = (rule.name, left, right)
        known = memo.get(key)
        if known is None:
            known = _apply(rule, left, right)
            if isinstance(known, int) or known.is_small:
                memo[key] = known
        return known

    @staticmethod
    def compare(name: str, left: Any, right: Any) -> Any:
        """Return ``equal``, ``less`` or ``less_equal``: a bool where the bounds settle it, else truths."""
        answer = decide(name, bounds_of(left), bounds_of(right), same=left is right)
        if answer is not None:
            return answer
        memo = (left if isinstance(left, ProductSum) else right).memo
        key = (name, left, right)
        known = memo.get(key)
        if known is None:
            known = _compare(name, left, right)
            if isinstance(known, bool) or is_small(known):
                memo[key] = known
        return known

    @staticmethod
    def where(condition: Any, then: Any, otherwise: Any) -> Any:
        """Return ``then`` where the condition holds, else ``otherwise``."""
        if isinstance(condition, bool):
            return then if condition else otherwise
        one, other = _table(then), _table(otherwise)
        if one is not None and other is not None and _is_dense(condition, one) and _is_dense(condition, other):
            return ProductSum.of(BoundedArray.where(condition, one, other))
        chosen = ProductSum.of(BoundedArray(condition.array.astype("int64"), (0, 1), condition.swept, condition.memo))
        (low, high), (least, most) = bounds_of(then), bounds_of(otherwise)
        result = chosen * then + (1 - chosen) * otherwise
        if isinstance(result, int):
            return result
        return ProductSum(result.terms, (min(low, least), max(high, most)), result.swept, result.memo)

    def dense(self) -> BoundedArray:
        """Return it as one table.

        Raises:
            TooManyPoints: where that is too large.
        """
        if self.table is not None:
            return self.table
        require_size(self.tables)
        array = self.array()
        return BoundedArray(array, (int(array.min()), int(array.max())), self.swept, self.memo)

    def array(self) -> Any:
        """Return its values as an array that spans its axes."""
        return sums.array_of(self.terms)

    def collapsed(self) -> ProductSum:
        """Return it as one table where it spans but one axis, as a difference may."""
        return ProductSum.of(self.dense()) if self.table is None and len(sums.joint_spans(self.tables)) == 1 else self

    def values_at(self, places: Sequence[Any]) -> Any:
        """Return its values at some points, given by arrays of their places on every axis."""
        return sums.values_at(self.terms, places)

    def merged(self) -> ProductSum:
        """Return it with as few products as it takes."""
        return ProductSum(sums.merged(self.terms), (self.low, self.high), self.swept, self.memo)

    def part(self, window: Window, known: Memo) -> ProductSum | int:
        """Return it for a part of the block; ``known`` keeps the parts of tables."""
        terms = sums.part_of(self.terms, window, known)
        return _number(terms, sums.bounds_of(terms), self.swept, NOTHING_KEPT)


def _apply(rule: BoundRule, left: Any, right: Any) -> ProductSum | int:
    one, other = _table(left), _table(right)
    if one is not None and other is not None and _is_dense(one, other):
        return ProductSum.of(BoundedArray.apply(rule, one, other))
    if rule is ADD or rule is SUBTRACT:
        terms = sums.sum_of(_terms(left), _terms(right), 1 if rule is ADD else -1)
    elif rule is MULTIPLY:
        terms = sums.product_of(_terms(left), _terms(right))
    else:
        return _nonlinear(rule, left, right)
    low, high = rule.bounds(bounds_of(left), bounds_of(right))
    held = [number for number in (left, right) if isinstance(number, ProductSum)]
    number = _number(terms, (low, high), axes_of(held), held[0].memo)
    return number.collapsed() if rule is SUBTRACT and isinstance(number, ProductSum) else number


def _compare(name: str, left: Any, right: Any) -> bool | Truths:
    """Return the truths of a comparison that bounds do not settle; one bool where it holds everywhere."""
    one, other = _table(left), _table(right)
    if one is None or other is None:
        difference = left - right
        if isinstance(difference, int):
            return bool(decide(name, (difference, difference), (0, 0), same=False))
        one, other = difference.dense(), 0
    if not _is_dense(one, other):
        require_size([one, other])
    answer = BoundedArray.compare(name, one, other)
    if isinstance(answer, bool):
        return answer
    return answer.all() or Truths(answer.array, (0, 1), answer.swept, answer.memo)


def _nonlinear(rule: BoundRule, left: Any, right: Any) -> ProductSum | int:
    """Return a quotient, a maximum or a minimum: a table, unless what is known of the operands settles it."""
    if rule is FLOOR_DIVIDE:
        whole, rest = sums.divided(_terms(left), right) if type(right) is int and right else ({}, {})
        if whole:
            exact, remainder = (_number(terms, sums.bounds_of(terms), left.swept, left.memo) for terms in (whole, rest))
            floored = remainder // right if isinstance(remainder, int) else ProductSum.apply(rule, remainder, right)
            quotient: ProductSum | int = exact + floored
            return quotient
    else:
        is_less = decide("less_equal", bounds_of(left), bounds_of(right), same=False)
        if is_less is not None:
            larger: ProductSum | int = right if is_less == (rule is MAXIMUM) else left
            return larger
    tables = [each.dense() if isinstance(each, ProductSum) else each for each in (left, right)]
    require_size(tables)
    return ProductSum.of(BoundedArray.apply(rule, *tables))


def _number(terms: Terms, bounds: Bounds, swept: tuple[str, ...], memo: Memo) -> ProductSum | int:
    """Return the number that is a sum of products, within bounds: an int where it depends on no axis."""
    terms = {factors: count for factors, count in terms.items() if count}
    if not any(terms):
        return sum(terms.values())
    if len(terms) == 1:
        ((factors, count),) = terms.items()
        if len(factors) == 1:
            return ProductSum.of(factors[0] * count)
    if len(terms) > MAX_TERMS:
        terms = sums.merged(terms)
    number = ProductSum(terms, bounds, swept, memo)
    return ProductSum.of(number.dense()) if len(terms) > MAX_TERMS else number


def _table(number: Any) -> Any:
    """Return the only table of a number that is nothing but one, and an int as it is; ``None`` for other numbers."""
    return number.table if isinstance(number, ProductSum) else number


def _is_dense(one: Any, other: Any) -> bool:
    """Whether what is done to two tables is one: either spans all axes of the other, or is an int, or both are tiny."""
    if isinstance(one, int) or isinstance(other, int) or one.array.shape == other.array.shape:
        return True
    if one.size * other.size <= MAX_TINY_SIZE:
        return True
    spans, others = spans_of(one), spans_of(other)
    return spans <= others or others <= spans


def _room(result: Any) -> int:
    """Return how much memory a result takes, in numbers of 64 bits."""
    table = _table(result)
    return ROOM_OF_RESULT + table.size if isinstance(table, BoundedArray) else ROOM_OF_RESULT


def array_of(total: ProductSum | int) -> Any:
    """Return a total as an array that broadcasts to the shape of its block."""
    if isinstance(total, ProductSum):
        return total.array()
    return numpy.array(total, "int64" if fits_int64((total, total)) else object)


def bounds_of(number: Any) -> Bounds:
    """Return the bounds of a number of any kind."""
    return (number.low, number.high) if isinstance(number, ProductSum) else (number, number)


def _terms(number: Any) -> Terms:
    return number.terms if isinstance(number, ProductSum) else {(): number}
