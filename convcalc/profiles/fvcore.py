"""fvcore's ``FlopCountAnalysis``: what the traced operators of a module multiply, and some norms and pools."""

from __future__ import annotations

from collections.abc import Iterator

from convcalc.profiles import Profile, Term
from convcalc.profiles._layer_sizes import CONVOLUTIONS, RECURRENT, LayerSizes
from convcalc.profiles._pytorch_layers import (
    attention_products,
    broadcast_matmul_correction,
    norm_elements,
    resizes_by_area,
)

UPSAMPLED = {"nearest": 1, "bilinear": 4}
UNSEEN = {("attention", "fast_path"), ("matmul", "fused"), *((kind, "string") for kind in CONVOLUTIONS)}
"""(Kind, form) without a rule."""


def terms(layer: LayerSizes) -> Iterator[Term]:
    """Batch norm 2 an element (1 without affine), other norms 5 (4), adaptive average pools over two axes 1 per input.

    Nearest and bilinear upsampling in two axes are 1 and 4 an output. Without a rule, and so 0: recurrent layers,
    fused attention, and convolutions with padding='same' (``aten::_convolution_mode``).
    """
    match layer.kind:
        case "norm" if layer.type not in ("rms", "lrn"):
            yield norm_elements(layer, 2, 1) if layer.type == "batch" else norm_elements(layer, 5, 4)
        case "avgpool" if layer.is_adaptive and layer.axes == 2 and layer.via != "method":
            yield "pooling", layer.input_elements
        case "upsample" if layer.axes == 2:
            yield "upsampling", UPSAMPLED.get(str(layer.argument("mode")), 0) * layer.output_elements
            yield "pooling", layer.input_elements * resizes_by_area(layer)
        case "attention" if layer.via == "fused":
            yield "missed layers", -attention_products(layer)
        case kind if kind in RECURRENT or (kind, layer.via) in UNSEEN:
            yield "missed layers", -layer.macs
        case "matmul":
            yield from broadcast_matmul_correction(layer)


PROFILE = Profile(
    "fvcore", "fvcore 0.1.5", "MACs",
    "one for each multiply–accumulate, and so many for each element of a norm, adaptive average pool or upsampling",
    "facebookresearch/fvcore: fvcore/nn/jit_handles.py, flop_count.py", 10, terms,
)  # fmt: skip
