"""Modules with attention; see ``blocks`` for what they take."""

from __future__ import annotations

from convcalc.arith import Number, floordiv
from convcalc.importers.ultralytics.blocks import bottleneck, c2f_of, c3_of, c3k
from convcalc.importers.ultralytics.network import YoloNet, numbered, scaled


def scores_and_context(net: YoloNet, at: str, q: int, k: int, v: int) -> int:
    """Attention of [… d, N] queries, keys and values, as the package multiplies them: → [… d, N]."""
    rank = net.shape(q).rank
    turned = (*range(rank - 2), rank - 1, rank - 2)
    scores = net.add(f"{at}.scores", "matmul", net.add(f"{at}.permute", "permute", q, axes=turned), k)
    weights = net.add(f"{at}.softmax", "softmax", scores)
    return net.add(f"{at}.context", "matmul", v, net.add(f"{at}.permute", "permute", weights, axes=turned))


def attention(net: YoloNet, at: str, x: int, heads: int, ratio: float = 0.5) -> int:
    """Attention over all places, whose keys are narrower than its values, with a depthwise position encoding."""
    shape, dim = net.shape(x), net.plain_channels(x)
    width = dim // heads
    key = scaled(width, ratio)
    qkv = net.conv(f"{at}.qkv", x, dim + 2 * key * heads, act=False)
    places = shape[1] * shape[2]
    split = net.add(f"{at}.reshape", "reshape", qkv, shape=(heads, 2 * key + width, places))
    q, k, v = net.split(at, split, (key, key, width), axis=1)
    y = net.add(f"{at}.reshape", "reshape", scores_and_context(net, at, q, k, v), shape=shape)
    values = net.add(f"{at}.reshape", "reshape", v, shape=shape)
    y = net.add(f"{at}.add", "add", y, net.depthwise(f"{at}.pe", values, 3, act=False))
    return net.conv(f"{at}.proj", y, dim, act=False)


def psa_block(net: YoloNet, at: str, x: int, heads: int) -> int:
    """Attention and a feed-forward part, both with shortcuts."""
    c = net.plain_channels(x)
    x = net.add(f"{at}.add", "add", x, attention(net, f"{at}.attn", x, heads))
    y = net.conv(f"{at}.ffn.1", net.conv(f"{at}.ffn.0", x, 2 * c), c, act=False)
    return net.add(f"{at}.add", "add", x, y)


def psa(net: YoloNet, at: str, x: int, c2: int, e: float = 0.5) -> int:
    return _psa(net, at, x, c2, e, [at])


def c2_psa(net: YoloNet, at: str, x: int, c2: int, n: int = 1, e: float = 0.5) -> int:
    return _psa(net, at, x, c2, e, [*numbered(f"{at}.m", n)])


