"""fvcore's ``ActivationCountAnalysis``: what convolutions and matrix products put out."""

from __future__ import annotations

from collections.abc import Iterator

from convcalc.arith import total
from convcalc.profiles import Profile, Term
from convcalc.profiles._layer_sizes import CONVOLUTIONS, RECURRENT, LayerSizes


def terms(layer: LayerSizes) -> Iterator[Term]:
    """Recurrent layers, fused attention and convolutions with padding='same' have no rule."""
    if layer.kind in RECURRENT or (layer.kind in CONVOLUTIONS and layer.via == "string"):
        yield "missed layers", -layer.outputs
    elif layer.kind == "attention" and layer.via == "fused":
        yield "missed layers", -layer.batch * total(layer.product(name).outputs for name in ("scores", "context"))
    elif (layer.kind, layer.via) in (("attention", "fast_path"), ("matmul", "fused")):
        yield "missed layers", -layer.outputs


PROFILE = Profile(
    "fvcore_activations", "fvcore 0.1.5", "elements",
    "outputs of convolutions, linear layers and matrix products",
    "facebookresearch/fvcore: fvcore/nn/activation_count.py, jit_handles.py", 11, terms, base="activations",
)  # fmt: skip
