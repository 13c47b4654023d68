"""ptflops with its backend ``aten``: the operators that PyTorch dispatches."""

from __future__ import annotations

from collections.abc import Iterator

from convcalc.profiles import Profile, Term
from convcalc.profiles._layer import RECURRENT, Layer
from convcalc.profiles._torch import biases, steps


def terms(layer: Layer) -> Iterator[Term]:
    """Bias of convolutions and linear layers; an LSTM and an attention's fast path are one operator without a rule."""
    if layer.kind == "lstm" or (layer.kind == "attention" and layer.via == "fast_path"):
        yield "missed layers", -layer.macs
    elif layer.via == "transposed":
        return
    elif layer.kind in RECURRENT:
        yield "bias", steps(layer) * biases(layer)
    else:
        yield "bias", layer.biased


PROFILE = Profile(
    "ptflops_aten", "ptflops 0.7.5, backend aten", "Mac",
    "multiply–accumulates of convolutions, linear layers and matrix products, with bias; nothing else; for one sample",
    "sovrasov/flops-counter.pytorch: ptflops/aten_ops.py, aten_engine.py", 31, terms, per_sample=True,
)  # fmt: skip
