"""Moving elements: pads, look-ups, windows, resizing."""

from __future__ import annotations

from math import prod
from typing import Any

from convcalc.importers.torch.aten.layers import Image
from convcalc.importers.torch.aten.rules import apart_from, axis_of, layer_axis, multiplied, rule_for, slot, unbatched
from convcalc.importers.torch.lowering import Lowering
from convcalc.importers.torch.recording import TracedNode
from convcalc.importers.torch.values import Tensor, Value

CONVOLUTIONS = ("conv1d", "conv2d", "conv3d", "convolution")


@rule_for("pad", "constant_pad_nd", *(f"{kind}_pad{n}d" for kind in ("reflection", "replication") for n in (1, 2, 3)))
def pad(g: Lowering, node: TracedNode) -> Value:
    value, shape = g.tensor(node), node.shape
    numbers = node["pad"] if node["pad"] is not None else node["padding"]
    pairs = [(numbers[place], numbers[place + 1]) for place in range(0, len(numbers), 2)][::-1]
    while pairs and pairs[0] == (0, 0):
        pairs.pop(0)
    if not any(map(any, pairs)):
        return value
    if _is_of_convolution(g, node, value, pairs):
        return Tensor(shape, value.handle, value.batch, tuple(pairs))
    rank = len(value.shape)
    dims = [rank - len(pairs) + place for place, pair in enumerate(pairs) if any(pair)]
    source = apart_from(g, node, value, *dims)
    axes = [layer_axis(source, dim) for dim in dims]
    handle = g.add(node, "pad", source.handle, padding=[list(pair) for pair in pairs if any(pair)], axis=axes)
    return Tensor(shape, handle, source.batch)


def _is_of_convolution(g: Lowering, node: TracedNode, value: Tensor, pairs: list[tuple[int, int]]) -> bool:
    """Whether zeros are added for one convolution alone, which can add them itself."""
    users = g.users.get(node.name, [])
    mode, fill = node["mode"] or "constant", node["value"]
    if mode != "constant" or fill or node.op not in ("pad", "constant_pad_nd") or min(map(min, pairs)) < 0:
        return False
    if len(users) != 1 or users[0].op not in CONVOLUTIONS or users[0]["transposed"]:
        return False
    weight = g.value(users[0]["weight"])
    axes = len(weight.shape) - 2 if weight is not None else 0
    return slot(weight) is not None and value.batch == 0 and len(value.shape) == axes + 2 and len(pairs) <= axes


# --- look-ups ---------------------------------------------------------------------------------------------------------


@rule_for("index", "_unsafe_index")
def index(g: Lowering, node: TracedNode) -> Value:
    value, shape = g.operand(node, "self"), node.shape
    places = [g.value(each) for each in node["indices"]]
    dims = [dim for dim, each in enumerate(places) if each is not None]
    source = apart_from(g, node, value, *dims)
    if not isinstance(value, Tensor) and all(not isinstance(each, Tensor) for each in places):
        return value
    axes = [axis for axis in (layer_axis(source, dim) for dim in dims) if axis is not None]
    sizes = [each.shape for each in places if each is not None]
    rank = max(map(len, sizes))
    joint = tuple(max(size[place - rank] if place - rank >= -len(size) else 1 for size in sizes)
                  for place in range(rank))  # fmt: skip
    handle = g.add(node, "gather", source.handle, axis=axes if len(axes) > 1 else axes[0], size=joint or (1,))
    batch = source.batch if source.batch is not None and dims[0] > source.batch else None
    return g.given(node, handle, shape, batch)


@rule_for("index_select", "gather", "take_along_dim", "take", "masked_select")
def gathered(g: Lowering, node: TracedNode) -> Value:
    value, shape = g.operand(node, "self"), node.shape
    if node.op in ("take", "masked_select") or not isinstance(value, Tensor):
        return g.custom(node, g.whole(node, value), shape)
    dim = axis_of(node["dim"] or 0, len(value.shape))
    source = apart_from(g, node, value, dim)
    others = [own == new for axis, (own, new) in enumerate(zip(value.shape, shape, strict=False)) if axis != dim]
    if len(shape) != len(value.shape) or not all(others):
        return g.custom(node, g.whole(node, value), shape)
    handle = g.add(node, "gather", source.handle, axis=layer_axis(source, dim), size=shape[dim])
    return Tensor(shape, handle, source.batch)


