"""Functions of elements, activations, and reductions."""

from __future__ import annotations

from math import prod
from typing import Any

from convcalc.importers.torch.aten.rules import (
    SILENT,
    apart_from,
    axis_of,
    computed,
    joined,
    layer_axis,
    rule_for,
    slot,
)
from convcalc.importers.torch.lowering import Lowering
from convcalc.importers.torch.recording import Node
from convcalc.importers.torch.values import Constant, Tensor, Value, Weight

ACTIVATIONS = {
    each: each
    for each in (
        "relu", "relu6", "leaky_relu", "rrelu", "elu", "selu", "celu", "gelu", "silu", "mish", "sigmoid", "tanh",
        "hardswish", "hardsigmoid", "hardtanh", "hardshrink", "softshrink", "softplus", "softsign", "threshold",
    )
} | {"log_sigmoid": "logsigmoid", "rrelu_with_noise": "rrelu", "_softmax_backward": "relu"}  # fmt: skip
FUNCTIONS = {
    **{each: each for each in (
        "abs", "neg", "sign", "reciprocal", "square", "sqrt", "rsqrt", "exp", "log", "log2", "sin", "cos", "tan", "asin",
        "acos", "atan", "sinh", "cosh", "asinh", "acosh", "atanh", "erf", "floor", "ceil", "round", "isnan", "isinf",
        "logical_not", "bitwise_not", "sub", "div", "pow", "atan2", "eq", "ne", "lt", "le", "gt", "ge", "logical_and",
        "logical_or", "logical_xor", "bitwise_and", "bitwise_or", "bitwise_xor", "where", "clamp",
    )},
    "sgn": "sign", "exp2": "exp", "expm1": "exp", "log1p": "log", "log10": "log", "trunc": "round", "fix": "round",
    "rsub": "sub", "subtract": "sub", "divide": "div", "true_divide": "div", "floor_divide": "div", "negative": "neg",
    "absolute": "abs", "remainder": "mod", "fmod": "mod", "clamp_min": "clamp", "clamp_max": "clamp", "clip": "clamp",
    "maximum": "max", "minimum": "min", "fmax": "max", "fmin": "min", "masked_fill": "where", "erfinv": "erf",
    "erfc": "erf", "isfinite": "isinf", "arctan2": "atan2", "not_equal": "ne", "greater": "gt", "less": "lt",
    "greater_equal": "ge", "less_equal": "le", "frac": "floor", "nan_to_num": "where", "logit": "log",
    "bitwise_left_shift": "bitwise_shift", "bitwise_right_shift": "bitwise_shift", "__lshift__": "bitwise_shift",
    "__rshift__": "bitwise_shift", "__and__": "bitwise_and", "__or__": "bitwise_or", "__xor__": "bitwise_xor",
    "logaddexp": "log", "lgamma": "log", "digamma": "log", "sinc": "sin", "deg2rad": "abs", "rad2deg": "abs",
}  # fmt: skip
SILENT |= {
    "dropout", "feature_dropout", "alpha_dropout", "feature_alpha_dropout", "native_dropout", "contiguous", "clone",
    "alias", "detach", "to", "_to_copy", "type_as", "lift_fresh_copy", "lift_fresh", "requires_grad", "positive",
    "resolve_conj", "resolve_neg", "conj", "_conj", "conj_physical", "cpu", "cuda", "float", "half", "double", "long",
    "int", "bool", "bernoulli", "_assert_tensor_metadata", "_assert_async", "_assert_scalar", "_assert_aliasing",
    "bitwise_clone", "data", "identity", "pin_memory", "expand_copy",
}  # fmt: skip


@rule_for(*ACTIVATIONS)
def activation(g: Lowering, node: Node) -> Value:
    value, kind = g.tensor(node), ACTIVATIONS[node.op]
    if kind == "hardtanh" and (node["min_val"], node["max_val"]) == (0, 6):
        kind = "relu6"
    return Tensor(value.shape, g.add(node, "act", value.handle, type=kind), value.batch)


@rule_for("prelu", "_prelu_kernel", weighted=True)
def prelu(g: Lowering, node: Node) -> Value:
    source, weight = g.tensor(node), g.operand(node, "weight")
    key, count = slot(weight), prod(weight.shape)
    of_channels = count == 1 or source.batch == 0 or len(source.shape) < 2
    slopes = 1 if count == 1 else None if of_channels else [count, *[1] * (len(source.shape) - 2)]
    form = (1,) if count == 1 else (count,) if of_channels else tuple(slopes or ())
    if key is None or not g.own([key], (form,)):
        return Tensor(source.shape, g.add(node, "elementwise", source.handle, type="where"), source.batch)
    handle = g.add(node, "act", source.handle, type="prelu", slopes=slopes, weights=(key,))
    return Tensor(source.shape, handle, source.batch)


