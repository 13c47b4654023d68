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


@given(SIZE, st.integers(1, 4), st.lists(SIZE, min_size=1, max_size=3))
def test_pixel_shuffle_takes_places_from_channels(channels: int, factor: int, sizes: list[int]) -> None:
    """An axis of places beside each axis of cells, as DepthToSpace is defined; unshuffle puts them back."""
    axes = len(sizes)
    split = np.zeros([channels, *[factor] * axes, *sizes])
    order = [0, *(place for axis in range(axes) for place in (1 + axes + axis, 1 + axis))]
    shuffled = split.transpose(order).reshape([channels, *(factor * size for size in sizes)])
    entering = [channels * factor**axes, *sizes]
    assert leaving(f"pixel_shuffle: {factor}", entering) == shuffled.shape
    assert leaving(f"pixel_unshuffle: {factor}", list(shuffled.shape)) == tuple(entering)


EQUATION = st.lists(st.text("abc", min_size=1, max_size=3), min_size=1, max_size=2).flatmap(
    lambda terms: st.tuples(st.just(terms), st.permutations(sorted({*"".join(terms)})))
)


@given(EQUATION, st.lists(st.sampled_from((1, 3)), min_size=6, max_size=6), st.booleans(), st.booleans())
def test_einsum_gives_what_numpy_gives(
    drawn: tuple[list[str], list[str]], sizes: list[int], arrow: bool, dots: bool
) -> None:
    """Letters twice in a term, sizes of 1, further axes, and equations without an output among them."""
    terms, letters = drawn
    own = [dict(zip("abc", sizes[3 * place :], strict=False)) for place in range(2)]
    shapes = [[2] * dots + [size[letter] for letter in term] for term, size in zip(terms, own, strict=False)]
    text = ",".join("..." * dots + term for term in terms)
    text += f"->{'...' * dots}{''.join(letters[:2])}" if arrow else ""
    branches = "[{from: x}, {from: y}]" if len(terms) > 1 else "[identity]"
    layer = f"einsum: {{equation: '{text}', branches: {branches}}}"
    try:
        shape = np.einsum(text, *map(np.zeros, shapes)).shape
    except ValueError:
        shape = ()
    if shape:
        assert leaving(layer, *shapes) == shape
    else:
        with pytest.raises(SpecErrors, match=r"CC405|leaves no axis"):
            leaving(layer, *shapes)
