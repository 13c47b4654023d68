"""Modules that read the text of classes.

Source: Cheng et al. 2024, YOLO-World: Real-Time Open-Vocabulary Object Detection; Wang et al. 2025, YOLOE: Real-Time
Seeing Anything.
"""

from __future__ import annotations

from collections.abc import Callable

from convcalc.arith import Number
from convcalc.importers.ultralytics import heads
from convcalc.importers.ultralytics.blocks import bottleneck, c2f_of
from convcalc.importers.ultralytics.heads import Maps
from convcalc.importers.ultralytics.network import SIGMOID, YoloNet, conv_params


def words(net: YoloNet, x: int, width: int) -> int:
    """The vectors of all classes, which come from a model of text: [classes, width]."""
    if net.words < 0:
        net.words = net.text = net.add("text", "custom", x, out=(net.classes, width))
    return net.text


def c2f_attn(
    net: YoloNet, at: str, x: int, c2: int, n: int = 1, ec: int = 128, nh: int = 1, gc: int = 512,
    shortcut: bool = False, g: int = 1, e: float = 0.5,
) -> int:  # fmt: skip
    """Like C2f, with a last part that the most similar class of each place weights."""

    def inner(path: str, y: int, c: int) -> int:
        return bottleneck(net, path, y, c, shortcut, g, (3, 3), 1.0)

    return c2f_of(net, at, x, c2, n, e, inner, lambda path, y, _: _weighted(net, path, y, words(net, x, gc), nh))


