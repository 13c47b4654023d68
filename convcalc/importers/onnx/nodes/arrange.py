"""Operations that arrange elements anew: free of multiplies and parameters."""

from __future__ import annotations

import math

from convcalc.arith import Number, ceildiv, is_plain, prod
from convcalc.importers.onnx.call import NodeCall
from convcalc.importers.onnx.sizes import ARRANGED, order, reduced_axes, reduced_sizes
from convcalc.importers.onnx.values import Sizes, Value, broadcast, has_batch, is_one, same
from convcalc.shapes import Shape


def arrange(call: NodeCall) -> None:
    """Reshape, Flatten, Squeeze, Unsqueeze, and what changes nothing."""
    x, sizes = call.require(0), ARRANGED.get(call.op, ARRANGED["Identity"])(call)
    call.put(0, call.view(call.handle(x), sizes[has_batch(sizes) :], is_own=True), sizes)
    if len(call.outputs) > 1:  # the mask of Dropout
        call.put(1, call.handle(x), sizes)
    call.result.data_type, call.result.is_scale = x.data_type, x.is_scale


def quantise_dynamically(call: NodeCall) -> None:
    """DynamicQuantizeLinear: the tensor, its scale and its zero point."""
    x = call.require(0)
    call.put(0, call.handle(x), x.shape)
    for place in range(1, len(call.outputs)):
        call.outputs[place] = Value(call.node.outputs[place], (), is_constant=True, is_scale=True)


def shape(call: NodeCall) -> None:
    """Shape: sizes as numbers, symbols among them."""
    sizes = call.require(0).shape
    start, end = call.attribute("start", 0), call.attribute("end", len(sizes))
    part = sizes[start:end]
    call.put_known(part, (len(part),))


def size(call: NodeCall) -> None:
    """Size: the number of elements."""
    call.put_known((prod(call.require(0).shape),), ())


def filled(call: NodeCall) -> None:
    """ConstantOfShape, EyeLike, random numbers and so on: constants of which the shape alone is known."""
    if call.op in ("ConstantOfShape", "Bernoulli") or call.op.endswith("Like"):
        x = call.require(0)
        sizes = call.numbers(0) if call.op == "ConstantOfShape" else x.shape
    elif call.op == "ConstantFill" and call.attribute("input_as_shape", 0):  # of experiments before version 9
        sizes = call.numbers(0)
    else:
        sizes = call.integers("shape")
    call.outputs[0] = Value(call.node.outputs[0], tuple(sizes or ()), is_constant=True)


def counted(call: NodeCall) -> None:
    """Range of a length that is free or large: its elements are not computed."""
    (start,), (stop,), (step,) = (call.reals(place) or () for place in range(3))
    span = stop - start
    length = max(math.ceil(span / step), 0) if is_plain(span) and is_plain(step) else ceildiv(span, step)
    call.outputs[0] = Value(call.node.outputs[0], (length,), is_constant=True)


def transpose(call: NodeCall) -> None:
    """Transpose. Where axes of size 1 alone are moved, it is another view of the same elements."""
    x, axes = call.require(0), order(call)
    sizes = ARRANGED["Transpose"](call)
    moving = [axis for axis in axes if not is_one(x.shape[axis])]
    if moving == sorted(moving):
        call.put(0, call.handle(x), sizes)
    elif has_batch(x.shape) and axes[0] == 0:
        call.put(0, call.add("permute", call.handle(x), axes=tuple(axis - 1 for axis in axes[1:])), sizes)
    else:
        call.put(0, call.add("permute", call.whole(x), axes=axes), sizes)


def expand(call: NodeCall) -> None:
    """Expand to the shape that both broadcast to."""
    stretch(call, call.require(0), broadcast(call.require(0).shape, tuple(call.numbers(1) or ())))


def stretch(call: NodeCall, x: Value, sizes: Sizes) -> None:
    """Give the first output a tensor that is repeated along axes of size 1."""
    handle = call.aligned(x, len(sizes), cut=has_batch(sizes))
    target = Shape(sizes[has_batch(sizes) :] or (1,))
    if not same(call.shape(handle), target):
        handle = call.add("broadcast", handle, shape=tuple(target))
    call.put(0, handle, sizes)


