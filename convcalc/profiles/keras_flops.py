"""keras-flops: TensorFlow's profiler, which has a formula for some of the operations of a graph."""

from __future__ import annotations

from collections.abc import Iterator

from convcalc.arith import Number, ceildiv, divides, equal, floordiv, prod, require, select, total
from convcalc.profiles import LayerSizes, Profile, Term

ACTIVATIONS = {
    "prelu": 3, "gelu": 4, "quick_gelu": 2, "silu": 2, "swish": 2, "mish": 1, "logsigmoid": 2, "hardswish": 3,
    "hardsigmoid": 2, "hardtanh": 2, "threshold": 2,
}  # fmt: skip
"""Activation → its operations that have a formula, an element; relu, sigmoid, tanh and others have none."""
FUNCTIONS = {
    "reciprocal": 1, "square": 1, "rsqrt": 2, "log": 1, "neg": 1, "sub": 1, "div": 1, "pow": 1, "max": 1, "min": 1,
    "mean": 1, "eq": 1, "ne": 1, "lt": 1, "le": 1, "gt": 1, "ge": 1, "clamp": 2,
}  # fmt: skip
"""Function → its operations that have a formula, an element; square roots, exponentials, sines and others have none."""
REDUCTIONS = {"mean": (1, 0), "l2": (2, 1)} | dict.fromkeys(("sum", "max", "argmax", "argmin", "l1"), (1, 1))
"""Reduction → operations an element that it reads, and how many fewer an element that it gives."""
UNCOUNTED_REDUCTIONS = ("min", "prod", "any", "all")
"""Those that are one operation without a formula."""
EINSUM = ("module", "fused", "fast_path")
"""Forms of an attention that are Keras' MultiHeadAttention, whose products are an Einsum, which has no formula."""


def terms(layer: LayerSizes) -> Iterator[Term]:
    """2 for each multiply–accumulate, bias 1 an output, batch norm 2 an element and 6 a channel, pools K an output.

    Layers are those of Keras. A convolution in groups is compiled apart and has no formula, nor have pools over three
    axes, resizing, the statistics of a layer norm, and what a recurrent layer runs in its loop.
    """
    yield from _recurrent_terms(layer) if layer.is_recurrent else _products(layer)
    match layer.kind:
        case "norm":
            yield layer.term, _norm(layer)
        case "act":
            yield "activation functions", ACTIVATIONS.get(layer.type, 0) * layer.input_elements + layer.weights
        case "maxpool" | "avgpool":
            yield "pooling", _pool_operations(layer)
        case "softmax":
            yield "softmax", 5 * layer.input_elements
        case "add" | "mul" | "scale":
            yield "elementwise", layer.join_operations
        case "elementwise":
            require(layer.type != "log2", "CC742", "TensorFlow has no {}: it can be written in many ways", layer.type)
            yield "elementwise", layer.function_operations(FUNCTIONS) + layer.output_elements * (layer.type == "mean")
        case "reduce":
            yield "reductions", _reduction(layer)
        case "attention":
            yield "elementwise", layer.product_outputs("q")
            yield "softmax", 5 * layer.attention_scores


def _products(layer: LayerSizes) -> Iterator[Term]:
    """A transposed convolution is 2·y·K·Ci/stride², rounded down; one over three axes has no formula."""
    flops, counted, biased = 2 * layer.macs, layer.kind != "attention" or layer.via not in EINSUM, layer.bias_additions
    if layer.is_convolution:
        flops = 2 * floordiv(layer.macs, prod(layer.output.spatial)) * _places(layer)
    if layer.kind == "conv":
        counted = equal(layer.argument("groups"), 1)
        biased = select(counted, biased, 0)
    if layer.kind == "deconv":
        outputs = layer.batch * layer.output.channels * _places(layer)
        whole = 2 * outputs * layer.kernel_elements * layer.input.channels
        flops, counted = floordiv(whole, prod(layer.window.stride)), layer.axes < 3
    multiplies = floordiv(flops, 2)
    yield "output positions", multiplies - layer.macs
    yield "missed layers", select(counted, 0, -multiplies)
    yield "additions", select(counted, flops - multiplies, 0)
    yield "bias", biased


