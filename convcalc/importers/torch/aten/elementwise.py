"""Functions of elements, activations, and reductions."""

from __future__ import annotations

from math import prod
from typing import Any

from convcalc.importers.torch.aten.rules import apart_from, axis_of, computed, free, joined, layer_axis, rule_for, slot
from convcalc.importers.torch.lowering import Lowering
from convcalc.importers.torch.names import ACTIVATIONS, ANEW, CONSTANTS, FREE, FUNCTIONS, PASSED_ON, REDUCTIONS
from convcalc.importers.torch.recording import Shape, TracedNode
from convcalc.importers.torch.values import Constant, Tensor, Value, Weight


@rule_for(*ACTIVATIONS)
def activation(g: Lowering, node: TracedNode) -> Value:
    value, kind = g.tensor(node), ACTIVATIONS[node.op.removeprefix("special_")]
    if kind == "hardtanh" and (node["min_val"], node["max_val"]) == (0, 6):
        kind = "relu6"
    return Tensor(value.shape, g.add(node, "act", value.handle, type=kind), value.batch)


@rule_for("prelu", "_prelu_kernel", weighted=True)
def prelu(g: Lowering, node: TracedNode) -> Value:
    source, weight = g.tensor(node), g.operand(node, "weight")
    key, count = slot(weight), prod(weight.shape)
    of_channels = count == 1 or source.batch == 0 or len(source.shape) < 2
    slopes = 1 if count == 1 else None if of_channels else [count, *[1] * (len(source.shape) - 2)]
    form = (count,) if slopes in (1, None) else slopes
    if key is None or not g.own([key], (form,)):
        return Tensor(source.shape, g.add(node, "elementwise", source.handle, type="where"), source.batch)
    handle = g.add(node, "act", source.handle, type="prelu", slopes=slopes, weights=(key,))
    return Tensor(source.shape, handle, source.batch)


@rule_for("glu")
def glu(g: Lowering, node: TracedNode) -> Value:
    value = g.tensor(node)
    dim = -1 if node["dim"] is None else node["dim"]
    source = apart_from(g, node, value, dim)
    axis = layer_axis(source, dim)
    first, gate = (g.add(node, "split", source.handle, op="split", into=2, part=part, axis=axis) for part in (0, 1))
    gate = g.add(node, "act", gate, op="sigmoid", type="sigmoid")
    return g.given(node, g.add(node, "mul", first, gate), node.shape, source.batch)


@rule_for(*FUNCTIONS)
def function(g: Lowering, node: TracedNode) -> Value:
    return joined(g, node, "elementwise", g.tensors(node), type=FUNCTIONS[node.op.removeprefix("special_")])


@rule_for("add", "_foreach_add")
def add(g: Lowering, node: TracedNode) -> Value:
    return joined(g, node, "add", g.tensors(node))


@rule_for("addcmul", "addcdiv", "lerp")
def added_product(g: Lowering, node: TracedNode) -> Value:
    """self + tensor1 · tensor2, self + tensor1 / tensor2, self + (end - self) · weight."""
    source = g.value(node["self"])
    if node.op.startswith("lerp"):
        factors = [joined(g, node, "elementwise", [g.value(node["end"]), source], type="sub"), g.value(node["weight"])]
    else:
        factors = [g.value(node["tensor1"]), g.value(node["tensor2"])]
    if not any(isinstance(factor, Tensor | Weight) for factor in factors):
        return joined(g, node, "add", [source])
    is_ratio = node.op.startswith("addcdiv")
    product = joined(g, node, "elementwise", factors, type="div") if is_ratio else joined(g, node, "mul", factors)
    return joined(g, node, "add", [source, product])


@rule_for("mul", "multiply")
def mul(g: Lowering, node: TracedNode) -> Value:
    values = g.tensors(node)
    tensors = [value for value in values if isinstance(value, Tensor)]
    weights = [value for value in values if isinstance(value, Weight)]
    if len(tensors) == len(weights) == 1 and len(values) == 2 and tensors[0].shape == node.shape:
        scaled = _scale(g, node, tensors[0], weights[0])
        if scaled is not None:
            return scaled
    return joined(g, node, "mul", values)


