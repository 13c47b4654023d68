"""torch-scan: operator FLOPs, for which it asks torch.utils.flop_counter, and its own MACs and FLOPs by module."""

from __future__ import annotations

from collections.abc import Iterator

from convcalc.arith import Number, divides, floordiv, modulo, prod, require, select
from convcalc.ops.arguments import SameOnAllAxes
from convcalc.profiles import LayerSizes, Profile, Term
from convcalc.profiles.torch import OPERATORS as OPERATOR_KINDS
from convcalc.profiles.torch import terms as operator_terms

ACTIVATIONS = {"relu": 1, "relu6": 2, "leaky_relu": 4, "sigmoid": 4, "tanh": 6, "elu": 6}
"""Operations of an element."""


def macs_terms(layer: LayerSizes) -> Iterator[Term]:
    """Batch norm 2 an element (1 without affine) and pools; recurrent layers and nn.MultiheadAttention have no rule."""
    if layer.kind == "attention":
        yield "missed layers", -(layer.attention_products if layer.via in ("operator", "subclass") else layer.macs)
    elif _has_no_rule(layer):
        yield "missed layers", -layer.macs
    elif layer.kind == "norm" and layer.type == "batch":
        yield layer.norm(2, 1)
    elif layer.kind in ("maxpool", "avgpool"):
        yield "pooling", _pool_operations(layer)
    elif layer.kind == "deconv":
        yield "output positions", layer.macs_at_output_positions - layer.macs
        yield "padding arithmetic", 4 * layer.axes


def flops_terms(layer: LayerSizes) -> Iterator[Term]:
    """A sum of n products has n − 1 additions; batch norm 4 an element and 2 a channel, layer norm 8 and 2 a row.

    A dropout that may drop counts 1 an element, in evaluation too.
    """
    if layer.kind == "attention":
        yield from _attention(layer)
    elif _has_no_rule(layer):
        yield "missed layers", -layer.macs
    elif layer.is_convolution or layer.kind in ("deconv", "linear"):
        yield from _products(layer)
    else:
        yield from _elementwise(layer)


def _has_no_rule(layer: LayerSizes) -> bool:
    return layer.is_recurrent or layer.kind == "matmul" or not layer.is_module


def _pool_operations(layer: LayerSizes) -> Number:
    """y·(k − 1), of an average pool y·(k − 1 + spatial axes).

    A kernel size written as one integer counts as k, and one written as a list as the product of its sizes. That of an
    adaptive pool is taken to be n/o where the output size divides the input's, else the remainder and one.
    """
    sizes = layer.argument("kernel_size")
    if layer.argument("out_size") is not None:
        cells = prod(select(divides(o, n), floordiv(n, o), modulo(n, o) + 1) for n, o in layer.spatial_sizes)
    else:
        cells = sizes[0] if isinstance(sizes, SameOnAllAxes) else layer.kernel_elements
    return layer.output_elements * (cells - 1 + (layer.axes if layer.kind == "avgpool" else 0))


def _products(layer: LayerSizes) -> Iterator[Term]:
    counted = layer.macs_at_output_positions if layer.kind == "deconv" else layer.macs
    yield "output positions", counted - layer.macs
    yield "additions", counted - layer.output_elements
    yield "bias", layer.bias_additions
    if layer.kind == "deconv":
        yield "padding arithmetic", 8 * layer.axes


def _elementwise(layer: LayerSizes) -> Iterator[Term]:
    match layer.kind:
        case "norm" if layer.type == "batch":
            yield layer.norm(4, 2)
            yield "batch norm", 2 * layer.norm_channels
        case "norm" if layer.type == "layer":
            yield layer.term, (6 + len(layer.node.facts.weights)) * layer.input_elements
            yield "layer norm", 2 * _norm_groups(layer)
        case "dropout" if layer.argument("p"):
            yield "elementwise", layer.input_elements
        case "act":
            yield "activation functions", ACTIVATIONS.get(layer.type, 0) * layer.input_elements
        case "maxpool" | "avgpool":
            yield "pooling", _pool_operations(layer)


def _norm_groups(layer: LayerSizes) -> Number:
    """Groups of elements that a layer norm works on together."""
    shape = layer.input
    for axis in layer.op.attributes(shape)["axis"]:
        shape = shape.with_axis(axis, 1)
    return layer.batch * shape.elements


def _attention(layer: LayerSizes) -> Iterator[Term]:
    """nn.MultiheadAttention whole, with its scaling and softmax; linear layers in another attention by themselves.

    Where it gives its weights (``module``), their mean over the heads is one more for each of them.
    """
    if layer.via == "function":
        yield "missed layers", -layer.macs
        return
    yield "additions", layer.projections - layer.product_outputs(*"qkvo")
    yield "bias", layer.bias_additions
    if layer.via in ("operator", "subclass"):
        yield "missed layers", -layer.attention_products
        return
    require(layer.appended_keys == 0, "CC742", "torch-scan stops at add_bias_kv and at add_zero_attn")
    yield "additions", layer.attention_products - layer.product_outputs("scores", "context")
    yield "elementwise", layer.product_outputs("q") + 1 + (layer.attention_scores if layer.via == "module" else 0)
    yield "softmax", layer.softmax_of_scores


OPERATORS = Profile(
    "torchscan", "torch-scan 0.2 (operators)", "FLOPs",
    "as torch, which it asks; its module formulas, which it prints beside, are two tools of their own here",
    "frgfm/torch-scan: torchscan/flops.py", 70, operator_terms, more_kinds=OPERATOR_KINDS,
)  # fmt: skip
MODULE_MACS = Profile(
    "torchscan_module_macs", "torch-scan 0.2 (modules)", "MACs",
    "multiply–accumulates without bias, 2 operations an element of batch norms, and comparisons of pools",
    "frgfm/torch-scan: torchscan/modules/macs.py", 71, macs_terms, more_kinds=OPERATOR_KINDS,
)  # fmt: skip
MODULE_FLOPS = Profile(
    "torchscan_module_flops", "torch-scan 0.2 (modules)", "FLOPs",
    "multiplies and additions one by one, with bias, norms, activations and pools",
    "frgfm/torch-scan: torchscan/modules/flops.py", 72, flops_terms, more_kinds=OPERATOR_KINDS,
)  # fmt: skip
