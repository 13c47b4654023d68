"""The decoder of RT-DETR; see ``blocks`` for what it takes.

The position encoding of its encoder is not learned, and what it takes to make it is not counted.

Source: Zhao et al. 2024, DETRs Beat YOLOs on Real-time Object Detection; Zhu et al. 2021, Deformable DETR, for
attention at sampled places.
"""

from __future__ import annotations

from itertools import pairwise

from convcalc.arith import Number, at_most
from convcalc.importers.ultralytics.network import RELU, SIGMOID, YoloNet


def decoder(
    net: YoloNet, at: str, maps: list[int], nc: Number, hd: int = 256, nq: int = 300, ndp: int = 4, nh: int = 8,
    ndl: int = 6, d_ffn: int = 1024, dropout: float = 0.0, act: str | None = None, eval_idx: int = -1, nd: int = 100,
    label_noise_ratio: float = 0.5, box_noise_scale: float = 1.0, learnt_init_query: bool = False,
) -> int:  # fmt: skip
    """``nq`` queries read ``ndp`` places of each map for each of ``nh`` heads, in each of ``ndl`` layers."""
    net.require(act is None, "it is read with its own activation alone")
    net.require(-ndl <= eval_idx < ndl, f"there is no layer {eval_idx} of {ndl}")
    last = eval_idx % ndl
    memory = _memory(net, at, maps, hd)
    queries, boxes = _selected(net, at, memory, nc, nq)
    if learnt_init_query:
        queries = net.add(f"{at}.tgt_embed", "param", queries)
    for i in range(last + 1):
        where = _mlp(net, f"{at}.query_pos_head", boxes, (2 * hd, hd), tied=f"{at}.query_pos_head")
        queries = _layer(net, f"{at}.decoder.layers.{i}", queries, where, memory, (len(maps), nh, ndp, d_ffn))
        boxes = net.add(f"{at}.add", "add", boxes, _mlp(net, f"{at}.dec_bbox_head.{i}", queries, (hd, hd, 4)))
    scores = net.add(f"{at}.dec_score_head.{last}", "linear", queries, out=nc)
    net.unused(f"{at}.denoising_class_embed", queries, nc * hd)
    for i in range(ndl):
        if i != last:
            net.unused(f"{at}.dec_score_head.{i}", queries, nc * hd + nc)
        if i > last:
            _unused_layer(net, at, i, queries, (len(maps), nh, ndp, d_ffn))
    return net.concat(at, boxes, net.act(f"{at}.sigmoid", scores, SIGMOID), axis=1)


def _memory(net: YoloNet, at: str, maps: list[int], hd: int) -> int:
    """[places of all maps, hd]."""
    parts = []
    for i, x in enumerate(maps):
        path = f"{at}.input_proj.{i}"
        y = net.add(f"{path}.1", "norm", net.conv2d(f"{path}.0", x, hd, bias=False), type="batch")
        parts.append(net.tokens(path, y))
    return net.concat(at, *parts)


def _selected(net: YoloNet, at: str, memory: int, nc: Number, nq: int) -> tuple[int, int]:
    """The best places as queries, and their boxes: only the scores are of all places."""
    x = net.add(f"{at}.enc_output.0", "linear", memory, out=net.shape(memory)[1])
    x = net.add(f"{at}.enc_output.1", "norm", x, type="layer")
    net.add(f"{at}.enc_score_head", "linear", x, out=nc)
    queries = net.add(f"{at}.topk", "gather", x, size=at_most(nq, net.shape(x)[0]))
    hd = net.shape(x)[1]
    return queries, _mlp(net, f"{at}.enc_bbox_head", queries, (hd, hd, 4))


def _mlp(net: YoloNet, at: str, x: int, sizes: tuple[Number, ...], tied: str = "") -> int:
    for i, size in enumerate(sizes):
        x = net.add(f"{at}.layers.{i}", "linear", x, out=size, weights=f"{tied}.{i}" if tied else None)
        if i < len(sizes) - 1:
            x = net.act(f"{at}.act", x, RELU)
    return x


def _layer(net: YoloNet, at: str, x: int, where: int, memory: int, sizes: tuple[int, int, int, int]) -> int:
    maps, heads, points, width = sizes
    hd = net.shape(x)[1]
    placed = net.add(f"{at}.add", "add", x, where)
    x = net.add(f"{at}.add", "add", x, net.add(f"{at}.self_attn", "attention", placed, placed, x, heads=heads))
    x = net.add(f"{at}.norm1", "norm", x, type="layer")
    placed, cross = net.add(f"{at}.add", "add", x, where), f"{at}.cross_attn"
    values = net.add(f"{cross}.value_proj", "linear", memory, out=hd)
    net.add(f"{cross}.sampling_offsets", "linear", placed, out=heads * maps * points * 2)
    shares = net.add(f"{cross}.attention_weights", "linear", placed, out=heads * maps * points)
    y = _sampled(net, cross, values, net.add(f"{cross}.softmax", "softmax", shares), heads)
    x = net.add(f"{at}.add", "add", x, net.add(f"{cross}.output_proj", "linear", y, out=hd))
    x = net.add(f"{at}.norm2", "norm", x, type="layer")
    y = net.act(f"{at}.act", net.add(f"{at}.linear1", "linear", x, out=width), RELU)
    x = net.add(f"{at}.add", "add", x, net.add(f"{at}.linear2", "linear", y, out=hd))
    return net.add(f"{at}.norm3", "norm", x, type="layer")


def _sampled(net: YoloNet, at: str, values: int, shares: int, heads: int) -> int:
    """Values at the sampled places, interpolated, weighted and summed: elementwise work, which is not counted."""
    (queries, samples), (places, hd) = net.shape(shares), net.shape(values)
    net.require(hd % heads == 0, f"{heads} heads do not divide {hd} channels")
    width = hd // heads
    x = net.add(f"{at}.reshape", "reshape", values, shape=(places * heads, width))
    x = net.add(f"{at}.sample", "gather", x, size=queries * samples)
    x = net.add(f"{at}.reshape", "reshape", x, shape=(queries, heads, samples // heads, width))
    weights = net.add(f"{at}.reshape", "reshape", shares, shape=(queries, heads, samples // heads, 1))
    x = net.add(f"{at}.sum", "reduce", net.add(f"{at}.mul", "mul", x, weights), type="sum", axis=2)
    return net.add(f"{at}.reshape", "reshape", x, shape=(queries, hd))


def _unused_layer(net: YoloNet, at: str, i: int, x: int, sizes: tuple[int, int, int, int]) -> None:
    """A layer behind the one that is read in the end."""
    maps, heads, points, width = sizes
    hd, samples = net.shape(x)[1], heads * maps * points
    linears = ((hd, 4 * hd), (hd, 2 * samples), (hd, samples), (hd, hd), (hd, hd), (hd, width), (width, hd))
    net.unused(f"{at}.decoder.layers.{i}", x, sum((a + 1) * b for a, b in linears) + 6 * hd)
    boxes = pairwise((hd, hd, hd, 4))
    net.unused(f"{at}.dec_bbox_head.{i}", x, sum((a + 1) * b for a, b in boxes))
