"""onnx-tool's MACs: every node of an ONNX graph has a price.

The graph is the one of PyTorch's TorchScript exporter in evaluation mode, at its default opset of 20, before that folds
batch norms: ``torch.onnx.export(model, x, f, dynamo=False, training=TrainingMode.PRESERVE)``. Without ``training`` it
folds a batch norm that alone reads a convolution into it: then its 31 an element are gone, and a convolution without
bias has one. The other exporter (``dynamo=True``) leaves out biases that are zero, so that its graph depends on the
weights. Numbers by which an exported graph works out a shape are no layers, and not counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from convcalc.arith import Number, at_least, at_most, divides, equal, floordiv, modulo, prod, require, select, total
from convcalc.profiles import LayerSizes, Profile, Term

EXP, DIVIDE, SQRT, TANH, LOG, SINE = 32, 4, 24, 38, 43, 39
SOFTMAX, SOFTPLUS = EXP + DIVIDE, EXP + 1 + LOG
ACTIVATIONS = {
    "relu": 1, "relu6": 2, "hardtanh": 2, "leaky_relu": 2, "rrelu": 2, "prelu": 2, "hardswish": 5, "hardsigmoid": 4,
    "elu": EXP + 3, "sigmoid": EXP, "silu": EXP + 1, "swish": EXP + 1, "gelu": EXP + 2, "quick_gelu": EXP + 2,
    "tanh": 2 * TANH, "tanhshrink": 2 * TANH + 1, "softplus": SOFTPLUS, "mish": SOFTPLUS + 2 * TANH + 1,
    "logsigmoid": EXP + LOG, "softsign": DIVIDE + 2, "hardshrink": 3, "softshrink": 5,
}  # fmt: skip
"""Price of an element."""
FUNCTIONS = {
    **dict.fromkeys(("sub", "max", "min", "neg", "abs", "sign", "floor", "ceil", "round", "cumsum", "eq", "lt", "le",
                     "gt", "ge", "logical_not", "logical_and", "logical_or", "logical_xor"), 1),
    "clamp": 2, "div": DIVIDE, "reciprocal": DIVIDE, "pow": EXP, "exp": EXP, "log": LOG, "sqrt": SQRT,
    "sin": SINE, "cos": SINE, "where": 0,
}  # fmt: skip
"""Price of an element of a function that is one node."""
REDUCTIONS = {"mean": 1, "sum": 1, "prod": 1, "max": 1, "min": 1, "l2": 1 + SQRT, "argmax": 0}
"""Price of an element that is read, of a reduction that is one node."""
NORMS = {"batch": 31, "layer": 7, "group": 9, "instance": 7}
"""Price of an element, whether or not the norm learns scale and shift."""
STATISTICS = 5
"""Price of an element of the mean and variance of a batch: three means, a difference and a square."""
GATES = {"lstm": 3 * EXP + 2 * TANH + 8, "gru": 2 * EXP + TANH + 8}
"""Price of a hidden feature at a step, the same for one direction and for both."""
RESIZED = {"linear": 4, "bilinear": 4, "trilinear": 4, "bicubic": 8}
ROOTS, PACKED = 3 * SQRT + DIVIDE, 2
"""Price of numbers: of the scale of scaled_dot_product_attention, and of the axis of packed projections."""


def terms(layer: LayerSizes) -> Iterator[Term]:
    """Bias 1 an output, norms 7 to 31 an element, pools K an output, softmax 36; recurrent layers by their features."""
    require(not layer.is_projected, "CC742", "PyTorch does not export an LSTM with a projection")
    if layer.kind in GATES:
        yield "bias", layer.bias_additions
        features = layer.argument("hidden_size") * layer.argument("num_layers")
        yield "recurrent gates", GATES[layer.kind] * layer.steps * features
        return
    _require_price(layer)
    yield "bias", layer.bias_additions
    yield from _elementwise(layer)
    if layer.kind == "reduce":
        yield "reductions", REDUCTIONS[layer.type] * layer.input_elements
    if layer.kind == "deconv":
        # y·(Co/g)·K, which is right for none but Ci = Co and stride 1
        channels = floordiv(layer.argument("out_channels"), layer.argument("groups"))
        yield "output positions", layer.output_elements * channels * layer.kernel_elements - layer.macs


def _require_price(layer: LayerSizes) -> None:
    """Of a layer that PyTorch does not export, or at whose node the tool stops, no total is printed."""
    prices = {"norm": NORMS, "act": ACTIVATIONS, "elementwise": FUNCTIONS, "reduce": REDUCTIONS}.get(layer.kind)
    known = layer.kind != "rnn" if prices is None else layer.type in prices
    what = layer.kind if prices is None else f"{layer.kind} {layer.type}"
    require(known, "CC742", "PyTorch does not export {}, or onnx-tool stops at it", what)


def _elementwise(layer: LayerSizes) -> Iterator[Term]:
    match layer.kind:
        case "norm":
            yield layer.term, _norm_price(layer) * layer.output_elements
            if layer.type == "layer":
                yield "layer norm", (SQRT + DIVIDE + 1) * _first_axis(layer)
        case "act":
            yield "activation functions", ACTIVATIONS[layer.type] * layer.output_elements
        case "maxpool" | "avgpool":
            yield "pooling", _pool_operations(layer)
        case "softmax":
            yield "softmax", SOFTMAX * layer.output_elements
        case "add" | "mul" | "scale":
            yield "elementwise", layer.join_operations
        case "elementwise":
            yield "elementwise", layer.function_operations(FUNCTIONS)
        case "upsample":
            yield layer.upsampling(RESIZED)
        case "attention":
            yield "softmax", SOFTMAX * layer.attention_scores
            yield "elementwise", _scale_operations(layer)


def _norm_price(layer: LayerSizes) -> int:
    """An instance norm with kept statistics is exported as a batch norm; a batch norm without works them out first."""
    kept = bool(layer.node.facts.buffers)
    if layer.type == "batch" or (layer.type == "instance" and kept):
        return NORMS["batch"] + (0 if kept else STATISTICS)
    return NORMS[layer.type]


def _first_axis(layer: LayerSizes) -> Number:
    """Elements divided by the first axis that a layer norm works over, whether or not it is the only one."""
    shape = layer.input
    first = min(shape.axis(axis) for axis in layer.op.attributes(shape)["axis"])
    return layer.batch * shape.with_axis(first, 1).elements


def _pool_operations(layer: LayerSizes) -> Number:
    """K an output, of a cube one side of it; of an average down to one element a sum of all, and a division."""
    if layer.via == "method" and layer.kind == "avgpool" and layer.is_adaptive:
        return layer.input_elements
    out_size = layer.argument("out_size")
    windows = _window_elements(layer, layer.window.kernel_size) if out_size is None else _adaptive_operations(layer)
    if layer.kind == "maxpool" or not layer.is_adaptive:
        return windows
    return select(equal(prod(out_size or ()), 1), layer.input_elements + DIVIDE * layer.output_elements, windows)


def _window_elements(layer: LayerSizes, sizes: Sequence[Number]) -> Number:
    return layer.output_elements * (prod(sizes) if len(sizes) < 3 else sizes[0])


def _adaptive_operations(layer: LayerSizes) -> Number:
    """As a pool where its sizes divide the input's. The default exporter refuses all others; with ``dynamo=True``:

    Windows of one length a = ⌊n/o⌋ + 1, where n mod o divides o, are a mean of a cells a place. Where lengths differ,
    there are up to a + 1 cells, added one by one, and a division. For maximums and three axes there is no export.
    """
    axes = layer.spatial_sizes
    rests = [modulo(size, places) for size, places in axes]
    if layer.kind == "maxpool" or layer.axes > 2:
        for (size, places), rest in zip(axes, rests, strict=True):
            text = "PyTorch does not export an adaptive pool from {} to {} places, which is not a whole step"
            require(equal(rest, 0), "CC742", text, size, places)
        return _window_elements(layer, [floordiv(size, places) for size, places in axes])
    differ = [select(divides(at_least(rest, 1), places), 0, 1) for (_, places), rest in zip(axes, rests, strict=True)]
    cells = prod(
        floordiv(size, places) + at_most(rest, 1) + more
        for (size, places), rest, more in zip(axes, rests, differ, strict=True)
    )
    return layer.output_elements * (cells + (DIVIDE - 1) * at_most(total(differ), 1))


def _scale_operations(layer: LayerSizes) -> Number:
    """Queries times a scale; of scaled_dot_product_attention the keys too, and the scale itself.

    Projections of keys and values are packed where they read one tensor as wide as that of the queries.
    """
    sources = layer.node.input_shapes
    packed = select(equal(sources[-1].features, layer.input.features), PACKED, 0) if len(sources) < 3 else 0
    if layer.via == "fused":
        appended = layer.appended_keys * floordiv(layer.product_outputs("k"), sources[:2][-1][-2])
        return layer.product_outputs("q", "k") + appended + ROOTS + packed
    return layer.product_outputs("q") + (packed if layer.via == "module" else 0)


PROFILE = Profile(
    "onnx_tool", "onnx-tool 1.0.1", "MACs",
    "multiply–accumulates with bias, and a price for each element of all other nodes: 31 of a batch norm that the "
    "export keeps, 32 of a sigmoid, 36 of a softmax; adaptive pools whose sizes do not divide the input's, which the "
    "default exporter refuses, as the newer one (dynamo=True) writes them",
    "ThanatosShinji/onnx-tool: onnx_tool/node.py", 80, terms,
)  # fmt: skip
