"""Shapes of operations that only arrange elements anew."""

from __future__ import annotations

from convcalc.arith import Number, floordiv, is_plain
from convcalc.importers.onnx.call import Call, count
from convcalc.importers.onnx.values import Sizes, is_one, same


def reshaped(call: Call) -> Sizes:
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
    return floordiv(count(left), count(rest)) if rest and not same((count(rest),), (1,)) else count(left)


def _is(size: Number, number: int) -> bool:
    return type(size) is int and size == number


def flattened(call: Call) -> Sizes:
    """Flatten: two axes, the batch and all others by default."""
    sizes = call.require(0).shape
    axis = call.attribute("axis", 1)
    axis = axis + len(sizes) if axis < 0 else axis
    return count(sizes[:axis]), count(sizes[axis:])


def order(call: Call) -> tuple[int, ...]:
    """The order of axes of a Transpose, reversed by default."""
    rank = len(call.require(0).shape)
    given = call.integers("perm")
    axes = tuple(range(rank))[::-1] if given is None else tuple(call.axis(axis, rank) for axis in given)
    if sorted(axes) != list(range(rank)):
        raise ValueError(axes)
    return axes


def transposed(call: Call) -> Sizes:
    sizes = call.require(0).shape
    return tuple(sizes[axis] for axis in order(call))


def squeezed(call: Call) -> Sizes:
    """Squeeze: without the axes that are named, or without all of size 1."""
    sizes, given = call.require(0).shape, call.numbers_or("axes", 1)
    if given is None:
        return tuple(size for size in sizes if not is_one(size))
    axes = {call.axis(axis, len(sizes)) for axis in given}
    return tuple(size for axis, size in enumerate(sizes) if axis not in axes)


def unsqueezed(call: Call) -> Sizes:
    """Unsqueeze: new axes of size 1, named by their places in the output."""
    sizes, given = call.require(0).shape, call.numbers_or("axes", 1) or ()
    rank = len(sizes) + len(given)
    axes = {call.axis(axis, rank) for axis in given}
    rest = iter(sizes)
    return tuple(1 if axis in axes else next(rest) for axis in range(rank))


def unchanged(call: Call) -> Sizes:
    return call.require(0).shape


ARRANGED = {
    "Reshape": reshaped, "Flatten": flattened, "Transpose": transposed, "Squeeze": squeezed, "Unsqueeze": unsqueezed,
    "Identity": unchanged, "Cast": unchanged, "CastLike": unchanged, "Dropout": unchanged,
    "QuantizeLinear": unchanged, "DequantizeLinear": unchanged,
}  # fmt: skip
"""Operations of whose constants the result is still the same constant."""
