"""onnx-tool's MACs: every node of an ONNX graph has a price."""

from __future__ import annotations

from collections.abc import Iterator

from convcalc.arith import Number, floordiv
from convcalc.profiles import Profile, Term
from convcalc.profiles._layer import JOINS, POOLS, RECURRENT, Layer
from convcalc.profiles._torch import joined, rows, scores

EXP, DIVIDE, TANH, SOFTMAX = 32, 4, 38, 36
ACTIVATIONS = {
    "relu": 1, "relu6": 2, "hardtanh": 2, "leaky_relu": 2, "prelu": 2, "hardswish": 5, "hardsigmoid": 4, "elu": 35,
    "sigmoid": EXP, "silu": EXP + 1, "swish": EXP + 1, "gelu": EXP + 2, "quick_gelu": EXP + 2, "tanh": 2 * TANH,
}  # fmt: skip
"""Price of an element; of one that is not listed it has none."""
RESIZED = {"linear": 4, "bilinear": 4, "trilinear": 4, "bicubic": 8}


def terms(layer: Layer) -> Iterator[Term]:
    """Bias 1 an output, batch norm 31 and layer norm 7 an element and 29 a row, pools K an output, softmax 36."""
    if layer.kind in RECURRENT:
        yield "missed layers", -layer.macs
        return
    yield "bias", layer.biased
    yield from _elementwise(layer)
    if layer.kind == "deconv":
        yield "output positions", _by_output(layer) - layer.macs


def _elementwise(layer: Layer) -> Iterator[Term]:
    match layer.kind:
        case "norm":
            yield from _norm(layer)
        case "act":
            yield "activation functions", ACTIVATIONS.get(layer.type, 0) * layer.y
        case kind if kind in POOLS:
            yield "pooling", _pooled(layer)
        case "softmax":
            yield "softmax", SOFTMAX * layer.y
        case kind if kind in JOINS:
            yield "elementwise", joined(layer)
        case "scale":
            yield "elementwise", layer.y
        case "upsample":
            yield "upsampling", RESIZED.get(str(layer.has("mode")), 0) * layer.y
        case "attention":
            yield "softmax", SOFTMAX * scores(layer)


def _by_output(layer: Layer) -> Number:
    """y·(Co/g)·K of a transposed convolution, which is right for none but Ci = Co and stride 1."""
    return layer.y * floordiv(layer.has("out_channels"), layer.has("groups")) * layer.kernel


def _norm(layer: Layer) -> Iterator[Term]:
    if layer.type == "batch":
        yield "batch norm", 31 * layer.y
    elif layer.type == "layer":
        yield "layer norm", 7 * layer.x + 29 * rows(layer)


def _pooled(layer: Layer) -> Number:
    """K an output; of a global average, a sum of all and a division an output."""
    if layer.kind == "avgpool" and layer.whole:
        return layer.x + DIVIDE * layer.y
    return layer.y * layer.kernel


PROFILE = Profile(
    "onnx_tool", "onnx-tool 1.0", "MACs",
    "multiply–accumulates with bias, and a price for each element of all other nodes: 31 of a batch norm, 32 of a "
    "sigmoid, 36 of a softmax",
    "ThanatosShinji/onnx-tool: onnx_tool/node.py", 80, terms,
)  # fmt: skip
