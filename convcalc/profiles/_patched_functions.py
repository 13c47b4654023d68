"""What calflops and DeepSpeed's profiler have in common: counting functions in place of PyTorch's."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from convcalc.arith import Number, floordiv, prod
from convcalc.ops.arguments import Alike
from convcalc.ops.kinds._window import extent
from convcalc.profiles import Term
from convcalc.profiles._layer_sizes import CONVOLUTIONS, JOINS, POOLS, RECURRENT, LayerSizes
from convcalc.profiles._pytorch_layers import (
    PATCHED,
    attention_scores,
    biases,
    hidden_steps,
    join_operations,
    norm_elements,
    resizes_by_area,
    response_norm_operations,
    steps,
)

ACTIVATIONS = ("relu", "prelu", "elu", "leaky_relu", "silu", "swish", "gelu")
GATES = {"lstm": (4, 10), "gru": (3, 7), "rnn": (1, 1)}
"""Matrices of a cell, and elementwise operations of a step per hidden feature."""


def multiplies(layer: LayerSizes, missed: Number) -> Iterator[Term]:
    """Give the terms of MACs, given those that the tool misses; recurrent layers have none there."""
    if layer.kind in RECURRENT:
        yield "missed layers", -layer.macs
    elif has_halved_padding(layer):
        yield "halved padding", _macs_with_halved_padding(layer) - layer.macs
    else:
        yield "missed layers", -missed


def operations(layer: LayerSizes, missed: Number, upsampled: Callable[[LayerSizes], Number]) -> Iterator[Term]:
    """Give the terms of FLOPs, given the multiplies that the tool misses."""
    if layer.kind in RECURRENT:
        yield from _recurrent(layer)
        return
    if has_halved_padding(layer):
        channels = layer.node.shape.channels if layer.argument("bias") else 0
        lost = layer.macs - _macs_with_halved_padding(layer)
        yield from flops_terms(layer, "halved padding", lost, layer.batch * channels * prod(positions(layer)))
    else:
        bias = layer.bias_additions if layer.kind in (*CONVOLUTIONS, "deconv") else 0
        yield from flops_terms(layer, "missed layers", missed, bias)
    yield from _elementwise(layer, upsampled)


def flops_terms(layer: LayerSizes, term: str, missed: Number, bias: Number) -> Iterator[Term]:
    """Give the terms of FLOPs of a layer whose bias is counted and some of whose multiplies are not."""
    yield "bias", bias
    yield term, -missed
    yield "additions", layer.macs - missed


def _elementwise(layer: LayerSizes, upsampled: Callable[[LayerSizes], Number]) -> Iterator[Term]:
    seen = layer.via in PATCHED
    match layer.kind:
        case "norm" if seen and layer.type == "lrn":
            yield "lrn norm", response_norm_operations(layer)
        case "norm" if seen and layer.type != "rms":
            yield norm_elements(layer, 2, 1) if layer.type == "batch" else norm_elements(layer, 5, 4)
        case "act" if seen and (layer.type in ACTIVATIONS or (layer.type == "relu6" and layer.via == "function")):
            yield "activation functions", layer.input_elements
        case kind if kind in POOLS and seen:
            yield "pooling", layer.input_elements
        case "softmax" if seen:
            yield "softmax", layer.input_elements
        case "upsample" if seen:
            yield "upsampling", upsampled(layer)
            yield "pooling", layer.input_elements * resizes_by_area(layer)
        case kind if kind in JOINS and layer.via in ("function", "method"):
            yield "elementwise", join_operations(layer)
        case "scale" if layer.via in ("function", "method"):
            yield "elementwise", layer.output_elements
        case "attention" if layer.via in ("module", "function"):
            yield "softmax", attention_scores(layer)


def _recurrent(layer: LayerSizes) -> Iterator[Term]:
    """Per cell and step 2·G·H·I − G·H + 2·G·H·H − G·H, the gates' elementwise work, and biases; no multiplies of MACs.

    Only the operations are counted: nothing is added to the tool's own MACs.
    """
    gates, work = GATES[layer.kind]
    yield "additions", layer.macs - 2 * gates * hidden_steps(layer)
    yield "recurrent gates", work * hidden_steps(layer)
    yield "bias", steps(layer) * biases(layer)


def has_halved_padding(layer: LayerSizes) -> bool:
    """Whether the padding of a convolution is the framework's word ``same``, which both tools halve, rounding down."""
    return layer.kind in CONVOLUTIONS and layer.via == "string" and layer.argument("padding") == "same"


def _macs_with_halved_padding(layer: LayerSizes) -> Number:
    """Multiplies of a convolution at the positions that are counted, in place of its own."""
    each = floordiv(layer.macs, prod(layer.node.shape.spatial))
    return each * prod(positions(layer))


def positions(layer: LayerSizes) -> Iterator[Number]:
    """Give ⌊(n + p₀ + p₁ − e)/s⌋ + 1 on each axis, whatever its sign; of the word ``same`` p₀ = p₁ = ⌊(e − 1)/2⌋."""
    (x,) = layer.node.input_shapes
    axes = zip(x.spatial, *layer.window, strict=True)
    for n, kernel, stride, pads, dilation in axes:
        reach = extent(kernel, dilation)
        added = 2 * floordiv(reach - 1, 2) if has_halved_padding(layer) else pads[0] + pads[1]
        yield floordiv(n + added - reach, stride) + 1


def upsampled_size(layer: LayerSizes) -> Number:
    """Count an upsampling to a size: one integer as it is, a list by its product; no channels, no batch."""
    size = layer.argument("size")
    return size[0] if isinstance(size, Alike) else prod(layer.node.shape.spatial)
