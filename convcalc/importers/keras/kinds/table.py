"""Which classes of Keras are read, by module and name, and how."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from convcalc.importers.keras.call import LayerCall, Output
from convcalc.importers.keras.kinds import (
    activations,
    attention,
    dense,
    layers,
    norms,
    operations,
    rearranging,
    recurrent,
    windows,
)

Handler = Callable[[LayerCall], Output]

LAYER_MODULES = ("keras.layers.", "keras.src.layers.")
"""Modules of layers; further ones are in them."""
OPERATIONS = "keras.src.ops."
APPLICATIONS = "keras.src.applications."


def _all(names: str, handler: Handler) -> dict[str, Handler]:
    return dict.fromkeys(names.split(), handler)


def _each(forms: str, handler: Handler) -> dict[str, Handler]:
    """Return the handler of classes for one, two and three axes, whose number stands for the sign."""
    return {form.replace("#", axes): handler for axes in ("1D", "2D", "3D") for form in forms.split()}


LAYERS: Mapping[str, Handler] = {
    **_each("Conv# Convolution#", windows.conv), **_each("DepthwiseConv#", windows.depthwise_conv),
    **_each("Conv#Transpose Convolution#Transpose", windows.transposed_conv),
    **_each("SeparableConv# SeparableConvolution#", windows.separable_conv),
    **_each("MaxPooling# AveragePooling# MaxPool# AvgPool#", windows.pool),
    **_each("GlobalMaxPooling# GlobalAveragePooling# GlobalMaxPool# GlobalAvgPool#", windows.global_pool),
    **_each("AdaptiveMaxPooling# AdaptiveAveragePooling#", windows.adaptive_pool),
    **_each("ZeroPadding#", windows.zero_padding), **_each("Cropping#", windows.cropping),
    **_each("UpSampling#", windows.upsampling), **_each("SpatialDropout#", layers.dropout),
    **_each("ConvLSTM#", recurrent.convolutional),
    **_all("Resizing RandomCrop CenterCrop", windows.resizing),
    "Dense": dense.dense, "EinsumDense": dense.einsum_dense, "Embedding": dense.embedding,
    "ReversibleEmbedding": dense.reversible_embedding,
    "BatchNormalization": norms.batch_norm, "LayerNormalization": norms.layer_norm,
    "GroupNormalization": norms.group_norm, "RMSNormalization": norms.rms_norm,
    "UnitNormalization": norms.unit_norm, "SpectralNormalization": norms.spectral_norm,
    "Normalization": norms.normalization, "Rescaling": layers.rescaling,
    "Activation": activations.activation, "ReLU": activations.relu, "Softmax": activations.softmax,
    "PReLU": activations.prelu, **dict.fromkeys(activations.CLASSES, activations.of_class),
    **_all("Dropout AlphaDropout", layers.dropout),
    **_all("Identity InputLayer Masking ActivityRegularization GaussianNoise GaussianDropout", layers.identity),
    **_all(
        "AutoContrast AugMix CutMix Equalization MixUp RandAugment RandomBrightness RandomColorDegeneration "
        "RandomColorJitter RandomContrast RandomElasticTransform RandomErasing RandomFlip RandomGaussianBlur "
        "RandomGrayscale RandomHue RandomInvert RandomPerspective RandomPosterization RandomRotation RandomSaturation "
        "RandomSharpness RandomShear RandomTranslation RandomZoom Solarization CLAHE",
        layers.identity,
    ),
    "CategoryEncoding": layers.encoding, **_all("Discretization Hashing HashedCrossing", layers.looked_up),
    **_all("IntegerLookup StringLookup", layers.looked_up), "Pipeline": layers.pipeline,
    "Flatten": layers.flatten, "Reshape": layers.reshape, "Permute": layers.permute,
    "RepeatVector": layers.repeat_vector,
    "Add": layers.join("add"), "Multiply": layers.join("mul"), "Subtract": layers.join("elementwise", type="sub"),
    "Average": layers.join("elementwise", type="mean"), "Maximum": layers.join("elementwise", type="max"),
    "Minimum": layers.join("elementwise", type="min"), "Concatenate": layers.concatenate, "Dot": dense.dot,
    **_all("LSTM GRU SimpleRNN RNN", recurrent.recurrent), "Bidirectional": recurrent.bidirectional,
    "TimeDistributed": layers.time_distributed, "Wrapper": layers.wrapper,
    "MultiHeadAttention": attention.multi_head,
    **_all("GroupQueryAttention GroupedQueryAttention", attention.grouped),
    "Attention": attention.dot_product, "AdditiveAttention": attention.additive,
}  # fmt: skip

_UNARY = {
    "Absolute": "abs", "Abs": "abs", "Fabs": "abs", "Negative": "neg", "Sign": "sign", "Reciprocal": "reciprocal",
    "Square": "square", "Sqrt": "sqrt", "Exp": "exp", "Exp2": "exp", "Expm1": "exp", "Log": "log", "Log10": "log",
    "Log1p": "log", "Log2": "log2", "Sin": "sin", "Cos": "cos", "Tan": "tan", "Arcsin": "asin", "Arccos": "acos",
    "Arctan": "atan", "Sinh": "sinh", "Cosh": "cosh", "Arcsinh": "asinh", "Arccosh": "acosh", "Arctanh": "atanh",
    "Floor": "floor", "Ceil": "ceil", "Round": "round", "Trunc": "floor", "Isnan": "isnan", "Isinf": "isinf",
    "Isfinite": "isinf", "LogicalNot": "logical_not", "BitwiseNot": "bitwise_not", "BitwiseInvert": "bitwise_not",
    "Clip": "clamp", "Where": "where", "NanToNum": "where",
}  # fmt: skip
_BINARY = {
    "Subtract": "sub", "Divide": "div", "TrueDivide": "div", "DivideNoNan": "div", "FloorDivide": "div",
    "Power": "pow", "Mod": "mod", "Fmod": "mod", "Arctan2": "atan2", "Equal": "eq", "NotEqual": "ne", "Less": "lt",
    "LessEqual": "le", "Greater": "gt", "GreaterEqual": "ge", "LogicalAnd": "logical_and", "LogicalOr": "logical_or",
    "LogicalXor": "logical_xor", "BitwiseAnd": "bitwise_and", "BitwiseOr": "bitwise_or", "BitwiseXor": "bitwise_xor",
    "Maximum": "max", "Minimum": "min", "Fmax": "max", "Fmin": "min",
}  # fmt: skip
_REDUCTIONS = {
    "Mean": "mean", "Sum": "sum", "Prod": "prod", "Max": "max", "Amax": "max", "Min": "min", "Amin": "min",
    "Std": "std", "Var": "var", "Any": "any", "All": "all", "Argmax": "argmax", "Argmin": "argmin", "Average": "mean",
}  # fmt: skip
_ACTIVATIONS = (
    "Relu Relu6 Sigmoid SparseSigmoid Softplus Softsign SoftShrink SparsePlus Silu Squareplus LogSigmoid LeakyRelu "
    "HardSigmoid HardSilu Elu Selu Gelu Celu Glu TanhShrink HardTanh HardShrink Threshold Softmax LogSoftmax Sparsemax"
)

FUNCTIONS: Mapping[str, Mapping[str, Handler]] = {
    "numpy": {
        "Add": operations.elementwise("add"), "Multiply": operations.elementwise("mul"),
        **{name: operations.elementwise("elementwise", type=of) for name, of in (_UNARY | _BINARY).items()},
        **{name: operations.reduction(of) for name, of in _REDUCTIONS.items()},
        **_all("Tanh", activations.by_name), **_all("Copy View Array Real Conj Conjugate", layers.identity),
        **_all("Flip Fliplr Sort Tril Triu OnesLike ZerosLike FullLike EmptyLike", layers.identity),
        "Reshape": rearranging.reshape, "Transpose": rearranging.transpose, "Swapaxes": rearranging.swapaxes,
        "Moveaxis": rearranging.moveaxis, "ExpandDims": rearranging.expand_dims, "Squeeze": rearranging.squeeze,
        "Ravel": rearranging.ravel, "Concatenate": rearranging.concatenate, "Stack": rearranging.stack,
        **_all("Split ArraySplit", rearranging.split), "GetItem": rearranging.get_item, "Repeat": rearranging.repeat,
        "Tile": rearranging.tile, "BroadcastTo": rearranging.broadcast_to, "Pad": rearranging.pad,
        "Roll": rearranging.roll, "Matmul": operations.matmul, "Einsum": operations.einsum, "Take": rearranging.take,
    },
    "nn": {
        **_all(_ACTIVATIONS, activations.by_name), "OneHot": operations.one_hot,
        **_all("MaxPool AveragePool", windows.pool),
        **_all("AdaptiveMaxPool AdaptiveAveragePool", windows.adaptive_pool),
        "DotProductAttention": operations.dot_product_attention,
        **_all("Normalize RMSNorm", operations.normalize("rms")), "LayerNorm": operations.normalize("layer"),
        **_all("DepthToSpace SpaceToDepth", windows.space_to_depth),
    },
    "core": {
        **_all("Cast SaturateCast StopGradient ConvertToTensor", layers.identity), "Slice": rearranging.cut_out,
        "Unstack": rearranging.unstack,
    },
    "image": {"Resize": windows.resizing, "RGBToGrayscale": operations.grayscale},
    "math": {
        "Rsqrt": operations.elementwise("elementwise", type="rsqrt"),
        "Erf": operations.elementwise("elementwise", type="erf"), "Logsumexp": operations.reduction("log_sum_exp"),
    },
    "linalg": {"Norm": operations.reduction("norm")},
}  # fmt: skip

OF_APPLICATIONS: Mapping[str, Handler] = {
    "convnext.LayerScale": dense.scale, "convnext.StochasticDepth": layers.identity,
    "inception_resnet_v2.CustomScaleLayer": layers.join("add"),
}  # fmt: skip

NEUTRAL = frozenset(
    {
        layers.identity, layers.dropout, norms.batch_norm, norms.layer_norm, norms.rms_norm, norms.group_norm,
        norms.unit_norm, norms.normalization, layers.rescaling, dense.scale, activations.activation,
        activations.relu, activations.softmax, activations.prelu, activations.of_class, activations.by_name,
        *(LAYERS[name] for name in ["Add", "Multiply", "Subtract", "Average", "Maximum", "Minimum", "Concatenate"]),
        *(FUNCTIONS["numpy"][name] for name in ("Add", "Multiply", *_UNARY, *_BINARY)),
    }
)  # fmt: skip
"""Layers that take their axes in any order."""

MODELS = ("Functional", "Sequential", "Model")


def is_model(raw: Mapping[str, Any]) -> bool:
    """Whether a layer is a model whose layers the file has."""
    config = raw.get("config")
    if isinstance(config, list):
        return raw.get("class_name") == "Sequential"
    return (
        isinstance(config, Mapping)
        and isinstance(config.get("layers"), list)
        and (raw.get("class_name") in MODELS or {"input_layers", "output_layers"} <= config.keys())
    )


def handler_of(raw: Mapping[str, Any]) -> Handler | None:
    """Return how a layer is read; nothing for one of another package, or one that is not known."""
    name, module = str(raw.get("class_name")), raw.get("module")
    registered = raw.get("registered_name")
    if name in operations.OLD_CLASSES:
        function = raw["config"].get("function") if isinstance(raw.get("config"), Mapping) else None
        module, _, name = operations.OLD_FUNCTIONS.get(str(function), ".").partition(".")
        return FUNCTIONS.get(module, {}).get(name)
    if module is None:  # Keras 2 names the package of a layer that is not its own
        return LAYERS.get(name)
    module = str(module).removeprefix("tf_")
    if module.startswith(OPERATIONS):
        return FUNCTIONS.get(module.removeprefix(OPERATIONS), {}).get(name)
    if module.startswith(APPLICATIONS):
        return OF_APPLICATIONS.get(f"{module.removeprefix(APPLICATIONS)}.{name}")
    is_of_keras = f"{module}.".startswith(LAYER_MODULES)
    return LAYERS.get(name) if is_of_keras and registered in (None, name) else None