@rule_for("glu")
def glu(g: Lowering, node: Node) -> Value:
    value = g.tensor(node)
    dim = -1 if node["dim"] is None else node["dim"]
    source = apart_from(g, node, value, dim)
    axis = layer_axis(source, dim)
    first, gate = (g.add(node, "split", source.handle, op="split", into=2, part=part, axis=axis) for part in (0, 1))
    gate = g.add(node, "act", gate, op="sigmoid", type="sigmoid")
    return g.given(node, g.add(node, "mul", first, gate), node.shape, source.batch)


@rule_for(*FUNCTIONS)
def function(g: Lowering, node: Node) -> Value:
    return joined(g, node, "elementwise", g.tensors(node), type=FUNCTIONS[node.op])


@rule_for("add", "_foreach_add", "lerp")
def add(g: Lowering, node: Node) -> Value:
    return joined(g, node, "add", g.tensors(node))


@rule_for("mul", "multiply", "addcmul", "addcdiv")
def mul(g: Lowering, node: Node) -> Value:
    values = g.tensors(node)
    tensors = [value for value in values if isinstance(value, Tensor)]
    weights = [value for value in values if isinstance(value, Weight)]
    if len(tensors) == len(weights) == 1 and len(values) == 2 and tensors[0].shape == node.shape:
        scaled = _scale(g, node, tensors[0], weights[0])
        if scaled is not None:
            return scaled
    return joined(g, node, "mul", values)


def _scale(g: Lowering, node: Node, value: Tensor, weight: Weight) -> Tensor | None:
    """Add a learned scale, if the weight has a size along one axis at most."""
    key = slot(weight)
    padded = (1,) * (len(value.shape) - len(weight.shape)) + weight.shape
    wide = [axis for axis, size in enumerate(padded) if size != 1]
    if key is None or len(wide) > 1 or not value.shape:
        return None
    axis = layer_axis(value, wide[0]) if wide else 0
    if axis is None or not g.own([key], ((prod(padded),),)):
        return None
    per: dict[str, Any] = {"per": "channel", "axis": axis} if wide else {"per": "scalar"}
    return Tensor(value.shape, g.add(node, "scale", value.handle, weights=(key,), **per), value.batch)


@rule_for("softmax", "_softmax", "log_softmax", "_log_softmax", "_safe_softmax")
def softmax(g: Lowering, node: Node) -> Value:
    source = apart_from(g, node, g.tensor(node), node["dim"])
    axis = layer_axis(source, node["dim"]) if source.shape else 0
    return Tensor(source.shape, g.add(node, "softmax", source.handle, axis=axis), source.batch)


@rule_for("cumsum", "cumprod", "logcumsumexp")
def cumulated(g: Lowering, node: Node) -> Value:
    source = apart_from(g, node, g.tensor(node), node["dim"])
    axis = layer_axis(source, node["dim"]) if source.shape else 0
    kind = "cumprod" if node.op.startswith("cumprod") else "cumsum"
    return Tensor(source.shape, g.add(node, "elementwise", source.handle, type=kind, axis=axis), source.batch)


@rule_for(*SILENT)
def passed_on(g: Lowering, node: Node) -> Any:
    value = g.value(node["self"]) or g.value(node["input"])
    if value is None or not node.outputs or node.outputs[0] is None:
        return None
    return value if len(node.outputs) == 1 else [value, *[None] * (len(node.outputs) - 1)]


# --- reductions -------------------------------------------------------------------------------------------------------

REDUCTIONS = {
    "mean": "mean", "sum": "sum", "nansum": "sum", "prod": "prod", "amax": "max", "amin": "min", "max": "max",
    "min": "min", "any": "any", "all": "all", "norm": "norm", "linalg_vector_norm": "norm", "frobenius_norm": "norm",
    "var": "var", "std": "std", "var_mean": "var", "std_mean": "std", "logsumexp": "log_sum_exp", "argmax": "argmax",
    "argmin": "argmin", "median": "mean", "aminmax": "max", "linalg_norm": "norm", "nanmean": "mean",
}  # fmt: skip