def _weighted(net: YoloNet, at: str, x: int, text: int, heads: int) -> int:
    """Similarity of places and classes in each head, its maximum as a gate."""
    c, height, width = net.shape(x)
    net.require(heads > 0 and c % heads == 0, f"{heads} heads do not divide {c} channels")
    guide = net.add(f"{at}.gl", "linear", text, out=c)
    guide = net.add(f"{at}.reshape", "reshape", guide, shape=(net.classes, heads, c // heads))
    split = net.add(f"{at}.reshape", "reshape", x, shape=(heads, c // heads, height, width))
    scores = net.add(f"{at}.einsum", "einsum", split, guide, equation="mchw,nmc->mhwn")
    gate = net.add(f"{at}.max", "reduce", scores, type="max", axis=-1)
    bias = net.add(f"{at}.bias", "param", gate, shape=(heads, 1, 1))
    gate = net.act(f"{at}.sigmoid", net.add(f"{at}.add", "add", gate, bias), SIGMOID)
    gate = net.add(f"{at}.reshape", "reshape", gate, shape=(heads, 1, height, width))
    y = net.conv(f"{at}.proj_conv", x, c, 3, act=False)
    y = net.add(f"{at}.reshape", "reshape", y, shape=(heads, c // heads, height, width))
    return net.add(f"{at}.reshape", "reshape", net.add(f"{at}.mul", "mul", y, gate), shape=(c, height, width))


def image_pooling(
    net: YoloNet, at: str, maps: Maps, ec: int = 256, ct: int = 512, nh: int = 8, k: int = 3, scale: bool = False
) -> int:
    """Attention of the text to the largest values of each map: what leaves it is the text of the modules behind it."""
    net.require(nh > 0 and ec % nh == 0, f"{nh} heads do not divide {ec} channels")
    text, pooled = words(net, maps[0], ct), []
    for i, x in enumerate(maps):
        y = net.conv2d(f"{at}.projections.{i}", x, ec)
        pooled.append(net.tokens(f"{at}.im_pools.{i}", net.add(f"{at}.im_pools.{i}", "maxpool", y, out=k)))
    found = net.concat(at, *pooled)
    sources = {"query": text, "key": found, "value": found}
    q, keys, values = (_heads(net, f"{at}.{name}", x, ec, nh) for name, x in sources.items())
    y = net.add(f"{at}.sdpa", "sdpa", q, keys, values)
    y = net.add(f"{at}.permute", "permute", y, axes=(1, 0, 2))
    y = net.add(f"{at}.reshape", "reshape", y, shape=(net.classes, ec))
    y = net.add(f"{at}.proj", "linear", y, out=ct)
    if scale:
        y = net.add(f"{at}.scale", "scale", y, per="scalar")
    net.text = net.add(f"{at}.add", "add", y, text)
    return net.text


def _heads(net: YoloNet, at: str, x: int, width: int, heads: int) -> int:
    y = net.add(f"{at}.1", "linear", net.add(f"{at}.0", "norm", x, type="layer"), out=width)
    y = net.add(f"{at}.reshape", "reshape", y, shape=(net.shape(y)[0], heads, width // heads))
    return net.add(f"{at}.permute", "permute", y, axes=(1, 0, 2))


def world_detect(net: YoloNet, at: str, maps: Maps, nc: Number, embed: int = 512, with_bn: bool = False) -> int:
    """Detect whose classes are the similarities of places with the text as it came."""
    return _detected(net, at, maps, nc, heads.branch, embed, with_bn)


def yoloe_detect(net: YoloNet, at: str, maps: Maps, nc: Number, embed: int = 512, with_bn: bool = False) -> int:
    return _prompted(net, at, maps, nc, embed, with_bn)


def _prompted(net: YoloNet, at: str, maps: Maps, nc: Number, embed: int, with_bn: bool, *more: int) -> int:
    """As of YOLO-World, beside modules that make the text from examples: nothing reads them once it is there."""
    found = _detected(net, at, maps, nc, heads.class_branch, embed, with_bn, *more)
    net.unused(f"{at}.reprta", maps[0], embed * 4 * embed + 4 * embed + 2 * embed * embed + embed)
    width, masks = heads.class_width(net, maps, nc), 16
    for i, x in enumerate(maps):
        channels = net.channels(x)
        net.unused(f"{at}.savpe.cv1.{i}", x, conv_params(channels, width, 3) + conv_params(width, width, 3))
        net.unused(f"{at}.savpe.cv2.{i}", x, conv_params(channels, width))
    joined = len(maps) * width
    params = conv_params(joined, embed, norm=False) + conv_params(joined, masks, 3, norm=False)
    params = params + conv_params(1, masks, 3, norm=False) + conv_params(2 * masks, masks, 3)
    net.unused(f"{at}.savpe", maps[0], params + conv_params(masks, masks, 3, norm=False))
    return found


def yoloe_segment(
    net: YoloNet, at: str, maps: Maps, nc: Number, nm: int = 32, npr: int = 256, embed: int = 512,
    with_bn: bool = False,
) -> tuple[int, ...]:  # fmt: skip
    masks = heads.further_rows(net, at, maps, nm, "cv5")
    found = _prompted(net, at, maps, nc, embed, with_bn, masks)
    return found, heads.prototypes(net, f"{at}.proto", maps, nc, npr, nm)


def _detected(
    net: YoloNet, at: str, maps: Maps, nc: Number, make: Callable[..., int], embed: int, with_bn: bool, *more: int
) -> int:
    """Boxes, and the similarities of every map with the text; ``make`` adds the branch of classes."""
    words(net, maps[0], embed)
    text = net.add(f"{at}.permute", "permute", net.words, axes=(1, 0))
    found = (-1, -1)
    for prefix in net.prefixes:
        edges, scores = [], []
        for i, x in enumerate(maps):
            edges.append(heads.branch(net, f"{at}.{prefix}cv2.{i}", x, heads.edge_width(net, maps), 4 * net.reg_max))
            y = make(net, f"{at}.{prefix}cv3.{i}", x, heads.class_width(net, maps, nc), embed)
            scores.append(_similarity(net, f"{at}.{prefix}cv4.{i}", y, text, with_bn))
        found = heads.rows(net, f"{at}.{prefix}boxes", edges), heads.rows(net, f"{at}.{prefix}scores", scores)
    return heads.decoded(net, at, *found, *more)


def _similarity(net: YoloNet, at: str, x: int, text: int, with_bn: bool) -> int:
    """[embed, H, W] and [embed, classes] → [classes, H, W], with a learned scale and bias."""
    x = net.add(f"{at}.norm", "norm", x, type="batch") if with_bn else x
    x = net.add(f"{at}.einsum", "einsum", x, text, equation="chw,ck->khw")
    x = net.add(f"{at}.logit_scale", "scale", x, per="scalar")
    return net.add(f"{at}.add", "add", x, net.add(f"{at}.bias", "param", x, shape=(1, 1, 1)))
