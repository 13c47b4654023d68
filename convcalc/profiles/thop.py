"""thop (pytorch-OpCounter): hooks on the framework's own leaf modules, by exact class."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

from convcalc.arith import Number, is_plain
from convcalc.profiles import Profile, Term
from convcalc.profiles._layer_sizes import RECURRENT, LayerSizes
from convcalc.profiles._pytorch_layers import (
    MODULES,
    attention_products,
    biases,
    hidden_steps,
    macs_at_output_positions,
    norm_elements,
    steps,
)

UPSAMPLED = {"nearest": 1, "linear": 5, "bilinear": 11, "bicubic": 259}
GATES = {"lstm": (4, 4), "gru": (3, 4), "rnn": (1, 0)}
"""Elementwise operations of one cell and step, per hidden feature: sums inside the gates, and what follows them."""


def terms(layer: LayerSizes) -> Iterator[Term]:
    """Norms 4 an element (2 without affine; none for group norm), pools, softmax and upsampling as modules; no bias."""
    if layer.kind == "attention":
        yield "missed layers", -(attention_products(layer) if layer.via in ("operator", "subclass") else layer.macs)
    elif layer.kind == "matmul" or layer.via not in MODULES:
        yield "missed layers", -layer.macs
    else:
        yield from _module(layer)


def _module(layer: LayerSizes) -> Iterator[Term]:
    match layer.kind:
        case "deconv":
            yield "output positions", macs_at_output_positions(layer) - layer.macs
        case "norm" if layer.type in ("batch", "instance", "layer"):
            yield norm_elements(layer, 4, 2)
        case "avgpool":
            yield "pooling", adaptive_operations(layer) if layer.is_adaptive else layer.output_elements
        case "upsample":
            yield "upsampling", UPSAMPLED.get(str(layer.argument("mode")), 0) * layer.output_elements
        case _:
            yield from common_terms(layer)


def common_terms(layer: LayerSizes) -> Iterator[Term]:
    """The rules that its successor has kept."""
    match layer.kind:
        case "act" if layer.type == "prelu":
            yield "activation functions", layer.input_elements
        case "softmax":
            yield "softmax", softmax_operations(layer)
        case kind if kind in RECURRENT:
            yield from recurrent_operations(layer)


def adaptive_operations(layer: LayerSizes) -> Number:
    """⌊(Π n/o + 1)·y⌋ of an adaptive pool, in floating point as there; x + y where sizes are arrays or symbols."""
    before, after = layer.node.input_shapes[0].spatial, layer.node.shape.spatial
    if not all(map(is_plain, (*before, *after, layer.output_elements))):
        return layer.input_elements + layer.output_elements
    return int((prod([n / o for n, o in zip(before, after, strict=True)]) + 1) * layer.output_elements)


def softmax_operations(layer: LayerSizes) -> Number:
    """rows·(3n − 1): n exponentials, n − 1 sums and n divisions for n elements a row."""
    (x,) = layer.node.input_shapes
    return 3 * layer.input_elements - layer.batch * x.replaced(layer.argument("axis"), 1).elements


def recurrent_operations(layer: LayerSizes) -> Iterator[Term]:
    """(I + H)·H + H for each gate, both biases, and the products of states."""
    inside, after = GATES[layer.kind]
    yield "bias", steps(layer) * biases(layer)
    yield "recurrent gates", (inside + after) * hidden_steps(layer)


PROFILE = Profile(
    "thop", "thop 0.1.1", "MACs",
    "multiply–accumulates of convolutions and linear layers without bias, and 4 operations for every element of a "
    "batch norm; only the framework's own module classes: functions and operators count nothing",
    "Lyken17/pytorch-OpCounter: thop/vision/basic_hooks.py, calc_func.py, rnn_hooks.py", 40, terms,
)  # fmt: skip
