"""ptflops with its backend ``aten``: the operators that PyTorch dispatches."""

from __future__ import annotations

from collections.abc import Iterator

from convcalc.profiles import Profile, Term
from convcalc.profiles._layer_sizes import RECURRENT, LayerSizes
from convcalc.profiles._pytorch_layers import attention_products, biases, steps


def terms(layer: LayerSizes) -> Iterator[Term]:
    """Bias of convolutions and linear layers; what is one operator without a rule is missed.

    So are an LSTM, an attention's fast path, and scaled_dot_product_attention with its fused kernels.
    """
    if layer.kind == "lstm" or (layer.kind, layer.via) in (("attention", "fast_path"), ("matmul", "fused")):
        yield "missed layers", -layer.macs
    elif (layer.kind, layer.via) == ("attention", "fused"):
        yield "missed layers", -attention_products(layer)
        yield "bias", layer.bias_additions
    elif layer.via == "transposed":
        return
    elif layer.kind in RECURRENT:
        yield "bias", steps(layer) * biases(layer)
    else:
        yield "bias", layer.bias_additions


PROFILE = Profile(
    "ptflops_aten", "ptflops 0.7.5, backend aten", "Mac",
    "multiply–accumulates of convolutions, linear layers and matrix products, with bias; nothing else; for one sample",
    "sovrasov/flops-counter.pytorch: ptflops/aten_ops.py, aten_engine.py", 31, terms, is_per_sample=True,
)  # fmt: skip
