"""The slots of arguments: what they take, in which form the op gets it, and what they say of the rest."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from convcalc.arith import recording
from convcalc.errors import SpecError, Undecided
from convcalc.ops.arguments import Axes, BadValue, Choice, Count, Dims, Flag, Padding, Real, Scales, Size, Sizes, Slot
from convcalc.symbols import symbol

HALF, THIRD = Fraction(1, 2), Fraction(10, 3)
n = symbol("n")


@pytest.mark.parametrize(
    ("slot", "value", "bound"),
    [
        (Size(), 3, 3),
        (Size(0), 0, 0),
        (Size(None), -3, -3),
        (Sizes(), 3, (3, 3)),
        (Sizes(), (3, 5), (3, 5)),
        (Sizes(words=("global",)), "global", "global"),
        (Padding(), 1, ((1, 1), (1, 1))),
        (Padding(), (1, 2), ((1, 1), (2, 2))),
        (Padding(), ((0, 1), 2), ((0, 1), (2, 2))),
        (Padding(), "valid", ((0, 0), (0, 0))),
        (Padding(), "same", "same"),
        (Padding((), minimum=None), (-1, (2, -3)), ((-1, -1), (2, -3))),
        (Choice(("relu", "gelu")), "gelu", "gelu"),
        (Flag(), True, True),
        (Axes(), -1, -1),
        (Axes(several=True), (1, -1), (1, -1)),
        (Axes(several=True), -1, -1),
        (Axes(whole=True), (1, 0), (1, 0)),
        (Axes(whole=True), -1, (-1,)),
        (Dims(), (3, 4), (3, 4)),
        (Dims(), 3, (3,)),
        (Dims(wildcard=True), (3, -1), (3, -1)),
        (Real(inclusive=True, most=1), 0, 0),
        (Real(), HALF, HALF),
        (Scales(), HALF, (HALF, HALF)),
        (Scales(), (2, THIRD), (2, THIRD)),
        (Size(), n, n),
        (Sizes(), (n, 3), (n, 3)),
        (Dims(wildcard=True), (-1, n), (-1, n)),
    ],
)
def test_what_a_slot_takes(slot: Slot, value: Any, bound: Any) -> None:
    assert slot.bind(value, 2) == bound


@pytest.mark.parametrize(
    ("slot", "value", "said"),
    [
        (Size(), 0, "= 0 must be positive"),
        (Size(0), -1, "= -1 must be at least 0"),
        (Size(), THIRD, "= 3.33333 is not an integer; use //, round() or ceil()"),
        (Size(), True, "must be an integer, not true"),
        (Size(), (3,), "must be an integer, not the list [3]"),
        (Size(), "same", "must be an integer, not the word 'same'"),
        (Sizes(), (3, 3, 3), "= [3, 3, 3] has 3 entries, but the input has 2 spatial axes"),
        (Sizes(words=("global",)), "same", "must be an integer or a list of them or global, not the word 'same'"),
        (Sizes(), (3, 0), "= 0 must be positive"),
        (Padding(), -1, "= -1 must be at least 0"),
        (Padding(), "global", "must be an integer, a list or valid, half, same, not the word 'global'"),
        (Padding(), ((1, 2, 3), 1), "needs [before, after] for an axis, not [1, 2, 3]"),
        (Padding(), ((1, 2),), "= [[1, 2]] has 1 entries, but the input has 2 spatial axes"),
        (Choice(("relu", "gelu")), "same", "must be one of relu, gelu, not the word 'same'"),
        (Choice(("relu", "gelu")), 3, "must be one of relu, gelu, not 3"),
        (Flag(), 1, "must be true or false, not 1"),
        (Axes(), (0, 1), "must be an axis number, not the list [0, 1]"),
        (Axes(several=True), (), "must be an axis number, not the list []"),
        (Dims(), (), "must have at least one axis"),
        (Dims(), (3, -1), "= -1 must be positive"),
        (Dims(wildcard=True), (-1, -1), "may have only one -1"),
        (Dims(wildcard=True), (3, -2), "= -2 must be positive"),
        (Real(), 0, "= 0 must be above 0"),
        (Real(inclusive=True, most=1), THIRD, "= 3.33333 must be at most 1"),
        (Real(inclusive=True, most=1), Fraction(-1, 2), "= -0.5 must be at least 0"),
        (Real(), True, "must be a number, not true"),
        (Scales(), (2,), "= [2] has 1 entries, but the input has 2 spatial axes"),
    ],
)
def test_what_a_slot_refuses(slot: Slot, value: Any, said: str) -> None:
    with pytest.raises(BadValue) as raised:
        slot.bind(value, 2)
    assert str(raised.value) == said


@pytest.mark.parametrize("value", [n, np.array([1, 2])])
@pytest.mark.parametrize("slot", [Count(), Axes(), Axes(several=True), Axes(whole=True)])
def test_what_shapes_the_graph_must_be_plain(slot: Slot, value: Any) -> None:
    with pytest.raises(Undecided):
        slot.bind(value, 2)


@pytest.mark.parametrize(
    ("slot", "least"), [(Size(), 1), (Size(0), 0), (Sizes(), 1), (Padding(), 0), (Dims(wildcard=True), 1)]
)
def test_a_swept_size_is_refused_where_a_written_one_would_be(slot: Slot, least: int) -> None:
    values = np.array([least - 1, least, least + 1])
    with recording() as ledger:
        slot.bind(values, 1)
    assert {(*failed.tolist(), code) for failed, code, _ in ledger.refused} == {(True, False, False, "CC410")}
    with pytest.raises(SpecError, match="must be at least"):
        slot.bind(values, 1)


def test_a_symbol_is_assumed_to_be_large_enough() -> None:
    with recording() as ledger:
        Size().bind(n - 4, 1)
        Size().bind(n + 4, 1)
    assert ledger.assumptions == [n >= 5]