@rule_for(*REDUCTIONS)
def reduced(g: Lowering, node: Node) -> Any:
    kind = REDUCTIONS[node.op]
    if g.value(node["other"]) is not None:
        return joined(g, node, "elementwise", g.tensors(node), type=kind)
    value = g.tensor(node)
    rank = len(value.shape)
    dim = node["dim"]
    dims = [dim] if isinstance(dim, int) else list(dim) if dim else list(range(rank))
    axes = {axis_of(axis, rank) for axis in dims}
    batch = value.batch if value.batch not in axes else None
    kept = sorted(each for each in (layer_axis(value, axis) for axis in axes) if each is not None)
    made: list[Value | None] = []
    for place, shape in enumerate(node.outputs):
        if shape is None or (place and not g.is_used(node, place)):
            made.append(None)
            continue
        handle = _reduction(g, node, value, kept, kind) if kept else value.handle
        if batch is not None and len(shape) < rank:
            after: int | None = batch - len([axis for axis in axes if axis < batch])
        else:
            after = batch
        made.append(g.given(node, handle, shape, after))
    return made if len(made) > 1 else made[0]


def _reduction(g: Lowering, node: Node, value: Tensor, axes: list[int], kind: str) -> int:
    """Add a global average pool, if the mean is over all axes but the first, and else a reduction."""
    rank = len(value.layer_shape)
    if kind == "mean" and value.batch == 0 and rank > 1 and axes == list(range(1, rank)):
        return g.add(node, "avgpool", value.handle, kernel="global")
    if kind in ("argmax", "argmin") and len(axes) not in (1, rank):
        kind = "max"
    return g.add(node, "reduce", value.handle, type=kind, axis=axes, keepdims=True)


@rule_for("bucketize", "searchsorted", "one_hot", "isin", "nonzero_static", "topk", "sort", "argsort", "msort", "histc",
          "multinomial", "unique", "kthvalue", "grid_sampler", "grid_sampler_2d", "grid_sampler_3d", "diff", "scatter",
          "scatter_add", "scatter_reduce", "masked_scatter", "put", "index_put", "_unsafe_index_put", "index_add",
          "index_copy", "index_fill", "diagonal_scatter", "as_strided_scatter", "as_strided", "unfold", "diagonal",
          "diag_embed", "diag", "view_as_real", "view_as_complex", "real", "imag", "polar", "complex", "angle", "trace",
          "mode", "outer", "ger", "_weight_norm", "_weight_norm_interface", "affine_grid_generator", "cross", "linalg_cross", "count_nonzero", "resize", "rot90", "normal", "bincount", "view.dtype",
          "smooth_l1_loss", "mse_loss", "l1_loss", "nll_loss_nd", "cross_entropy_loss", "binary_cross_entropy",
          "binary_cross_entropy_with_logits", "kl_div", "nll_loss", "cosine_similarity", "pairwise_distance",
          "tril", "triu", "renorm", "cummax", "cummin", "local_response_norm", "channel_shuffle", "segment_reduce",
          "torchvision.roi_align", "torchvision.roi_pool", "torchvision.ps_roi_align", "torchvision.ps_roi_pool")  # fmt: skip
def without_products(g: Lowering, node: Node) -> Any:
    """Choosing, sorting, scattering, interpolation, losses: their elements are made without products of the model."""
    values = [value for value in g.tensors(node) if isinstance(value, Tensor)]
    shape = node.outputs[0] if node.outputs else None
    source = next((value for value in values if value.shape == shape), values[0])
    for weight in g.tensors(node):
        if isinstance(weight, Weight):
            g.handle(node, weight)
    return g.free(node, source)


@rule_for("zeros_like", "ones_like", "full_like", "empty_like", "rand_like", "randn_like", "randint_like", "new_zeros",
          "new_ones", "new_full", "new_empty", "new_tensor", "size", "zero", "fill", "uniform", "normal_functional",
          "scalar_tensor", "new_empty_strided", "exponential", "random", weighted=True)  # fmt: skip
def made_anew(g: Lowering, node: Node) -> Any:
    """Tensors of a given shape whose elements have nothing to do with what is read."""
    values: list[Value | None] = [None if shape is None else Constant(shape) for shape in node.outputs]
    return values[0] if len(values) == 1 else values


@rule_for("arange", "zeros", "ones", "full", "empty", "linspace", "logspace", "eye", "rand", "randn", "randint",
          "randperm", "tensor", "tril_indices", "triu_indices", "hann_window", "hamming_window", "cartesian_prod",
          "meshgrid", "empty_strided", "scalar_tensor", "range", "combinations", weighted=True)  # fmt: skip
def constants(g: Lowering, node: Node) -> Any:
    return computed(g, node) if not any(isinstance(value, Tensor) for value in g.tensors(node)) else g.unknown(node)
