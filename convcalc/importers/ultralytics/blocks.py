"""Blocks of convolutions: bottlenecks and what splits, repeats and joins them.

Each takes the network, its path, what enters and its arguments as a row writes them, ``c2`` channels leave it, and
returns what leaves it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from convcalc.importers.ultralytics.network import SIGMOID, SILU, Kernel, YoloNet, numbered, scaled

THREE: tuple[Kernel, Kernel] = (3, 3)
Inner = Callable[[str, int, int], int]
"""A block inside another one: from its path, what enters and its number to what leaves it."""


def bottleneck(
    net: YoloNet, at: str, x: int, c2: int, shortcut: bool = True, g: int = 1, k: Any = THREE, e: float = 0.5
) -> int:
    """Two convolutions, ``e·c2`` channels between them, with a shortcut where the channels are equal."""
    first = 1 if net.is_v5 and k is THREE else k[0]
    y = net.conv(f"{at}.cv1", x, scaled(c2, e), first)
    y = net.conv(f"{at}.cv2", y, c2, k[1], g=g)
    return net.residual(at, x, y, shortcut)


def rep_conv(net: YoloNet, at: str, x: int, c2: int, k: int = 3) -> int:
    """The sum of two convolutions with norms, k×k and 1×1, as in training; then the activation."""
    y = net.conv(f"{at}.conv1", x, c2, k, p=1, act=False)
    z = net.conv(f"{at}.conv2", x, c2, 1, p=1 - k // 2, act=False)
    return net.act(f"{at}.act", net.add(f"{at}.add", "add", y, z))


def c1(net: YoloNet, at: str, x: int, c2: int, n: int = 1) -> int:
    y = z = net.conv(f"{at}.cv1", x, c2)
    for inner in numbered(f"{at}.m", n):
        z = net.conv(inner, z, c2, 3)
    return net.add(f"{at}.add", "add", z, y)


def c2(net: YoloNet, at: str, x: int, c2: int, n: int = 1, shortcut: bool = True, g: int = 1, e: float = 0.5) -> int:
    c = scaled(c2, e)
    a, b = net.halves(at, net.conv(f"{at}.cv1", x, 2 * c))
    for inner in numbered(f"{at}.m", n):
        a = bottleneck(net, inner, a, c, shortcut, g, (3, 3), 1.0)
    return net.conv(f"{at}.cv2", net.concat(at, a, b), c2)


def c2f_of(net: YoloNet, at: str, x: int, c2: int, n: int, e: float, inner: Inner, last: Inner | None = None) -> int:
    """A block whose inner blocks, and a ``last`` one, each read the one before and are all joined at the end."""
    c = scaled(c2, e)
    parts = [*net.halves(at, net.conv(f"{at}.cv1", x, 2 * c))]
    for path in numbered(f"{at}.m", n):
        parts.append(inner(path, parts[-1], c))
    if last is not None:
        parts.append(last(f"{at}.attn", parts[-1], c))
    return net.conv(f"{at}.cv2", net.concat(at, *parts), c2)


def c2f(net: YoloNet, at: str, x: int, c2: int, n: int = 1, shortcut: bool = False, g: int = 1, e: float = 0.5) -> int:
    return c2f_of(net, at, x, c2, n, e, lambda path, y, c: bottleneck(net, path, y, c, shortcut, g, (3, 3), 1.0))


def c3_of(net: YoloNet, at: str, x: int, c2: int, e: float, inner: Inner) -> int:
    """Two 1×1 convolutions, inner blocks behind the first, and a third one over both."""
    c = scaled(c2, e)
    y = inner(f"{at}.m", net.conv(f"{at}.cv1", x, c), c)
    z = net.conv(f"{at}.cv2", x, c)
    return net.conv(f"{at}.cv3", net.concat(at, y, z), c2)


def bottlenecks(net: YoloNet, n: int, shortcut: bool, g: int, k: Any) -> Inner:
    """Bottlenecks in a row that keep the channels."""

    def build(at: str, x: int, c: int) -> int:
        for path in numbered(at, n):
            x = bottleneck(net, path, x, c, shortcut, g, k, 1.0)
        return x

    return build


def c3_with(k: Any) -> Callable[..., int]:
    """Return C3, or one of its kin that differ in the kernels of their bottlenecks."""

    def build(
        net: YoloNet, at: str, x: int, c2: int, n: int = 1, shortcut: bool = True, g: int = 1, e: float = 0.5
    ) -> int:
        return c3_of(net, at, x, c2, e, bottlenecks(net, n, shortcut, g, k))

    return build


c3, c3x, c3k = c3_with((1, 3)), c3_with(((1, 3), (3, 1))), c3_with((3, 3))


def bottleneck_csp(
    net: YoloNet, at: str, x: int, c2: int, n: int = 1, shortcut: bool = True, g: int = 1, e: float = 0.5
) -> int:
    c = scaled(c2, e)
    y = bottlenecks(net, n, shortcut, g, THREE)(f"{at}.m", net.conv(f"{at}.cv1", x, c), c)
    y = net.conv2d(f"{at}.cv3", y, c, bias=False)
    z = net.conv2d(f"{at}.cv2", x, c, bias=False)
    joined = net.add(f"{at}.bn", "norm", net.concat(at, y, z), type="batch")
    return net.conv(f"{at}.cv4", net.act(f"{at}.act", joined, SILU), c2)


def ghost_conv(net: YoloNet, at: str, x: int, c2: int, k: int = 1, s: int = 1, g: int = 1, act: bool = True) -> int:
    """Half of the channels by a convolution, the other half by a depthwise one from these."""
    net.require(c2 % 2 == 0, f"{c2} channels have no halves")
    y = net.conv(f"{at}.cv1", x, c2 // 2, k, s, g=g, act=act)
    return net.concat(at, y, net.depthwise(f"{at}.cv2", y, 5, act=act))


def ghost_bottleneck(net: YoloNet, at: str, x: int, c2: int, k: int = 3, s: int = 1) -> int:
    y = ghost_conv(net, f"{at}.conv.0", x, c2 // 2)
    if s == 2:
        y = net.dwconv(f"{at}.conv.1", y, c2 // 2, k, s, act=False)
    y = ghost_conv(net, f"{at}.conv.2", y, c2, act=False)
    if s == 2:
        x = net.dwconv(f"{at}.shortcut.0", x, net.plain_channels(x), k, s, act=False)
        x = net.conv(f"{at}.shortcut.1", x, c2, act=False)
    return net.add(f"{at}.add", "add", y, x)


def c3_ghost(
    net: YoloNet, at: str, x: int, c2: int, n: int = 1, shortcut: bool = True, g: int = 1, e: float = 0.5
) -> int:
    def inner(path: str, y: int, c: int) -> int:
        net.require_groups(g, c)
        for each in numbered(path, n):
            y = ghost_bottleneck(net, each, y, c)
        return y

    return c3_of(net, at, x, c2, e, inner)


def _elan(net: YoloNet, at: str, x: int, c2: int, c3: int, inner: Callable[[str, int], int]) -> int:
    """Two inner blocks in a row behind the second half, all joined."""
    parts = [*net.halves(at, net.conv(f"{at}.cv1", x, c3))]
    for name in ("cv2", "cv3"):
        parts.append(inner(f"{at}.{name}", parts[-1]))
    return net.conv(f"{at}.cv4", net.concat(at, *parts), c2)


def rep_csp_elan(net: YoloNet, at: str, x: int, c2: int, c3: int, c4: int, n: int = 1) -> int:
    """RepNCSPELAN4."""

    def rep_bottlenecks(at: str, x: int, c: int) -> int:
        for path in numbered(at, n):
            x = net.residual(path, x, net.conv(f"{path}.cv2", rep_conv(net, f"{path}.cv1", x, c), c, 3))
        return x

    def inner(path: str, y: int) -> int:
        return net.conv(f"{path}.1", c3_of(net, f"{path}.0", y, c4, 0.5, rep_bottlenecks), c4, 3)

    return _elan(net, at, x, c2, c3, inner)


def elan1(net: YoloNet, at: str, x: int, c2: int, c3: int, c4: int) -> int:
    return _elan(net, at, x, c2, c3, lambda path, y: net.conv(path, y, c4, 3))


def rep_c3(net: YoloNet, at: str, x: int, c2: int, n: int = 3, e: float = 1.0) -> int:
    c = scaled(c2, e)
    y = net.conv(f"{at}.cv1", x, c)
    for inner in numbered(f"{at}.m", n):
        y = rep_conv(net, inner, y, c)
    y = net.add(f"{at}.add", "add", y, net.conv(f"{at}.cv2", x, c))
    return y if c == c2 else net.conv(f"{at}.cv3", y, c2)


def cib(net: YoloNet, at: str, x: int, c2: int, shortcut: bool, large: bool) -> int:
    """Depthwise and 1×1 convolutions in turns; the middle one 7×7 beside 3×3 where it is large."""
    y = net.conv(f"{at}.cv1.1", net.depthwise(f"{at}.cv1.0", x, 3), 2 * c2)
    middle = f"{at}.cv1.2"
    if large:
        sides = [net.depthwise(f"{middle}.{name}", y, k, act=False) for name, k in (("conv", 7), ("conv1", 3))]
        y = net.act(f"{middle}.act", net.add(f"{middle}.add", "add", *sides), SILU)
    else:
        y = net.depthwise(middle, y, 3)
    return net.residual(at, x, net.depthwise(f"{at}.cv1.4", net.conv(f"{at}.cv1.3", y, c2), 3), shortcut)


def c2f_cib(
    net: YoloNet, at: str, x: int, c2: int, n: int = 1, shortcut: bool = False, lk: bool = False, g: int = 1,
    e: float = 0.5,
) -> int:  # fmt: skip
    net.require_groups(g, scaled(c2, e))
    return c2f_of(net, at, x, c2, n, e, lambda path, y, c: cib(net, path, y, c, shortcut, lk))


def channel_attention(net: YoloNet, at: str, x: int, channels: int) -> int:
    """A gate for every channel, of the means of all."""
    net.require(net.channels(x) == channels, f"it is made for {channels} channels and reads {net.channels(x)}")
    gate = net.conv2d(f"{at}.fc", net.add(f"{at}.pool", "avgpool", x, kernel="global"), channels)
    return net.add(f"{at}.mul", "mul", x, net.act(f"{at}.act", gate, SIGMOID))


def spatial_attention(net: YoloNet, at: str, x: int, kernel_size: int = 7) -> int:
    """A gate for every position, of the mean and the largest of its channels."""
    net.require(kernel_size in (3, 7), "the kernel is 3 or 7")
    maps = [net.add(f"{at}.{name}", "reduce", x, type=name, axis=0, keepdims=True) for name in ("mean", "max")]
    gate = net.conv2d(f"{at}.cv1", net.concat(at, *maps), 1, kernel_size, bias=False)
    return net.add(f"{at}.mul", "mul", x, net.act(f"{at}.act", gate, SIGMOID))


def cbam(net: YoloNet, at: str, x: int, channels: int, kernel_size: int = 7) -> int:
    """Both attentions, one after the other (arXiv:1807.06521)."""
    y = channel_attention(net, f"{at}.channel_attention", x, channels)
    return spatial_attention(net, f"{at}.spatial_attention", y, kernel_size)
