"""Arrays with bounds: exact at the edge of 64 bits and past it, and never outside their bounds."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from convcalc import arith
from convcalc.sweep.bounds.bounded_array import BoundedArray, axis_array

EDGE = 2**63
LARGE = st.integers(-(2**66), 2**66) | st.sampled_from(
    [EDGE - 2, EDGE - 1, EDGE, -EDGE - 1, -EDGE, -EDGE + 1, 2**32, 0]
)
OPERATIONS = [operator.add, operator.sub, operator.mul, arith.floordiv, arith.at_least, arith.at_most, arith.modulo]
COMPARISONS = [arith.equal, arith.less, arith.less_equal, operator.ne, operator.gt, operator.ge]


def arrays(left: list[int], right: list[int]) -> tuple[BoundedArray, BoundedArray]:
    memo: dict[Any, Any] = {}
    return axis_array(left, 0, ("a", "b"), memo), axis_array(right, 1, ("a", "b"), memo)


def elements(value: Any, shape: tuple[int, int]) -> list[Any]:
    array = value.array if isinstance(value, BoundedArray) else np.array(value, object)
    return np.broadcast_to(array, shape).ravel().tolist()


@given(st.lists(LARGE, min_size=1, max_size=3), st.lists(LARGE, min_size=1, max_size=3), st.sampled_from(OPERATIONS))
def test_every_operation_is_that_of_ints(left: list[int], right: list[int], operation: Any) -> None:
    if operation in (arith.floordiv, arith.modulo):
        right = [value or 7 for value in right]
    a, b = arrays(left, right)
    result = operation(a, b)
    true = [operation(one, other) for one in left for other in right]
    assert elements(result, (len(left), len(right))) == true
    if isinstance(result, BoundedArray):
        assert result.low <= min(true) <= max(true) <= result.high
        assert result.dtype == ("int64" if result.low >= -EDGE and result.high < EDGE else object)


@given(st.lists(LARGE, min_size=1, max_size=3), LARGE, st.sampled_from(OPERATIONS))
def test_an_operation_with_a_plain_number(left: list[int], right: int, operation: Any) -> None:
    if operation in (arith.floordiv, arith.modulo):
        right = right or 3
    a, _ = arrays(left, [1])
    assert elements(operation(a, right), (len(left), 1)) == [operation(one, right) for one in left]
    if 0 not in left or operation not in (arith.floordiv, arith.modulo):
        assert elements(operation(right, a), (len(left), 1)) == [operation(right, one) for one in left]


@given(st.lists(LARGE, min_size=1, max_size=3), st.lists(LARGE, min_size=1, max_size=3), st.sampled_from(COMPARISONS))
def test_every_comparison_is_that_of_ints(left: list[int], right: list[int], compare: Any) -> None:
    a, b = arrays(left, right)
    assert elements(compare(a, b), (len(left), len(right))) == [compare(one, other) for one in left for other in right]


@given(st.lists(LARGE, min_size=1, max_size=4), LARGE, LARGE)
def test_a_choice_between_numbers(values: list[int], then: int, otherwise: int) -> None:
    a, _ = arrays(values, [1])
    middle = sorted(values)[len(values) // 2]
    result = arith.select(a < middle, a * 1, otherwise), arith.select(a < middle, then, otherwise)
    assert elements(result[0], (len(values), 1)) == [value if value < middle else otherwise for value in values]
    assert elements(result[1], (len(values), 1)) == [then if value < middle else otherwise for value in values]


def test_the_edge_of_64_bits() -> None:
    a, _ = arrays([1, 2**31], [1])
    within, past = a * (2**32 - 1) + (2**31 - 1), a * 2**32
    assert (within.high, within.dtype, within.array[1, 0]) == (EDGE - 1, "int64", EDGE - 1)
    assert (past.high, past.dtype, past.array[1, 0]) == (EDGE, object, EDGE)
    assert ((past - 1).dtype, (past - 1).array[1, 0]) == ("int64", EDGE - 1)


def test_what_depends_on_one_axis_is_worked_out_once_a_value() -> None:
    a, b = arrays([1, 2, 3], [4, 5])
    assert (a * a + 1).array.shape == (3, 1)
    assert (a * b).array.shape == (3, 2)
    assert (a * b).swept == ("a", "b")
    assert a * b is a * b
