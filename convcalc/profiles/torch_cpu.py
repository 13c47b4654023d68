"""torch.utils.flop_counter on a CPU, where fused kernels have no rule."""

from __future__ import annotations

from collections.abc import Iterator

from convcalc.profiles import Profile, Term
from convcalc.profiles._layer_sizes import LayerSizes
from convcalc.profiles._pytorch_layers import attention_products


def terms(layer: LayerSizes) -> Iterator[Term]:
    """2 for each multiply–accumulate; fused attention and the LSTM's one kernel are missed."""
    missed = 0
    if layer.kind == "lstm" or (layer.kind, layer.via) in (("attention", "fast_path"), ("matmul", "fused")):
        missed = layer.macs
    elif layer.kind == "attention" and layer.via == "fused":
        missed = attention_products(layer)
    yield "missed layers", -missed
    yield "additions", layer.macs - missed


PROFILE = Profile(
    "torch_cpu", "torch.utils.flop_counter 2.14", "FLOPs",
    "as torch; on a CPU it misses scaled_dot_product_attention and LSTMs, which are one operator there",
    "pytorch/pytorch: torch/utils/flop_counter.py, issue 195460", 21, terms,
)  # fmt: skip
