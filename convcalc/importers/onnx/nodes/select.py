"""Operations that join tensors, and that select or replace elements: free of multiplies."""

from __future__ import annotations

from typing import Any

from convcalc.arith import is_plain, less_equal
from convcalc.importers.onnx.call import Call, count
from convcalc.importers.onnx.sizes import slices, split_sizes
from convcalc.importers.onnx.values import MADE, Sizes, Value, has_batch, is_one, same, without_fill
from convcalc.shapes import Shape

END = 1 << 31


def concat(call: Call) -> None:
    """Concat; empty constants are left out."""
    values = [without_fill(value, MADE) for value in call.x if value is not None]
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
        add = call.add if is_own else call.beside
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
        if type(part) is int and part == 0:  # a tensor without elements is no layer
            continue
        sizes = (*x.shape[:axis], part, *x.shape[axis + 1 :])
        given = {"into": len(parts)} if are_equal else {"sizes": tuple(parts)}
        made = (
            handle
            if same((part,), x.shape[axis : axis + 1])
            else call.add("split", handle, part=place, axis=at, **given)
        )
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
        start: Any = places.elements[0]
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
    if updates.is_constant and updates.is_learned:
        call.handle(updates)
    call.put(0, call.add("elementwise", call.handle(x), type="where"), x.shape)


def top_k(call: Call) -> None:
    x = call.require(0)
    axis = call.axis(call.attribute("axis", -1), len(x.shape))
    k: Any = call.attribute("k") if call.opset < 10 else (call.numbers(1) or (None,))[0]
    handle, at = call.along(x, axis)
    for place in range(len(call.outputs)):
        made = call.add("gather", handle, axis=at, size=(k,))
        call.put(place, made, (*x.shape[:axis], k, *x.shape[axis + 1 :]))


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


def affine_grid(call: Call) -> None:
    """AffineGrid: a place for every cell of an image [N, C, …], from a matrix; not counted, as in PyTorch."""
    batch, _, *image = call.numbers(1) or ()
    take(call, call.require(0), (batch, *image, len(image)))
