"""Layers with weights, and pools: convolutions, linear layers, norms, embeddings."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from convcalc.importers.torch.aten.rules import along, apart_from, multiplied, rule_for, slot, unbatched
from convcalc.importers.torch.lowering import Lowering
from convcalc.importers.torch.recording import Shape, TracedNode
from convcalc.importers.torch.values import Tensor, Value, without


class Image:
    """A tensor as [channels, spatial …]; where the batch has several, as of windows, they are a first spatial axis."""

    def __init__(self, g: Lowering, node: TracedNode, value: Value, axes: int) -> None:
        self.g, self.node, self.axes, self.rank = g, node, axes, len(value.shape)
        self.is_folded = False
        self.has_batch = self.rank == axes + 2
        if not self.has_batch:
            self.handle = unbatched(g, node, value).handle
        elif isinstance(value, Tensor) and value.batch == 0:
            self.handle = value.handle
        elif value.shape[0] == 1:
            self.handle = g.laid_out(node, value, value.shape[1:])
        else:
            self.is_folded = True
            self.handle = g.permuted(node, g.whole(node, value), [1, 0, *range(2, self.rank)])

    def per_axis(self, numbers: Any, alone: Any = 1) -> Any:
        """Return numbers for each axis, one for all repeated; ``alone`` for the axis of what is folded."""
        each = list(numbers) if isinstance(numbers, list | tuple) else [numbers]
        each = each * self.axes if len(each) == 1 else each
        return [alone, *each] if self.is_folded else each

    def result(self, handle: int, shape: Shape) -> Tensor:
        """Return what a layer gives as a tensor of the model."""
        if self.is_folded:
            return Tensor(shape, self.g.permuted(self.node, handle, [1, 0, *range(2, self.rank)]))
        return self.g.given(self.node, handle, shape, 0 if self.has_batch else None)


@rule_for("conv1d", "conv2d", "conv3d", "convolution", "_convolution", "conv_transpose1d", "conv_transpose2d",
          "conv_transpose3d", weighted=True)  # fmt: skip
def convolution(g: Lowering, node: TracedNode) -> Value:
    value, weight, bias, shape = g.operand(node, "input"), g.operand(node, "weight"), g.value(node["bias"]), node.shape
    axes, transposed = len(weight.shape) - 2, bool(node["transposed"]) or "transpose" in node.op
    pads = value.padding if isinstance(value, Tensor) else ()
    image = Image(g, node, Tensor(value.shape, value.handle, value.batch) if isinstance(value, Tensor) else value, axes)
    groups, kernel = int(node["groups"] or 1), weight.shape[2:]
    outputs = weight.shape[1] * groups if transposed else weight.shape[0]
    key, bias_key = slot(weight), slot(bias)
    has_bias = bias_key is not None and not {key, bias_key} & g.shared
    form = (*weight.shape[:2], *image.per_axis(kernel))
    fits = key is not None and g.own([key, bias_key] if has_bias and bias_key else [key], (form, has_bias))
    cells = prod(value.shape) if transposed else prod(shape)
    if not fits or key is None:
        made = multiplied(g, node, unbatched(g, node, value), shape, cells * prod(weight.shape[1:]))
        return made if bias_key and has_bias else along(g, node, made, bias, -1 - axes)
    arguments: dict[str, Any] = {
        "kernel": image.per_axis(kernel),
        "stride": image.per_axis(node["stride"] or 1),
        "dilation": image.per_axis(node["dilation"] or 1),
        "padding": _padding(image, node["padding"], pads),
        "bias": has_bias,
        "weights": (key, bias_key) if has_bias else (key,),
    }
    channels = value.shape[-1 - axes]
    kind = "deconv" if transposed else "dwconv" if groups == channels > 1 else "conv"
    arguments |= {"multiplier": outputs // channels} if kind == "dwconv" else {"out": outputs, "groups": groups}
    if transposed:
        arguments["output_padding"] = image.per_axis(node["output_padding"] or 0, 0)
    made = image.result(g.add(node, kind, image.handle, **arguments), shape)
    return made if has_bias else along(g, node, made, bias, -1 - axes)


def _padding(image: Image, padding: Any, before: Sequence[tuple[int, int]]) -> Any:
    """Return the padding of a convolution, with that of a pad in front of it."""
    if isinstance(padding, str):
        if not any(map(any, before)) and not image.is_folded:
            return padding
        padding = 0
    each = image.per_axis(0 if padding is None else padding, 0)
    if not before:
        return each
    around = [(0, 0)] * (len(each) - len(before)) + list(before)
    return [[size + first, size + last] for size, (first, last) in zip(each, around, strict=True)]


# --- linear -----------------------------------------------------------------------------------------------------------


@rule_for("linear", weighted=True)
def linear(g: Lowering, node: TracedNode) -> Value:
    return linear_layer(g, node, g.operand(node, "input"), g.operand(node, "weight"), g.value(node["bias"]))


def linear_layer(g: Lowering, node: TracedNode, value: Value, weight: Value, bias: Value | None) -> Tensor:
    """Add a linear layer of a weight [out, in], or a product where this is no parameter."""
    from convcalc.importers.torch.aten.products import product

    key, bias_key, shape = slot(weight), slot(bias), node.shape
    if key is None or len(weight.shape) != 2:
        turned = Tensor(weight.shape[::-1], g.permuted(node, g.whole(node, weight), [*range(len(weight.shape))][::-1]))
        return along(g, node, product(g, node, value, turned, shape), bias)
    outputs, entering = weight.shape
    has_bias = bias_key is not None and bias is not None and bias.shape == (outputs,)
    has_bias = has_bias and not {key, bias_key} & g.shared
    keys = [key, bias_key] if has_bias and bias_key else [key]
    source = apart_from(g, node, value, -1)
    if not g.own(keys, (weight.shape, has_bias)):
        made = multiplied(g, node, source, shape, prod(shape) * entering)
        return made if has_bias else along(g, node, made, bias)
    axis = -1 if len(source.layer_shape) > 2 else None
    handle = g.add(node, "linear", source.handle, out=outputs, bias=has_bias, axis=axis, weights=tuple(keys))
    made = g.given(node, handle, shape, source.batch)
    return made if has_bias else along(g, node, made, bias)


@rule_for("embedding", weighted=True)
def embedding(g: Lowering, node: TracedNode) -> Value:
    weight, indices, shape = g.operand(node, "weight"), g.operand(node, "indices"), node.shape
    key = slot(weight)
    batch = indices.batch if isinstance(indices, Tensor) else None
    handle = g.handle(node, indices) if isinstance(indices, Tensor) else g.constant(node, indices.shape)
    if key is None or not g.own([key], (weight.shape, False)):
        found = g.add(node, "gather", g.whole(node, weight), axis=0, size=without(shape, batch)[:-1] or (1,))
    else:
        vocabulary, dim = weight.shape
        found = g.add(node, "embedding", handle, vocab=vocabulary, dim=dim, weights=(key,))
    return g.given(node, found, shape, batch)


@rule_for("embedding_bag", "_embedding_bag", "_embedding_bag_forward_only", weighted=True)
def embedding_bag(g: Lowering, node: TracedNode) -> Any:
    """A look-up and a sum, over the bags that offsets begin, or whole rows."""
    weight, indices = g.operand(node, "weight"), g.operand(node, "indices")
    rows = TracedNode(node.name, "embedding", node.arguments, ((*indices.shape, weight.shape[1]),), node.path)
    made = g.custom(node, g.handle(node, embedding(g, rows)), node.shape, op="sum")
    return [made, *[None] * (len(node.outputs) - 1)]


# --- norms ------------------------------------------------------------------------------------------------------------


def _norm(
    g: Lowering, node: TracedNode, value: Tensor, names: tuple[str, str] = ("weight", "bias"), **arguments: Any
) -> Any:
    """Add a norm, with the scale and the shift that are parameters."""
    scale, shift = (g.value(node[name]) for name in names)
    keys = [slot(scale), slot(shift)]
    own = [key for key in keys if key is not None]
    apart = len(own) > 1 and any(key in g.shared for key in own)
    sizes = [each.shape for each, key in zip((scale, shift), keys, strict=True) if key and each]
    fits = bool(own) and not apart and g.own(own, tuple(sizes))
    if fits:
        arguments |= {"scale": None if keys[0] else False, "bias": keys[1] is not None, "weights": tuple(own)}
    handle = g.add(node, "norm", value.handle, affine=fits, **arguments)
    made: Tensor = g.given(node, handle, node.shape, value.batch)
    if not fits:
        axis = 1 if arguments["type"] in ("batch", "group", "instance") else -1
        for other, kind in ((scale, "mul"), (shift, "add")):
            if apart or not own:
                made = along(g, node, made, other, axis, kind)
    return made if len(node.outputs) == 1 else [made, *[None] * (len(node.outputs) - 1)]


@rule_for("batch_norm", "cudnn_batch_norm", "_native_batch_norm_legit_no_training", "native_batch_norm",
          "_native_batch_norm_legit", "instance_norm")  # fmt: skip
def batch_norm(g: Lowering, node: TracedNode) -> Any:
    value = apart_from(g, node, g.tensor(node, "input"), 1)
    kept = node["running_mean"] is not None
    channel = None if value.batch == 0 else 1
    kind = "instance" if node.op == "instance_norm" else "batch"
    return _norm(g, node, value, type=kind, channel_axis=channel, track_running_stats=kept)


@rule_for("group_norm", "native_group_norm")
def group_norm(g: Lowering, node: TracedNode) -> Any:
    value = apart_from(g, node, g.tensor(node, "input"), 1)
    groups = node["num_groups"] or node["group"]
    return _norm(g, node, value, type="group", groups=groups, channel_axis=None if value.batch == 0 else 1)


@rule_for("layer_norm", "native_layer_norm", "rms_norm", "_fused_rms_norm")
def layer_norm(g: Lowering, node: TracedNode) -> Any:
    count = len(node["normalized_shape"])
    value = apart_from(g, node, g.tensor(node, "input"), *range(-count, 0))
    axis: Any = -1 if count == 1 else list(range(-count, 0))
    return _norm(g, node, value, type="rms" if "rms" in node.op else "layer", axis=axis)


# --- pools ------------------------------------------------------------------------------------------------------------

POOLS = [f"{kind}_pool{axes}d" for kind in ("max", "avg", "adaptive_avg", "adaptive_max") for axes in (1, 2, 3)]


@rule_for(*POOLS, "_adaptive_avg_pool2d", "_adaptive_avg_pool3d", "max_pool2d_with_indices", "max_pool3d_with_indices",
          "max_pool1d_with_indices")  # fmt: skip
def pool(g: Lowering, node: TracedNode) -> Any:
    axes = int(node.op.partition("_pool")[2][0])
    value, shape = g.operand(node, "self"), node.shape
    image = Image(g, node, value, axes)
    kind = "avgpool" if "avg" in node.op else "maxpool"
    arguments: dict[str, Any] = {}
    if node["output_size"] is not None:
        sizes = list(shape[-axes:])
        if all(size == 1 for size in sizes) and not image.is_folded:
            arguments["kernel"] = "global"
        else:
            arguments["out"] = [*([value.shape[0]] if image.is_folded else []), *sizes]
    else:
        arguments["kernel"] = image.per_axis(node["kernel_size"])
        arguments["stride"] = image.per_axis(node["stride"] or node["kernel_size"])
        arguments["padding"] = image.per_axis(node["padding"] or 0, 0)
        arguments["ceil_mode"] = bool(node["ceil_mode"])
        if kind == "maxpool":
            arguments["dilation"] = image.per_axis(node["dilation"] or 1)
        elif node["count_include_pad"] is False:
            arguments["count_include_pad"] = False
    made = image.result(g.add(node, kind, image.handle, **arguments), shape)
    return made if len(node.outputs) == 1 else [made] * len(node.outputs)