def tile(call: NodeCall) -> None:
    """Tile: copies along each axis."""
    x = call.require(0)
    times = call.numbers(1) or ()
    if call.opset < 6 and len(call.x) == 3:  # copies of one axis
        axis = (call.numbers(2) or (0,))[0]
        times = tuple(times[0] if each == axis else 1 for each in range(len(x.shape)))
    sizes = tuple(n * copies for n, copies in zip(x.shape, times, strict=True))
    if all(is_one(copies) for copies in times):
        call.put(0, call.handle(x), sizes)
        return
    cut = has_batch(x.shape) and is_one(times[0])
    handle = call.handle(x) if cut else call.whole(x)
    call.put(0, call.add("broadcast", handle, times=tuple(times[cut:]) or (1,)), sizes)


def pad(call: NodeCall) -> None:
    """Pad, or crop by negative numbers; of all axes or of those that are named."""
    x = call.require(0)
    pads = call.integers("pads") or call.integers("paddings") or call.numbers(1) or ()
    rank = len(x.shape)
    axes = [call.axis(axis, rank) for axis in call.numbers(3) or range(rank)]
    pairs = {axis: (pads[place], pads[place + len(axes)]) for place, axis in enumerate(axes)}
    around(call, x, pairs)


def around(call: NodeCall, x: Value, pairs: dict[int, tuple[Number, Number]]) -> None:
    """Give the first output a tensor with cells around its axes."""
    changed = sorted(axis for axis, pair in pairs.items() if not all(is_plain(each) and each == 0 for each in pair))
    sizes = tuple(n + sum(pairs[axis]) if axis in changed else n for axis, n in enumerate(x.shape))
    if not changed:
        call.put(0, call.handle(x), sizes)
        return
    lead = int(has_batch(x.shape) and changed[0] > 0)
    handle = call.handle(x) if lead == has_batch(x.shape) else call.whole(x)
    padding = tuple(pairs[axis] for axis in changed)
    call.put(0, call.add("pad", handle, padding=padding, axis=tuple(axis - lead for axis in changed)), sizes)


def center_crop_pad(call: NodeCall) -> None:
    x = call.require(0)
    rank, wanted = len(x.shape), call.numbers(1) or ()
    axes = [call.axis(axis, rank) for axis in call.integers("axes") or range(rank)]
    around(call, x, {axis: (0, want - x.shape[axis]) for axis, want in zip(axes, wanted, strict=True)})


def move_blocks(call: NodeCall) -> None:
    """DepthToSpace and SpaceToDepth."""
    x, block = call.require(0), call.size("blocksize")
    batch, channels, height, width = x.shape
    if call.op == "DepthToSpace":
        kind, sizes = "pixel_shuffle", (batch, channels // (block * block), height * block, width * block)
    else:
        kind, sizes = "pixel_unshuffle", (batch, channels * (block * block), height // block, width // block)
    handle = call.handle(x)
    made = call.add(kind, handle, factor=block) if has_batch(x.shape) else call.view(handle, sizes, is_own=True)
    call.put(0, made, sizes)


REDUCTIONS = {
    "ReduceMean": "mean", "ReduceSum": "sum", "ReduceProd": "prod", "ReduceMax": "max", "ReduceMin": "min",
    "ReduceL1": "l1", "ReduceL2": "l2", "ReduceSumSquare": "sum_square", "ReduceLogSum": "log_sum",
    "ReduceLogSumExp": "log_sum_exp",
}  # fmt: skip


def reduce(call: NodeCall) -> None:
    """A reduction, ArgMax or ArgMin; the mean over all spatial axes is a global pool."""
    x, kind = call.require(0), REDUCTIONS.get(call.op, call.op.lower())
    if call.op in REDUCTIONS:
        axes = reduced_axes(call)
    else:
        axes = frozenset((call.axis(call.attribute("axis", 0), len(x.shape)),))
    sizes = reduced_sizes(call, axes)
    lead = int(has_batch(x.shape))
    inside = tuple(sorted(axis - lead for axis in axes if axis >= lead))
    handle = call.handle(x)
    rank = call.shape(handle).rank
    if not inside or not x.shape:
        call.put(0, handle, sizes)
    elif kind == "mean" and lead and rank > 2 and inside == tuple(range(1, rank)):
        call.put(0, call.add("avgpool", handle, kernel="global"), sizes)
    else:
        keeps = bool(call.attribute("keepdims", 1))
        call.put(0, call.add("reduce", handle, type=kind, axis=inside, keepdims=keeps), sizes)


def one_hot(call: NodeCall) -> None:
    x, depth = call.require(0), call.numbers(1) or ()
    rank = len(x.shape) + 1
    axis = call.axis(call.attribute("axis", -1), rank)
    sizes = (*x.shape[:axis], 1, *x.shape[axis:])
    stretch(call, call.viewed(x, sizes), (*x.shape[:axis], depth[0], *x.shape[axis:]))