@rule_for("roll", "flip", "fliplr", "flipud")
def rolled(g: Lowering, node: TracedNode) -> Value:
    value = g.tensor(node)
    if node.op != "roll" or not node["dims"]:
        return Tensor(value.shape, g.add(node, "custom", value.handle), value.batch)
    dims = [node["dims"]] if isinstance(node["dims"], int) else node["dims"]
    source = apart_from(g, node, value, *dims)
    shifts = [node["shifts"]] if isinstance(node["shifts"], int) else node["shifts"]
    axes = [layer_axis(source, dim) for dim in dims]
    return Tensor(source.shape, g.add(node, "roll", source.handle, shift=shifts, axis=axes), source.batch)


# --- windows and sizes ------------------------------------------------------------------------------------------------


@rule_for("im2col", "col2im")
def windows(g: Lowering, node: TracedNode) -> Value:
    value, shape = g.tensor(node), node.shape
    kind, axes, out = ("unfold", 2, None) if node.op == "im2col" else ("fold", 1, list(node["output_size"]))
    if value.batch != 0 and value.shape[0] != 1 and len(value.shape) == axes + 2:
        return g.custom(node, g.whole(node, value), shape)
    image = Image(g, node, value, axes)
    given: dict[str, Any] = {key: list(node[key]) for key in ("stride", "padding", "dilation")}
    return image.result(g.add(node, kind, image.handle, kernel=list(node["kernel_size"]), out=out, **given), shape)


RESIZED = {
    **{f"{prefix}upsample_{mode}{axes}d": (mode, axes)
       for prefix in ("", "_") for mode in ("nearest", "nearest_exact", "bilinear", "bicubic", "trilinear", "linear")
       for axes in (1, 2, 3)},
    **{f"_upsample_nearest_exact{axes}d": ("nearest", axes) for axes in (1, 2, 3)},
    **{f"_upsample_{mode}2d_aa": (mode, 2) for mode in ("bilinear", "bicubic")},
}  # fmt: skip


@rule_for(*RESIZED)
def upsampled(g: Lowering, node: TracedNode) -> Value:
    mode, axes = RESIZED[node.op]
    value, shape = g.tensor(node), node.shape
    if shape == value.shape:
        return value
    image = Image(g, node, value, axes)
    sizes = image.per_axis(list(shape[-axes:]), shape[0])
    return image.result(g.add(node, "upsample", image.handle, size=sizes, mode=mode.partition("_")[0]), shape)


@rule_for("pixel_shuffle", "pixel_unshuffle")
def pixel_shuffled(g: Lowering, node: TracedNode) -> Value:
    value, shape = g.tensor(node), node.shape
    factor = node["upscale_factor"] or node["downscale_factor"]
    if len(value.shape) == 4 and value.batch != 0 and value.shape[0] != 1:
        return g.custom(node, g.whole(node, value), shape)
    image = Image(g, node, value, 2)
    return image.result(g.add(node, node.op, image.handle, factor=factor), shape)


@rule_for("channel_shuffle", "native_channel_shuffle")
def channel_shuffled(g: Lowering, node: TracedNode) -> Value:
    value = g.tensor(node)
    if value.batch != 0:
        return Tensor(value.shape, g.add(node, "custom", value.handle), value.batch)
    return Tensor(value.shape, g.add(node, "shuffle", value.handle, groups=node["groups"]), 0)


@rule_for("torchvision.deform_conv2d", weighted=True)
def deformed(g: Lowering, node: TracedNode) -> Value:
    value, weight = unbatched(g, node, g.operand(node, "input")), g.operand(node, "weight")
    return multiplied(g, node, value, node.shape, prod(node.shape) * prod(weight.shape[1:]))
