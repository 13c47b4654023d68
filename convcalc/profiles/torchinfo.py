"""torchinfo's mult-adds, which count parameters and not operations."""

from __future__ import annotations

from collections.abc import Iterator

from convcalc.arith import Number
from convcalc.profiles import Profile, Term
from convcalc.profiles._layer_sizes import CONVOLUTIONS, RECURRENT, LayerSizes
from convcalc.profiles._pytorch_layers import MODULES, NORMS, biases, macs_at_output_positions, steps

LEAVES = (*MODULES, "subclass")
"""Forms that are a module without modules of its own, but for norms that hold their activation."""
SINGLES = ("linear", "operator", "subclass")


def terms(layer: LayerSizes) -> Iterator[Term]:
    """Each weight and bias: of a convolution once for every output position, of any other layer once for every sample.

    So a linear layer on a sequence counts as if it ran once; a recurrent one counts at every step, with its biases.
    """
    if layer.kind == "attention":
        yield from _attention(layer)
    elif layer.kind == "matmul" or layer.via not in LEAVES:
        yield "missed layers", -layer.macs
    else:
        yield from _leaf(layer)


def _leaf(layer: LayerSizes) -> Iterator[Term]:
    match layer.kind:
        case kind if kind in CONVOLUTIONS:
            yield "bias", layer.bias_additions
        case "deconv":
            yield "output positions", macs_at_output_positions(layer) - layer.macs
            yield "bias", layer.bias_additions
        case "linear":
            yield from _weights_once(layer, layer.macs)
        case "norm" if layer.via == "module" or layer.type == "layer":
            yield NORMS[layer.type], layer.batch * layer.weights
        case "act":
            yield "activation functions", layer.batch * layer.weights
        case "param" if layer.via == "subclass":
            yield "elementwise", layer.batch * layer.weights
        case "embedding":
            yield "embedding", layer.batch * layer.weights
        case kind if kind in RECURRENT:
            yield "bias", steps(layer) * biases(layer)


def _attention(layer: LayerSizes) -> Iterator[Term]:
    """Linear layers that stand in it as modules count; nn.MultiheadAttention and F.linear do not."""
    if layer.via in SINGLES:
        yield from _weights_once(layer, layer.macs)
    else:
        yield "missed layers", -layer.macs


def _weights_once(layer: LayerSizes, macs: Number) -> Iterator[Term]:
    """Σ elements of weights and biases, in place of the multiplies."""
    bias = biases(layer)
    yield "missed layers", layer.batch * (layer.weights - bias) - macs
    yield "bias", layer.batch * bias


PROFILE = Profile(
    "torchinfo", "torchinfo 1.8.0", "mult-adds",
    "elements of the weights and biases of each module, times the output positions where it is a convolution",
    "TylerYep/torchinfo: torchinfo/layer_info.py, calculate_macs", 50, terms,
)  # fmt: skip
