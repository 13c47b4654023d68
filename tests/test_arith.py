"""The door for numbers: one name, three kinds of number, and the three answers of ``require``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from convcalc import arith
from convcalc.arith import (
    absolute,
    at_least,
    at_most,
    ceildiv,
    divides,
    either,
    equal,
    floordiv,
    free_names,
    is_plain,
    less,
    less_equal,
    modulo,
    prod,
    record_constraints,
    require,
    require_plain,
    select,
    total,
)
from convcalc.arith.symbols import symbol
from convcalc.errors import SpecError, Undecided

n, m = symbol("n"), symbol("m")

LARGE = st.integers(-(10**30), 10**30)
SMALL = st.integers(-100, 100)
DIVISOR = st.integers(1, 40)


def array(*values: int, dtype: Any = np.int64) -> Any:
    return np.array(values, dtype)


def listed(value: Any) -> list[Any]:
    """The elements of an array."""
    assert isinstance(value, np.ndarray)
    return value.tolist()


# --- functions --------------------------------------------------------------------------------------------------------

BINARY: dict[str, tuple[Callable[[Any, Any], Any], Callable[[int, int], int]]] = {
    "floordiv": (floordiv, lambda a, b: a // b),
    "ceildiv": (ceildiv, lambda a, b: -(-a // b)),
    "modulo": (modulo, lambda a, b: a % b),
    "at_least": (at_least, max),
    "at_most": (at_most, min),
    "less": (less, lambda a, b: a < b),
    "less_equal": (less_equal, lambda a, b: a <= b),
    "equal": (equal, lambda a, b: a == b),
}

binary = pytest.mark.parametrize(("door", "python"), BINARY.values(), ids=BINARY)


@binary
@given(LARGE, DIVISOR)
def test_ints_are_exact_at_any_size(door: Callable[..., Any], python: Callable[..., Any], a: int, b: int) -> None:
    assert door(a, b) == python(a, b)
    assert type(door(a, b)) is type(python(a, b))


@binary
@given(st.lists(st.tuples(SMALL, DIVISOR), min_size=1))
def test_arrays_are_ints_element_by_element(
    door: Callable[..., Any], python: Callable[..., Any], pairs: list[tuple[int, int]]
) -> None:
    left, right = (array(*side) for side in zip(*pairs, strict=True))
    assert listed(door(left, right)) == [python(a, b) for a, b in pairs]
    assert listed(door(left, pairs[0][1])) == [python(a, pairs[0][1]) for a, _ in pairs]
    assert listed(door(pairs[0][0], right)) == [python(pairs[0][0], b) for _, b in pairs]


@binary
@given(st.integers(1, 10**20), DIVISOR)
def test_symbols_are_ints_once_they_are_known(
    door: Callable[..., Any], python: Callable[..., Any], a: int, b: int
) -> None:
    known = {n: sympy.Integer(a), m: sympy.Integer(b)}
    assert sympy.sympify(door(n, m)).xreplace(known) == python(a, b)
    assert sympy.sympify(door(n, b)).xreplace(known) == python(a, b)


def test_object_arrays_are_exact_past_int64() -> None:
    assert listed(floordiv(array(2**70 + 1, dtype=object), 2)) == [2**69]
    assert listed(at_most(array(2**70, dtype=object), 2**65)) == [2**65]


@pytest.mark.parametrize("dtype", [np.int64, object])
def test_a_zero_among_divisors_disturbs_nothing(dtype: Any) -> None:
    """Its point is refused by whoever demands a positive size; the others must come through."""
    assert listed(floordiv(array(7, 8, dtype=dtype), array(0, 3, dtype=dtype)))[1:] == [2]
    assert listed(divides(array(0, 3, dtype=dtype), array(8, 9, dtype=dtype))) == [False, True]


def test_a_divisor_of_zero_is_no_number() -> None:
    with pytest.raises(ZeroDivisionError):
        floordiv(7, 0)


def test_sums_and_products() -> None:
    assert (prod([]), prod([2, 3, 7]), total([]), total([2, 3, 7])) == (1, 42, 0, 12)
    assert listed(prod([2, array(1, 5), 3])) == [6, 30]
    assert total([n, n, 1]) == 2 * n + 1
    assert absolute(-3) == absolute(3) == 3


def test_select() -> None:
    assert (select(True, 1, 2), select(False, 1, 2)) == (1, 2)
    assert listed(select(array(1, 2) == 2, array(7, 8), 9)) == [9, 8]
    chosen: Any = select(less(n, m), n, 2 * m)
    assert [chosen.subs({n: a, m: 5}) for a in (4, 5)] == [4, 10]


def test_either() -> None:
    assert [either(a, b) for a in (True, False) for b in (True, False)] == [True, True, True, False]
    assert listed(either(array(1, 2) == 1, array(5, 6) == 7)) == [True, False]
    assert either(False, equal(n, 1)) == equal(n, 1)
    assert either(equal(n, 1), True) is True


# --- kinds of number --------------------------------------------------------------------------------------------------


def test_plain_values_are_told_from_arrays_and_symbols() -> None:
    assert [is_plain(value) for value in (3, True, "same", None)] == [True] * 4
    assert [is_plain(value) for value in (n, n + 1, array(1))] == [False] * 3
    assert free_names(n * m + 1) == ("m", "n")
    assert free_names(array(1)) == free_names(3) == ()
    assert require_plain(3, "a count") == 3
    with pytest.raises(Undecided, match="a count must be a plain value; it depends on n"):
        require_plain(n, "a count")


# --- require ----------------------------------------------------------------------------------------------------------

REFUSAL = ("CC404", "groups = {} does not divide {}")


def test_what_is_true_passes() -> None:
    with record_constraints() as ledger:
        require(True, *REFUSAL)
        require(array(1, 2) < 3, *REFUSAL)
        require(less(n, n + 1), *REFUSAL)
    assert (ledger.assumptions, ledger.violations) == ([], [])


def test_what_is_false_is_an_error_even_while_recording() -> None:
    with record_constraints(), pytest.raises(SpecError, match="groups = 3 does not divide 8") as raised:
        require(divides(3, 8), *REFUSAL, 3, 8)
    assert raised.value.code == "CC404"
    with record_constraints(), pytest.raises(SpecError):
        require(equal(n, n + 1), *REFUSAL, n, n + 1)


def test_one_false_point_of_an_array_is_an_error() -> None:
    with pytest.raises(SpecError):
        require(divides(array(2, 3), 8), *REFUSAL, array(2, 3), 8)


def test_false_points_of_an_array_are_masked_with_their_reason() -> None:
    with record_constraints() as ledger:
        require(divides(array(2, 3, 4), 8), *REFUSAL, array(2, 3, 4), 8)
    ((failed, code, text),) = ledger.violations
    assert failed.tolist() == [False, True, False]
    assert (code, text) == REFUSAL


def test_what_a_symbol_leaves_open_must_be_recorded() -> None:
    with pytest.raises(Undecided, match="it depends on m, n") as raised:
        require(divides(m, n), *REFUSAL, m, n)
    assert raised.value.names == ("m", "n")
    with record_constraints() as ledger:
        require(divides(m, n), *REFUSAL, m, n)
        require(divides(m, n), *REFUSAL, m, n)
    (assumption,) = ledger.assumptions
    assert [bool(assumption.subs({n: 8, m: divisor})) for divisor in (2, 3)] == [True, False]


def test_assumptions_that_follow_from_others_are_left_out() -> None:
    with record_constraints() as ledger:
        for condition in (less_equal(3, n), less_equal(2, n), less(7, n), less_equal(m, n), less_equal(m, n + 1)):
            require(condition, *REFUSAL)
    assert ledger.assumptions == [n >= 8, m <= n]


def test_recording_ends_and_nests() -> None:
    with record_constraints() as outer:
        with record_constraints() as inner:
            require(less_equal(2, n), *REFUSAL)
        require(less_equal(3, n), *REFUSAL)
    assert (outer.assumptions, inner.assumptions) == ([n >= 3], [n >= 2])
    with pytest.raises(Undecided):
        require(less_equal(2, n), *REFUSAL)
    assert arith._ledger.get() is None
