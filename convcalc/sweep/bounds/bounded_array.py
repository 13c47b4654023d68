"""Arrays of a sweep: each knows bounds of its elements in Python ints, and no operation on it can wrap.

An operation works out the bounds of its result first. Within 64 bits the arrays are NumPy's ``int64``; what might not
fit is worked out on arrays of Python ints, and goes back to ``int64`` where its bounds allow it. Bounds also settle
most comparisons without looking at the elements. Every array has one axis for each axis of the sweep, of length 1 where
it does not depend on it, and NumPy broadcasts: what depends on one axis is worked out once a value of that axis.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, TypeAlias

from convcalc.errors import Undecided
from convcalc.extras import numpy
from convcalc.sweep.bounds.rules import BoundedNumber, BoundRule, Bounds, decide

Memo: TypeAlias = dict[tuple[object, ...], Any]
"""Results by operation and operands: blocks that repeat cost nothing, and equal shapes are the same objects."""

MIN_INT64, MAX_INT64 = -(2**63), 2**63 - 1
MAX_CACHED_SIZE = 4096
"""Results with more elements that span several axes are not kept."""


class BoundedArray(BoundedNumber):
    """An array of integers between ``low`` and ``high``, or of truths, that spans the axes ``swept``."""

    __slots__ = ("array", "high", "low", "memo", "swept")

    def __init__(self, array: Any, bounds: Bounds, swept: tuple[str, ...], memo: Memo) -> None:
        self.array = array
        self.low, self.high = bounds
        self.swept = swept
        self.memo = memo

    @property
    def dtype(self) -> Any:
        return self.array.dtype

    @property
    def size(self) -> int:
        return int(self.array.size)

    def any(self) -> bool:
        """Whether any element is true."""
        return bool(self.array.any())

    def all(self) -> bool:
        """Whether all elements are true."""
        return bool(self.array.all())

    def __bool__(self) -> bool:
        raise Undecided("a condition", self.swept)

    def __invert__(self) -> Any:
        return type(self)(numpy.logical_not(self.array), (0, 1), self.swept, self.memo)

    def __or__(self, other: Any) -> Any:
        return logical(numpy.logical_or, self, other)

    def __and__(self, other: Any) -> Any:
        return logical(numpy.logical_and, self, other)

    __ror__, __rand__ = __or__, __and__

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if ufunc.__name__ == "logical_not" and method == "__call__" and not kwargs:
            return ~self
        return super().__array_ufunc__(ufunc, method, *inputs, **kwargs)

    @staticmethod
    def apply(rule: BoundRule, left: Any, right: Any) -> Any:
        """Return the result of an operation, exact whatever its size."""
        memo = left.memo if isinstance(left, BoundedArray) else right.memo
        key = (rule.name, left, right)
        known = memo.get(key)
        if known is None:
            bounds = rule.bounds(bounds_of(left), bounds_of(right))
            known = _apply(getattr(numpy, rule.name), bounds, left, right)
            if is_small(known):
                memo[key] = known
        return known

    @staticmethod
    def compare(name: str, left: Any, right: Any) -> Any:
        """Return ``equal``, ``less`` or ``less_equal``: a bool where the bounds settle it, else an array of truths."""
        (low, high), (least, most) = bounds_of(left), bounds_of(right)
        answer = decide(name, (low, high), (least, most), same=left is right)
        if answer is not None:
            return answer
        exact = not (fits_int64((low, high)) and fits_int64((least, most)))
        result = getattr(numpy, name)(_array(left, exact=exact), _array(right, exact=exact)).astype(bool)
        held = [each for each in (left, right) if isinstance(each, BoundedArray)]
        return BoundedArray(result, (0, 1), axes_of(held), held[0].memo)

    @staticmethod
    def where(condition: Any, then: Any, otherwise: Any) -> Any:
        """Return ``then`` where the condition holds, else ``otherwise``."""
        if isinstance(condition, bool):
            return then if condition else otherwise
        (low, high), (least, most) = bounds_of(then), bounds_of(otherwise)
        bounds = min(low, least), max(high, most)
        exact = not fits_int64(bounds)
        arrays = [_array(each, exact=exact) for each in (then, otherwise)]
        if exact:
            arrays = [array if hasattr(array, "dtype") else numpy.array(array, object) for array in arrays]
        held = [each for each in (condition, then, otherwise) if isinstance(each, BoundedArray)]
        result = numpy.where(condition.array, *arrays)
        if not exact and result.dtype == object:
            result = result.astype("int64")
        return BoundedArray(result, bounds, axes_of(held), condition.memo)


def bounds_of(value: Any) -> Bounds:
    """Return the bounds of a number."""
    return (value.low, value.high) if isinstance(value, BoundedArray) else (value, value)


def _apply(operation: Callable[..., Any], bounds: Bounds, *operands: Any) -> BoundedArray:
    held = [operand for operand in operands if isinstance(operand, BoundedArray)]
    room = fits_int64(bounds) and all(fits_int64(bounds_of(operand)) for operand in operands)
    arrays = [_array(operand, exact=not room) for operand in operands]
    result = operation(*arrays)
    if not room and fits_int64(bounds):
        result = result.astype("int64")
    return BoundedArray(result, bounds, axes_of(held), held[0].memo)


def spans_of(array: BoundedArray) -> frozenset[int]:
    """Return the axes that an array spans, by their places."""
    return _wide(array.array.shape)


@cache
def _wide(shape: tuple[int, ...]) -> frozenset[int]:
    return frozenset(axis for axis, size in enumerate(shape) if size > 1)


def is_small(array: BoundedArray) -> bool:
    """Whether it is worth keeping as a result."""
    return array.size <= MAX_CACHED_SIZE or len(spans_of(array)) == 1


def fits_int64(bounds: Bounds) -> bool:
    """Whether all numbers within the bounds have 64 bits."""
    return bounds[0] >= MIN_INT64 and bounds[1] <= MAX_INT64


def _array(operand: Any, *, exact: bool) -> Any:
    """Return what NumPy works on; ``exact`` for Python ints in place of 64 bits."""
    if isinstance(operand, BoundedArray):
        return operand.array.astype(object) if exact and operand.dtype != object else operand.array
    return operand


def axes_of(held: Sequence[Any]) -> tuple[str, ...]:
    """Return the names of the axes that some numbers span together."""
    first: tuple[str, ...] = held[0].swept
    if all(other.swept == first for other in held):
        return first
    return tuple(dict.fromkeys(name for each in held for name in each.swept))


def logical(operation: Callable[..., Any], left: BoundedArray, right: Any) -> BoundedArray:
    """Return two truths joined point by point."""
    held = [left, right] if isinstance(right, BoundedArray) else [left]
    return type(left)(operation(left.array, _array(right, exact=False)), (0, 1), axes_of(held), left.memo)


def axis_array(values: Sequence[int], axis: int, axes: Sequence[str], memo: Memo) -> BoundedArray:
    """Return the values of one axis of a sweep as an array that spans it alone."""
    bounds = min(values), max(values)
    shape = tuple(-1 if place == axis else 1 for place in range(len(axes)))
    array = numpy.fromiter(values, "int64" if fits_int64(bounds) else object, len(values))
    return BoundedArray(array.reshape(shape), bounds, (axes[axis],), memo)
