"""The table of rules, and what rules share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

from convcalc.importers.torch.lowering import Lowering, Rule
from convcalc.importers.torch.recording import Shape, TracedNode
from convcalc.importers.torch.values import Constant, Tensor, Value, Weight, first_batch, without

RULES: dict[str, Rule] = {}
"""By the name of an operation, without the ``_`` of work in place."""
LOOK_UPS = ("index", "index_select", "gather", "embedding", "take", "slice", "select")


def rule_for(*names: str, weighted: bool = False) -> Callable[[Rule], Rule]:
    """Put a rule into the table. One that is ``weighted`` adds layers whatever it reads; others only for tensors."""

    def entered(made: Rule) -> Rule:
        for name in names:
            RULES[name] = made if weighted else _only_for_tensors(made)
        return made

    return entered


def _only_for_tensors(made: Rule) -> Rule:
    def applied(g: Lowering, node: TracedNode) -> Any:
        return made(g, node) if any(isinstance(value, Tensor) for value in g.tensors(node)) else computed(g, node)

    return applied


def computed(g: Lowering, node: TracedNode) -> Any:
    """Return the values of an operation on weights and constants alone, which adds no layer."""
    weights = [value for value in g.tensors(node) if isinstance(value, Weight)]
    if not weights:
        return node.each_output(lambda _, shape: Constant(shape))
    keys = dict.fromkeys(key for weight in weights for key in weight.sources)
    sizes = {key: prod(g.parameters[key].shape) for key in keys}
    sources = tuple(sorted(keys, key=lambda key: -sizes[key]))
    selected = any(weight.selected for weight in weights) or node.op in LOOK_UPS
    return node.each_output(lambda _, shape: Weight(shape, sources, prod(shape) == sizes[sources[0]], selected))


def axis_of(axis: int, rank: int) -> int:
    """Return an axis counted from 0."""
    return axis % rank if rank else 0


def layer_axis(value: Tensor, axis: int) -> int | None:
    """Return the axis that a layer has for one of a tensor; nothing for the batch."""
    axis = axis_of(axis, len(value.shape))
    if value.batch is None:
        return axis
    return None if axis == value.batch else axis - (axis > value.batch)


def unbatched(g: Lowering, node: TracedNode, value: Value) -> Tensor:
    """Return a tensor whose layer has all its axes."""
    return Tensor(value.shape, g.whole(node, value))


def apart_from(g: Lowering, node: TracedNode, value: Value, *axes: int) -> Tensor:
    """Return a tensor whose batch is none of the axes that an operation works along."""
    found = {axis_of(axis, len(value.shape)) for axis in axes}
    if isinstance(value, Tensor):
        if value.batch not in found:
            return value
        g.mixing[node.label] = None
    return unbatched(g, node, value)


def aligned(
    g: Lowering, node: TracedNode, values: Sequence[Value], shape: Shape, reserved: int = 0
) -> tuple[list[int], int | None]:
    """Return handles of layers that broadcast to a shape, and its batch axis; it is none of the ``reserved`` last."""
    rank, batch = len(shape), None
    for value in values:
        if isinstance(value, Tensor) and value.batch is not None and value.batch < len(value.shape) - reserved:
            axis = value.batch + rank - len(value.shape)
            if shape[axis] == 1 and rank > 1:
                batch = axis
                break
    padded = [((1,) * (rank - len(value.shape)) + value.shape) for value in values]
    laid_out = [g.laid_out(node, value, without(sizes, batch)) for value, sizes in zip(values, padded, strict=True)]
    return laid_out, batch


def joined(g: Lowering, node: TracedNode, kind: str, values: Sequence[Value | None], **arguments: Any) -> Value:
    """Add an elementwise layer; constants are no branches of it."""
    shape = node.shape
    branches = [value for value in values if isinstance(value, Tensor | Weight)]
    handles, batch = aligned(g, node, branches, shape)
    handle = g.add(node, kind, *handles, **arguments)
    if tuple(g.builder.shape(handle)) != without(shape, batch):
        handle = g.add(node, "broadcast", handle, op="expand", shape=without(shape, batch))
    return g.given(node, handle, shape, batch)


def free(g: Lowering, node: TracedNode, value: Tensor) -> Any:
    """Add layers for an operation that multiplies nothing and that no kind of layer describes."""

    def made(place: int, shape: Shape) -> Tensor | None:
        if not g.is_used(node, place):
            return None
        kept = value.batch is not None and len(shape) == len(value.shape) > 1 and shape[value.batch] == 1
        return g.custom(node, value.handle, shape, value.batch if kept else None)

    return node.each_output(made)


def slot(value: Value | None) -> str | None:
    """Return the key of the parameter that a value is, so that a layer can have it as its weight."""
    return value.sources[0] if isinstance(value, Weight) and value.whole else None


def multiplied(g: Lowering, node: TracedNode, value: Tensor, shape: Shape, macs: int) -> Tensor:
    """Add a layer of so many multiplies whose weights are no parameters, or those of another kind of layer."""
    return g.custom(node, value.handle, shape, first_batch(shape), macs=macs)


def along(g: Lowering, node: TracedNode, made: Tensor, other: Value | None, axis: int = -1, op: str = "bias") -> Tensor:
    """Add, or with ``op`` mul multiply by, what lies along an axis and is no weight of the layer before."""
    if not isinstance(other, Tensor | Weight):
        return made
    rank = len(made.shape)
    shape = [1] * rank
    shape[axis_of(axis, rank)] = prod(other.shape)
    whole = tuple(shape) if len(other.shape) <= 1 else (1,) * (rank - len(other.shape)) + other.shape
    handle = g.laid_out(node, other, without(whole, made.batch))
    return Tensor(made.shape, g.add(node, "mul" if op == "mul" else "add", made.handle, handle, op=op), made.batch)
