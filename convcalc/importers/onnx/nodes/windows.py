"""Layers with windows over spatial axes: convolutions, pools and resizing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from convcalc.arith import Number, equal, floordiv, is_plain, require
from convcalc.importers.onnx.call import NodeCall
from convcalc.importers.onnx.values import Sizes, Value, has_batch
from convcalc.shapes import Shape

Pads = tuple[tuple[Number, Number], ...]


def conv(call: NodeCall) -> None:
    """Conv: X, W [out, in/groups, kernel …], B."""
    x, weight, bias = call.require(0), call.require(1), call.input(2)
    groups, (out, depth, *kernel) = call.attribute("group", 1), weight.shape
    _require_kernel(call, kernel)
    text = "its weights {} are not for the {} channels of {} in {} groups"
    fits = equal(depth * groups, x.shape[1])
    require(fits, "CC405", text, Shape(weight.shape), x.shape[1], Shape(x.shape), groups)
    handle, further = call.spatial(x)
    arguments = _window(call, kernel, further)
    is_depthwise = groups > 1 and equal(groups, x.shape[1]) is True and len(kernel) + further <= 3
    kind = {"multiplier": floordiv(out, groups)} if is_depthwise else {"out": out, "groups": groups}
    handle = call.add(
        "dwconv" if is_depthwise else "conv", handle, bias=bias is not None, axes=len(kernel) + further,
        weights={"weight": (weight, Shape(weight.shape)), "bias": (bias, Shape((out,)))}, **kind, **arguments,
    )  # fmt: skip
    call.put_spatial(handle, further, x)


def _require_kernel(call: NodeCall, kernel: Sequence[Number]) -> None:
    stated = call.integers("kernel_shape")
    if stated is not None and tuple(stated) != tuple(kernel):
        raise ValueError(stated)


def _window(call: NodeCall, kernel: Sequence[Number], further: int) -> dict[str, Any]:
    """Return kernel, stride, padding and dilation; a further axis has windows of size 1."""
    axes = len(kernel)
    stride, dilation = (tuple(call.integers(name) or (1,) * axes) for name in ("strides", "dilations"))
    more = (1,) * further
    padding = _padding(call, kernel, stride, dilation)
    pads = padding if isinstance(padding, str) else ((0, 0),) * further + padding
    return {
        "kernel": more + tuple(kernel), "stride": more + stride, "padding": pads, "dilation": more + dilation,
    }  # fmt: skip


def _padding(call: NodeCall, kernel: Sequence[Number], stride: Sizes, dilation: Sizes) -> str | Pads:
    word = call.attribute("auto_pad", "NOTSET")
    if word == "SAME_UPPER":
        return "same"
    if word == "SAME_LOWER":  # the odd cell before
        from convcalc.ops.kinds._window import resolve_padding

        pairs = resolve_padding("same", call.require(0).shape[2:], tuple(kernel), stride, dilation)
        return tuple((after, before) for before, after in pairs)
    if word == "VALID":
        return ((0, 0),) * len(kernel)
    return _pairs(call.integers("pads") or (0,) * (2 * len(kernel)), len(kernel))


def _pairs(pads: Sequence[Number], axes: int) -> Pads:
    return tuple(zip(pads[:axes], pads[axes:], strict=True))


def deconv(call: NodeCall) -> None:
    """ConvTranspose: X, W [in, out/groups, kernel …], B; ``output_shape`` decides the padding."""
    x, weight, bias = call.require(0), call.require(1), call.input(2)
    (_, per_group, *kernel), groups = weight.shape, call.attribute("group", 1)
    _require_kernel(call, kernel)
    out, axes = per_group * groups, len(kernel)
    text = "its weights {} are not for the {} channels of {}"
    require(equal(weight.shape[0], x.shape[1]), "CC405", text, Shape(weight.shape), x.shape[1], Shape(x.shape))
    stride, dilation = (tuple(call.integers(name) or (1,) * axes) for name in ("strides", "dilations"))
    added = tuple(call.integers("output_padding") or (0,) * axes)
    pads, wanted = _transposed_padding(call, x, kernel, stride, dilation, added)
    handle, further = call.spatial(x)
    more = (1,) * further
    handle = call.add(
        "deconv", handle, out=out, kernel=more + tuple(kernel), stride=more + stride, dilation=more + dilation,
        padding=((0, 0),) * further + tuple((max(a, 0), max(b, 0)) for a, b in pads), groups=groups,
        output_padding=(0,) * further + added if wanted is None else 0, bias=bias is not None, axes=axes + further,
        weights={"weight": (weight, Shape(weight.shape)), "bias": (bias, Shape((out,)))},
    )  # fmt: skip
    if wanted is not None and tuple(call.shape(handle)[1 + further :]) != tuple(wanted):
        grown = tuple((0, w - have) for w, have in zip(wanted, call.shape(handle)[1 + further :], strict=True))
        handle = call.beside("pad", handle, padding=((0, 0),) * further + grown)
    call.put_spatial(handle, further, x)


def _transposed_padding(
    call: NodeCall, x: Value, kernel: Sequence[Number], stride: Sizes, dilation: Sizes, added: Sizes
) -> tuple[Pads, Sizes | None]:
    axes, word = len(kernel), call.attribute("auto_pad", "NOTSET")
    wanted = call.integers("output_shape")
    if wanted is not None:
        wanted = tuple(wanted[-axes:])
    elif word.startswith("SAME"):
        wanted = tuple(n * s for n, s in zip(x.shape[2:], stride, strict=True))
    if wanted is None:
        pads = (0,) * (2 * axes) if word == "VALID" else call.integers("pads") or (0,) * (2 * axes)
        return _pairs(pads, axes), None
    found = []
    for n, k, s, d, a, want in zip(x.shape[2:], kernel, stride, dilation, added, wanted, strict=True):
        whole = s * (n - 1) + a + d * (k - 1) + 1 - want
        half = floordiv(whole, 2)
        found.append((half, whole - half - a) if word == "SAME_UPPER" else (whole - half, half - a))
    return tuple(found), wanted


def deform_conv(call: NodeCall) -> None:
    """DeformConv: X, W, offsets, B, mask; products as of a convolution, interpolation is not counted."""
    x, weight, _, bias, *_ = *call.x, None, None
    call.x = [x, weight, bias]
    conv(call)


def pool(call: NodeCall) -> None:
    """MaxPool, AveragePool and LpPool."""
    x = call.require(0)
    kernel = tuple(call.integers("kernel_shape"))
    handle, further = call.spatial(x)
    arguments = _window(call, kernel, further)
    is_max = call.op == "MaxPool"
    if call.op == "AveragePool":
        arguments["count_include_pad"] = bool(call.attribute("count_include_pad", 0))
    handle = call.add(
        "maxpool" if is_max else "avgpool", handle, ceil_mode=bool(call.attribute("ceil_mode", 0)),
        axes=len(kernel) + further, **arguments,
    )  # fmt: skip
    call.put_spatial(handle, further, x)
    call.put(1, call.handle(call.result), call.result.shape)


def global_pool(call: NodeCall) -> None:
    """GlobalMaxPool, GlobalAveragePool and GlobalLpPool."""
    x = call.require(0)
    kind = "maxpool" if call.op == "GlobalMaxPool" else "avgpool"
    handle, further = call.spatial(x)
    kernel = (1, *x.shape[2:]) if further else "global"
    call.put_spatial(call.add(kind, handle, kernel=kernel, axes=len(x.shape) - 2 + further), further, x)


def unpool(call: NodeCall) -> None:
    """MaxUnpool: X, places, and perhaps the output's shape."""
    x, wanted = call.require(0), call.numbers(2)
    kernel = call.integers("kernel_shape")
    stride, pads = call.integers("strides") or (1,) * len(kernel), call.integers("pads") or (0,) * (2 * len(kernel))
    sizes = tuple(
        (n - 1) * s - before - after + k
        for n, s, k, (before, after) in zip(x.shape[2:], stride, kernel, _pairs(pads, len(kernel)), strict=True)
    )
    _resize_to(call, x, tuple(wanted) if wanted is not None else (*x.shape[:2], *sizes), "nearest")


