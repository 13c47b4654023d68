"""torchinfo's mult-adds, which count parameters and not operations."""

from __future__ import annotations

from collections.abc import Iterator

from convcalc.profiles import LayerSizes, Profile, Term


def terms(layer: LayerSizes) -> Iterator[Term]:
    """Each weight and bias: of a convolution once for every output position, of any other layer once for every sample.

    So a linear layer on a sequence counts as if it ran once; a recurrent one counts at every step, with its biases.
    """
    match layer.kind:
        case "attention" if layer.via in ("operator", "subclass"):  # its linear layers are modules
            yield from _weights_once(layer)
        case _ if layer.kind in ("attention", "matmul") or not layer.is_module:
            yield "missed layers", -layer.macs
        case "conv" | "dwconv" | "lstm" | "gru" | "rnn":
            yield "bias", layer.bias_additions
        case "deconv":
            yield "output positions", layer.macs_at_output_positions - layer.macs
            yield "bias", layer.bias_additions
        case "linear":
            yield from _weights_once(layer)
        case "norm" if layer.via == "module" or layer.type == "layer":
            yield layer.term, layer.batch * layer.weights
        case "act":
            yield "activation functions", layer.batch * layer.weights
        case "param" if layer.via == "subclass":
            yield "elementwise", layer.batch * layer.weights
        case "embedding":
            yield "embedding", layer.batch * layer.weights


def _weights_once(layer: LayerSizes) -> Iterator[Term]:
    """Σ elements of weights and biases, in place of the multiplies."""
    yield "missed layers", layer.batch * (layer.weights - layer.biases) - layer.macs
    yield "bias", layer.batch * layer.biases


PROFILE = Profile(
    "torchinfo", "torchinfo 1.8.0", "mult-adds",
    "elements of the weights and biases of each module, times the output positions where it is a convolution",
    "TylerYep/torchinfo: torchinfo/layer_info.py, calculate_macs", 50, terms, more_kinds=("sdpa", "einsum"),
)  # fmt: skip
