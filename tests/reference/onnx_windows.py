"""Nodes of ONNX whose window, norm or resizing keeps a batch apart, in the words of the spec language."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from onnx_node import Node, Said, Shape, UnsaidError, count, sample, whole
from to_spec import item

# --- windows ----------------------------------------------------------------------------------------------------------


def padding(node: Node, kernel: Shape, entering: Shape) -> Any:
    """Torch's pairs, or a word; SAME_LOWER puts the odd cell first, which only pairs can say."""
    word, axes = node.get("auto_pad", "NOTSET"), len(kernel)
    if word == "SAME_UPPER":
        return "same"
    if word == "SAME_LOWER":
        steps = zip(entering, kernel, node.get("strides", [1] * axes), node.get("dilations", [1] * axes), strict=True)
        spare = [max((-(-n // s) - 1) * s + d * (k - 1) + 1 - n, 0) for n, k, s, d in steps]
        return [[all_ - all_ // 2, all_ // 2] for all_ in spare]
    if word == "VALID" or "pads" not in node.attributes:
        return None
    pads = list(node.get("pads"))
    return [[pads[axis], pads[axis + axes]] for axis in range(axes)]


def conv(node: Node, weight: int = 1, bias: int = 2) -> Said:
    kernel, entering = node.shape(weight)[2:], node.shape()
    said = {"kernel": kernel, "stride": node.get("strides"), "padding": padding(node, kernel, entering[2:])}
    said |= {"dilation": node.get("dilations"), "groups": node.get("group"), "bias": node.input(bias) is not None}
    params = count(node.inputs[weight], node.input(bias))
    return sample(node, item("conv", out=node.shape(weight)[0], **said), params)


def conv_integer(node: Node) -> Said:
    return conv(node, bias=99)


def quantized_conv(node: Node) -> Said:
    return conv(node, weight=3, bias=8)


def halves(whole_: int, upper: bool) -> list[int]:
    """Two halves, of which the larger one is behind or, of an uneven number, before."""
    return [whole_ // 2, whole_ - whole_ // 2] if upper else [whole_ - whole_ // 2, whole_ // 2]


def conv_transpose(node: Node) -> Said:
    kernel, entering, axes = node.shape(1)[2:], node.shape()[2:], len(node.shape()) - 2
    groups, added = node.get("group", 1), node.get("output_padding", [0] * axes)
    stride, dilation = node.get("strides", [1] * axes), node.get("dilations", [1] * axes)
    cut = padding(node, kernel, entering)
    if "output_shape" in node.attributes:
        aims = node.get("output_shape")[-axes:]
        sides = zip(entering, kernel, stride, dilation, added, aims, strict=True)
        spare = [(n - 1) * s + d * (k - 1) + 1 + more - aim for n, k, s, d, more, aim in sides]
        upper = node.get("auto_pad", "NOTSET") == "SAME_UPPER"
        cut = [halves(max(all_, 0), upper) for all_ in spare]
        added = [more + max(-all_, 0) for more, all_ in zip(added, spare, strict=True)]
    if cut == "same" and any(k < s for k, s in zip(kernel, stride, strict=True)):
        raise UnsaidError("a transposed convolution that adds to its output")
    said = {"kernel": kernel, "stride": stride, "padding": cut, "dilation": dilation, "output_padding": added}
    said |= {"groups": groups, "bias": node.input(2) is not None}
    params = count(node.inputs[1], node.input(2))
    return sample(node, item("deconv", out=node.shape(1)[1] * groups, **said), params)


def pool(kind: str) -> Callable[[Node], Said]:
    def written(node: Node) -> Said:
        kernel, entering = node.get("kernel_shape"), node.shape()
        said = {"kernel": kernel, "stride": node.get("strides", [1] * len(kernel))}
        said |= {"padding": padding(node, kernel, entering[2:]), "ceil_mode": bool(node.get("ceil_mode", 0))}
        return sample(node, item(kind, **said, dilation=node.get("dilations")))

    return written


def global_pool(kind: str) -> Callable[[Node], Said]:
    return lambda node: sample(node, f"{{{kind}: global}}")


# --- norms ------------------------------------------------------------------------------------------------------------


def norm(type_: str, **options: Any) -> Callable[[Node], Said]:
    def written(node: Node) -> Said:
        said = {"groups": node.get("num_groups"), **options}
        return sample(node, item("norm", type=type_, **said), count(*node.inputs[1:3]))

    return written


def over_axes(type_: str) -> Callable[[Node], Said]:
    def written(node: Node) -> Said:
        shape = node.shape()
        axes = list(range(node.get("axis", -1) % len(shape), len(shape)))
        row = whole(node, item("norm", type=type_, axis=axes))
        if type_ == "layer" and node.input(2) is None:
            raise UnsaidError("a layer norm with a scale and no shift")
        row.params = count(*node.inputs[1:3])
        return row

    return written


# --- resizing ---------------------------------------------------------------------------------------------------------

MODES = {"nearest": {1: "nearest", 2: "nearest", 3: "nearest"}, "linear": {1: "linear", 2: "bilinear", 3: "trilinear"},
         "cubic": {2: "bicubic"}}  # fmt: skip


def resize(node: Node, scales_at: int = 2, sizes_at: int = 3) -> Said:
    shape = node.shape()
    axes = [axis % len(shape) for axis in node.get("axes", range(len(shape)))]
    if node.get("coordinate_transformation_mode", "half_pixel") == "tf_crop_and_resize":
        raise UnsaidError("a resizing of a part")
    if node.get("keep_aspect_ratio_policy", "stretch") != "stretch":
        raise UnsaidError("a resizing that keeps the ratio of its sides")
    spatial = range(2, len(shape))
    mode = MODES[node.get("mode", "nearest")].get(len(spatial))
    sizes, scales = node.numbers(sizes_at), node.input(scales_at)
    if sizes:
        aims = dict(enumerate(shape)) | dict(zip(axes, sizes, strict=True))
        if [aims[0], aims[1]] != shape[:2]:
            raise UnsaidError("a resizing of the batch or of channels")
        return sample(node, item("upsample", size=[aims[axis] for axis in spatial], mode=mode))
    factors = dict.fromkeys(range(len(shape)), "1") | dict(zip(axes, map(str, scales), strict=True))
    if {float(factors[0]), float(factors[1])} != {1.0}:
        raise UnsaidError("a resizing of the batch or of channels")
    return sample(node, item("upsample", scale=[factors[axis] for axis in spatial], mode=mode))


def upsample(node: Node) -> Said:
    return resize(node, scales_at=1, sizes_at=99)
