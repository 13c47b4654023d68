"""Which handler makes layers of which operation; what quantised operations are without their scales."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from convcalc.importers.onnx.call import NodeCall
from convcalc.importers.onnx.nodes import arrange, contrib, elementwise, products, select, windows
from convcalc.importers.onnx.values import FLOAT, OpenShape
from convcalc.shapes import Shape

Handler = Callable[[NodeCall], Any]
MICROSOFT, LEARN = "com.microsoft", "ai.onnx.ml"
REFUSED = ("com.microsoft.nchwc", "com.ms.internal.nhwc")


def mixture(call: NodeCall) -> None:
    """MoE: rows, scores of experts, and the matrices of each, gated where there is a third."""
    x, scores, first = (call.require(place) for place in range(3))
    third = call.input(6)
    names = {"up.weight": 2, "up.bias": 3, "down.weight": 4, "down.bias": 5, "gate.weight": 6, "gate.bias": 7}
    given = {name: value for name, place in names.items() if (value := call.input(place)) is not None}
    held = {name: (value, Shape(value.shape)) for name, value in given.items()}
    handle = call.add(
        "experts", call.handle(x), call.handle(scores), count=first.shape[0], top=call.attribute("k", 1),
        width=first.shape[2], gated=third is not None, bias=call.input(3) is not None, weights=held,
    )  # fmt: skip
    call.put(0, handle, x.shape)


def not_computed(call: NodeCall) -> None:
    """A constant of a type that is not read, or one whose shape depends on values."""
    raise OpenShape(call.op)


_OWN: dict[str, Handler] = {
    **dict.fromkeys(("Constant", "NonZero"), not_computed),
    **dict.fromkeys(elementwise.ACTIVATIONS, elementwise.activation),
    **dict.fromkeys(elementwise.OF_ONE, elementwise.function),
    **dict.fromkeys(elementwise.OF_SEVERAL, elementwise.join),
    **dict.fromkeys((*arrange.REDUCTIONS, "ArgMax", "ArgMin"), arrange.reduce),
    **dict.fromkeys(("Softmax", "LogSoftmax", "Hardmax"), elementwise.softmax),
    **dict.fromkeys(("CumSum", "CumProd"), elementwise.cumulate),
    **dict.fromkeys(
        ("Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity", "Cast", "CastLike", "BitCast", "Dropout",
         "QuantizeLinear", "DequantizeLinear"), arrange.arrange,
    ),
    **dict.fromkeys(
        ("ConstantOfShape", "ConstantFill", "EyeLike", "RandomNormal", "RandomUniform", "RandomNormalLike",
         "RandomUniformLike", "Bernoulli"), arrange.filled,
    ),
    **dict.fromkeys(("ScatterND", "ScatterElements", "Scatter", "TensorScatter"), select.scatter),
    **dict.fromkeys(("MaxPool", "AveragePool", "LpPool"), windows.pool),
    **dict.fromkeys(("GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool"), windows.global_pool),
    **dict.fromkeys(("Resize", "Upsample"), windows.resize),
    **dict.fromkeys(("LSTM", "GRU", "RNN"), products.recurrent),
    **dict.fromkeys(("RoiAlign", "MaxRoiPool"), select.roi),
    **select.SEQUENCES,
    **dict.fromkeys(("NegativeLogLikelihoodLoss", "SoftmaxCrossEntropyLoss"), elementwise.loss),
    "Range": arrange.counted, "Conv": windows.conv, "ConvTranspose": windows.deconv, "DeformConv": windows.deform_conv,
    "MaxUnpool": windows.unpool, "MatMul": products.matmul, "Gemm": products.gemm, "Einsum": products.einsum,
    "BatchNormalization": elementwise.batch_norm, "InstanceNormalization": elementwise.norm_of_channels,
    "GroupNormalization": elementwise.norm_of_channels, "MeanVarianceNormalization": elementwise.mean_variance_norm,
    "LayerNormalization": elementwise.norm_of_axes, "RMSNormalization": elementwise.norm_of_axes,
    "SimplifiedLayerNormalization": elementwise.norm_of_axes, "LRN": elementwise.local_response_norm,
    "Clip": elementwise.clip, "PRelu": elementwise.prelu, "Shape": arrange.shape, "Size": arrange.size,
    "Transpose": arrange.transpose, "Concat": select.concat, "Slice": select.cut_slices, "Split": select.split,
    "Gather": select.gather, "GatherElements": select.gather_elements, "GatherND": select.gather_nd,
    "Expand": arrange.expand, "Tile": arrange.tile, "Pad": arrange.pad, "CenterCropPad": arrange.center_crop_pad,
    "DepthToSpace": arrange.move_blocks, "SpaceToDepth": arrange.move_blocks, "TopK": select.top_k,
    "OneHot": arrange.one_hot, "GridSample": select.sample, "Col2Im": select.col2im, "AffineGrid": select.affine_grid,
    "DynamicQuantizeLinear": arrange.quantise_dynamically, "Attention": contrib.attention,
    "SwiGLU": contrib.swiglu,
}  # fmt: skip
_MICROSOFT: dict[str, Handler] = {
    "FusedConv": contrib.fused_conv, "FusedGemm": contrib.fused_gemm, "FusedMatMul": contrib.fused_matmul,
    "TransposeMatMul": contrib.fused_matmul, "Gelu": elementwise.activation, "QuickGelu": elementwise.activation,
    "FastGelu": contrib.biased, "BiasGelu": contrib.biased, "BiasSoftmax": contrib.biased,
    "BiasAdd": elementwise.join, "LayerNormalization": elementwise.norm_of_axes,
    "SimplifiedLayerNormalization": elementwise.norm_of_axes, "SkipLayerNormalization": contrib.skip_norm,
    "SkipSimplifiedLayerNormalization": contrib.skip_norm, "Attention": contrib.fused_attention,
    "MultiHeadAttention": contrib.multi_head_attention, "GroupQueryAttention": contrib.multi_head_attention,
    "RotaryEmbedding": elementwise.function, "MatMulNBits": contrib.matmul_bits,
    "MatMulBnb4": contrib.matmul_bits, "DynamicQuantizeLSTM": contrib.quantised_lstm,
    "EmbedLayerNormalization": contrib.embed_norm, "GroupNorm": contrib.group_norm, "MoE": mixture,
    "MatMulWithBias": products.matmul, "Trilu": elementwise.function, "QuantizeLinear": arrange.arrange,
    "DequantizeLinear": arrange.arrange, "GridSample": select.sample, "Pad": arrange.pad,
}  # fmt: skip
_LEARN: dict[str, Handler] = {
    "LinearRegressor": products.scores, "LinearClassifier": products.scores,
    **dict.fromkeys(("Scaler", "Normalizer", "Imputer"), elementwise.function),
}  # fmt: skip
HANDLERS = {"": _OWN, MICROSOFT: _MICROSOFT, LEARN: _LEARN}

QUANTISED: dict[tuple[str, str], tuple[str, str, tuple[int, ...], tuple[int, ...]]] = {
    ("", "QLinearConv"): ("", "Conv", (0, 3, 8), (4, 5)),
    ("", "ConvInteger"): ("", "Conv", (0, 1), (3,)),
    ("", "MatMulInteger"): ("", "MatMul", (0, 1), (3,)),
    ("", "QLinearMatMul"): ("", "MatMul", (0, 3), (4, 5)),
    (MICROSOFT, "QGemm"): ("", "Gemm", (0, 3, 6), (4, 5)),
    (MICROSOFT, "QLinearAdd"): ("", "Add", (0, 3), ()),
    (MICROSOFT, "QLinearMul"): ("", "Mul", (0, 3), ()),
    (MICROSOFT, "QLinearSigmoid"): ("", "Sigmoid", (0,), ()),
    (MICROSOFT, "QLinearLeakyRelu"): ("", "LeakyRelu", (0,), ()),
    (MICROSOFT, "QLinearSoftmax"): ("", "Softmax", (0,), ()),
    (MICROSOFT, "QLinearAveragePool"): ("", "AveragePool", (0,), ()),
    (MICROSOFT, "QLinearGlobalAveragePool"): ("", "GlobalAveragePool", (0,), ()),
    (MICROSOFT, "QLinearReduceMean"): ("", "ReduceMean", (0,), ()),
    (MICROSOFT, "QLinearWhere"): ("", "Where", (0, 1, 4), ()),
    (MICROSOFT, "MatMulIntegerToFloat"): (MICROSOFT, "MatMulWithBias", (0, 1, 6), (3, 5)),
    (MICROSOFT, "DynamicQuantizeMatMul"): (MICROSOFT, "MatMulWithBias", (0, 1, 4), (2, 3)),
    (MICROSOFT, "QAttention"): (MICROSOFT, "Attention", (0, 1, 2), (4, 7)),
}
"""Quantised operation → domain and name of what it is, which inputs that reads, and those that scale its weights."""


def rewritten(call: NodeCall) -> NodeCall:
    """Return a quantised operation as the one that it is, without scales and zero points."""
    node, x = call.node, call.x
    if node.domain == "ai.onnx":
        node = node._replace(domain="")
    if node.domain in REFUSED:
        text = f"{node.domain}:{node.op} is of a file that was optimised for one machine, with padded channels"
        raise call.refused(text, "give the model from before the optimisation")
    if node.op == "CastLike" and len(x) == 2 and x[1] is not None:  # of a constant, one whatever the other is
        node, x = node._replace(op="Cast", attributes={"to": x[1].data_type or FLOAT}), x[:1]
    elif (node.domain, node.op) == (MICROSOFT, "QLinearConcat"):
        node, x = node._replace(domain="", op="Concat"), x[2::3]
    elif (known := QUANTISED.get((node.domain, node.op))) is not None and not call.attribute("channels_last", 0):
        domain, op, places, scales = known
        node, x = node._replace(domain=domain, op=op), [call.input(place) for place in places]
        if scales and len(x) > 1 and (weight := x[1]) is not None and weight.is_constant:
            weight.quantisation = tuple(value for place in scales if (value := call.input(place)) is not None)
    return call if node is call.node else NodeCall(call.run, node, x, call.scope, call.path)


def handler(call: NodeCall) -> Handler | None:
    """Return what makes layers of an operation; ``None`` for one that is not known."""
    return HANDLERS.get(call.node.domain, {}).get(call.op)
