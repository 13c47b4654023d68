"""Operations that join tensors, and that select or replace elements, and lists of tensors: free of multiplies."""

from __future__ import annotations

from typing import Any

from convcalc.arith import is_plain, less_equal, prod
from convcalc.importers.onnx.call import NodeCall
from convcalc.importers.onnx.sizes import slices, split_sizes
from convcalc.importers.onnx.values import MADE, OpenShape, Sizes, Value, has_batch, is_one, same, without_fill
from convcalc.shapes import Shape

END = 1 << 31


def concat(call: NodeCall) -> None:
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


def cut_slices(call: NodeCall) -> None:
    """Slice: one layer for each axis that becomes smaller."""
    x = call.require(0)
    handle, sizes, lead, is_own = call.handle(x), list(x.shape), int(has_batch(x.shape)), True
    for axis, start, stop, step in slices(call):
        n = sizes[axis]
        if lead and axis == 0:
            if len(range(1)[slice(start, stop if stop > -END else None, step)]) == 1:
                continue
            raise call.refused("it slices nothing out of the batch axis, and an empty tensor is no layer")
        add = call.add if is_own else call.beside
        if is_plain(step) and step < 0:
            if not is_plain(n):
                raise call.refused("it slices backwards along a free axis")
            places = range(n)[start:stop:step]
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


def split(call: NodeCall) -> None:
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
        is_all = same((part,), x.shape[axis : axis + 1])
        call.put(place, handle if is_all else call.add("split", handle, part=place, axis=at, **given), sizes)


def gather(call: NodeCall) -> None:
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


def take(call: NodeCall, x: Value, sizes: Sizes) -> None:
    """Give the first output elements of a tensor at any places."""
    handle = call.handle(x)
    axes = tuple(range(call.shape(handle).rank))
    target = sizes[has_batch(sizes) :] or (1,)
    call.put(0, call.add("gather", handle, axis=axes, size=tuple(target)), sizes)


def gather_elements(call: NodeCall) -> None:
    take(call, call.require(0), call.require(1).shape)


def gather_nd(call: NodeCall) -> None:
    x, places, kept = call.require(0), call.require(1), call.attribute("batch_dims", 0)
    (*leading, depth) = places.shape
    take(call, x, (*leading, *x.shape[kept + depth :]))


def scatter(call: NodeCall) -> None:
    """ScatterND, ScatterElements: other elements at some places, the shape stays."""
    x, updates = call.require(0), call.require(1 if call.op == "TensorScatter" else 2)
    if updates.is_constant and updates.is_learned:
        call.handle(updates)
    call.put(0, call.add("elementwise", call.handle(x), type="where"), x.shape)


def top_k(call: NodeCall) -> None:
    x = call.require(0)
    axis = call.axis(call.attribute("axis", -1), len(x.shape))
    k: Any = call.attribute("k") if call.opset < 10 else (call.numbers(1) or (None,))[0]
    handle, at = call.along(x, axis)
    for place in range(len(call.outputs)):
        made = call.add("gather", handle, axis=at, size=(k,))
        call.put(place, made, (*x.shape[:axis], k, *x.shape[axis + 1 :]))


def sample(call: NodeCall) -> None:
    """GridSample: X [N, C, …] at the places of a grid [N, …, axes]."""
    x, grid = call.require(0), call.require(1)
    take(call, x, (*x.shape[:2], *grid.shape[1:-1]))


def roi(call: NodeCall) -> None:
    """RoiAlign and MaxRoiPool: a window of one size for every region."""
    x, regions = call.require(0), call.require(1)
    size = call.integers("pooled_shape") or (call.attribute("output_height", 1), call.attribute("output_width", 1))
    take(call, x, (regions.shape[0], x.shape[1], *size))


def col2im(call: NodeCall) -> None:
    """Col2Im: [N, C·K, places] to [N, C, image]."""
    x, image, block = call.require(0), call.numbers(1) or (), call.numbers(2) or ()
    take(call, x, (x.shape[0], x.shape[1] // prod(block), *image))


def affine_grid(call: NodeCall) -> None:
    """AffineGrid: a place for every cell of an image [N, C, …], from a matrix; not counted, as in PyTorch."""
    batch, _, *image = call.numbers(1) or ()
    take(call, call.require(0), (batch, *image, len(image)))


# --- sequences of tensors: lists that a graph makes and takes apart again, and that no layer has ----------------------


def _members(call: NodeCall) -> tuple[Value, ...]:
    members = call.require(0).members
    if members is None:
        raise OpenShape(call.op)
    return members


def _place(call: NodeCall, place: int, default: int) -> int:
    given = call.numbers(place)
    return int(given[0]) if given else default


def _put(call: NodeCall, members: tuple[Value, ...]) -> None:
    call.outputs[0] = Value(call.node.outputs[0], None, members=members)


def construct(call: NodeCall) -> None:
    """SequenceConstruct and SequenceEmpty."""
    _put(call, tuple(value for value in call.x if value is not None))


def insert(call: NodeCall) -> None:
    """SequenceInsert, at the end by default."""
    members = list(_members(call))
    members.insert(_place(call, 2, len(members)), call.require(1))
    _put(call, tuple(members))


def erase(call: NodeCall) -> None:
    """SequenceErase, of the last by default."""
    members = list(_members(call))
    del members[_place(call, 1, -1)]
    _put(call, tuple(members))


def at(call: NodeCall) -> None:
    """SequenceAt."""
    call.outputs[0] = _members(call)[_place(call, 1, -1)]


def length(call: NodeCall) -> None:
    """SequenceLength."""
    call.put_known((len(_members(call)),), ())


def split_to(call: NodeCall) -> None:
    """SplitToSequence: parts of one size, of given sizes, or of size 1, whose axis is then left out by a flag."""
    x, given = call.require(0), call.numbers(1)
    axis = call.axis(call.attribute("axis", 0), len(x.shape))
    size = x.shape[axis]
    sizes = split_sizes(call, size) if given is not None and len(call.require(1).shape) else None
    if sizes is None:
        if type(size) is not int:
            raise OpenShape(x.name)
        each = int(given[0]) if given else 1
        sizes = [min(each, size - start) for start in range(0, size, each)]
    names = tuple(f"{call.node.outputs[0]}_{place}" for place in range(len(sizes)))
    node = call.node._replace(
        op="Split", outputs=names, attributes={"axis": axis, "split": tuple(sizes)}, inputs=call.node.inputs[:1]
    )
    inner = NodeCall(call.run, node, [x], call.scope, call.path)
    split(inner)
    members = tuple(value for value in inner.outputs if value is not None)
    if given is None and not call.attribute("keepdims", 1):
        members = tuple(call.viewed(each, (*each.shape[:axis], *each.shape[axis + 1 :])) for each in members)
    _put(call, members)


def concat_from(call: NodeCall) -> None:
    """ConcatFromSequence, along an axis of the tensors or a new one."""
    members = _members(call)
    if call.attribute("new_axis", 0):
        axis = call.axis(call.attribute("axis"), len(members[0].shape) + 1)
        members = tuple(call.viewed(each, (*each.shape[:axis], 1, *each.shape[axis:])) for each in members)
    call.x = list(members)
    concat(call)


SEQUENCES = {
    "SequenceConstruct": construct, "SequenceEmpty": construct, "SequenceInsert": insert, "SequenceErase": erase,
    "SequenceAt": at, "SequenceLength": length, "SplitToSequence": split_to, "ConcatFromSequence": concat_from,
}  # fmt: skip
