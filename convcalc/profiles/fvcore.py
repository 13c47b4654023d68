"""fvcore: what the traced operators of a module multiply, with some norms and pools, and what they put out."""

from __future__ import annotations

from collections.abc import Iterator

from convcalc.profiles import LayerSizes, Profile, Term

UPSAMPLED = {"nearest": 1, "bilinear": 4}


def terms(layer: LayerSizes) -> Iterator[Term]:
    """Batch norm 2 an element (1 without affine), other norms 5 (4), adaptive average pools over two axes 1 per input.

    Nearest and bilinear upsampling in two axes are 1 and 4 an output. Without a rule, and so 0: recurrent layers,
    fused attention, and convolutions with padding='same' (``aten::_convolution_mode``).
    """
    yield "missed layers", -(layer.macs if _has_no_rule(layer) else layer.fused_macs)
    match layer.kind:
        case "norm" if layer.type not in ("rms", "lrn"):
            yield layer.functional_norm
        case "avgpool" if layer.is_adaptive and layer.axes == 2 and layer.via != "method":
            yield "pooling", layer.input_elements
        case "upsample" if layer.axes == 2:
            yield layer.upsampling(UPSAMPLED)
            yield "pooling", layer.input_elements * layer.resizes_by_area
        case "matmul" if layer.via != "fused":
            yield "missed layers", layer.seen_in_first_operand - layer.macs


def activation_terms(layer: LayerSizes) -> Iterator[Term]:
    """Recurrent layers, fused attention and convolutions with padding='same' have no rule."""
    if (layer.kind, layer.via) == ("attention", "fused"):
        yield "missed layers", -layer.product_outputs("scores", "context")
    elif _has_no_rule(layer) or layer.is_fused:
        yield "missed layers", -layer.outputs


def _has_no_rule(layer: LayerSizes) -> bool:
    return layer.is_recurrent or (layer.is_convolution and layer.via == "string")


FLOPS = Profile(
    "fvcore", "fvcore 0.1.5", "MACs",
    "one for each multiply–accumulate, and so many for each element of a norm, adaptive average pool or upsampling",
    "facebookresearch/fvcore: fvcore/nn/jit_handles.py, flop_count.py", 10, terms, more_kinds=("sdpa",),
)  # fmt: skip
ACTIVATIONS = Profile(
    "fvcore_activations", "fvcore 0.1.5", "elements",
    "outputs of convolutions, linear layers and matrix products",
    "facebookresearch/fvcore: fvcore/nn/activation_count.py, jit_handles.py", 11, activation_terms, base="activations",
    more_kinds=("sdpa",),
)  # fmt: skip
