"""The slots of arguments: what they take, in which form the op gets it, and what they say of the rest."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from convcalc.arith import record_constraints
from convcalc.arith.symbols import symbol
from convcalc.errors import SpecError, Undecided
from convcalc.ops.arguments import (
    ArgumentType,
    AxesType,
    ChoiceType,
    CountType,
    DimsType,
    FlagsType,
    FlagType,
    InvalidArgument,
    PaddingType,
    RealType,
    ScalesType,
    SizesType,
    SizeType,
)

HALF, THIRD = Fraction(1, 2), Fraction(10, 3)
n = symbol("n")


@pytest.mark.parametrize(
    ("slot", "value", "bound"),
    [
        (SizeType(), 3, 3),
        (SizeType(0), 0, 0),
        (SizeType(None), -3, -3),
        (SizesType(), 3, (3, 3)),
        (SizesType(), (3, 5), (3, 5)),
        (SizesType(words=("global",)), "global", "global"),
        (PaddingType(), 1, ((1, 1), (1, 1))),
        (PaddingType(), (1, 2), ((1, 1), (2, 2))),
        (PaddingType(), ((0, 1), 2), ((0, 1), (2, 2))),
        (PaddingType(), "valid", ((0, 0), (0, 0))),
        (PaddingType(), "same", "same"),
        (PaddingType((), minimum=None), (-1, (2, -3)), ((-1, -1), (2, -3))),
        (ChoiceType(("relu", "gelu")), "gelu", "gelu"),
        (FlagType(), True, True),
        (FlagsType(("q", "o")), True, True),
        (FlagsType(("q", "o")), (True, False), (True, False)),
        (FlagsType(("q", "o")), (False, False), False),
        (FlagsType(("q", "o")), ("o",), (False, True)),
        (FlagsType(("q", "o")), ("o", "q"), True),
        (FlagsType(("q", "o"), {"first": ("q",)}), "first", (True, False)),
        (AxesType(), -1, -1),
        (AxesType(several=True), (1, -1), (1, -1)),
        (AxesType(several=True), -1, -1),
        (AxesType(whole=True), (1, 0), (1, 0)),
        (AxesType(whole=True), -1, (-1,)),
        (DimsType(), (3, 4), (3, 4)),
        (DimsType(), 3, (3,)),
        (DimsType(wildcard=True), (3, -1), (3, -1)),
        (RealType(inclusive=True, most=1), 0, 0),
        (RealType(), HALF, HALF),
        (ScalesType(), HALF, (HALF, HALF)),
        (ScalesType(), (2, THIRD), (2, THIRD)),
        (SizeType(), n, n),
        (SizesType(), (n, 3), (n, 3)),
        (DimsType(wildcard=True), (-1, n), (-1, n)),
    ],
)
def test_what_a_slot_takes(slot: ArgumentType, value: Any, bound: Any) -> None:
    assert slot.bind(value, 2) == bound


@pytest.mark.parametrize(
    ("slot", "value", "said"),
    [
        (SizeType(), 0, "= 0 must be positive"),
        (SizeType(0), -1, "= -1 must be at least 0"),
        (SizeType(), THIRD, "= 3.33333 is not an integer; use //, round() or ceil()"),
        (SizeType(), True, "must be an integer, not true"),
        (SizeType(), (3,), "must be an integer, not the list [3]"),
        (SizeType(), "same", "must be an integer, not the word 'same'"),
        (SizesType(), (3, 3, 3), "= [3, 3, 3] has 3 entries, but there are 2 spatial axes"),
        (SizesType(words=("global",)), "same", "must be an integer or a list of them or global, not the word 'same'"),
        (SizesType(), (3, 0), "= 0 must be positive"),
        (PaddingType(), -1, "= -1 must be at least 0"),
        (PaddingType(), "global", "must be an integer, a list or valid, half, same, not the word 'global'"),
        (PaddingType(), ((1, 2, 3), 1), "needs [before, after] for an axis, not [1, 2, 3]"),
        (PaddingType(), ((1, 2),), "= [[1, 2]] has 1 entries, but there are 2 spatial axes"),
        (ChoiceType(("relu", "gelu")), "same", "must be one of relu, gelu, not the word 'same'"),
        (ChoiceType(("relu", "gelu")), 3, "must be one of relu, gelu, not 3"),
        (FlagType(), 1, "must be true or false, not 1"),
        (AxesType(), (0, 1), "must be an axis number, not the list [0, 1]"),
        (AxesType(several=True), (), "must be an axis number, not the list []"),
        (DimsType(), (), "must have at least one axis"),
        (DimsType(), (3, -1), "= -1 must be positive"),
        (DimsType(wildcard=True), (-1, -1), "may have only one -1"),
        (DimsType(wildcard=True), (3, -2), "= -2 must be positive"),
        (RealType(), 0, "= 0 must be above 0"),
        (RealType(inclusive=True, most=1), THIRD, "= 3.33333 must be at most 1"),
        (RealType(inclusive=True, most=1), Fraction(-1, 2), "= -0.5 must be at least 0"),
        (RealType(), True, "must be a number, not true"),
        (ScalesType(), (2,), "= [2] has 1 entries, but there are 2 spatial axes"),
    ],
)
def test_what_a_slot_refuses(slot: ArgumentType, value: Any, said: str) -> None:
    with pytest.raises(InvalidArgument) as raised:
        slot.bind(value, 2)
    assert str(raised.value) == said


@pytest.mark.parametrize("value", [n, np.array([1, 2])])
@pytest.mark.parametrize("slot", [CountType(), AxesType(), AxesType(several=True), AxesType(whole=True)])
def test_what_shapes_the_graph_must_be_plain(slot: ArgumentType, value: Any) -> None:
    with pytest.raises(Undecided):
        slot.bind(value, 2)


@pytest.mark.parametrize(
    ("slot", "least"),
    [(SizeType(), 1), (SizeType(0), 0), (SizesType(), 1), (PaddingType(), 0), (DimsType(wildcard=True), 1)],
)
def test_a_swept_size_is_refused_where_a_written_one_would_be(slot: ArgumentType, least: int) -> None:
    values = np.array([least - 1, least, least + 1])
    with record_constraints() as ledger:
        slot.bind(values, 1)
    assert {(*failed.tolist(), code) for failed, code, _ in ledger.violations} == {(True, False, False, "CC410")}
    with pytest.raises(SpecError, match="must be at least"):
        slot.bind(values, 1)


def test_a_symbol_is_assumed_to_be_large_enough() -> None:
    with record_constraints() as ledger:
        SizeType().bind(n - 4, 1)
        SizeType().bind(n + 4, 1)
    assert ledger.assumptions == [n >= 5]
