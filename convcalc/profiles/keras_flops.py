"""keras-flops: TensorFlow's profiler, which has a formula for some of the operations of a graph."""

from __future__ import annotations

from collections.abc import Iterator

from convcalc.arith import floordiv, prod
from convcalc.profiles import Profile, Term
from convcalc.profiles._layer import JOINS, POOLS, RECURRENT, Layer
from convcalc.profiles._torch import joined, scores


def terms(layer: Layer) -> Iterator[Term]:
    """2 for each multiply–accumulate, bias 1 an output, batch norm 2 an element and 6 a channel, pools K an output.

    Relu, sigmoid, tanh, Conv3D and resizing have no formula, nor has what a recurrent layer runs in its loop.
    """
    if layer.kind in RECURRENT or (layer.kind in ("conv", "dwconv") and layer.axes == 3):
        yield "missed layers", -layer.macs
        yield "bias", layer.biased if layer.kind not in RECURRENT else 0
        return
    yield from _products(layer)
    match layer.kind:
        case "norm" if layer.type == "batch":
            yield "batch norm", 2 * layer.x + 6 * layer.node.shape.channels
        case kind if kind in POOLS:
            yield "pooling", layer.x if kind == "avgpool" and layer.whole else layer.y * layer.kernel
        case "softmax":
            yield "softmax", 5 * layer.x
        case kind if kind in JOINS:
            yield "elementwise", joined(layer)
        case "scale":
            yield "elementwise", layer.y
        case "attention":
            yield "softmax", 5 * scores(layer)


def _products(layer: Layer) -> Iterator[Term]:
    """A transposed convolution is 2·y·K·Ci/stride²."""
    counted = layer.macs
    if layer.kind == "deconv":
        (x,) = layer.node.input_shapes
        counted = floordiv(layer.y * layer.kernel * x.channels, prod(layer.window.stride))
    yield "output positions", counted - layer.macs
    yield "additions", counted
    yield "bias", layer.biased


PROFILE = Profile(
    "keras_flops", "keras-flops 0.1 (TensorFlow's profiler)", "FLOPs",
    "two for each multiply–accumulate, with bias, batch norms, pools, softmax and elementwise arithmetic",
    "tokusumi/keras-flops: keras_flops/flops_registory.py; tensorflow: python/profiler/internal/flops_registry.py", 90,
    terms,
)  # fmt: skip
