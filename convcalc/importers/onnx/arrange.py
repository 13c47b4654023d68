"""Operations that arrange elements anew: free of multiplies and parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from convcalc.arith import Number, equal, is_plain, less_equal
from convcalc.importers.onnx.call import Call, count
from convcalc.importers.onnx.fold import reduced_axes, reduced_sizes, slices, split_sizes
from convcalc.importers.onnx.sizes import ARRANGED, order
from convcalc.importers.onnx.values import BOOL, Sizes, Value, broadcast, has_batch, is_one, padded, same
from convcalc.shapes import Shape

END = 1 << 31


def arrange(call: Call) -> None:
    """Reshape, Flatten, Squeeze, Unsqueeze, and what changes nothing."""
    x, sizes = call.require(0), ARRANGED.get(call.op, ARRANGED["Identity"])(call)
    call.put(0, call.view(call.handle(x), sizes[has_batch(sizes) :], is_own=True), sizes)
    if len(call.outputs) > 1:  # the mask of Dropout
        call.put(1, call.handle(x), sizes)
    if (value := call.outputs[0]) is not None:
        value.data_type, value.is_scale = x.data_type, x.is_scale


def quantise_dynamically(call: Call) -> None:
    """DynamicQuantizeLinear: the tensor, its scale and its zero point."""
    x = call.require(0)
    call.put(0, call.handle(x), x.shape)
    for place in range(1, len(call.outputs)):
        call.put_known(place, (), (), 0)
        if (value := call.outputs[place]) is not None:
            value.elements, value.is_scale = None, True


def shape(call: Call) -> None:
    """Shape: sizes as numbers, symbols among them."""
    sizes = call.require(0).shape
    start, end = call.attribute("start", 0), call.attribute("end", len(sizes))
    part = sizes[start:end]
    call.put_known(0, part, (len(part),))


def size(call: Call) -> None:
    """Size: the number of elements."""
    call.put_known(0, (count(call.require(0).shape),), ())


def filled(call: Call) -> None:
    """ConstantOfShape, EyeLike, random numbers and so on: constants of which the shape alone is known."""
    if call.op in ("ConstantOfShape", "Bernoulli", "EyeLike") or call.op.endswith("Like"):
        x = call.require(0)
        sizes: Sizes | None = call.numbers(0) if call.op == "ConstantOfShape" else x.shape
    else:
        sizes = call.integers("shape")
    call.outputs[0] = Value(call.node.outputs[0], tuple(sizes or ()), is_constant=True)


def transpose(call: Call) -> None:
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


def concat(call: Call) -> None:
    """Concat; empty constants are left out."""
    values = [value for value in call.x if value is not None]
    values = [value for value in values if not any(type(size) is int and size == 0 for size in value.shape)] or values
    rank = len(values[0].shape)
    axis = call.axis(call.attribute("axis", 1), rank)
    if len(values) == 1:
        call.put(0, call.handle(values[0]), values[0].shape)
        return
    cut = axis > 0 and all(has_batch(value.shape) for value in values)
    handles = [call.aligned(value, rank, cut=cut) for value in values]
    handle = call.add("concat", *handles, axis=axis - cut)
    call.put(0, handle, (1, *call.shape(handle)) if cut else tuple(call.shape(handle)))


def cut_slices(call: Call) -> None:
    """Slice: one layer for each axis that becomes smaller."""
    x = call.require(0)
    handle, sizes, lead, is_own = call.handle(x), list(x.shape), int(has_batch(x.shape)), True
    for axis, start, stop, step in slices(call):
        n = sizes[axis]
        if lead and axis == 0:
            if len(range(1)[slice(start, stop if stop > -END else None, step)]) == 1:
                continue
            raise call.error("CC761", "it slices nothing out of the batch axis, and an empty tensor is no layer")
        add = call.add if is_own else call.extra
        if is_plain(step) and step < 0:
            if not is_plain(n):
                raise call.error("CC761", "it slices backwards along a free axis")
            places = range(n)[slice(start, None if stop < -END else stop, step)]
            if len(places) == n:
                continue
            handle = add("gather", handle, axis=axis - lead, size=len(places))
        else:
            stops = None if is_plain(stop) and stop >= END else stop
            is_all = is_plain(start) and start == 0 and step == 1 and (stops is None or less_equal(n, stops) is True)
            if is_all:
                continue
            handle = add("slice", handle, axis=axis - lead, start=start, stop=stops, step=step)
        sizes[axis], is_own = call.shape(handle)[axis - lead], False
    call.put(0, handle, tuple(sizes))


def split(call: Call) -> None:
    """Split: one layer for every output."""
    x = call.require(0)
    axis = call.axis(call.attribute("axis", 0), len(x.shape))
    parts = split_sizes(call, x.shape[axis])
    handle, at = call.along(x, axis)
    are_equal = all(same((part,), parts[:1]) for part in parts)
    for place, part in enumerate(parts[: len(call.outputs)]):
        sizes = (*x.shape[:axis], part, *x.shape[axis + 1 :])
        given = {"into": len(parts)} if are_equal else {"sizes": tuple(parts)}
        made = handle if len(parts) == 1 else call.add("split", handle, part=place, axis=at, **given)
        call.put(place, made, sizes)


def gather(call: Call) -> None:
    """Gather: the rows of a table of the file are an embedding, others are selected."""
    x, places = call.require(0), call.require(1)
    axis = call.axis(call.attribute("axis", 0), len(x.shape))
    sizes = (*x.shape[:axis], *places.shape, *x.shape[axis + 1 :])
    if x.is_constant and x.key and axis == 0 and len(x.shape) == 2 and not places.is_constant:
        vocab, dim = x.shape
        held = {"weight": (x, Shape(x.shape))}
        call.put(0, call.add("embedding", call.handle(places), vocab=vocab, dim=dim, weights=held), sizes)
        return
    handle, at = call.along(x, axis)
    if not places.shape and places.elements:
        start = places.elements[0]
        stop = None if is_plain(start) and start == -1 else start + 1
        if not is_one(x.shape[axis]):
            handle = call.add("slice", handle, axis=at, start=start, stop=stop)
        call.put(0, handle, sizes)
        return
    call.put(0, call.add("gather", handle, axis=at, size=places.shape or (1,)), sizes)


def take(call: Call, x: Value, sizes: Sizes) -> None:
    """Give the first output elements of a tensor at any places."""
    handle = call.handle(x)
    axes = tuple(range(call.shape(handle).rank))
    target = sizes[has_batch(sizes) :] or (1,)
    call.put(0, call.add("gather", handle, axis=axes, size=tuple(target)), sizes)


def gather_elements(call: Call) -> None:
    take(call, call.require(0), call.require(1).shape)


def gather_nd(call: Call) -> None:
    x, places, kept = call.require(0), call.require(1), call.attribute("batch_dims", 0)
    (*leading, depth) = places.shape
    take(call, x, (*leading, *x.shape[kept + depth :]))


def scatter(call: Call) -> None:
    """ScatterND, ScatterElements: other elements at some places, the shape stays."""
    x, updates = call.require(0), call.require(1 if call.op == "TensorScatter" else 2)
    held = {"updates": (updates, Shape(updates.shape))} if updates.is_learned else {}
    call.put(0, call.add("elementwise", call.handle(x), type="where", weights=held), x.shape)


def expand(call: Call) -> None:
    """Expand to the shape that both broadcast to."""
    stretch(call, call.require(0), broadcast(call.require(0).shape, tuple(call.numbers(1) or ())))


def stretch(call: Call, x: Value, sizes: Sizes) -> None:
    """Give the first output a tensor that is repeated along axes of size 1."""
    handle = call.aligned(x, len(sizes), cut=has_batch(sizes))
    target = Shape(sizes[has_batch(sizes) :] or (1,))
    if not same(call.shape(handle), target):
        handle = call.add("broadcast", handle, shape=tuple(target))
    call.put(0, handle, sizes)


def tile(call: Call) -> None:
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


def pad(call: Call) -> None:
    """Pad, or crop by negative numbers; of all axes or of those that are named."""
    x = call.require(0)
    pads = call.integers("pads") or call.integers("paddings") or call.numbers(1) or ()
    rank = len(x.shape)
    axes = [call.axis(axis, rank) for axis in call.numbers(3) or range(rank)]
    pairs = {axis: (pads[place], pads[place + len(axes)]) for place, axis in enumerate(axes)}
    around(call, x, pairs)


def around(call: Call, x: Value, pairs: dict[int, tuple[Number, Number]]) -> None:
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


def center_crop_pad(call: Call) -> None:
    x = call.require(0)
    rank, wanted = len(x.shape), call.numbers(1) or ()
    axes = [call.axis(axis, rank) for axis in call.integers("axes") or range(rank)]
    around(call, x, {axis: (0, want - x.shape[axis]) for axis, want in zip(axes, wanted, strict=True)})


def to_space(call: Call) -> None:
    """DepthToSpace."""
    x, block = call.require(0), call.attribute("blocksize")
    batch, channels, height, width = x.shape
    sizes = (batch, channels // (block * block), height * block, width * block)
    handle = call.handle(x)
    made = call.add("pixel_shuffle", handle, factor=block) if has_batch(x.shape) else call.view(handle, sizes, is_own=True)  # noqa: E501
    call.put(0, made, sizes)


def to_depth(call: Call) -> None:
    """SpaceToDepth."""
    x, block = call.require(0), call.attribute("blocksize")
    batch, channels, height, width = x.shape
    sizes = (batch, channels * (block * block), height // block, width // block)
    handle = call.handle(x)
    made = call.add("pixel_unshuffle", handle, factor=block) if has_batch(x.shape) else call.view(handle, sizes, is_own=True)  # noqa: E501
    call.put(0, made, sizes)


REDUCTIONS = {
    "ReduceMean": "mean", "ReduceSum": "sum", "ReduceProd": "prod", "ReduceMax": "max", "ReduceMin": "min",
    "ReduceL1": "l1", "ReduceL2": "l2", "ReduceSumSquare": "sum_square", "ReduceLogSum": "log_sum",
    "ReduceLogSumExp": "log_sum_exp",
}  # fmt: skip


def reduce(call: Call) -> None:
    """A reduction; the mean over all spatial axes is a global pool."""
    _reduce(call, REDUCTIONS[call.op], reduced_axes(call))


def argmax(call: Call) -> None:
    rank = len(call.require(0).shape)
    _reduce(call, call.op.lower(), frozenset((call.axis(call.attribute("axis", 0), rank),)))


def _reduce(call: Call, kind: str, axes: frozenset[int]) -> None:
    x, sizes = call.require(0), reduced_sizes(call, axes)
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


def top_k(call: Call) -> None:
    x = call.require(0)
    axis = call.axis(call.attribute("axis", -1), len(x.shape))
    k = call.attribute("k") if call.opset < 10 else (call.numbers(1) or (None,))[0]
    handle, at = call.along(x, axis)
    for place in range(len(call.outputs)):
        made = call.add("gather", handle, axis=at, size=(k,))
        call.put(place, made, (*x.shape[:axis], k, *x.shape[axis + 1 :]))


def one_hot(call: Call) -> None:
    x, depth = call.require(0), call.numbers(1) or ()
    rank = len(x.shape) + 1
    axis = call.axis(call.attribute("axis", -1), rank)
    wide = Value(x.name, (*x.shape[:axis], 1, *x.shape[axis:]), handle=x.handle, shadow=x.shadow)
    if x.is_constant:
        wide.handle = call.view(call.handle(x), wide.shape[has_batch(wide.shape) :])
    else:
        wide.handle = call.view(call.handle(x), wide.shape[has_batch(wide.shape) :])
    wide.shadow = wide.handle
    stretch(call, wide, (*x.shape[:axis], depth[0], *x.shape[axis:]))


def sample(call: Call) -> None:
    """GridSample: X [N, C, …] at the places of a grid [N, …, axes]."""
    x, grid = call.require(0), call.require(1)
    take(call, x, (*x.shape[:2], *grid.shape[1:-1]))


def roi(call: Call) -> None:
    """RoiAlign and MaxRoiPool: a window of one size for every region."""
    x, regions = call.require(0), call.require(1)
    size = call.integers("pooled_shape") or (call.attribute("output_height", 1), call.attribute("output_width", 1))
    take(call, x, (regions.shape[0], x.shape[1], *size))


def col2im(call: Call) -> None:
    """Col2Im: [N, C·K, places] to [N, C, image]."""
    x, image, block = call.require(0), call.numbers(1) or (), call.numbers(2) or ()
    take(call, x, (x.shape[0], x.shape[1] // count(block), *image))


Handler = Callable[[Call], Any]
__all__ = ["BOOL", "Handler", "equal", "padded"]