def _places(layer: LayerSizes) -> Number:
    """Output positions; a dilated kernel runs on a picture whose sides are made up to multiples of the dilation."""
    window, sizes = layer.window, layer.output.spatial
    if layer.kind == "deconv":  # what padding cuts is cut from a dilated one afterwards
        cuts = zip(window.padding, window.dilation, strict=True)
        cut = (select(equal(dilation, 1), 0, total(pads)) for pads, dilation in cuts)
        sizes = tuple(size + more for size, more in zip(sizes, cut, strict=True))
    return prod(ceildiv(size, dilation) * dilation for size, dilation in zip(sizes, window.dilation, strict=True))


def _recurrent_terms(layer: LayerSizes) -> Iterator[Term]:
    """The product with the input is found once, not step by step; the others, of unknown shape, never are.

    Of an LSTM and a GRU with bias, which may run elsewhere in one kernel, nothing is found.
    """
    require(not layer.is_projected, "CC742", "Keras has no LSTM with a projection")
    found = layer.kind == "rnn" or not layer.argument("bias")
    weights = layer.node.facts.weights.items()
    step = layer.batch * total(shape.elements for name, shape in weights if name.endswith(".input")) if found else 0
    yield "missed layers", step - layer.macs
    yield "additions", step
    if found and layer.argument("bias"):
        yield "bias", layer.batch * layer.hidden_units


def _norm(layer: LayerSizes) -> Number:
    """A batch norm has 6 numbers a channel, or 5 where it is not one kernel: without scale, on less than two axes.

    The statistics of a group norm are 5 an element; those of a layer norm are the kernel of a batch norm in training.
    """
    channels = layer.norm_channels
    match layer.type:
        case "batch":
            return 2 * layer.input_elements + (6 if layer.is_affine or layer.axes > 1 else 5) * channels
        case "layer":
            return len(layer.node.facts.weights) * layer.input_elements
        case "group" | "instance":
            groups = layer.argument("groups") if layer.type == "group" else channels
            shift = groups + channels if "bias" in layer.node.facts.weights else 2 * groups
            scaled = 3 * (groups + channels) if layer.is_affine else 3 * groups + shift
            return 6 * layer.input_elements + layer.batch * scaled
    return 0


def _pool_operations(layer: LayerSizes) -> Number:
    """A global pool is a mean or a maximum over axes, of which the last leaves out the first element.

    Keras has no adaptive pools; one whose size divides the input's is an ordinary one, or a mean.
    """
    if layer.argument("kernel_size") == "global":
        return layer.input_elements if layer.kind == "avgpool" else layer.input_elements - layer.output_elements
    if layer.is_adaptive:
        for size, places in layer.spatial_sizes:
            text = "Keras has no adaptive pool from {} to {} places, which is not a whole step"
            require(divides(places, size), "CC742", text, size, places)
        return layer.input_elements if layer.kind == "avgpool" or layer.axes < 3 else 0
    return layer.output_elements * layer.kernel_elements if layer.axes < 3 else 0


def _reduction(layer: LayerSizes) -> Number:
    if layer.type in UNCOUNTED_REDUCTIONS:
        return 0
    known = layer.type in REDUCTIONS
    require(known, "CC742", "TensorFlow has no reduction to {}: it can be written in many ways", layer.type)
    read, given = REDUCTIONS[layer.type]
    return read * layer.input_elements - given * layer.output_elements


PROFILE = Profile(
    "keras_flops", "keras-flops 0.1.2 (TensorFlow 2.12's profiler)", "FLOPs",
    "two for each multiply–accumulate, with bias, norms, pools, softmax and elementwise arithmetic",
    "tokusumi/keras-flops: keras_flops/flops_registory.py; tensorflow: python/profiler/internal/flops_registry.py", 90,
    terms,
)  # fmt: skip
