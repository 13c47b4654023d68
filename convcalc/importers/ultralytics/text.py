"""Modules that read the text of classes: of YOLO-World; of those of YOLOE only what leaves them is known.

Source: Cheng et al. 2024, YOLO-World: Real-Time Open-Vocabulary Object Detection.
"""

from __future__ import annotations

from convcalc.arith import Number, at_least, at_most, total
from convcalc.importers.ultralytics.blocks import bottleneck
from convcalc.importers.ultralytics.heads import Maps, branch, decoded, edge_width, rows
from convcalc.importers.ultralytics.network import Network, numbered, scaled


def words(net: Network, x: int, width: int) -> int:
    """The vectors of all classes, which come from a model of text: [classes, width]."""
    if net.words < 0:
        net.words = net.text = net.add("text", "custom", x, out=(net.classes, width))
    return net.text


def c2f_attn(
    net: Network, at: str, x: int, c2: int, n: int = 1, ec: int = 128, nh: int = 1, gc: int = 512,
    shortcut: bool = False, g: int = 1, e: float = 0.5,
) -> int:  # fmt: skip
    """Like C2f, with a last part that the most similar class of each place weights."""
    c = scaled(c2, e)
    parts = [*net.halves(at, net.conv(f"{at}.cv1", x, 2 * c))]
    for path in numbered(f"{at}.m", n):
        parts.append(bottleneck(net, path, parts[-1], c, shortcut, g, (3, 3), 1.0))
    parts.append(_weighted(net, f"{at}.attn", parts[-1], words(net, x, gc), nh))
    return net.conv(f"{at}.cv2", net.concat(at, *parts), c2)


def _weighted(net: Network, at: str, x: int, text: int, heads: int) -> int:
    """Similarity of places and classes in each head, its maximum as a gate."""
    c, height, width = net.shape(x)
    net.require(heads > 0 and c % heads == 0, f"{heads} heads do not divide {c} channels")
    guide = net.add(f"{at}.gl", "linear", text, out=c)
    guide = net.add(f"{at}.reshape", "reshape", guide, shape=(net.classes, heads, c // heads))
    split = net.add(f"{at}.reshape", "reshape", x, shape=(heads, c // heads, height, width))
    scores = net.add(f"{at}.einsum", "einsum", split, guide, equation="mchw,nmc->mhwn")
    gate = net.add(f"{at}.max", "reduce", scores, type="max", axis=-1)
    bias = net.add(f"{at}.bias", "param", gate, shape=(heads, 1, 1))
    gate = net.act(f"{at}.sigmoid", net.add(f"{at}.add", "add", gate, bias), {"type": "sigmoid"})
    gate = net.add(f"{at}.reshape", "reshape", gate, shape=(heads, 1, height, width))
    y = net.conv(f"{at}.proj_conv", x, c, 3, act=False)
    y = net.add(f"{at}.reshape", "reshape", y, shape=(heads, c // heads, height, width))
    return net.add(f"{at}.reshape", "reshape", net.add(f"{at}.mul", "mul", y, gate), shape=(c, height, width))


def image_pooling(
    net: Network, at: str, maps: Maps, ec: int = 256, ct: int = 512, nh: int = 8, k: int = 3, scale: bool = False
) -> int:
    """Attention of the text to the largest values of each map: what leaves it is the text of the modules behind it."""
    net.require(nh > 0 and ec % nh == 0, f"{nh} heads do not divide {ec} channels")
    text, pooled = words(net, maps[0], ct), []
    for i, x in enumerate(maps):
        y = net.conv2d(f"{at}.projections.{i}", x, ec)
        pooled.append(net.tokens(f"{at}.im_pools.{i}", net.add(f"{at}.im_pools.{i}", "maxpool", y, out=k)))
    sources = dict(zip(("query", "key", "value"), (text, *(net.concat(at, *pooled),) * 2), strict=True))
    q, keys, values = (_heads(net, f"{at}.{name}", x, ec, nh) for name, x in sources.items())
    y = net.add(f"{at}.sdpa", "sdpa", q, keys, values)
    y = net.add(f"{at}.permute", "permute", y, axes=(1, 0, 2))
    y = net.add(f"{at}.reshape", "reshape", y, shape=(net.classes, ec))
    y = net.add(f"{at}.proj", "linear", y, out=ct)
    if scale:
        y = net.add(f"{at}.scale", "scale", y, per="scalar")
    net.text = net.add(f"{at}.add", "add", y, text)
    return net.text


def _heads(net: Network, at: str, x: int, width: int, heads: int) -> int:
    y = net.add(f"{at}.1", "linear", net.add(f"{at}.0", "norm", x, type="layer"), out=width)
    y = net.add(f"{at}.reshape", "reshape", y, shape=(net.shape(y)[0], heads, width // heads))
    return net.add(f"{at}.permute", "permute", y, axes=(1, 0, 2))


def world_detect(net: Network, at: str, maps: Maps, nc: Number, embed: int = 512, with_bn: bool = False) -> int:
    """Detect whose classes are the similarities of places with the text as it came."""
    words(net, maps[0], embed)
    text = net.add(f"{at}.permute", "permute", net.words, axes=(1, 0))
    width, edges, scores = at_least(net.channels(maps[0]), at_most(nc, 100)), [], []
    for i, x in enumerate(maps):
        edges.append(branch(net, f"{at}.cv2.{i}", x, edge_width(net, maps), 4 * net.reg_max))
        y = branch(net, f"{at}.cv3.{i}", x, width, embed)
        y = net.add(f"{at}.cv4.{i}.norm", "norm", y, type="batch") if with_bn else y
        y = net.add(f"{at}.cv4.{i}.einsum", "einsum", y, text, equation="chw,ck->khw")
        y = net.add(f"{at}.cv4.{i}.logit_scale", "scale", y, per="scalar")
        bias = net.add(f"{at}.cv4.{i}.bias", "param", y, shape=(1, 1, 1))
        scores.append(net.add(f"{at}.cv4.{i}.add", "add", y, bias))
    return decoded(net, at, rows(net, f"{at}.boxes", edges), rows(net, f"{at}.scores", scores))


def detect(net: Network, at: str, maps: Maps, nc: Number, embed: int = 512, with_bn: bool = False) -> int:
    """Boxes and classes of every place."""
    return net.opaque(at, net.module, maps, (4 + nc, _places(net, maps)), params=None)


def segment(
    net: Network, at: str, maps: Maps, nc: Number, nm: int = 32, npr: int = 256, embed: int = 512,
    with_bn: bool = False,
) -> int:  # fmt: skip
    """Boxes, classes and masks of every place."""
    return net.opaque(at, net.module, maps, (4 + nc + nm, _places(net, maps)), params=None)


def _places(net: Network, maps: Maps) -> Number:
    return total(net.shape(x)[1] * net.shape(x)[2] for x in maps)
