"""Symbols: floors that lie flat, relations that are decided where all sizes agree, and the least input of a network."""

from __future__ import annotations

from functools import reduce
from typing import Any

import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

import convcalc
from convcalc.arith import at_least, at_most, equal, floordiv, less, less_equal, record_constraints
from convcalc.arith.symbols import FloorDiv, is_implied, symbol
from tests.conftest import ROOT

n, m, k = symbol("n"), symbol("m"), symbol("k")


def halved(size: Any, times: int) -> Any:
    """The output of stride-2 layers that keep ⌈n/2⌉: ⌊(n − 1)/2⌋ + 1."""
    return reduce(lambda current, _: floordiv(current - 1, 2) + 1, range(times), size)


# --- floors -----------------------------------------------------------------------------------------------------------


def test_five_layers_of_stride_two_are_one_floor() -> None:
    assert halved(n, 5) == floordiv(n + 31, 32)
    assert str(halved(n, 5)) == "(n + 31)//32"
    assert len(halved(n, 5).atoms(FloorDiv)) == 1


def test_a_size_that_is_a_multiple_leaves_no_floor() -> None:
    assert halved(n, 5).subs(n, 32 * k) == k
    assert halved(32 * k, 5) == k


@pytest.mark.parametrize(
    ("dividend", "divisor", "flat"),
    [
        (n, 1, n),
        (6 * n + 9, 3, 2 * n + 3),
        (n * m, m, n),
        (n * m + 3 * m, m, n + 3),
        (n + 37, 32, FloorDiv(n + 5, 32) + 1),
        (n - 3, 2, FloorDiv(n + 1, 2) - 2),
        (4 * n + m, 2, 2 * n + FloorDiv(m, 2)),
        (FloorDiv(n, m) + 1, 2, FloorDiv(n + m, 2 * m)),
        (4 * n + 3, 8, FloorDiv(2 * n + 1, 4)),
        (4 * n + 7, 8, FloorDiv(n + 1, 2)),
        (2 * FloorDiv(n, 2) + 1, 4, FloorDiv(n, 4)),
        (n, -2, FloorDiv(-n, 2)),
        (n * (m + 1), 2, FloorDiv(n * m + n, 2)),
        (sympy.Integer(-7), 2, sympy.Integer(-4)),
    ],
)
def test_the_flat_form(dividend: Any, divisor: Any, flat: Any) -> None:
    assert FloorDiv(dividend, divisor) == flat


def one_floor(x: Any, y: Any, a: int, b: int, c: int) -> Any:
    return floordiv(a * x + b * y - c, c)


def nested(x: Any, y: Any, a: int, b: int, c: int) -> Any:
    return floordiv(floordiv(a * x - b, c) + b, a)


def nested_with_factors(x: Any, y: Any, a: int, b: int, c: int) -> Any:
    return floordiv(a * floordiv(x - b, c) + b * y - a, b)


def divided_by_a_symbol(x: Any, y: Any, a: int, b: int, c: int) -> Any:
    return floordiv(floordiv(x - a, y) + b * x, c)


def divided_by_a_negative_number(x: Any, y: Any, a: int, b: int, c: int) -> Any:
    return floordiv(floordiv(x + y, a) - b, -c)


FORMS = [one_floor, nested, nested_with_factors, divided_by_a_symbol, divided_by_a_negative_number]
CONSTANT = st.integers(1, 12)


@pytest.mark.parametrize("form", FORMS)
@given(st.tuples(CONSTANT, CONSTANT, CONSTANT), st.integers(1, 1000), st.integers(1, 50))
def test_a_floor_is_that_of_python(form: Any, constants: tuple[int, int, int], size: int, other: int) -> None:
    assert form(n, m, *constants).subs({n: size, m: other}) == form(size, other, *constants)


def test_a_floor_is_written_so_that_python_would_read_it_alike() -> None:
    written = {
        n - m * FloorDiv(n, m): "-m*(n//m) + n",
        FloorDiv(n, 2) + 1: "n//2 + 1",
        2 * FloorDiv(n + 1, 2): "2*((n + 1)//2)",
        FloorDiv(n, 2) ** 2: "(n//2)**2",
        FloorDiv(n * m, 2): "(m*n)//2",
        -FloorDiv(n, 2): "-(n//2)",
    }
    assert {expression: str(expression) for expression in written} == written
    assert sympy.latex(FloorDiv(n + 1, 2)) == r"\left\lfloor\frac{n + 1}{2}\right\rfloor"
    assert sympy.latex(FloorDiv(n, 2) ** 3) == r"\left\lfloor\frac{n}{2}\right\rfloor^{3}"


