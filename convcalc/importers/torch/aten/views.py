"""Other views of the same elements: reshapes, permutations, parts, and writing into parts."""

from __future__ import annotations

from math import prod
from typing import Any

from convcalc.errors import SpecError
from convcalc.importers.torch.aten.rules import aligned, apart_from, axis_of, computed, free, layer_axis, rule_for
from convcalc.importers.torch.lowering import Lowering
from convcalc.importers.torch.recording import TracedNode
from convcalc.importers.torch.values import Constant, Tensor, Value, Weight, batch_after_reshape, first_batch, without


@rule_for("view", "reshape", "_unsafe_view", "_reshape_alias", "unflatten", "squeeze", "unsqueeze", "view_as",
          "reshape_as", "view_copy", "atleast_1d", "atleast_2d", "atleast_3d", "flatten", "ravel", "squeeze_copy",
          "unsqueeze_copy", "_reshape_copy")  # fmt: skip
def reshaped(g: Lowering, node: TracedNode) -> Value:
    value, shape = g.tensor(node), node.shape
    batch = batch_after_reshape(value.shape, value.batch, shape)
    wanted = without(shape, batch)
    if tuple(g.builder.shape(value.handle)) == wanted:
        return Tensor(shape, value.handle, batch)
    if node.op == "flatten" and len(wanted) == 1:
        return Tensor(shape, g.add(node, "flatten", value.handle), batch)
    return Tensor(shape, g.add(node, "reshape", value.handle, shape=wanted), batch)


@rule_for("permute", "transpose", "t", "swapaxes", "swapdims", "movedim", "moveaxis", "numpy_T", "mT", "mH", "adjoint",
          "transpose_copy", "permute_copy", "t_copy")  # fmt: skip
def permuted(g: Lowering, node: TracedNode) -> Value:
    value, shape = g.tensor(node), node.shape
    order = _order(node, len(value.shape))
    batch = order.index(value.batch) if value.batch is not None else None
    axes = [axis if value.batch is None or axis < value.batch else axis - 1 for axis in order if axis != value.batch]
    handle = value.handle if axes == sorted(axes) else g.add(node, "permute", value.handle, axes=axes)
    return Tensor(shape, handle, batch)


def _order(node: TracedNode, rank: int) -> list[int]:
    """Return the axes of the input in the order of the output."""

    def axes(given: Any) -> list[int]:
        return [axis_of(axis, rank) for axis in ([given] if isinstance(given, int) else given)]

    if node["dims"] is not None:
        return axes(node["dims"])
    order = list(range(rank))
    if node["source"] is not None:
        moved = dict(zip(axes(node["destination"]), axes(node["source"]), strict=True))
        rest = iter([axis for axis in order if axis not in moved.values()])
        return [moved[place] if place in moved else next(rest) for place in order]
    if node.op == "numpy_T":
        return order[::-1]
    pairs = (("dim0", "dim1"), ("axis0", "axis1"))
    first, second = next(((node[a], node[b]) for a, b in pairs if node[a] is not None), (-2, -1))
    if rank > 1:
        first, second = axes([first, second])
        order[first], order[second] = order[second], order[first]
    return order


@rule_for("expand", "expand_as", "broadcast_to", "repeat", "tile", "repeat_interleave", "broadcast_tensors",
          "meshgrid")  # fmt: skip
def expanded(g: Lowering, node: TracedNode) -> Any:
    values = g.tensors(node) if node["tensors"] is not None else [g.tensor(node)]
    made = [_expanded(g, node, value, shape or ()) for value, shape in zip(values, node.outputs, strict=False)]
    return made if len(made) > 1 else made[0]


def _expanded(g: Lowering, node: TracedNode, value: Value, shape: tuple[int, ...]) -> Value:
    if not isinstance(value, Tensor):
        return Constant(shape) if isinstance(value, Constant) else Weight(shape, value.sources, False, value.selected)
    if shape == value.shape:
        return value
    if node.op not in ("expand", "expand_as", "broadcast_to", "broadcast_tensors"):
        return _repeated(g, node, value, shape)
    (handle,), batch = aligned(g, node, [value], shape)
    if tuple(g.builder.shape(handle)) != without(shape, batch):
        handle = g.add(node, "broadcast", handle, shape=without(shape, batch))
    return Tensor(shape, handle, batch)


