"""Netscope CNN Analyzer: the column ``macc`` of a Caffe network."""

from __future__ import annotations

from collections.abc import Iterator

from convcalc.arith import equal, floordiv, prod, select, total
from convcalc.profiles import Profile, Term
from convcalc.profiles._layer_sizes import RECURRENT, LayerSizes

LRN_SIZE = 5
"""Channels that a local response norm looks at; a spec does not say it, AlexNet and GoogLeNet have five."""


def terms(layer: LayerSizes) -> Iterator[Term]:
    """A transposed convolution is Ci·Co·K·Po/stride²; local response norm 5 an element; Caffe's Scale 1 an element.

    A batch norm that learns is BatchNorm and Scale in Caffe; a gate of one number a channel is Scale too. Caffe has no
    layer for matrix products, attention and LSTMs. Comparisons, additions, divisions and exponentials stand in columns
    of their own, which people do not quote; a product of equal shapes (Eltwise) is taken for a sum.
    """
    match layer.kind:
        case "deconv":
            (x,) = layer.node.input_shapes
            whole = layer.output_elements * layer.kernel_elements * x.channels
            yield "output positions", floordiv(whole, prod(layer.window.stride)) - layer.macs
        case "norm" if layer.type == "lrn":
            yield "lrn norm", LRN_SIZE * layer.input_elements
        case "norm" if layer.type == "batch" and layer.is_affine:
            yield "batch norm", layer.input_elements
        case "scale":
            yield "elementwise", layer.output_elements
        case "mul":
            y = layer.node.shape.elements
            yield (
                "elementwise",
                total(select(equal(x.elements, y), 0, layer.output_elements) for x in layer.node.input_shapes),
            )
        case kind if kind in ("matmul", "attention", *RECURRENT):
            yield "missed layers", -layer.macs


PROFILE = Profile(
    "netscope", "Netscope CNN Analyzer", "MACs",
    "multiply–accumulates of convolutions and inner products, without bias; scales and local response norms",
    "dgschwend/netscope: src/analyzer.coffee", 100, terms,
)  # fmt: skip