def resize(call: NodeCall) -> None:
    """Resize and Upsample: to sizes, or by scales, of all axes or of those in ``axes``."""
    x = call.require(0)
    rank = len(x.shape)
    axes = [call.axis(axis, rank) for axis in call.integers("axes") or range(rank)]
    sizes = list(x.shape)
    wanted = call.numbers(3) if call.op == "Resize" and call.opset >= 11 else None
    if wanted:
        kept = _kept_ratio(call, [x.shape[axis] for axis in axes], wanted)
        for axis, size in zip(axes, kept, strict=True):
            sizes[axis] = size
    else:
        place = 2 if call.op == "Resize" and call.opset >= 11 else 1
        scales = call.attribute("scales") or call.reals(place) or ()
        for axis, scale in zip(axes, _regions(call, scales, axes), strict=True):
            sizes[axis] = _scaled(sizes[axis], scale)
    _resize_to(call, x, tuple(sizes), call.attribute("mode", "nearest"))


def _regions(call: NodeCall, scales: Sequence[Any], axes: Sequence[int]) -> Sequence[Any]:
    """Return scales, of regions of interest in place of whole axes where these are resized."""
    if call.attribute("coordinate_transformation_mode") != "tf_crop_and_resize" or not (roi := call.reals(1)):
        return scales
    return [s * (stop - start) for s, start, stop in zip(scales, roi[: len(axes)], roi[len(axes) :], strict=True)]


def _kept_ratio(call: NodeCall, sizes: Sequence[Number], wanted: Sequence[Number]) -> Sequence[Number]:
    policy = call.attribute("keep_aspect_ratio_policy", "stretch")
    if policy == "stretch":
        return wanted
    ratios = [Fraction(want, size) for want, size in zip(wanted, sizes, strict=True)]
    scale = min(ratios) if policy == "not_larger" else max(ratios)
    return [math.floor(scale * size + Fraction(1, 2)) for size in sizes]


def _scaled(size: Number, scale: Any) -> Number:
    if is_plain(size) and is_plain(scale):
        return math.floor(float(size * scale))
    if isinstance(scale, float):
        exact = Fraction(str(scale))
        return floordiv(size * exact.numerator, exact.denominator)
    return floordiv(size * scale, 1)


MODES = {"linear": "bilinear", "cubic": "bicubic", "nearest": "nearest"}


def _resize_to(call: NodeCall, x: Value, sizes: Sizes, mode: str) -> None:
    """Resize axes; those of the batch and of channels need an axis before them that takes the channels' place."""
    lead = int(has_batch(x.shape) and equal(sizes[0], 1) is True)
    before, after = x.shape[lead:], sizes[lead:]
    if all(a is b or equal(a, b) is True for a, b in zip(before, after, strict=True)):
        call.put(0, call.handle(x), sizes)
        return
    word = MODES.get(mode, "nearest") if len(after) == 3 else "nearest"
    handle = call.handle(x) if lead == has_batch(x.shape) else call.whole(x)
    if len(after) > 1 and equal(before[0], after[0]) is True:
        call.put(0, call.add("upsample", handle, size=after[1:], mode=word), sizes)
        return
    handle = call.add("upsample", call.view(handle, (1, *before)), size=after, mode="nearest")
    call.put(0, call.view(handle, after), sizes)
