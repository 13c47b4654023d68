"""DeepSpeed's flops profiler, which calflops was made from.

Transposed convolutions count by their definition since 0.19.7; releases before count them as calflops does.
"""

from __future__ import annotations

from collections.abc import Iterator

from convcalc.arith import Number
from convcalc.profiles import Profile, Term
from convcalc.profiles._layer_sizes import LayerSizes
from convcalc.profiles._patched_functions import operations, upsampled_size
from convcalc.profiles._pytorch_layers import first_operand, upsampled_elements


def missed_macs(layer: LayerSizes) -> Number:
    """Multiplies that it does not see: those of attention's fast path."""
    if layer.kind == "matmul":
        return layer.macs - first_operand(layer)
    return layer.macs if layer.kind == "attention" and layer.via == "fast_path" else 0


def upsample_operations(layer: LayerSizes) -> Number:
    """⌊x·Π scale⌋ where a scale is given; the size alone, no channels, where a size is."""
    scales = layer.argument("scale")
    return upsampled_size(layer) if scales is None else upsampled_elements(layer, scales)


def terms(layer: LayerSizes) -> Iterator[Term]:
    """2 for each multiply–accumulate, and elementwise work."""
    return operations(layer, missed_macs(layer), upsample_operations)


PROFILE = Profile(
    "deepspeed", "DeepSpeed 0.19.8", "FLOPs",
    "as calflops, with @, bmm and scaled_dot_product_attention",
    "deepspeedai/DeepSpeed: deepspeed/profiling/flops_profiler/profiler.py", 62, terms,
)  # fmt: skip
