"""Operations element by element, activations and norms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from convcalc.arith import equal, prod
from convcalc.importers.onnx.call import NodeCall
from convcalc.importers.onnx.nodes import written_out
from convcalc.importers.onnx.values import MADE, Value, broadcast, has_batch, padded, without_fill
from convcalc.records import replace
from convcalc.shapes import Shape

ACTIVATIONS = {
    "Relu": "relu", "LeakyRelu": "leaky_relu", "Elu": "elu", "Selu": "selu", "Celu": "celu", "Gelu": "gelu",
    "FastGelu": "gelu", "QuickGelu": "quick_gelu", "Swish": "silu", "Mish": "mish", "Sigmoid": "sigmoid",
    "Tanh": "tanh", "HardSwish": "hardswish", "HardSigmoid": "hardsigmoid", "Softplus": "softplus",
    "Softsign": "softsign", "ThresholdedRelu": "threshold", "Shrink": "softshrink", "ScaledTanh": "tanh",
    "ParametricSoftplus": "softplus", "Affine": "identity", "ImageScaler": "identity",
}  # fmt: skip
OF_ONE = {
    "Abs": "abs", "Neg": "neg", "Sign": "sign", "Reciprocal": "reciprocal", "Sqrt": "sqrt", "Exp": "exp", "Log": "log",
    "Sin": "sin", "Cos": "cos", "Tan": "tan", "Asin": "asin", "Acos": "acos", "Atan": "atan", "Sinh": "sinh",
    "Cosh": "cosh", "Asinh": "asinh", "Acosh": "acosh", "Atanh": "atanh", "Erf": "erf", "Floor": "floor",
    "Ceil": "ceil", "Round": "round", "IsNaN": "isnan", "IsInf": "isinf", "Not": "logical_not",
    "BitwiseNot": "bitwise_not", "Trilu": "where", "LpNormalization": "div", "ReverseSequence": "where",
    "Scaler": "div", "Normalizer": "div", "Imputer": "where", "RotaryEmbedding": "where",
}  # fmt: skip
OF_SEVERAL = {
    "Add": "add", "Sum": "add", "Mul": "mul", "Sub": "sub", "Div": "div", "Pow": "pow", "Mod": "mod", "Max": "max",
    "Min": "min", "Mean": "mean", "Equal": "eq", "Less": "lt", "LessOrEqual": "le", "Greater": "gt",
    "GreaterOrEqual": "ge", "And": "logical_and", "Or": "logical_or", "Xor": "logical_xor",
    "BitwiseAnd": "bitwise_and", "BitwiseOr": "bitwise_or", "BitwiseXor": "bitwise_xor", "BitShift": "bitwise_shift",
    "Where": "where", "BiasAdd": "add",
}  # fmt: skip
ARITHMETIC = ("add", "mul", "sub", "div")
"""Operations by which parameters are scales and shifts."""


def activation(call: NodeCall) -> None:
    """A function of one tensor that networks have as a layer."""
    act(call, "silu" if call.op == "Sigmoid" and written_out.is_silu(call) else ACTIVATIONS[call.op])


def act(call: NodeCall, kind: str) -> None:
    """Give the first output a function of the first input."""
    x = call.require(0)
    handle = call.handle(x)
    call.put(0, handle if kind == "identity" else call.add("act", handle, type=kind), x.shape)


def clip(call: NodeCall) -> None:
    """Clip: relu where it cuts at 0 alone, relu6 where at 0 and 6."""
    bounds = [call.attribute(name) for name in ("min", "max")]
    if call.opset >= 11:
        values = [call.input(place) for place in (1, 2)]
        bounds = [value.elements[0] if value is not None and value.elements else None for value in values]
    kinds: dict[Any, str] = {(0, 6): "relu6", (0, None): "relu"}
    act(call, kinds.get(tuple(bounds), "hardtanh"))


def prelu(call: NodeCall) -> None:
    """PRelu: slopes of the file are its weights."""
    x, slopes = call.require(0), call.require(1)
    handle = call.handle(x)
    rank, several = call.shape(handle).rank, equal(prod(slopes.shape), 1) is not True
    per_channel = equal(prod(slopes.shape), call.shape(handle)[0]) is True and rank > 1
    given = padded(slopes.shape, rank)[-rank:] if several else 1
    held = {"weight": (slopes, Shape(slopes.shape))}
    call.put(0, call.add("act", handle, type="prelu", slopes=None if per_channel else given, weights=held), x.shape)


def function(call: NodeCall) -> None:
    """A function of one tensor, element by element."""
    call.put_alike("elementwise", type=OF_ONE[call.op])


def cumulate(call: NodeCall) -> None:
    """CumSum and CumProd along an axis."""
    x = call.require(0)
    axis = (call.numbers(1) or (0,))[0]
    handle, at = call.along(x, call.axis(axis, len(x.shape)))
    call.put(0, call.add("elementwise", handle, type=call.op.lower(), axis=at), x.shape)


def join(call: NodeCall) -> None:
    """A function of several tensors, which broadcast. Constants that are no parameters are no branch."""
    values = [value for value in call.x if value is not None]
    if call.opset < 7 and call.attribute("broadcast", 0):
        values = _lined_up(call, values)
    if call.op in ("Div", "Mul") and written_out.is_gelu(call):
        act(call, "gelu")
        return
    if call.op in ("Pow", "Mul") and (scale := written_out.scale_of_rms(call)) is not None:
        over_axes(call, call.require(0), "rms", scale)
        return
    kind = OF_SEVERAL[call.op]
    joined(call, kind, [_without_fill(value, is_sum=kind in ARITHMETIC) for value in values])


def _without_fill(value: Value, *, is_sum: bool) -> Value:
    """Leave out what a tensor is filled with; of sums and products, zeros alone."""
    if not is_sum:
        return without_fill(value)
    return without_fill(value, MADE) if value.elements and value.elements[0] == 0 else value


def joined(call: NodeCall, kind: str, values: Sequence[Value]) -> None:
    """Give the first output a function of tensors."""
    sizes = broadcast(*(value.shape for value in values))
    is_scaled = any(value.is_scale for value in values)
    branches = [value for value in values if not _is_left_out(value, is_scaled)]
    if is_scaled and not branches:
        name = call.node.outputs[0]
        call.outputs[0] = Value(name, sizes, is_constant=True, is_scale=True)
        return
    if not branches or call.run.builder is call.run.shadow:
        branches = list(values)
    cut = has_batch(sizes)
    handles = [call.aligned(value, len(sizes), cut=cut) for value in branches]
    target = Shape(sizes[cut:] or (1,))
    is_kind = kind in ("add", "mul")
    handle = call.add(kind if is_kind else "elementwise", *handles, type=None if is_kind else kind)
    have = call.shape(handle)
    if have.rank != target.rank or any(equal(a, b) is False for a, b in zip(have, target, strict=True)):
        handle = call.beside("broadcast", handle, shape=tuple(target))
    call.put(0, handle, sizes)


def _is_left_out(value: Value, is_scaled: bool) -> bool:
    is_bare = value.is_constant and value.handle is None
    return value.is_scale or (is_bare and (is_scaled or not value.is_learned))


def _lined_up(call: NodeCall, values: Sequence[Value]) -> list[Value]:
    """Let the axes of the second operand begin at an axis of the first, as before version 7."""
    left, right = values
    axis = call.attribute("axis", len(left.shape) - len(right.shape))
    behind = len(left.shape) - axis - len(right.shape)
    if behind <= 0:
        return [left, right]
    sizes = (*right.shape, *(1,) * behind)
    if right.is_constant:
        return [left, replace(right, sizes=sizes, handle=None, shadow=None)]
    return [left, call.viewed(right, sizes)]


# --- norms ------------------------------------------------------------------------------------------------------------


def batch_norm(call: NodeCall) -> None:
    """BatchNormalization: X, scale, shift, and mean and variance, which are buffers."""
    x, scale, shift, mean, variance = (call.require(place) for place in range(5))
    axis = None if has_batch(x.shape) or len(x.shape) < 2 else 1
    statistics = (mean, variance)
    handle = normalized(call, call.handle(x), "batch", scale, shift, channel_axis=axis, statistics=statistics)
    call.put(0, handle, x.shape)
    for place, value in enumerate((statistics * 2)[: len(call.outputs) - 1], 1):
        if call.node.outputs[place] and not value.is_constant:
            call.put(place, call.handle(value), value.shape)


def normalized(
    call: NodeCall, handle: int, kind: str, scale: Value | None, shift: Value | None, **arguments: Any
) -> int:
    """Add a norm whose scale and shift are constants; others are no parameters."""
    named = {"weight": scale, "bias": shift}
    held = {name: (value, Shape(value.shape)) for name, value in named.items() if value is not None}
    has_scale, has_shift = (value is not None and value.is_constant for value in (scale, shift))
    flags: dict[str, Any] = {"scale": has_scale, "bias": has_shift} if has_scale or has_shift else {}
    return call.add("norm", handle, type=kind, weights=held, affine=bool(flags), **flags, **arguments)


def norm_of_channels(call: NodeCall) -> None:
    """InstanceNormalization and GroupNormalization: X, scale, shift."""
    x, kind, arguments = call.require(0), "instance", {}
    if call.op == "GroupNormalization":  # scale and shift of each group before version 21
        kind, arguments = "group", {"groups": call.attribute("num_groups") or call.attribute("groups")}
    axis = None if has_batch(x.shape) else 1
    handle = normalized(call, call.handle(x), kind, call.input(1), call.input(2), channel_axis=axis, **arguments)
    call.put(0, handle, x.shape)


def mean_variance_norm(call: NodeCall) -> None:
    call.put_alike("norm", type="instance", affine=False, channel_axis=None if has_batch(call.require(0).shape) else 1)


def norm_of_axes(call: NodeCall) -> None:
    """LayerNormalization, and RMSNormalization without a shift, over the axes from one on."""
    kind, shift = ("layer", call.input(2)) if call.op == "LayerNormalization" else ("rms", None)
    over_axes(call, call.require(0), kind, call.input(1), shift)


def over_axes(call: NodeCall, x: Value, kind: str, scale: Value | None, shift: Value | None = None) -> None:
    """Give the first output a norm over the axes from ``axis`` on, and the next ones its statistics."""
    rank = len(x.shape)
    axis = call.axis(call.attribute("axis", -1), rank)
    handle, first = call.along(x, axis)
    last = call.shape(handle).rank
    axes = tuple(range(first, last)) if last > 1 else -1
    handle = normalized(call, handle, kind, scale, shift, axis=axes)
    call.put(0, handle, x.shape)
    for place in range(1, min(3, len(call.outputs))):
        if call.node.outputs[place] in call.scope.readers:
            mean = call.beside("reduce", handle, type="mean", axis=tuple(range(first, last)), keepdims=True)
            call.put(place, mean, (*x.shape[:axis], *(1,) * (rank - axis)))


def local_response_norm(call: NodeCall) -> None:
    call.put_alike("norm", type="lrn")


def loss(call: NodeCall) -> None:
    """NegativeLogLikelihoodLoss and SoftmaxCrossEntropyLoss: for each place, or one number for all."""
    x = call.require(0)
    handle = call.handle(x)
    axis = 0 if has_batch(x.shape) else 1
    rank = call.shape(handle).rank
    if call.attribute("reduction", "mean") == "none":
        call.put(0, call.add("reduce", handle, type="sum", axis=axis), (x.shape[0], *x.shape[2:]))
    else:
        call.put(0, call.add("reduce", handle, type="sum", axis=tuple(range(rank))), ())
    call.put(1, handle, x.shape)


def softmax(call: NodeCall) -> None:
    """Softmax, LogSoftmax and Hardmax."""
    x = call.require(0)
    axis = call.axis(call.attribute("axis", -1 if call.opset >= 13 else 1), max(len(x.shape), 1))
    handle, at = call.along(x, axis) if x.shape else (call.handle(x), 0)
    call.put(0, call.add("softmax", handle, axis=at), x.shape)
