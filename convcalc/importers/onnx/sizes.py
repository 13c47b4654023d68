"""Shapes of operations that arrange elements anew, and the axes that they work on."""

from __future__ import annotations

from typing import Any

from convcalc.arith import Number, floordiv, is_plain, prod
from convcalc.importers.onnx.call import NodeCall
from convcalc.importers.onnx.values import Sizes, is_one, same


def reshaped(call: NodeCall) -> Sizes:
    """Reshape: 0 copies a size, and -1 is worked out."""
    sizes, given = call.require(0).shape, call.numbers_or("shape", 1) or ()
    keeps = not call.attribute("allowzero", 0)
    target = [sizes[place] if keeps and _is(size, 0) else size for place, size in enumerate(given)]
    free = [place for place, size in enumerate(target) if _is(size, -1)]
    others = [size for size in target if not _is(size, -1)]
    if len(free) > 1 or any(is_plain(size) and size < 0 for size in others):
        raise ValueError(target)
    for place in free:
        target[place] = _quotient(sizes, others)
    return tuple(target)


def _quotient(sizes: Sizes, others: list[Number]) -> Number:
    """The elements divided by known sizes; sizes that are in both are left out, so that symbols stay short."""
    left = list(sizes)
    rest = []
    for size in others:
        same_size = next((place for place, each in enumerate(left) if same((each,), (size,))), None)
        if same_size is None:
            rest.append(size)
        else:
            del left[same_size]
    return floordiv(prod(left), prod(rest)) if rest and not same((prod(rest),), (1,)) else prod(left)


def _is(size: Number, number: int) -> bool:
    return type(size) is int and size == number


def flattened(call: NodeCall) -> Sizes:
    """Flatten: two axes, the batch and all others by default."""
    sizes = call.require(0).shape
    axis = call.attribute("axis", 1)
    axis = axis + len(sizes) if axis < 0 else axis
    return prod(sizes[:axis]), prod(sizes[axis:])


def order(call: NodeCall) -> tuple[int, ...]:
    """The order of axes of a Transpose, reversed by default."""
    rank = len(call.require(0).shape)
    given = call.integers("perm")
    axes = tuple(range(rank))[::-1] if given is None else tuple(call.axis(axis, rank) for axis in given)
    if sorted(axes) != list(range(rank)):
        raise ValueError(axes)
    return axes


def transposed(call: NodeCall) -> Sizes:
    sizes = call.require(0).shape
    return tuple(sizes[axis] for axis in order(call))


def squeezed(call: NodeCall) -> Sizes:
    """Squeeze: without the axes that are named, or without all of size 1."""
    sizes, given = call.require(0).shape, call.numbers_or("axes", 1)
    if given is None:
        return tuple(size for size in sizes if not is_one(size))
    axes = {call.axis(axis, len(sizes)) for axis in given}
    return tuple(size for axis, size in enumerate(sizes) if axis not in axes)


def unsqueezed(call: NodeCall) -> Sizes:
    """Unsqueeze: new axes of size 1, named by their places in the output."""
    sizes, given = call.require(0).shape, call.numbers_or("axes", 1) or ()
    rank = len(sizes) + len(given)
    axes = {call.axis(axis, rank) for axis in given}
    if len(axes) != len(given):
        raise ValueError(given)
    rest = iter(sizes)
    return tuple(1 if axis in axes else next(rest) for axis in range(rank))


def unchanged(call: NodeCall) -> Sizes:
    return call.require(0).shape


ARRANGED = {
    "Reshape": reshaped, "Flatten": flattened, "Transpose": transposed, "Squeeze": squeezed, "Unsqueeze": unsqueezed,
    "Identity": unchanged, "Cast": unchanged, "CastLike": unchanged, "Dropout": unchanged,
    "QuantizeLinear": unchanged, "DequantizeLinear": unchanged,
}  # fmt: skip
"""Operations of whose constants the result is still the same constant."""


def slices(call: NodeCall) -> list[tuple[int, Any, Any, Any]]:
    """Return axis, start, stop and step of everything that a Slice cuts."""
    starts, stops = call.numbers_or("starts", 1) or (), call.numbers_or("ends", 2) or ()
    rank = len(call.require(0).shape)
    axes = call.numbers_or("axes", 3) or range(len(starts))
    steps = call.numbers(4) or (1,) * len(starts)
    return [
        (call.axis(axis, rank), start, stop, step)
        for axis, start, stop, step in zip(axes, starts, stops, steps, strict=True)
    ]


def split_sizes(call: NodeCall, size: Any) -> list[Any]:
    """Return the sizes of the parts of an axis: as stated, or equal ones, of which the last may be smaller."""
    if (given := call.numbers_or("split", 1)) is not None:
        return list(given)
    parts = call.attribute("num_outputs", len(call.node.outputs))
    if not is_plain(size):
        return [floordiv(size, parts)] * parts
    each = -(-size // parts)
    return [min(each, size - place * each) for place in range(parts)]


def reduced_axes(call: NodeCall) -> frozenset[int]:
    """Return the axes that a reduction goes over; all where none are named."""
    rank = len(call.require(0).shape)
    axes = call.numbers_or("axes", 1)
    if not axes:
        return frozenset() if call.attribute("noop_with_empty_axes", 0) else frozenset(range(rank))
    return frozenset(call.axis(axis, rank) for axis in axes)


def reduced_sizes(call: NodeCall, axes: frozenset[int]) -> Sizes:
    """Return the sizes of a reduced tensor; axes stay with size 1 by default."""
    keeps = call.attribute("keepdims", 1)
    sizes = call.require(0).shape
    return tuple(1 if axis in axes else size for axis, size in enumerate(sizes) if keeps or axis not in axes)