@given(
    st.recursive(
        st.sampled_from([n, m]) | st.integers(-5, 5).map(sympy.Integer),
        lambda inner: (
            st.builds(FloorDiv, inner, st.sampled_from([2, 3, -4, n, m]))
            | st.builds(lambda left, right: left + right, inner, inner)
            | st.builds(lambda left, right: left * right, inner, inner)
            | st.builds(lambda base, power: base**power, inner, st.integers(1, 3))
            | inner.map(lambda each: -each)
        ),
        max_leaves=8,
    ),
    st.integers(1, 50),
    st.integers(1, 50),
)
def test_python_reads_what_is_written_as_what_is_meant(expression: Any, size: int, other: int) -> None:
    value = expression.subs({n: size, m: other})
    assert eval(str(expression), {"n": size, "m": other}) == value  # noqa: S307 - our own


# --- relations --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("relation", "answer"),
    [
        (less_equal(1, n), True),
        (less_equal(3, n + 2), True),
        (less_equal(1, n * m), True),
        (less_equal(2, n * m + n), True),
        (less_equal(1, floordiv(n + 31, 32)), True),
        (less_equal(floordiv(n, 2), floordiv(n + 1, 2)), True),
        (less_equal(n + 1, n), False),
        (less(n, n + m), True),
        (less(n + m, n), False),
        (less(n, 1), False),
        (equal(2 * n + 2 * m, 2 * (n + m)), True),
        (equal(n + m, 1), False),
        (equal(2 * n, 2 * n + 1), False),
        (less_equal(5, n + 2), n >= 3),
        (less(5, 2 * n), n >= 3),
        (less_equal(5, 2 * n), n >= 3),
        (less_equal(1, floordiv(n, 8)), n >= 8),
        (less_equal(3, floordiv(floordiv(n, 2) - 4, 2)), n >= 20),
        (less_equal(-1, floordiv(16 - n, n)), True),
        (less_equal(1, floordiv(n - 16, n)), False),
        (less_equal(m, n), m <= n),
        (equal(n, m), sympy.Eq(n, m)),
    ],
    ids=str,
)
def test_a_relation_is_decided_or_brought_to_its_bound(relation: Any, answer: Any) -> None:
    assert relation is answer if isinstance(answer, bool) else relation == answer


EXPRESSIONS = st.builds(
    lambda a, b, c, d, e: a * n + b * m + c + d * FloorDiv(n + e, 4),
    *(st.integers(-3, 3), st.integers(-3, 3), st.integers(-12, 12), st.integers(-2, 2), st.integers(0, 9)),
)


@given(EXPRESSIONS, EXPRESSIONS, st.integers(1, 20), st.integers(1, 20))
def test_a_relation_says_what_is_so_at_every_point(left: Any, right: Any, size: int, other: int) -> None:
    known = {n: sympy.Integer(size), m: sympy.Integer(other)}
    a, b = left.xreplace(known), right.xreplace(known)
    for relation, true in ((less, a < b), (less_equal, a <= b), (equal, sympy.Eq(a, b))):
        assert sympy.sympify(relation(left, right)).xreplace(known) == true
    assert sympy.sympify(at_least(left, right)).xreplace(known) == max(a, b)
    assert sympy.sympify(at_most(left, right)).xreplace(known) == min(a, b)


def test_the_greater_of_two_is_known_where_all_sizes_agree() -> None:
    assert at_least(n, 1) == n
    assert at_most(floordiv(n, 2), floordiv(n + 1, 2)) == floordiv(n, 2)
    assert at_least(n, m) == sympy.Max(n, m)
    assert at_most(n, 7) == sympy.Min(n, 7)


def test_what_follows_from_what() -> None:
    assert is_implied(n >= 2, [n >= 3])
    assert not is_implied(n >= 3, [n >= 2])
    assert is_implied(m <= n + 1, [m <= n])
    assert is_implied((n - 2) * (n - 3) >= 1, [n >= 4])
    assert is_implied(n * m >= 12, [n >= 3, m >= 4])
    assert is_implied(sympy.Eq(n, m), [sympy.Eq(n, m)])
    assert not is_implied(sympy.Eq(n, m), [n >= m])


# --- whole networks ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("network", "least"), [("alexnet", 63), ("vgg", 32), ("densenet", 29), ("googlenet", 15), ("resnet50", 1)]
)
def test_the_least_input_of_a_network_is_what_torchvision_states(network: str, least: int) -> None:
    """torchvision's weights state a ``min_size``; here it is what the formula assumes of its symbol."""
    text = (ROOT / "specs" / "zoo" / f"{network}.yaml").read_text(encoding="utf-8")
    fixed, free = "input: [3, 224, 224]\nvars: {", "input: [3, side, side]\nvars: {side: 224, "
    assert fixed in text
    with record_constraints() as ledger:
        totals = convcalc.load(text=text.replace(fixed, free), set={"side": n}).report().totals
    assert ledger.assumptions == ([] if least == 1 else [n >= least])
    at_224 = {key: sympy.sympify(value).subs(n, 224) for key, value in totals.items()}
    assert at_224 == convcalc.load(text=text).report().totals
