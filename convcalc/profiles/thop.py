"""thop (pytorch-OpCounter): hooks on the framework's own leaf modules, by exact class."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

from convcalc.arith import Number, is_plain, total
from convcalc.profiles import LayerSizes, Profile, Term
from convcalc.records import replace

UPSAMPLED = {"nearest": 1, "linear": 5, "bilinear": 11, "bicubic": 259}
GATES = {"lstm": 4 + 4, "gru": 3 + 4, "rnn": 1}
"""Elementwise operations of one cell and step, per hidden feature: sums inside the gates, and what follows them."""


def terms(layer: LayerSizes) -> Iterator[Term]:
    """Norms 4 an element (2 without affine; none for group norm), pools, softmax and upsampling as modules; no bias."""
    if layer.kind == "attention":
        yield "missed layers", -(layer.attention_products if layer.via in ("operator", "subclass") else layer.macs)
    elif layer.kind == "matmul" or not layer.is_framework_module:
        yield "missed layers", -layer.macs
    else:
        yield from _module(layer)


def _module(layer: LayerSizes) -> Iterator[Term]:
    match layer.kind:
        case "deconv":
            yield "output positions", layer.macs_at_output_positions - layer.macs
        case "norm" if layer.type in ("batch", "instance", "layer"):
            yield layer.norm(4, 2)
        case "avgpool":
            yield "pooling", _adaptive_operations(layer) if layer.is_adaptive else layer.output_elements
        case "upsample":
            yield layer.upsampling(UPSAMPLED)
        case "lstm" if layer.is_projected:  # counted as if it were not
            whole = replace(layer.op, proj_size=None).products(layer.input)
            yield "missed layers", layer.batch * total(one.multiplies for one in whole) - layer.macs
            yield from common_terms(layer)
        case _:
            yield from common_terms(layer)


def common_terms(layer: LayerSizes) -> Iterator[Term]:
    """The rules that its successor has kept."""
    match layer.kind:
        case "act" if layer.type == "prelu":
            yield "activation functions", layer.input_elements
        case "softmax":
            rows = layer.batch * layer.input.with_axis(layer.argument("axis"), 1).elements
            yield "softmax", 3 * layer.input_elements - rows  # n exponentials, n − 1 sums and n divisions a row
        case "lstm" | "gru" | "rnn":
            yield "bias", layer.bias_additions
            yield "recurrent gates", GATES[layer.kind] * layer.hidden_steps


def _adaptive_operations(layer: LayerSizes) -> Number:
    """⌊(Π n/o + 1)·y⌋ of an adaptive pool, in floating point as there; x + y where sizes are arrays or symbols."""
    if not all(map(is_plain, (*layer.input.spatial, *layer.output.spatial, layer.output_elements))):
        return layer.input_elements + layer.output_elements
    return int((prod([n / o for n, o in layer.spatial_sizes]) + 1) * layer.output_elements)


PROFILE = Profile(
    "thop", "thop 0.1.1", "MACs",
    "multiply–accumulates of convolutions and linear layers without bias, and 4 operations for every element of a "
    "batch norm; only the framework's own module classes: functions and operators count nothing",
    "Lyken17/pytorch-OpCounter: thop/vision/basic_hooks.py, calc_func.py, rnn_hooks.py", 40, terms,
    more_kinds=("sdpa", "einsum"),
)  # fmt: skip
