"""Netscope CNN Analyzer: the column ``macc`` of a Caffe network."""

from __future__ import annotations

from collections.abc import Iterator

from convcalc.arith import equal, floordiv, prod, select
from convcalc.profiles import LayerSizes, Profile, Term

LRN_SIZE = 5
"""Channels of the window of a local response norm: no argument of a spec, five in AlexNet and GoogLeNet."""


def terms(layer: LayerSizes) -> Iterator[Term]:
    """A transposed convolution is Ci·Co·K·Po/stride²; local response norm 5 an element; Caffe's Scale 1 an element.

    A batch norm that learns is BatchNorm and Scale in Caffe; a gate of one number a channel is Scale too. Caffe has no
    layer for matrix products, attention and LSTMs. Comparisons, additions, divisions and exponentials stand in columns
    of their own, which people do not quote; a product of equal shapes (Eltwise) is taken for a sum.
    """
    match layer.kind:
        case "deconv":
            whole = layer.output_elements * layer.kernel_elements * layer.input.channels
            yield "output positions", floordiv(whole, prod(layer.window.stride)) - layer.macs
        case "norm" if layer.type == "lrn":
            yield "lrn norm", LRN_SIZE * layer.input_elements
        case "norm" if layer.type == "batch" and layer.is_affine:
            yield "batch norm", layer.input_elements
        case "scale":
            yield "elementwise", layer.output_elements
        case "mul":
            for branch in layer.node.input_shapes:
                yield "elementwise", select(equal(branch.elements, layer.output.elements), 0, layer.output_elements)
        case "matmul" | "attention" | "sdpa" | "einsum" | "experts" | "lstm" | "gru" | "rnn":
            yield "missed layers", -layer.macs


PROFILE = Profile(
    "netscope", "Netscope CNN Analyzer", "MACs",
    "multiply–accumulates of convolutions and inner products, without bias; scales and local response norms",
    "dgschwend/netscope: src/analyzer.coffee", 100, terms, more_kinds=("sdpa", "einsum", "experts"),
)  # fmt: skip
