"""Ops that move, cut and join elements, against what Python and NumPy do with arrays of these shapes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import convcalc
from convcalc.errors import SpecErrors

SIZE = st.integers(1, 6)
SHAPE = st.lists(SIZE, min_size=1, max_size=4)


def leaving(layer: str, *entering: list[int]) -> tuple[int, ...]:
    """The shape that a layer gives; joins read the inputs x and y."""
    head = f"input: {entering[0]}" if len(entering) == 1 else f"inputs: {{x: {entering[0]}, y: {entering[1]}}}"
    (shape,) = convcalc.load(text=f"{head}\nlayers: [{{{layer}}}]\n").report().outputs.values()
    return shape


@given(SIZE, st.integers(-8, 8), st.one_of(st.none(), st.integers(-8, 8)), st.integers(1, 4))
def test_slice_takes_what_python_takes(size: int, start: int, stop: int | None, step: int) -> None:
    layer = f"slice: {{start: {start}, step: {step}{'' if stop is None else f', stop: {stop}'}}}"
    taken = len(range(size)[start:stop:step])
    if taken:
        assert leaving(layer, [size, 3]) == (taken, 3)
    else:
        with pytest.raises(SpecErrors, match="CC406"):
            leaving(layer, [size, 3])


@given(SHAPE.flatmap(lambda shape: st.tuples(st.just(shape), st.permutations(range(len(shape))))))
def test_permute_is_a_transpose(drawn: tuple[list[int], list[int]]) -> None:
    shape, axes = drawn
    assert leaving(f"permute: {list(axes)}", shape) == np.zeros(shape).transpose(axes).shape


@given(SHAPE, st.data())
def test_flatten_keeps_the_other_axes(shape: list[int], data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(shape) - 1))
    end = data.draw(st.integers(start, len(shape) - 1))
    merged = [*shape[:start], int(np.prod(shape[start : end + 1])), *shape[end + 1 :]]
    assert leaving(f"flatten: {{start: {start}, end: {end - len(shape)}}}", shape) == tuple(merged)


@given(SHAPE, SHAPE)
def test_reshape_works_one_axis_out(shape: list[int], wanted: list[int]) -> None:
    try:
        reshaped = np.zeros(shape).reshape([*wanted, -1]).shape
    except ValueError:
        with pytest.raises(SpecErrors, match="CC405"):
            leaving(f"reshape: {[*wanted, -1]}", shape)
    else:
        assert leaving(f"reshape: {[*wanted, -1]}", shape) == reshaped


@given(SIZE, st.lists(st.tuples(SIZE, st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=3))
def test_pad_adds_around_all_axes_but_the_first(channels: int, axes: list[tuple[int, int, int]]) -> None:
    shape, pads = [channels, *(size for size, _, _ in axes)], [[before, after] for _, before, after in axes]
    padded = np.pad(np.zeros(shape), [[0, 0], *pads])
    assert leaving(f"pad: {pads}", shape) == padded.shape
    assert leaving(f"pad: {[[-before, -after] for before, after in pads]}", list(padded.shape)) == tuple(shape)


@given(SHAPE, st.integers(-4, 3), SIZE)
def test_concat_grows_one_axis(shape: list[int], axis: int, other: int) -> None:
    axis = max(-len(shape), min(axis, len(shape) - 1))
    second = list(shape)
    second[axis] = other
    joined = np.concatenate([np.zeros(shape), np.zeros(second)], axis)
    layer = f"concat: {{axis: {axis}, branches: [{{from: x}}, {{from: y}}]}}"
    assert leaving(layer, shape, second) == joined.shape


@pytest.mark.parametrize("join", ["add", "mul"])
@given(st.lists(st.tuples(st.integers(1, 2), st.integers(1, 2)), min_size=1, max_size=3))
def test_elementwise_joins_broadcast(join: str, pairs: list[tuple[int, int]]) -> None:
    left, right = ([3 * size - 2 for size in side] for side in zip(*pairs, strict=True))  # sizes 1 and 4
    assert leaving(f"{join}: [{{from: x}}, {{from: y}}]", left, right) == np.broadcast_shapes(tuple(left), tuple(right))


@given(st.lists(st.tuples(st.integers(1, 2), st.integers(1, 2)), max_size=2), SIZE, SIZE, SIZE)
def test_matmul_broadcasts_leading_axes(pairs: list[tuple[int, int]], n: int, k: int, m: int) -> None:
    sides: Any = zip(*pairs, strict=True) if pairs else ((), ())
    left, right = ([3 * size - 2 for size in side] for side in sides)
    left, right = [*left, n, k], [*right, k, m]
    product = np.matmul(np.zeros(left), np.zeros(right))
    assert leaving("matmul: [{from: x}, {from: y}]", left, right) == product.shape
