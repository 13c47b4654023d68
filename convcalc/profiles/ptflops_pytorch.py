"""ptflops with its backend ``pytorch``: hooks on modules, and functions of PyTorch replaced by counting ones."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import floor

from convcalc.arith import Number, floordiv
from convcalc.ops.arguments import Alike
from convcalc.profiles import Profile, Term
from convcalc.profiles._layer_sizes import CONVOLUTIONS, JOINS, POOLS, RECURRENT, LayerSizes
from convcalc.profiles._pytorch_layers import (
    MODULES,
    PATCHED,
    attention_products,
    attention_scores,
    biases,
    first_operand,
    hidden_steps,
    join_operations,
    norm_elements,
    projections,
    resizes_by_area,
    response_norm_operations,
    steps,
    upsampled_elements,
)

DOUBLED = ("relu", "prelu", "elu", "gelu")
"""Activations whose module is counted, and the function that it calls once more."""
HOOKED = ("leaky_relu", "relu6")
"""Activations that are counted as modules alone."""
GATES = {"lstm": 10, "gru": 7, "rnn": 1}
"""Elementwise operations of one cell and step, per hidden feature."""


def terms(layer: LayerSizes) -> Iterator[Term]:
    """Modules by their exact class, functions by name: what is both counts twice, what is neither not at all."""
    match layer.kind:
        case kind if kind in CONVOLUTIONS or kind in ("deconv", "linear"):
            seen = layer.via in MODULES
            yield ("bias", layer.bias_additions) if seen else ("missed layers", -layer.macs)
        case "norm" if layer.via == "module" and layer.type not in ("rms", "lrn"):
            yield norm_elements(layer, 1, 1) if layer.type == "layer" else norm_elements(layer, 2, 1)
        case "norm" if layer.type == "lrn" and layer.via in PATCHED:
            yield "lrn norm", response_norm_operations(layer)
        case "matmul":
            seen = layer.via in ("function", "method")
            yield "missed layers", (first_operand(layer) if seen else 0) - layer.macs
        case "attention":
            yield from _attention(layer)
        case kind if kind in RECURRENT:
            yield from _recurrent(layer)
        case _:
            yield from _elementwise(layer)


def _elementwise(layer: LayerSizes) -> Iterator[Term]:
    match layer.kind:
        case "act":
            yield from _activation(layer)
        case kind if kind in POOLS:
            yield from _module_and_function(layer, "pooling", layer.input_elements)
        case "upsample":
            yield from _upsample_terms(layer)
        case "softmax" if layer.via in PATCHED:
            yield "softmax", layer.input_elements
        case kind if kind in JOINS and layer.via in ("function", "method"):
            yield "elementwise", join_operations(layer)
        case "scale" if layer.via in ("function", "method"):
            yield "elementwise", layer.output_elements


def _upsample_terms(layer: LayerSizes) -> Iterator[Term]:
    """The module counts what it gives; the function x·Π scale, or its size, and the pool that an area is.

    Of a list each scale is rounded down first.
    """
    if layer.via in PATCHED:
        scales = layer.argument("scale")
        if scales is not None and not isinstance(scales, Alike):
            scales = [floor(s) if isinstance(s, Fraction) else s for s in scales]
        yield "upsampling", layer.output_elements if scales is None else upsampled_elements(layer, scales)
        yield "pooling", layer.input_elements * resizes_by_area(layer)
    if layer.via in MODULES:
        yield "doubled modules", layer.output_elements


def _module_and_function(layer: LayerSizes, name: str, count: Number) -> Iterator[Term]:
    """A module, counted once more as the function that it calls; or the function alone."""
    if layer.via in PATCHED:
        yield name, count
    if layer.via in MODULES:
        yield "doubled modules", count


def _activation(layer: LayerSizes) -> Iterator[Term]:
    if layer.type in DOUBLED:
        yield from _module_and_function(layer, "activation functions", layer.output_elements)
    elif (
        (layer.type in ("silu", "swish") and layer.via in PATCHED)
        or (layer.type in HOOKED and layer.via in MODULES)
        or (layer.type, layer.via) == ("relu6", "function")
    ):
        yield "activation functions", layer.output_elements


def _attention(layer: LayerSizes) -> Iterator[Term]:
    """nn.MultiheadAttention by its own rule; timm's Attention by another, which loses the linear layers inside.

    The first always adds the bias of the output, and takes keys and values to be projected to their own width.
    """
    queries = layer.batch * layer.product("q").outputs
    if layer.via in ("module", "fused", "fast_path"):
        yield "bias", layer.bias_additions if layer.argument("bias") else layer.batch * layer.product("o").outputs
        yield "elementwise", queries
        yield "softmax", attention_scores(layer)
        if layer.via == "module":
            yield "doubled modules", attention_products(layer) + attention_scores(layer)
        if len(layer.node.input_shapes) > 1:
            yield from _projection_terms(layer)
    elif layer.via == "subclass":
        yield "missed layers", -projections(layer)
        yield "elementwise", queries
        yield "softmax", attention_scores(layer)
    elif layer.via == "operator":
        yield "missed layers", -attention_products(layer)
        yield "bias", layer.bias_additions
    else:
        yield "missed layers", -projections(layer)
        yield "softmax", attention_scores(layer)


def _projection_terms(layer: LayerSizes) -> Iterator[Term]:
    """Keys and values of width F: projected to F and not to E, values F//h wide a head, the context once more F to F.

    The bias of keys and values is E all the same.
    """
    x, memory = layer.node.input_shapes
    width, read, heads = x.features, memory.features, layer.argument("heads")
    rows, positions = layer.batch * memory.replaced(-1, 1).elements, layer.batch * x.replaced(-1, 1).elements
    yield "missed layers", 2 * rows * read * (read - width) + positions * (read * read - width * width)
    yield "missed layers", attention_scores(layer) * (floordiv(read, heads) - floordiv(width, heads))
    yield "bias", positions * (read - width)


def _recurrent(layer: LayerSizes) -> Iterator[Term]:
    yield "bias", steps(layer) * biases(layer)
    yield "recurrent gates", GATES[layer.kind] * hidden_steps(layer)


PROFILE = Profile(
    "ptflops_pytorch", "ptflops 0.7.5, backend pytorch", "Mac",
    "multiply–accumulates with bias, and so many for each element of norms, activations and pools; "
    "a module whose function is counted too counts twice; for one sample, whatever the batch",
    "sovrasov/flops-counter.pytorch: ptflops/pytorch_ops.py, pytorch_engine.py", 30, terms, is_per_sample=True,
)  # fmt: skip
