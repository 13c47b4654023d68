"""Sums of products of tables, Σ count · Π table, where the tables of a product span different axes of a sweep."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import reduce
from math import prod
from operator import add, mul
from typing import Any, TypeAlias

from convcalc.extras import numpy
from convcalc.sweep.bounds.bounded_array import MAX_INT64, BoundedArray, Memo, fits_int64, spans_of
from convcalc.sweep.bounds.rules import ADD, MULTIPLY, Bounds

Factors: TypeAlias = tuple[BoundedArray, ...]
"""Tables that are multiplied, in the order of their axes."""
Terms: TypeAlias = Mapping[Factors, int]
"""Products, and how often each is in the sum; the product of no tables is 1."""
Window: TypeAlias = tuple[slice, ...]
"""Where a part of a block lies in arrays of its shape."""

MAX_TABLE_SIZE = 2**19
"""Most elements of a table that spans several axes: few are made, and a smaller part of the sweep is another walk."""


class _Forgetful(dict[tuple[object, ...], Any]):
    def __setitem__(self, key: tuple[object, ...], value: Any) -> None:
        """Keep nothing."""


NOTHING_KEPT: Memo = _Forgetful()
"""The memo of parts: blocks are many, and what is done to one is not done to another."""


class TooManyPoints(Exception):  # no fault: it asks for a smaller part, as Undecided for a plain value
    """A table over these axes, given by their places, would be too large."""

    def __init__(self, spans: frozenset[int]) -> None:
        super().__init__()
        self.spans = spans


def joint_shape(tables: Iterable[BoundedArray]) -> tuple[int, ...]:
    """Return the shape of an array that spans all axes of some tables."""
    return tuple(map(max, zip(*(table.array.shape for table in tables), strict=True)))


def joint_spans(tables: Iterable[BoundedArray]) -> frozenset[int]:
    """Return the axes that some tables span together."""
    return frozenset().union(*map(spans_of, tables))


def require_size(tables: Iterable[Any]) -> None:
    """Demand that a table over all axes of some tables is not too large; ints among them do not matter.

    Raises:
        TooManyPoints: where it is.
    """
    held = [table for table in tables if isinstance(table, BoundedArray)]
    if prod(joint_shape(held)) > MAX_TABLE_SIZE:
        raise TooManyPoints(joint_spans(held))


def sum_of(left: Terms, right: Terms, sign: int) -> dict[Factors, int]:
    """Return left + right, or with the sign −1 left − right."""
    terms = dict(left)
    for factors, count in right.items():
        if not _put(terms, factors, sign * count):
            del terms[factors]
    return terms


def product_of(left: Terms, right: Terms) -> dict[Factors, int]:
    """Return left · right.

    Raises:
        TooManyPoints: where tables that have an axis in common make too large a one.
    """
    terms: dict[Factors, int] = {}
    for one, times in left.items():
        for other, count in right.items():
            _put(terms, reduce(_with_factor, other, one), times * count)
    return terms


def _put(terms: dict[Factors, int], factors: Factors, count: int) -> int:
    terms[factors] = terms.get(factors, 0) + count
    return terms[factors]


def _with_factor(factors: Factors, table: BoundedArray) -> Factors:
    """Return a product times a table: one with an axis in common is multiplied out."""
    apart = [each for each in factors if spans_of(each).isdisjoint(spans_of(table))]
    for each in factors:
        if not spans_of(each).isdisjoint(spans_of(table)):
            require_size([each, table])
            table = BoundedArray.apply(MULTIPLY, each, table)
    return _ordered([*apart, table])


def _ordered(factors: Iterable[BoundedArray]) -> Factors:
    return tuple(sorted(factors, key=lambda table: min(spans_of(table), default=-1)))


def divided(terms: Terms, divisor: int) -> tuple[dict[Factors, int], dict[Factors, int]]:
    """Return (whole, rest) with terms = divisor · whole + rest, where the rest has what the divisor does not divide."""
    whole = {factors: count // divisor for factors, count in terms.items() if factors and count % divisor == 0}
    return whole, {factors: count for factors, count in terms.items() if factors not in whole}


def merged(terms: Terms) -> Terms:
    """Return the same sum with fewer terms: those that share all tables but one become one, with these added up."""
    terms = _with_equal_tables_shared(terms)
    while True:
        every = sorted({spans_of(table) for factors in terms for table in factors}, key=sorted)
        groups = min((_grouped(terms, spans) for spans in every), key=len, default={})
        if len(groups) in (0, len(terms)):
            return terms
        terms = dict(_added(rest, alike) for rest, alike in groups.items())


def _with_equal_tables_shared(terms: Terms) -> Terms:
    """Return the same sum with one table in place of those that are multiples of the same numbers."""
    found: dict[Factors, int] = {}
    primitives: dict[object, BoundedArray] = {}
    known: dict[BoundedArray, tuple[BoundedArray | None, int]] = {}
    for factors, count in terms.items():
        for table in factors:
            if table not in known:
                known[table] = _primitive(table, primitives)
        kept = tuple(own for own, _ in map(known.__getitem__, factors) if own is not None)
        _put(found, kept, prod((times for _, times in map(known.__getitem__, factors)), start=count))
    return found


def _primitive(table: BoundedArray, known: dict[object, BoundedArray]) -> tuple[BoundedArray | None, int]:
    """Return a table divided by its greatest common divisor, and that; no table where all its elements are equal."""
    low, high = int(table.array.min()), int(table.array.max())
    if low == high:
        return None, low
    divisor = int(numpy.gcd.reduce(table.array, axis=None))
    array = table.array // divisor
    primitive = BoundedArray(array, (low // divisor, high // divisor), table.swept, table.memo)
    content = tuple(array.ravel().tolist()) if array.dtype == object else array.tobytes()
    return known.setdefault((array.shape, content), primitive), divisor


def _grouped(terms: Terms, spans: frozenset[int]) -> dict[Factors, list[tuple[Factors, int]]]:
    """Return the terms by their tables, without the one that spans the given axes, which they hold with the count."""
    groups: dict[Factors, list[tuple[Factors, int]]] = {}
    for factors, count in terms.items():
        own = tuple(table for table in factors if spans_of(table) == spans)
        rest = tuple(table for table in factors if spans_of(table) != spans)
        groups.setdefault(rest, []).append((own, count))
    return groups


def _added(rest: Factors, alike: Sequence[tuple[Factors, int]]) -> tuple[Factors, int]:
    """Return one term for those that differ in at most one table each."""
    if len(alike) == 1:
        own, count = alike[0]
        return _ordered((*own, *rest)), count
    table: Any = reduce(add, [own[0] * count if own else count for own, count in alike])
    return _ordered((table, *rest)), 1


def part_of(terms: Terms, window: Window, known: Memo) -> dict[Factors, int]:
    """Return the terms of a part of a block; ``known`` keeps the parts of tables."""
    found: dict[Factors, int] = {}
    for factors, count in terms.items():
        pieces = [_piece(table, window, known) for table in factors]
        kept = tuple(piece for piece in pieces if isinstance(piece, BoundedArray))
        _put(found, kept, reduce(mul, (piece for piece in pieces if isinstance(piece, int)), count))
    return found


def window_of(window: Window, array: Any) -> Window:
    """Return where a part of a block lies in an array that spans some of its axes."""
    return tuple(side if n > 1 else slice(None) for side, n in zip(window, array.shape, strict=True))


def _piece(table: BoundedArray, window: Window, known: Memo) -> BoundedArray | int:
    """Return a table within a window, or its only element there."""
    array = table.array
    within = window_of(window, array)
    piece = array[within]
    if piece.size == 1:
        return int(piece.item())
    key = (table, *((side.start, side.stop) for side in within))
    if key not in known:
        known[key] = BoundedArray(piece, (int(piece.min()), int(piece.max())), table.swept, NOTHING_KEPT)
    return known[key]  # type: ignore[no-any-return]


def bounds_of(terms: Terms) -> Bounds:
    """Return bounds of a sum of products: the sum of those of the products."""
    found = [reduce(MULTIPLY.bounds, ((t.low, t.high) for t in factors), (n, n)) for factors, n in terms.items()]
    return reduce(ADD.bounds, found, (0, 0))


def array_of(terms: Terms) -> Any:
    """Return the values as an array that spans the axes of all tables."""
    sums: dict[tuple[int, ...], Any] = {}
    for factors, arrays, count in _exact_arrays(terms):
        shape = joint_shape(factors) if factors else ()
        value = reduce(mul, arrays, count)
        sums[shape] = sums[shape] + value if shape in sums else value
    for shape in sorted(sums, key=prod):  # into a wider one, so that few operations are on all combinations
        wider = [other for other in sums if other != shape and all(map(int.__ge__, other, shape))]
        if wider:
            sums[min(wider, key=prod)] += sums.pop(shape)
    return _narrow(reduce(add, (sums[shape] for shape in sorted(sums, key=prod))))


def values_at(terms: Terms, places: Sequence[Any]) -> Any:
    """Return the values at some points, given by arrays of their places on every axis."""
    total: Any = 0
    for _, arrays, count in _exact_arrays(terms):
        held = [array[tuple(at if n > 1 else 0 for at, n in zip(places, array.shape, strict=True))] for array in arrays]
        total = total + reduce(mul, held, count)
    return _narrow(total)


def _narrow(array: Any) -> Any:
    """Return an array of Python ints as one of 64 bits where these fit all of them."""
    if array.dtype != object or not array.size or not fits_int64((array.min(), array.max())):
        return array
    return array.astype("int64")


def _exact_arrays(terms: Terms) -> Iterator[tuple[Factors, list[Any], int]]:
    """Give the arrays of every product: of 64 bits where no sum and no product of them can pass these."""
    sizes = (abs(count) * prod(max(1, -each.low, each.high) for each in factors) for factors, count in terms.items())
    fits = sum(sizes) <= MAX_INT64
    for factors, count in terms.items():
        yield factors, [each.array if fits else each.array.astype(object) for each in factors], count
