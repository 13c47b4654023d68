"""Shapes without the batch axis, and the bytes of their elements."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from convcalc.arith.symbols import symbol
from convcalc.dtypes import bytes_of
from convcalc.errors import SpecError
from convcalc.shapes import Shape

IMAGE = Shape((3, 32, 40))


def test_the_axes_of_an_image() -> None:
    assert (IMAGE.rank, IMAGE.channels, IMAGE.features, IMAGE.spatial) == (3, 3, 40, (32, 40))
    assert IMAGE.elements == 3 * 32 * 40
    assert str(IMAGE) == "[3, 32, 40]"


def test_an_axis_may_count_from_the_end() -> None:
    assert [IMAGE.axis(axis) for axis in (0, 2, -1, -3)] == [0, 2, 2, 0]
    assert IMAGE.with_axis(-1, 7) == (3, 32, 7)


@pytest.mark.parametrize("axis", [3, -4])
def test_an_axis_that_is_none_is_refused(axis: int) -> None:
    with pytest.raises(SpecError, match=rf"start {axis} is not an axis of \[3, 32, 40\], which has 3"):
        IMAGE.axis(axis, "start")


@pytest.mark.parametrize(
    ("elements", "dtype", "size"),
    [(5, "float32", 20), (5, "float16", 10), (5, "int8", 5), (4, "int4", 2), (5, "int4", 3)],
)
def test_bytes(elements: int, dtype: str, size: int) -> None:
    assert bytes_of(elements, dtype) == size


def test_bytes_of_every_kind_of_number() -> None:
    n, elements = symbol("n"), np.array([4, 5])
    halves: Any = bytes_of(elements, "int4")  # type: ignore[arg-type]
    assert halves.tolist() == [2, 3]
    assert bytes_of(n, "float32") == 4 * n
    assert str(bytes_of(n, "int4")) == "(n + 1)//2"