def _scale(g: Lowering, node: TracedNode, value: Tensor, weight: Weight) -> Tensor | None:
    """Add a learned scale, if the weight has a size along one axis at most."""
    key = slot(weight)
    padded = (1,) * (len(value.shape) - len(weight.shape)) + weight.shape
    wide = [axis for axis, size in enumerate(padded) if size != 1]
    if key is None or len(wide) > 1 or not value.shape:
        return None
    axis = layer_axis(value, wide[0]) if wide else 0
    if axis is None or not g.own([key], ((prod(padded),),)):
        return None
    per: dict[str, Any] = {"per": "channel", "axis": axis} if wide else {"per": "scalar"}
    return Tensor(value.shape, g.add(node, "scale", value.handle, weights=(key,), **per), value.batch)


CUMULATED = {"cumsum": "cumsum", "cumprod": "cumprod", "logcumsumexp": "cumsum"}


@rule_for("softmax", "_softmax", "log_softmax", "_log_softmax", "_safe_softmax", *CUMULATED)
def along_an_axis(g: Lowering, node: TracedNode) -> Value:
    source = apart_from(g, node, g.tensor(node), node["dim"])
    axis, kind = layer_axis(source, node["dim"]) if source.shape else 0, CUMULATED.get(node.op.removeprefix("prims."))
    handle = g.add(node, "elementwise" if kind else "softmax", source.handle, type=kind, axis=axis)
    return Tensor(source.shape, handle, source.batch)


@rule_for(*PASSED_ON)
def passed_on(g: Lowering, node: TracedNode) -> Any:
    value = g.value(node["self"]) or g.value(node["input"])
    if value is None or not node.outputs or node.outputs[0] is None:
        return None
    return value if len(node.outputs) == 1 else [value, *[None] * (len(node.outputs) - 1)]


# --- reductions -------------------------------------------------------------------------------------------------------


@rule_for(*REDUCTIONS)
def reduced(g: Lowering, node: TracedNode) -> Any:
    kind = REDUCTIONS[node.op]
    if g.value(node["other"]) is not None:
        return joined(g, node, "elementwise", g.tensors(node), type=kind)
    value = g.tensor(node)
    rank, dim = len(value.shape), node["dim"]
    dims = [dim] if isinstance(dim, int) else list(dim) if dim else list(range(rank))
    axes = {axis_of(axis, rank) for axis in dims}
    batch = value.batch if value.batch not in axes else None
    kept = sorted(each for each in (layer_axis(value, axis) for axis in axes) if each is not None)

    def made(place: int, shape: Shape) -> Tensor | None:
        if place and not g.is_used(node, place):
            return None
        handle = _reduction(g, node, value, kept, kind) if kept else value.handle
        dropped = 0 if batch is None or len(shape) >= rank else sum(axis < batch for axis in axes)
        return g.given(node, handle, shape, batch if batch is None else batch - dropped)

    return node.each_output(made)


def _reduction(g: Lowering, node: TracedNode, value: Tensor, axes: list[int], kind: str) -> int:
    """Add a global average pool, if the mean is over all axes but the first, and else a reduction."""
    rank = len(value.layer_shape)
    if kind == "mean" and value.batch == 0 and rank > 1 and axes == list(range(1, rank)):
        return g.add(node, "avgpool", value.handle, kernel="global")
    if kind in ("argmax", "argmin") and len(axes) not in (1, rank):
        kind = "max"
    return g.add(node, "reduce", value.handle, type=kind, axis=axes, keepdims=True)


@rule_for(*FREE)
def without_products(g: Lowering, node: TracedNode) -> Any:
    """Choosing, sorting, scattering, interpolation, losses: their elements are made without products of the model."""
    values = [value for value in g.tensors(node) if isinstance(value, Tensor)]
    shape = node.outputs[0] if node.outputs else None
    source = next((value for value in values if value.shape == shape), values[0])
    for weight in g.tensors(node):
        if isinstance(weight, Weight):
            g.handle(node, weight)
    return free(g, node, source)


@rule_for(*ANEW, weighted=True)
def made_anew(_: Lowering, node: TracedNode) -> Any:
    """Tensors of a given shape whose elements have nothing to do with what is read."""
    return node.each_output(lambda _, shape: Constant(shape))


@rule_for(*CONSTANTS, weighted=True)
def constants(g: Lowering, node: TracedNode) -> Any:
    return computed(g, node) if not any(isinstance(value, Tensor) for value in g.tensors(node)) else g.unknown(node)
