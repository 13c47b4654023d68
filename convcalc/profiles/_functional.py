"""What calflops and DeepSpeed's profiler have in common: counting functions in place of PyTorch's."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from convcalc.arith import Number, floordiv, prod
from convcalc.ops._window import places
from convcalc.profiles import Term
from convcalc.profiles._layer import CONVOLUTIONS, JOINS, POOLS, RECURRENT, Layer
from convcalc.profiles._torch import PATCHED, biases, hidden, joined, norm_elements, scores, steps

ACTIVATIONS = ("relu", "prelu", "elu", "leaky_relu", "silu", "swish", "gelu")
GATES = {"lstm": (4, 10), "gru": (3, 7), "rnn": (1, 1)}
"""Matrices of a cell, and elementwise operations of a step per hidden feature."""


def multiplies(layer: Layer, missed: Number) -> Iterator[Term]:
    """Give the terms of MACs, given those that the tool misses; recurrent layers have none there."""
    if layer.kind in RECURRENT:
        yield "missed layers", -layer.macs
    elif layer.kind == "deconv":
        yield "repeated groups", -repeated(layer)
    else:
        yield "missed layers", -missed


def operations(layer: Layer, missed: Number, upsampled: Callable[[Layer], Number]) -> Iterator[Term]:
    """Give the terms of FLOPs, given the multiplies that the tool misses."""
    if layer.kind in RECURRENT:
        yield from _recurrent(layer)
        return
    if layer.kind == "deconv":
        missed = repeated(layer)
        yield "bias", _conv_shaped(layer)
    elif layer.kind in CONVOLUTIONS:
        yield "bias", layer.biased
    yield "repeated groups" if layer.kind == "deconv" else "missed layers", -missed
    yield "additions", layer.macs - missed
    yield from _elementwise(layer, upsampled)


def _elementwise(layer: Layer, upsampled: Callable[[Layer], Number]) -> Iterator[Term]:
    seen = layer.via in PATCHED
    match layer.kind:
        case "norm" if seen and layer.type not in ("rms", "lrn"):
            yield norm_elements(layer, 2, 1) if layer.type == "batch" else norm_elements(layer, 5, 4)
        case "act" if seen and (layer.type in ACTIVATIONS or (layer.type == "relu6" and layer.via == "function")):
            yield "activation functions", layer.x
        case kind if kind in POOLS and seen:
            yield "pooling", layer.x
        case "softmax" if seen:
            yield "softmax", layer.x
        case "upsample" if seen:
            yield "upsampling", upsampled(layer)
        case kind if kind in JOINS and layer.via in ("function", "method"):
            yield "elementwise", joined(layer)
        case "scale" if layer.via in ("function", "method"):
            yield "elementwise", layer.y
        case "attention" if layer.via in ("module", "function"):
            yield "softmax", scores(layer)


def _recurrent(layer: Layer) -> Iterator[Term]:
    """Per cell and step 2·G·H·I − G·H + 2·G·H·H − G·H, the gates' elementwise work, and biases; no multiplies of MACs.

    Only the operations are counted: nothing is added to the tool's own MACs.
    """
    gates, work = GATES[layer.kind]
    yield "additions", layer.macs - 2 * gates * hidden(layer)
    yield "recurrent gates", work * hidden(layer)
    yield "bias", steps(layer) * biases(layer)


def repeated(layer: Layer) -> Number:
    """Multiplies of a transposed convolution that are lost because groups divide twice: Co/g, and again by g."""
    groups = layer.has("groups")
    inner = floordiv(layer.has("out_channels"), groups)
    return layer.x * layer.kernel * (inner - floordiv(inner, groups))


def _conv_shaped(layer: Layer) -> Number:
    """Bias of a transposed convolution: Co/g times the positions that a convolution would have, not it."""
    if not layer.has("bias"):
        return 0
    (x,) = layer.node.input_shapes
    positions = places((), x.spatial, layer.window)
    return layer.batch * floordiv(layer.has("out_channels"), layer.has("groups")) * prod(positions)


def scaled(layer: Layer) -> bool:
    """Whether an upsampling is given a scale, rather than a size."""
    return layer.has("scale") is not None
