"""Modules of PyTorch that rows name with ``nn.`` in front: arguments are theirs."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from math import gcd
from typing import Any

from convcalc.importers.ultralytics.network import Kernel, YoloNet

ACTIVATIONS: dict[str, dict[str, Any]] = {name: {"type": name.lower()} for name in (
    "ReLU", "ReLU6", "LeakyReLU", "PReLU", "SiLU", "Mish", "GELU", "Hardswish", "Hardsigmoid", "Sigmoid", "Tanh", "ELU",
    "SELU", "CELU", "Softplus", "Softsign", "Hardtanh", "LogSigmoid", "RReLU",
)} | {"LeakyReLU": {"type": "leaky_relu"}, "PReLU": {"type": "prelu", "slopes": 1}}  # fmt: skip
_CALL = re.compile(r"(?:torch\.)?nn\.(\w+)\([^()]*\)")


def activation(text: str) -> Mapping[str, Any] | None:
    """Return the activation that a text such as ``nn.LeakyReLU(0.1)`` makes, if it is one that takes no width."""
    call = _CALL.fullmatch(text.strip())
    if call is None or (call[1] == "PReLU" and not text.rstrip().endswith("()")):
        return None
    return ACTIVATIONS.get(call[1])


def activation_layer(arguments: Mapping[str, Any]) -> Callable[..., int]:
    """Return what adds an activation as a layer of its own."""

    def build(net: YoloNet, at: str, x: int, inplace: bool = False) -> int:
        return net.add(at, "act", x, **arguments)

    return build


def upsample(
    net: YoloNet, at: str, x: int, size: Kernel | None = None, scale_factor: float | None = None, mode: str = "nearest",
    align_corners: bool | None = None,
) -> int:  # fmt: skip
    mode = {"nearest-exact": "nearest"}.get(mode, mode)
    return net.add(at, "upsample", x, size=size, scale=scale_factor, mode=mode)


def maxpool(
    net: YoloNet, at: str, x: int, kernel_size: Kernel, stride: Kernel | None = None, padding: Kernel = 0,
    dilation: Kernel = 1, return_indices: bool = False, ceil_mode: bool = False,
) -> int:  # fmt: skip
    return net.add(
        at, "maxpool", x, kernel=kernel_size, stride=stride, padding=padding, dilation=dilation, ceil_mode=ceil_mode
    )


def avgpool(
    net: YoloNet, at: str, x: int, kernel_size: Kernel, stride: Kernel | None = None, padding: Kernel = 0,
    ceil_mode: bool = False, count_include_pad: bool = True,
) -> int:  # fmt: skip
    return net.add(at, "avgpool", x, kernel=kernel_size, stride=stride, padding=padding, ceil_mode=ceil_mode)


def adaptive(net: YoloNet, at: str, x: int, output_size: Kernel) -> int:
    if output_size == 1:
        return net.add(at, "avgpool", x, kernel="global")
    return net.add(at, "avgpool", x, out=output_size)


def zero_pad(net: YoloNet, at: str, x: int, padding: int | tuple[int, ...]) -> int:
    """``padding`` is left, right, top and bottom."""
    net.require(isinstance(padding, int) or len(padding) == 4, "it needs [left, right, top, bottom]")
    left, right, top, bottom = (padding,) * 4 if isinstance(padding, int) else padding
    return net.add(at, "pad", x, padding=((top, bottom), (left, right)))


def identity(net: YoloNet, at: str, x: int) -> int:
    return x


def batch_norm(net: YoloNet, at: str, x: int, num_features: int | None = None) -> int:
    return net.add(at, "norm", x, type="batch")


def dropout(net: YoloNet, at: str, x: int, p: float = 0.5, inplace: bool = False) -> int:
    return net.add(at, "dropout", x)


def flatten(net: YoloNet, at: str, x: int) -> int:
    return net.add(at, "flatten", x)


def pixel_shuffle(net: YoloNet, at: str, x: int, upscale_factor: int) -> int:
    return net.add(at, "pixel_shuffle", x, factor=upscale_factor)


def pixel_unshuffle(net: YoloNet, at: str, x: int, downscale_factor: int) -> int:
    return net.add(at, "pixel_unshuffle", x, factor=downscale_factor)


def conv(
    net: YoloNet, at: str, x: int, in_channels: int, out_channels: int, kernel_size: Kernel, stride: Kernel = 1,
    padding: Kernel = 0, dilation: int = 1, groups: int = 1, bias: bool = True,
) -> int:  # fmt: skip
    net.require(net.channels(x) == in_channels, f"it is for {in_channels} channels, not {net.channels(x)}")
    return net.conv2d(at, x, out_channels, kernel_size, stride, p=padding, g=groups, d=dilation, bias=bias)


def deconv(
    net: YoloNet, at: str, x: int, c2: int, kernel_size: Kernel, stride: Kernel = 1, padding: Kernel = 0,
    output_padding: Kernel = 0, groups: int = 1, bias: bool = True, dilation: int = 1,
) -> int:  # fmt: skip
    return net.add(
        at, "deconv", x, out=c2, kernel=kernel_size, stride=stride, padding=padding, output_padding=output_padding,
        groups=groups, bias=bias, dilation=dilation,
    )  # fmt: skip


def depthwise_deconv(net: YoloNet, at: str, x: int, c2: int, k: int = 1, s: int = 1, p1: int = 0, p2: int = 0) -> int:
    """As many groups as divide the channels on both sides."""
    return deconv(net, at, x, c2, k, s, p1, p2, groups=gcd(net.plain_channels(x), c2))


def conv_transpose(
    net: YoloNet, at: str, x: int, c2: int, k: int = 2, s: int = 2, p: int = 0, bn: bool = True, act: bool = True
) -> int:
    y = deconv(net, f"{at}.conv_transpose", x, c2, k, s, p, bias=not bn)
    y = net.add(f"{at}.bn", "norm", y, type="batch") if bn else y
    return net.act(f"{at}.act", y) if act else y