def _repeated(g: Lowering, node: TracedNode, value: Tensor, shape: tuple[int, ...]) -> Value:
    padded = (1,) * (len(shape) - len(value.shape)) + value.shape
    if len(shape) < len(padded) or any(size % own for size, own in zip(shape, padded, strict=True)):
        return free(g, node, value)  # type: ignore[no-any-return]
    (handle,), batch = aligned(g, node, [value], shape)
    times = [size // own for size, own in zip(without(shape, batch), without(padded, batch), strict=True)]
    return Tensor(shape, g.add(node, "broadcast", handle, times=times), batch)


# --- parts ------------------------------------------------------------------------------------------------------------


@rule_for("slice", "narrow", "slice_copy")
def sliced(g: Lowering, node: TracedNode) -> Value:
    value, shape, dim = g.tensor(node), node.shape, node["dim"] or 0
    if shape == value.shape:
        return value
    source = apart_from(g, node, value, dim)
    start, stop, step = part_of(node, source.shape[axis_of(dim, len(source.shape))])
    axis = layer_axis(source, dim)
    return Tensor(
        shape, g.add(node, "slice", source.handle, axis=axis, start=start, stop=stop, step=step), source.batch
    )


def part_of(node: TracedNode, size: int) -> tuple[int, int, int]:
    """Return start, stop and step of a slice, each from 0."""
    if node["length"] is not None:
        start = axis_of(node["start"], size)
        return start, start + node["length"], 1
    if node["index"] is not None:
        start = axis_of(node["index"], size)
        return start, start + 1, 1
    start, stop, _ = slice(node["start"], node["end"]).indices(size)
    return start, stop, node["step"] or 1


@rule_for("select", "select_copy")
def selected(g: Lowering, node: TracedNode) -> Value:
    value = g.tensor(node)
    dim, handle, batch = axis_of(node["dim"], len(value.shape)), value.handle, value.batch
    if dim != batch and value.shape[dim] != 1:
        start, stop, _ = part_of(node, value.shape[dim])
        handle = g.add(node, "slice", handle, axis=layer_axis(value, dim), start=start, stop=stop)
    if batch is not None and dim <= batch:
        batch = None if dim == batch else batch - 1
    return g.given(node, handle, node.shape, batch)


SPLITS = (
    "split", "split_with_sizes", "chunk", "unbind", "tensor_split", "unsafe_split", "unsafe_chunk",
    "unsafe_split_with_sizes", "split_copy", "unbind_copy", "split_with_sizes_copy",
)  # fmt: skip


@rule_for(*SPLITS)
def split(g: Lowering, node: TracedNode) -> Any:
    value = g.tensor(node)
    dim = axis_of(node["dim"] or 0, len(value.shape))
    source = apart_from(g, node, value, dim)
    axis = layer_axis(source, dim)
    unbinds = node.op.startswith("unbind")
    sizes = [1 if unbinds else shape[dim] for shape in node.outputs if shape is not None and 0 not in shape]
    equal = {"into": len(sizes)} if len(set(sizes)) == 1 else {"sizes": sizes}
    made: list[Value | None] = []
    part = -1
    for place, shape in enumerate(node.outputs):
        part += shape is not None and 0 not in shape
        if shape is None or not g.is_used(node, place) or 0 in shape:
            made.append(None if shape is None else Constant(shape))
            continue
        handle = source.handle
        if len(sizes) > 1:
            handle = g.add(node, "split", handle, part=part, axis=axis, **equal)
        batch = source.batch
        if unbinds and batch is not None and batch > dim:
            batch -= 1
        made.append(g.given(node, handle, shape, batch))
    return made if len(made) > 1 else [*made, None]


@rule_for("cat", "concat", "concatenate", "stack", "hstack", "vstack", "dstack", "column_stack", "block_diag")
def concatenated(g: Lowering, node: TracedNode) -> Value:
    shape = node.shape
    values = [value for value in g.tensors(node) if prod(value.shape)]
    if node.op in ("block_diag", "column_stack", "dstack"):
        return free(g, node, next(value for value in values if isinstance(value, Tensor)))  # type: ignore[no-any-return]
    if node.op == "stack":
        dim = axis_of(node["dim"] or 0, len(shape))
        sizes = [(*value.shape[:dim], 1, *value.shape[dim:]) for value in values]
        batches = [value.batch + (value.batch >= dim) if isinstance(value, Tensor) and value.batch is not None else None
                   for value in values]  # fmt: skip
    else:
        default = {"hstack": 1 if len(shape) > 1 else 0, "vstack": 0}.get(node.op, node["dim"] or 0)
        dim = axis_of(default, len(shape))
        sizes = [(1,) * (len(shape) - len(value.shape)) + value.shape for value in values]
        batches = [value.batch if isinstance(value, Tensor) else None for value in values]
    batch = next((each for each in batches if each is not None and each != dim), None)
    if batch is not None and any(each[batch] != 1 for each in sizes):
        batch = None
    handles = [g.laid_out(node, value, without(own, batch)) for value, own in zip(values, sizes, strict=True)]
    if len(handles) == 1:
        return g.given(node, handles[0], shape, batch)
    axis = dim if batch is None or dim < batch else dim - 1
    return g.given(node, g.add(node, "concat", *handles, axis=axis), shape, batch)


# --- writing into parts -----------------------------------------------------------------------------------------------


@rule_for("copy", weighted=True)
def copied(g: Lowering, node: TracedNode) -> Any:
    own, other, shape = g.value(node["self"]), g.value(node["src"]), node.shape
    if isinstance(other, Tensor):
        return _expanded(g, TracedNode(node.name, "expand", {}, (), node.path), other, shape)
    return own if isinstance(own, Tensor) else computed(g, node)


@rule_for("slice_scatter", "select_scatter")
def scattered(g: Lowering, node: TracedNode) -> Value:
    return written(g, node, g.operand(node, "self"), g.operand(node, "src"), node)


def written(g: Lowering, node: TracedNode, base: Value, part: Value, view: TracedNode) -> Value:
    """Return a tensor into a part of which another has been written; ``view`` says which."""
    if not isinstance(part, Tensor) and not isinstance(base, Tensor):
        weights = [value for value in (base, part) if isinstance(value, Weight)]
        return Weight(base.shape, weights[0].sources, False) if weights else base
    if not isinstance(part, Tensor):
        return base
    if prod(part.shape) == prod(base.shape):
        return g.given(node, part.handle, base.shape, batch_after_reshape(part.shape, part.batch, base.shape))
    dim = axis_of(view["dim"] or 0, len(base.shape))
    start, stop, step = part_of(view, base.shape[dim])
    if not isinstance(base, Tensor) or step != 1:
        return g.custom(node, part.handle, base.shape, first_batch(base.shape), op="write")
    source = apart_from(g, node, base, dim)
    axis = layer_axis(source, dim)
    size = (*base.shape[:dim], stop - start, *base.shape[dim + 1 :])
    pieces = [g.laid_out(node, part, without(size, source.batch))]
    if start > 0:
        pieces.insert(0, g.add(node, "slice", source.handle, op="slice", axis=axis, start=0, stop=start))
    if stop < base.shape[dim]:
        pieces.append(g.add(node, "slice", source.handle, op="slice", axis=axis, start=stop))
    return Tensor(base.shape, g.add(node, "concat", *pieces, op="write", axis=axis), source.batch)


VIEWS = ("select", "slice", "narrow", "view", "reshape", "squeeze", "unsqueeze", "flatten", "alias", "contiguous")
"""Operations whose output has elements of what they read, in places that are known."""


def write_through(g: Lowering, node: TracedNode, made: Any) -> None:
    """Let what was changed in place be what later operations read, in the tensor that it is a view of too."""
    target = next(iter(node.references), None)
    while target is not None and isinstance(made, Tensor | Weight | Constant) and target.name not in g.parameters:
        known, view = g.values.get(target.name), g.maker(target)
        if isinstance(known, list):
            known[target.output] = made
            return
        g.values[target.name] = made
        if view is None or view.op not in VIEWS:
            return
        target = next(iter(view.references), None)
        base = g.value(target)
        if base is None:
            return
        try:
            made = written(g, node, base, made, view)
        except SpecError:
            return
