"""What calflops and DeepSpeed's profiler have in common: counting functions in place of PyTorch's."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from convcalc.arith import Number, floordiv, prod
from convcalc.ops.arguments import Alike
from convcalc.ops.kinds._window import extent
from convcalc.profiles import Term
from convcalc.profiles._layer_sizes import CONVOLUTIONS, JOINS, POOLS, RECURRENT, Layer
from convcalc.profiles._pytorch_layers import (
    PATCHED,
    biases,
    by_area,
    hidden,
    joined,
    norm_elements,
    responses,
    scores,
    steps,
)

ACTIVATIONS = ("relu", "prelu", "elu", "leaky_relu", "silu", "swish", "gelu")
GATES = {"lstm": (4, 10), "gru": (3, 7), "rnn": (1, 1)}
"""Matrices of a cell, and elementwise operations of a step per hidden feature."""


def multiplies(layer: Layer, missed: Number) -> Iterator[Term]:
    """Give the terms of MACs, given those that the tool misses; recurrent layers have none there."""
    if layer.kind in RECURRENT:
        yield "missed layers", -layer.macs
    elif halved(layer):
        yield "halved padding", _by_word(layer) - layer.macs
    else:
        yield "missed layers", -missed


def operations(layer: Layer, missed: Number, upsampled: Callable[[Layer], Number]) -> Iterator[Term]:
    """Give the terms of FLOPs, given the multiplies that the tool misses."""
    if layer.kind in RECURRENT:
        yield from _recurrent(layer)
        return
    if halved(layer):
        channels = layer.node.shape.channels if layer.has("bias") else 0
        lost = layer.macs - _by_word(layer)
        yield from multiplied(layer, "halved padding", lost, layer.batch * channels * prod(positions(layer)))
    else:
        bias = layer.biased if layer.kind in (*CONVOLUTIONS, "deconv") else 0
        yield from multiplied(layer, "missed layers", missed, bias)
    yield from _elementwise(layer, upsampled)


def multiplied(layer: Layer, term: str, missed: Number, bias: Number) -> Iterator[Term]:
    """Give the terms of FLOPs of a layer whose bias is counted and some of whose multiplies are not."""
    yield "bias", bias
    yield term, -missed
    yield "additions", layer.macs - missed


def _elementwise(layer: Layer, upsampled: Callable[[Layer], Number]) -> Iterator[Term]:
    seen = layer.via in PATCHED
    match layer.kind:
        case "norm" if seen and layer.type == "lrn":
            yield "lrn norm", responses(layer)
        case "norm" if seen and layer.type != "rms":
            yield norm_elements(layer, 2, 1) if layer.type == "batch" else norm_elements(layer, 5, 4)
        case "act" if seen and (layer.type in ACTIVATIONS or (layer.type == "relu6" and layer.via == "function")):
            yield "activation functions", layer.x
        case kind if kind in POOLS and seen:
            yield "pooling", layer.x
        case "softmax" if seen:
            yield "softmax", layer.x
        case "upsample" if seen:
            yield "upsampling", upsampled(layer)
            yield "pooling", layer.x * by_area(layer)
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


def halved(layer: Layer) -> bool:
    """Whether the padding of a convolution is the framework's word ``same``, which both tools halve, rounding down."""
    return layer.kind in CONVOLUTIONS and layer.via == "string" and layer.has("padding") == "same"


def _by_word(layer: Layer) -> Number:
    """Multiplies of a convolution at the positions that are counted, in place of its own."""
    each = floordiv(layer.macs, prod(layer.node.shape.spatial))
    return each * prod(positions(layer))


def positions(layer: Layer) -> Iterator[Number]:
    """Give ⌊(n + p₀ + p₁ − e)/s⌋ + 1 on each axis, whatever its sign; of the word ``same`` p₀ = p₁ = ⌊(e − 1)/2⌋."""
    (x,) = layer.node.input_shapes
    axes = zip(x.spatial, *layer.window, strict=True)
    for n, kernel, stride, pads, dilation in axes:
        reach = extent(kernel, dilation)
        added = 2 * floordiv(reach - 1, 2) if halved(layer) else pads[0] + pads[1]
        yield floordiv(n + added - reach, stride) + 1


def sized(layer: Layer) -> Number:
    """Count an upsampling to a size: one integer as it is, a list by its product; no channels, no batch."""
    size = layer.has("size")
    return size[0] if isinstance(size, Alike) else prod(layer.node.shape.spatial)
