"""torch-scan's FLOPs by module."""

from __future__ import annotations

from collections.abc import Iterator

from convcalc.arith import total
from convcalc.profiles import Profile, Term
from convcalc.profiles._layer_sizes import CONVOLUTIONS, POOLS, RECURRENT, LayerSizes
from convcalc.profiles._pytorch_layers import (
    attention_products,
    attention_scores,
    macs_at_output_positions,
    norm_elements,
    norm_groups,
    projections,
)
from convcalc.profiles.torchscan_module_macs import CLASSES, pool_operations

ACTIVATIONS = {"relu": 1, "relu6": 2, "leaky_relu": 4, "sigmoid": 4, "tanh": 6, "elu": 6}
"""Operations of an element."""


def terms(layer: LayerSizes) -> Iterator[Term]:
    """A sum of n products has n − 1 additions; batch norm 4 an element and 2 a channel, layer norm 8 and 2 a row.

    A dropout that may drop counts 1 an element, in evaluation too.
    """
    if layer.kind == "attention":
        yield from _attention(layer)
    elif layer.kind in ("matmul", *RECURRENT) or layer.via not in CLASSES:
        yield "missed layers", -layer.macs
    elif layer.kind in (*CONVOLUTIONS, "deconv", "linear"):
        yield from _products(layer)
    else:
        yield from _elementwise(layer)


def _products(layer: LayerSizes) -> Iterator[Term]:
    counted = macs_at_output_positions(layer) if layer.kind == "deconv" else layer.macs
    yield "output positions", counted - layer.macs
    yield "additions", counted - layer.output_elements
    yield "bias", layer.bias_additions
    if layer.kind == "deconv":
        yield "padding arithmetic", 8 * layer.axes


def _elementwise(layer: LayerSizes) -> Iterator[Term]:
    match layer.kind:
        case "norm" if layer.type == "batch":
            yield norm_elements(layer, 4, 2)
            yield "batch norm", 2 * layer.node.shape.channels
        case "norm" if layer.type == "layer":
            yield norm_elements(layer, 8, 6)
            yield "layer norm", 2 * norm_groups(layer)
        case "dropout" if layer.argument("p"):
            yield "elementwise", layer.input_elements
        case "act":
            yield "activation functions", ACTIVATIONS.get(layer.type, 0) * layer.input_elements
        case kind if kind in POOLS:
            yield "pooling", pool_operations(layer)


def _attention(layer: LayerSizes) -> Iterator[Term]:
    """nn.MultiheadAttention whole, with its scaling and softmax; linear layers in another attention by themselves.

    Where it gives its weights (``module``), their mean over the heads is one more for each of them.
    """
    outputs = layer.batch * total(layer.product(name).outputs for name in "qkvo")
    if layer.via in ("operator", "subclass"):
        yield "missed layers", -attention_products(layer)
        yield "additions", projections(layer) - outputs
        yield "bias", layer.bias_additions
        return
    if layer.via == "function":
        yield "missed layers", -layer.macs
        return
    queries, context = layer.batch * layer.product("q").outputs, layer.batch * layer.product("context").outputs
    rows = layer.batch * layer.node.input_shapes[0].replaced(-1, layer.argument("heads")).elements
    yield "additions", layer.macs - outputs - attention_scores(layer) - context
    yield "bias", layer.bias_additions
    yield "elementwise", queries + 1 + (attention_scores(layer) if layer.via == "module" else 0)
    yield "softmax", 3 * attention_scores(layer) - rows


PROFILE = Profile(
    "torchscan_module_flops", "torch-scan 0.2 (modules)", "FLOPs",
    "multiplies and additions one by one, with bias, norms, activations and pools",
    "frgfm/torch-scan: torchscan/modules/flops.py", 72, terms,
)  # fmt: skip