def _psa(net: YoloNet, at: str, x: int, c2: int, e: float, blocks: list[str]) -> int:
    net.require(net.channels(x) == c2, f"it keeps its channels, but {net.channels(x)} enter and {c2} leave")
    c = scaled(c2, e)
    a, b = net.halves(at, net.conv(f"{at}.cv1", x, 2 * c))
    for path in blocks:
        b = psa_block(net, path, b, max(c // 64, 1))
    return net.conv(f"{at}.cv2", net.concat(at, a, b), c2)


def c2f_psa(net: YoloNet, at: str, x: int, c2: int, n: int = 1, e: float = 0.5) -> int:
    net.require(net.channels(x) == c2, f"it keeps its channels, but {net.channels(x)} enter and {c2} leave")
    return c2f_of(net, at, x, c2, n, e, lambda path, y, c: psa_block(net, path, y, max(c // 64, 1)))


def c3k2(
    net: YoloNet, at: str, x: int, c2: int, n: int = 1, deep: bool = False, e: float = 0.5, attn: bool = False,
    g: int = 1, shortcut: bool = True,
) -> int:  # fmt: skip
    """C3k2: its inner blocks are bottlenecks, C3k, or a bottleneck and an attention."""

    def inner(path: str, y: int, c: int) -> int:
        if attn:
            return psa_block(net, f"{path}.1", bottleneck(net, f"{path}.0", y, c, shortcut, g), max(c // 64, 1))
        return c3k(net, path, y, c, 2, shortcut, g) if deep else bottleneck(net, path, y, c, shortcut, g)

    return c2f_of(net, at, x, c2, n, e, inner)


def area_attention(net: YoloNet, at: str, x: int, heads: int, area: int) -> int:
    """Attention within each of ``area`` equal parts of the places."""
    shape, dim = net.shape(x), net.plain_channels(x)
    width = dim // heads
    qkv = net.tokens(at, net.conv(f"{at}.qkv", x, 3 * width * heads, act=False))
    places = floordiv(shape[1] * shape[2], area)
    parts = net.add(f"{at}.reshape", "reshape", qkv, shape=(area, places, heads, 3 * width))
    q, k, v = net.split(at, net.add(f"{at}.permute", "permute", parts, axes=(0, 2, 3, 1)), (width,) * 3, axis=2)
    y = _joined(net, at, scores_and_context(net, at, q, k, v), shape)
    y = net.add(f"{at}.add", "add", y, net.depthwise(f"{at}.pe", _joined(net, at, v, shape), 7, act=False))
    return net.conv(f"{at}.proj", y, dim, act=False)


def _joined(net: YoloNet, at: str, x: int, shape: tuple[Number, ...]) -> int:
    """[areas, heads, d, N] → [C, H, W]."""
    turned = net.add(f"{at}.permute", "permute", x, axes=(1, 2, 0, 3))
    return net.add(f"{at}.reshape", "reshape", turned, shape=shape)


def a2c2f(
    net: YoloNet, at: str, x: int, c2: int, n: int = 1, a2: bool = True, area: int = 1, residual: bool = False,
    mlp_ratio: float = 2.0, e: float = 0.5, g: int = 1, shortcut: bool = True,
) -> int:  # fmt: skip
    """A2C2f: pairs of area attention, or C3k; the sum with the input, learned for each channel, where it is asked."""
    c = scaled(c2, e)
    net.require(c % 32 == 0, f"{c} channels of its attention are not a multiple of 32")
    parts = [net.conv(f"{at}.cv1", x, c)]
    for path in numbered(f"{at}.m", n):
        y = parts[-1]
        if a2:
            for inner in numbered(path, 2):
                y = _area_block(net, inner, y, area, mlp_ratio)
        else:
            y = c3k(net, path, y, c, 2, shortcut, g)
        parts.append(y)
    y = net.conv(f"{at}.cv2", net.concat(at, *parts), c2)
    if not (a2 and residual):
        return y
    return net.add(f"{at}.add", "add", x, net.add(f"{at}.gamma", "scale", y))


def _area_block(net: YoloNet, at: str, x: int, area: int, mlp_ratio: float) -> int:
    c = net.plain_channels(x)
    x = net.add(f"{at}.add", "add", x, area_attention(net, f"{at}.attn", x, c // 32, max(area, 1)))
    y = net.conv(f"{at}.mlp.1", net.conv(f"{at}.mlp.0", x, scaled(c, mlp_ratio)), c, act=False)
    return net.add(f"{at}.add", "add", x, y)


def aifi(net: YoloNet, at: str, x: int, cm: int = 2048, num_heads: int = 8) -> int:
    """The layer of a transformer's encoder over all places, with a position encoding that is not learned."""
    y = net.tokens(at, x)
    y = net.add(f"{at}.add", "add", y, net.add(f"{at}.ma", "attention", y, heads=num_heads))
    y = net.add(f"{at}.norm1", "norm", y, type="layer")
    z = net.act(f"{at}.act", net.add(f"{at}.fc1", "linear", y, out=cm), {"type": "gelu"})
    y = net.add(f"{at}.add", "add", y, net.add(f"{at}.fc2", "linear", z, out=net.channels(x)))
    return net.image(at, net.add(f"{at}.norm2", "norm", y, type="layer"), net.shape(x))


def c3_tr(net: YoloNet, at: str, x: int, c2: int, n: int = 1, shortcut: bool = True, g: int = 1, e: float = 0.5) -> int:
    def inner(path: str, y: int, c: int) -> int:
        net.require_groups(g, c)
        shape = net.shape(y)
        y = net.tokens(path, y)
        y = net.add(f"{path}.add", "add", y, net.add(f"{path}.linear", "linear", y, out=c))
        for each in numbered(f"{path}.tr", n):
            q, k, v = (net.add(f"{each}.{name}", "linear", y, out=c, bias=False) for name in "qkv")
            y = net.add(f"{each}.add", "add", y, net.add(f"{each}.ma", "attention", q, k, v, heads=4))
            z = net.add(f"{each}.fc1", "linear", y, out=c, bias=False)
            y = net.add(f"{each}.add", "add", y, net.add(f"{each}.fc2", "linear", z, out=c, bias=False))
        return net.image(path, y, shape)

    return c3_of(net, at, x, c2, e, inner)
