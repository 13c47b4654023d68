"""DeepSpeed's flops profiler: functions of PyTorch replaced by counting ones. calflops was made from it.

Transposed convolutions count by their definition since 0.19.7; releases before count them as calflops does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from convcalc.arith import Number, floordiv, prod
from convcalc.ops.arguments import SameOnAllAxes
from convcalc.ops.kinds._window import effective_kernel_size
from convcalc.profiles import LayerSizes, Profile, Term

ACTIVATIONS = ("relu", "prelu", "elu", "leaky_relu", "silu", "swish", "gelu")
GATES = {"lstm": (4, 10), "gru": (3, 7), "rnn": (1, 1)}
"""Matrices of a cell, and elementwise operations of a step per hidden feature."""


def missed_macs(layer: LayerSizes) -> Number:
    """Multiplies that it does not see: those of attention's fast path."""
    if layer.kind == "matmul":
        return layer.macs - layer.seen_in_first_operand
    return layer.macs if layer.kind == "attention" and layer.via == "fast_path" else 0


def upsample_operations(layer: LayerSizes) -> Number:
    """⌊x·Π scale⌋ where a scale is given; the size alone, no channels, where a size is."""
    scales = layer.argument("scale")
    return upsampled_size(layer) if scales is None else layer.upsampled_elements(scales)


def terms(layer: LayerSizes) -> Iterator[Term]:
    """2 for each multiply–accumulate, and elementwise work."""
    return operations(layer, missed_macs(layer), upsample_operations)


def macs_terms(layer: LayerSizes) -> Iterator[Term]:
    """1 for each multiply–accumulate that it sees."""
    return multiplies(layer, missed_macs(layer))


# --- what calflops has kept -------------------------------------------------------------------------------------------


def multiplies(layer: LayerSizes, missed: Number) -> Iterator[Term]:
    """Give the terms of MACs, given those that the tool misses; recurrent layers and einsum have none there."""
    yield "halved padding", -_lost_to_halved_padding(layer)
    yield "missed layers", -(layer.macs if layer.is_recurrent or layer.kind == "einsum" else missed)


def operations(layer: LayerSizes, missed: Number, upsampled: Callable[[LayerSizes], Number]) -> Iterator[Term]:
    """Give the terms of FLOPs, given the multiplies that the tool misses."""
    if layer.is_recurrent:
        yield from _recurrent(layer)
    elif has_halved_padding(layer):
        channels = layer.output.channels if layer.argument("bias") else 0
        bias = layer.batch * channels * prod(positions(layer))
        yield from flops_terms(layer, "halved padding", _lost_to_halved_padding(layer), bias)
    else:
        bias = layer.bias_additions if layer.is_convolution or layer.kind == "deconv" else 0
        yield from flops_terms(layer, "missed layers", missed, bias)
        yield from _elementwise(layer, upsampled)


def flops_terms(layer: LayerSizes, term: str, missed: Number, bias: Number) -> Iterator[Term]:
    """Give the terms of FLOPs of a layer whose bias is counted and some of whose multiplies are not."""
    yield "bias", bias
    yield term, -missed
    yield "additions", layer.macs - missed


def _elementwise(layer: LayerSizes, upsampled: Callable[[LayerSizes], Number]) -> Iterator[Term]:
    seen = layer.calls_functional
    match layer.kind:
        case "norm" if seen and layer.type == "lrn":
            yield "lrn norm", layer.response_norm_operations
        case "norm" if seen and layer.type != "rms":
            yield layer.functional_norm
        case "act" if seen and (layer.type in ACTIVATIONS or (layer.type == "relu6" and layer.via == "function")):
            yield "activation functions", layer.input_elements
        case "maxpool" | "avgpool" if seen:
            yield "pooling", layer.input_elements
        case "softmax" if seen:
            yield "softmax", layer.input_elements
        case "upsample" if seen:
            yield "upsampling", upsampled(layer)
            yield "pooling", layer.input_elements * layer.resizes_by_area
        case "add" | "mul" | "scale" if layer.is_call:
            yield "elementwise", layer.join_operations
        case "attention" if layer.via in ("module", "function"):
            yield "softmax", layer.attention_scores


def _recurrent(layer: LayerSizes) -> Iterator[Term]:
    """Per cell and step 2·G·H·I − G·H + 2·G·H·H − G·H, the gates' elementwise work, and biases; no multiplies of MACs.

    Only the operations are counted: nothing is added to the tool's own MACs. Projections of the state are missed.
    """
    gates, work = GATES[layer.kind]
    yield "missed layers", -layer.state_projections
    yield "additions", layer.macs - layer.state_projections - 2 * gates * layer.hidden_steps
    yield "recurrent gates", work * layer.hidden_steps
    yield "bias", layer.bias_additions


def has_halved_padding(layer: LayerSizes) -> bool:
    """Whether the padding of a convolution is the framework's word ``same``, which both tools halve, rounding down."""
    return layer.is_convolution and layer.via == "string" and layer.argument("padding") == "same"


def _lost_to_halved_padding(layer: LayerSizes) -> Number:
    """Multiplies of a convolution that are lost because fewer positions are counted than it has."""
    if not has_halved_padding(layer):
        return 0
    return layer.macs - floordiv(layer.macs, prod(layer.output.spatial)) * prod(positions(layer))


def positions(layer: LayerSizes) -> Iterator[Number]:
    """Give ⌊(n + p₀ + p₁ − e)/s⌋ + 1 on each axis, whatever its sign; of the word ``same`` p₀ = p₁ = ⌊(e − 1)/2⌋."""
    for n, kernel, stride, pads, dilation in zip(layer.input.spatial, *layer.window, strict=True):
        reach = effective_kernel_size(kernel, dilation)
        added = 2 * floordiv(reach - 1, 2) if has_halved_padding(layer) else pads[0] + pads[1]
        yield floordiv(n + added - reach, stride) + 1


def upsampled_size(layer: LayerSizes) -> Number:
    """Count an upsampling to a size: one integer as it is, a list by its product; no channels, no batch."""
    size = layer.argument("size")
    return size[0] if isinstance(size, SameOnAllAxes) else prod(layer.output.spatial)


SOURCE = "deepspeedai/DeepSpeed: deepspeed/profiling/flops_profiler/profiler.py"
FLOPS = Profile(
    "deepspeed", "DeepSpeed 0.19.8", "FLOPs",
    "as calflops, with @, bmm and scaled_dot_product_attention",
    SOURCE, 62, terms, more_kinds=("sdpa",),
)  # fmt: skip
MACS = Profile(
    "deepspeed_macs", "DeepSpeed flops profiler (MACs)", "MACs",
    "one for each multiply–accumulate of convolutions, linear layers and matrix products, without bias",
    SOURCE, 63, macs_terms, more_kinds=("sdpa", "einsum"),
)  # fmt: skip
