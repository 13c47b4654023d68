"""ptflops: with its backend ``pytorch`` hooks on modules, and functions of PyTorch replaced by counting ones.

With its backend ``aten`` the operators that PyTorch dispatches.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import floor

from convcalc.arith import Number, floordiv
from convcalc.ops.arguments import SameOnAllAxes
from convcalc.profiles import LayerSizes, Profile, Term

DOUBLED = ("relu", "prelu", "elu", "gelu")
"""Activations whose module is counted, and the function that it calls once more."""
HOOKED = ("leaky_relu", "relu6")
"""Activations that are counted as modules alone."""
GATES = {"lstm": 10, "gru": 7, "rnn": 1}
"""Elementwise operations of one cell and step, per hidden feature."""


def terms(layer: LayerSizes) -> Iterator[Term]:
    """Modules by their exact class, functions by name: what is both counts twice, what is neither not at all."""
    match layer.kind:
        case "conv" | "dwconv" | "deconv" | "linear":
            seen = layer.is_framework_module
            yield ("bias", layer.bias_additions) if seen else ("missed layers", -layer.macs)
        case "norm" if layer.via == "module" and layer.type not in ("rms", "lrn"):
            yield layer.norm(1, 1) if layer.type == "layer" else layer.norm(2, 1)
        case "norm" if layer.type == "lrn" and layer.calls_functional:
            yield "lrn norm", layer.response_norm_operations
        case "matmul":
            yield "missed layers", (layer.seen_in_first_operand if layer.is_call else 0) - layer.macs
        case "sdpa" | "einsum":
            yield "missed layers", -layer.macs
        case "attention":
            yield from _attention(layer)
        case "lstm" | "gru" | "rnn":
            yield "missed layers", -layer.state_projections
            yield "bias", layer.bias_additions
            yield "recurrent gates", GATES[layer.kind] * layer.hidden_steps
        case _:
            yield from _elementwise(layer)


def _elementwise(layer: LayerSizes) -> Iterator[Term]:
    match layer.kind:
        case "act":
            yield from _activation(layer)
        case "maxpool" | "avgpool":
            yield from _module_and_function(layer, "pooling", layer.input_elements)
        case "upsample":
            yield from _upsample_terms(layer)
        case "softmax" if layer.calls_functional:
            yield "softmax", layer.input_elements
        case "add" | "mul" | "scale" if layer.is_call:
            yield "elementwise", layer.join_operations


def _upsample_terms(layer: LayerSizes) -> Iterator[Term]:
    """The module counts what it gives; the function x·Π scale, or its size, and the pool that an area is.

    Of a list each scale is rounded down first.
    """
    if layer.calls_functional:
        scales = layer.argument("scale")
        if scales is not None and not isinstance(scales, SameOnAllAxes):
            scales = [floor(s) if isinstance(s, Fraction) else s for s in scales]
        yield "upsampling", layer.output_elements if scales is None else layer.upsampled_elements(scales)
        yield "pooling", layer.input_elements * layer.resizes_by_area
    if layer.is_framework_module:
        yield "doubled modules", layer.output_elements


def _module_and_function(layer: LayerSizes, name: str, count: Number) -> Iterator[Term]:
    """A module, counted once more as the function that it calls; or the function alone."""
    if layer.calls_functional:
        yield name, count
    if layer.is_framework_module:
        yield "doubled modules", count


def _activation(layer: LayerSizes) -> Iterator[Term]:
    if layer.type in DOUBLED:
        yield from _module_and_function(layer, "activation functions", layer.output_elements)
    elif (
        (layer.type in ("silu", "swish") and layer.calls_functional)
        or (layer.type in HOOKED and layer.is_framework_module)
        or (layer.type, layer.via) == ("relu6", "function")
    ):
        yield "activation functions", layer.output_elements


def _attention(layer: LayerSizes) -> Iterator[Term]:
    """nn.MultiheadAttention by its own rule; timm's Attention by another, which loses the linear layers inside.

    The first always adds the bias of the output, and takes keys and values to be projected to their own width; it knows
    of no appended keys, which the functions that it calls count.
    """
    queries = layer.product_outputs("q")
    if layer.via in ("module", "fused", "fast_path"):
        unseen = layer.batch * layer.appended_keys * layer.input.with_axis(-1, layer.argument("heads")).elements
        yield "missed layers", -layer.appended_keys * (queries + layer.product_outputs("context"))
        yield "bias", layer.bias_additions
        yield "bias", 0 if "o.bias" in layer.node.facts.weights else layer.product_outputs("o")
        yield "elementwise", queries
        yield "softmax", layer.attention_scores - unseen
        if layer.via == "module":
            yield "doubled modules", layer.attention_products + layer.attention_scores
        if len(layer.node.input_shapes) > 1:
            yield from _projection_terms(layer)
    elif layer.via == "subclass":
        yield "missed layers", -layer.projections
        yield "elementwise", queries
        yield "softmax", layer.attention_scores
    elif layer.via == "operator":
        yield "missed layers", -layer.attention_products
        yield "bias", layer.bias_additions
    else:
        yield "missed layers", -layer.projections
        yield "softmax", layer.attention_scores


def _projection_terms(layer: LayerSizes) -> Iterator[Term]:
    """Keys of width Fk projected to Fk and not to E, values and the context to Fv, values Fv//h wide a head.

    The bias of keys and values is E all the same.
    """
    x, keys, values = (*layer.node.input_shapes, layer.node.input_shapes[-1])[:3]
    width, heads = x.features, layer.argument("heads")
    rows, positions = layer.batch * keys.with_axis(-1, 1).elements, layer.batch * x.with_axis(-1, 1).elements
    for read in (keys.features, values.features):
        yield "missed layers", rows * read * (read - width)
    yield "missed layers", positions * (values.features * values.features - width * width)
    scores = heads * positions * keys[-2]
    yield "missed layers", scores * (floordiv(values.features, heads) - floordiv(width, heads))
    yield "bias", positions * (values.features - width)


def aten_terms(layer: LayerSizes) -> Iterator[Term]:
    """Bias of convolutions and linear layers; what is one operator without a rule is missed.

    So are an LSTM without projection, an attention's fast path, and the fused kernels of scaled_dot_product_attention.
    """
    one_kernel = (layer.kind, layer.via) == ("attention", "fast_path")
    one_kernel |= layer.kind == "lstm" and not layer.is_projected
    yield "missed layers", -(layer.macs if one_kernel else layer.fused_macs)
    if not one_kernel and layer.via != "transposed":
        yield "bias", layer.bias_additions


PYTORCH = Profile(
    "ptflops_pytorch", "ptflops 0.7.5, backend pytorch", "Mac",
    "multiply–accumulates with bias, and so many for each element of norms, activations and pools; "
    "a module whose function is counted too counts twice; for one sample, whatever the batch",
    "sovrasov/flops-counter.pytorch: ptflops/pytorch_ops.py, pytorch_engine.py", 30, terms, is_per_sample=True,
    more_kinds=("sdpa", "einsum"),
)  # fmt: skip
ATEN = Profile(
    "ptflops_aten", "ptflops 0.7.5, backend aten", "Mac",
    "multiply–accumulates of convolutions, linear layers and matrix products, with bias; nothing else; for one sample",
    "sovrasov/flops-counter.pytorch: ptflops/aten_ops.py, aten_engine.py", 31, aten_terms, is_per_sample=True,
    more_kinds=("sdpa", "einsum"),
)  # fmt: skip
