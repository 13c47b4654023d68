"""Layers with windows over spatial axes: convolutions, pools, padding, cropping, resizing.

Under ``lead`` leading axes the window reaches over one cell of each, so that a layer of two axes becomes one of three
with the same weights and products.
"""

from __future__ import annotations

from typing import Any

from convcalc.errors import SpecError
from convcalc.importers.keras.call import LayerCall, LayerTensor, Output
from convcalc.importers.keras.kinds.activations import activated
from convcalc.importers.keras.kinds.layers import reduced
from convcalc.importers.keras.settings import bad, pairs

MODES = ("nearest", "bilinear", "bicubic", "area")


def _axes(call: LayerCall, x: LayerTensor) -> int:
    """Return how many spatial axes the layer itself has."""
    axes = len(x.order) - call.lead - 1
    named = next((int(letter) for letter in call.class_name if letter in "123"), axes)
    if axes != named or axes < 1:
        raise SpecError("CC401", f"{call.class_name} on an input of {len(x.order)} axes without the batch")
    return axes


def _led(call: LayerCall, values: tuple[Any, ...], neutral: Any) -> tuple[Any, ...]:
    return (neutral,) * call.lead + tuple(values)


def _windowed(call: LayerCall) -> tuple[LayerTensor, dict[str, Any]]:
    """Return what enters, and kernel, stride, dilation and padding."""
    x, config = call.spatial(call.tensor), call.config
    axes = _axes(call, x)
    kernel = config.sizes("kernel_size", axes)
    dilation = config.sizes("dilation_rate", axes, (1,) * axes)
    words = {"kernel": _led(call, kernel, 1), "stride": _led(call, config.sizes("strides", axes, (1,) * axes), 1)}
    padding: Any = config.text("padding", "valid").lower()
    if padding == "causal":
        causal = tuple((step * (size - 1), 0) for size, step in zip(kernel, dilation, strict=True))
        padding = _led(call, causal, (0, 0))
    elif padding not in ("valid", "same"):
        raise bad(f"padding is neither valid, same nor causal: {padding!r}")
    return x, words | {"dilation": _led(call, dilation, 1), "padding": padding}


def conv(call: LayerCall) -> Output:
    (x, window), config = _windowed(call), call.config
    groups, bias = config.positive("groups", 1), config.flag("use_bias", True)
    return activated(call, call.add("conv", x, out=config.positive("filters"), groups=groups, bias=bias, **window))


def depthwise_conv(call: LayerCall) -> Output:
    (x, window), config = _windowed(call), call.config
    multiplier = config.positive("depth_multiplier", 1)
    return activated(call, call.add("dwconv", x, multiplier=multiplier, bias=config.flag("use_bias", True), **window))


def separable_conv(call: LayerCall) -> Output:
    (x, window), config = _windowed(call), call.config
    multiplier = config.positive("depth_multiplier", 1)
    x = call.add("dwconv", x, name="depthwise", multiplier=multiplier, bias=False, **window)
    out, bias = config.positive("filters"), config.flag("use_bias", True)
    return activated(call, call.add("conv", x, name="pointwise", out=out, kernel=1, bias=bias))


def transposed_conv(call: LayerCall) -> Output:
    """n·s for ``same``; n·s + max(e − s, 0) for ``valid``; another size with ``output_padding``."""
    (x, window), config = _windowed(call), call.config
    added = config.sizes("output_padding", _axes(call, x), None)
    reach = [step * (size - 1) + 1 for size, step in zip(window["kernel"], window["dilation"], strict=True)]
    if added is not None:
        window["output_padding"] = _led(call, added, 0)
        if window["padding"] == "same":
            window["padding"] = [[size // 2, size // 2] for size in reach]
    elif window["padding"] == "valid":
        spare = zip(window["stride"], reach, strict=True)
        window["output_padding"] = tuple(max(stride - size, 0) for stride, size in spare)
    bias, groups = config.flag("use_bias", True), config.positive("groups", 1)
    return activated(call, call.add("deconv", x, out=config.positive("filters"), groups=groups, bias=bias, **window))


# --- pools ------------------------------------------------------------------------------------------------------------


def pool(call: LayerCall) -> Output:
    x = call.spatial(call.tensor)
    axes, config = _axes(call, x), call.config
    size = config.sizes("pool_size", axes, (2,) * axes)
    stride = config.sizes("strides", axes, size)
    padding = config.text("padding", "valid").lower()
    kind = "maxpool" if "Max" in call.class_name else "avgpool"
    counted = False if kind == "avgpool" and padding == "same" else None
    kernel, stride = _led(call, size, 1), _led(call, stride, 1)
    return call.add(kind, x, kernel=kernel, stride=stride, padding=padding, count_include_pad=counted)


def adaptive_pool(call: LayerCall) -> Output:
    x = call.spatial(call.tensor)
    size = call.config.sizes("output_size", _axes(call, x))
    kind = "maxpool" if "Max" in call.class_name else "avgpool"
    return call.add(kind, x, out=(*call.net.builder.shape(x.handle)[1 : 1 + call.lead], *size))


def global_pool(call: LayerCall) -> Output:
    """One cell of every channel: a pool of what has its channels first, else a reduction over the places."""
    x, keeps = call.tensor, call.config.flag("keepdims", False)
    largest = "Max" in call.class_name
    _axes(call, x)
    rank = len(x.order)
    order = call.spatial_order(rank)
    if x.order == order and not call.lead:
        x = call.add("maxpool" if largest else "avgpool", x, kernel="global")
        return x if keeps else call.add("flatten", x, name="flatten", order=(0,))
    places = [place for place in range(call.lead, rank) if place != order.index(0)]
    return reduced(call, x, "max" if largest else "mean", places, keeps)


# --- padding, cropping, resizing --------------------------------------------------------------------------------------


def zero_padding(call: LayerCall) -> Output:
    return _padded(call, "padding", 1, 1)


def cropping(call: LayerCall) -> Output:
    return _padded(call, "cropping", 0, -1)


def _padded(call: LayerCall, key: str, default: int, sign: int) -> LayerTensor:
    x = call.spatial(call.tensor)
    cells = pairs(key, call.config.get(key, default), _axes(call, x))
    if any(cell < 0 for pair in cells for cell in pair):
        raise bad("padding and cropping are not negative")
    return call.add("pad", x, padding=_led(call, tuple((sign * first, sign * last) for first, last in cells), (0, 0)))


def upsampling(call: LayerCall) -> Output:
    x = call.spatial(call.tensor)
    axes = _axes(call, x)
    scale = call.config.sizes("size", axes, (2,) * axes)
    mode = call.config.text("interpolation", "nearest") if axes == 2 and not call.lead else "nearest"
    return call.add("upsample", x, scale=_led(call, scale, 1), mode=mode if mode in MODES else "bicubic")


def resizing(call: LayerCall) -> Output:
    """An image of another size, however it is cropped or padded on the way."""
    config = call.config
    size = config.sizes("size", 2, None) or (config.positive("height"), config.positive("width"))
    x = call.spatial(call.tensor)
    leading = call.net.builder.shape(x.handle)[1:-2]
    return call.add("upsample", x, size=(*leading, *size))


def space_to_depth(call: LayerCall) -> Output:
    deep = call.class_name == "SpaceToDepth"
    x = call.spatial(call.tensor)
    return call.add("pixel_unshuffle" if deep else "pixel_shuffle", x, factor=call.config.positive("block_size"))
