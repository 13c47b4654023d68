"""Modules that read the text of classes: their weights and multiplies are not known, only what leaves them."""

from __future__ import annotations

from convcalc.arith import Number, total
from convcalc.importers.ultralytics.network import Network


def c2f_attn(
    net: Network, at: str, x: int, c2: int, n: int = 1, ec: int = 128, nh: int = 1, gc: int = 512,
    shortcut: bool = False, g: int = 1, e: float = 0.5,
) -> int:  # fmt: skip
    """Like C2f, with attention to the text."""
    return net.opaque(at, net.module, [x], (c2, *net.shape(x).spatial), params=None)


def image_pooling(net: Network, at: str, maps: list[int], ec: int = 256, ct: int = 512, nh: int = 8, k: int = 3) -> int:
    """The text of every class, changed by what the image shows."""
    return net.opaque(at, net.module, maps, (net.classes, ct), params=None)


def detect(net: Network, at: str, maps: list[int], nc: Number, embed: int = 512, with_bn: bool = False) -> int:
    """Boxes and classes of every place."""
    return net.opaque(at, net.module, maps, (4 + nc, _places(net, maps)), params=None)


def segment(
    net: Network, at: str, maps: list[int], nc: Number, nm: int = 32, npr: int = 256, embed: int = 512,
    with_bn: bool = False,
) -> int:  # fmt: skip
    """Boxes, classes and masks of every place."""
    return net.opaque(at, net.module, maps, (4 + nc + nm, _places(net, maps)), params=None)


def _places(net: Network, maps: list[int]) -> Number:
    return total(net.shape(x)[1] * net.shape(x)[2] for x in maps)
