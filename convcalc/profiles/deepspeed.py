"""DeepSpeed's flops profiler, which calflops was made from.

Transposed convolutions count by their definition since 0.19.7; releases before count them as calflops does.
"""

from __future__ import annotations

from collections.abc import Iterator

from convcalc.arith import Number
from convcalc.profiles import Profile, Term
from convcalc.profiles._layer_sizes import Layer
from convcalc.profiles._patched_functions import operations, sized
from convcalc.profiles._pytorch_layers import enlarged, first_operand


def missed(layer: Layer) -> Number:
    """Multiplies that it does not see: those of attention's fast path."""
    if layer.kind == "matmul":
        return layer.macs - first_operand(layer)
    return layer.macs if layer.kind == "attention" and layer.via == "fast_path" else 0


def upsampled(layer: Layer) -> Number:
    """⌊x·Π scale⌋ where a scale is given; the size alone, no channels, where a size is."""
    scales = layer.has("scale")
    return sized(layer) if scales is None else enlarged(layer, scales)


def terms(layer: Layer) -> Iterator[Term]:
    """2 for each multiply–accumulate, and elementwise work."""
    return operations(layer, missed(layer), upsampled)


PROFILE = Profile(
    "deepspeed", "DeepSpeed 0.19.8", "FLOPs",
    "as calflops, with @, bmm and scaled_dot_product_attention",
    "deepspeedai/DeepSpeed: deepspeed/profiling/flops_profiler/profiler.py", 62, terms,
)  # fmt: skip
