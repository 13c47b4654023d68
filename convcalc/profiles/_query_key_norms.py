"""The norms of queries and keys inside an attention, which a profile counts by its rules for norms."""

from __future__ import annotations

from collections.abc import Iterator

from convcalc.graph.builder import GraphBuilder
from convcalc.ops.kinds.attention import ACROSS_HEADS
from convcalc.ops.make import make
from convcalc.profiles._layer_sizes import LayerSizes


def with_inner_norms(layer: LayerSizes) -> Iterator[LayerSizes]:
    """Give a layer, and of an attention the norms of its projected queries and keys as layers of their own."""
    yield layer
    type_, across, _ = str(layer.argument("qk_norm") or "none").partition(ACROSS_HEADS)
    if type_ == "none":
        return
    sources, via = (layer.node.input_shapes * 2)[:2], layer.via if layer.via in ("function", "subclass") else "module"
    sizes = layer.op.attributes(*layer.node.input_shapes)
    for source, heads in zip(sources, (sizes["heads"], sizes["kv_heads"]), strict=True):
        builder, width = GraphBuilder(), sizes["head_dim"]
        projected = builder.input("x", (*source[:-1], *((heads * width,) if across else (heads, width))))
        norm = builder.append("norm", make("norm", type=type_, axis=-1), (projected,), via=via)
        yield LayerSizes(builder.nodes[norm], layer.batch)
