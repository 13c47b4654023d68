"""Random layers of Keras, each as a model of its own, for ``keras_models.py``."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import keras
from draws import flag, options, rarely, sizes
from keras import layers

ACTS = (
    "relu", "gelu", "tanh", "silu", "sigmoid", "elu", "selu", "softplus", "linear", "hard_sigmoid", "leaky_relu",
    "relu6", "softmax", "exponential", "mish", "log_softmax",
)  # fmt: skip
RECURRENT = ("LSTM", "GRU", "SimpleRNN")
CELLS = (layers.LSTMCell, layers.GRUCell, layers.SimpleRNNCell)


def image(rng: Random, axes: int = 2, least: int = 5, most: int = 10) -> tuple[int, ...]:
    return (*(rng.randint(least, most) for _ in range(axes)), rng.randint(2, 6))


def sequence(rng: Random) -> tuple[int, int]:
    return rng.randint(3, 8), rng.randint(2, 8)


def model(layer: Any, *shapes: tuple[int, ...], call: Callable[..., Any] | None = None) -> Any:
    """A model of one layer."""
    inputs = [keras.Input(shape) for shape in shapes]
    return keras.Model(inputs, call(layer, *inputs) if call else layer(inputs if len(inputs) > 1 else inputs[0]))


def made(name: str, **given: Any) -> Any:
    return getattr(layers, name)(**given)


def window(rng: Random, axes: int, most: int = 3) -> dict[str, Any]:
    given = {"kernel_size": sizes(rng, axes, 1, most), "padding": rng.choice(("valid", "same"))}
    return given | options(rng, use_bias=flag(rng), activation=lambda: rng.choice(ACTS))


def conv(rng: Random) -> Any:
    axes, groups = rng.choice((1, 2, 2, 3)), rng.choice((1, 1, 2))
    given = window(rng, axes) | {"filters": 2 * rng.randint(1, 4), "groups": groups}
    given |= {"strides": rng.randint(1, 3)} if flag(rng)() else {"dilation_rate": rng.randint(1, 2)}
    given |= {"padding": "causal"} if axes == 1 and rarely(rng, 0.4) else {}
    return model(made(f"Conv{axes}D", **given), (*image(rng, axes, 8)[:-1], 2 * rng.randint(1, 3)))


def transposed_conv(rng: Random) -> Any:
    axes, stride = rng.choice((1, 2, 3)), rng.randint(1, 3)
    given = window(rng, axes, 4) | {"filters": rng.randint(2, 6), "strides": stride}
    given |= {"output_padding": 1} if stride == 2 and rarely(rng, 0.4) else {}
    return model(made(f"Conv{axes}DTranspose", **given), image(rng, axes, 3, 6))


def thin_conv(rng: Random) -> Any:
    axes, name = rng.choice((1, 2)), rng.choice(("Depthwise", "Separable"))
    given = window(rng, axes) | {
        "depth_multiplier": rng.randint(1, 3),
        **options(rng, strides=lambda: rng.randint(1, 2)),
    }
    given |= {"filters": rng.randint(2, 6)} if name == "Separable" else {}
    return model(made(f"{name}Conv{axes}D", **given), image(rng, axes))


def pool(rng: Random) -> Any:
    axes, kind = rng.choice((1, 2, 3)), rng.choice(("Max", "Average"))
    form = rng.choice(("", "Global", "Adaptive"))
    given: dict[str, Any] = {"keepdims": flag(rng)()} if form == "Global" else {"output_size": sizes(rng, axes, 1, 4)}
    if not form:
        given = {"pool_size": sizes(rng, axes, 1, 3), "padding": rng.choice(("valid", "same"))}
        given |= options(rng, strides=lambda: sizes(rng, axes, 1, 3))
    return model(made(f"{form}{kind}Pooling{axes}D", **given), image(rng, axes))


def padded(rng: Random) -> Any:
    axes, kind = rng.choice((1, 2, 3)), rng.choice(("ZeroPadding", "Cropping", "UpSampling"))
    if kind == "UpSampling":
        return model(made(f"UpSampling{axes}D", size=rng.randint(1, 3)), image(rng, axes))
    ends = tuple((rng.randint(0, 2), rng.randint(0, 2)) for _ in range(axes))
    key = "padding" if kind == "ZeroPadding" else "cropping"
    cells = rng.choice((rng.randint(0, 2), ends if axes > 1 else ends[0]))
    return model(made(f"{kind}{axes}D", **{key: cells}), image(rng, axes))


def dense(rng: Random) -> Any:
    given = options(rng, use_bias=flag(rng), activation=lambda: rng.choice(ACTS))
    return model(layers.Dense(rng.randint(2, 9), **given), rng.choice(((7,), sequence(rng), image(rng))))


def einsum_dense(rng: Random) -> Any:
    a, b, c, d, e = (rng.randint(2, 6) for _ in range(5))
    equation, size, biased, shape = rng.choice(
        (
            ("ab,bc->ac", d, "c", (a,)), ("abc,cd->abd", (None, d), "d", (a, b)),
            ("abc,cde->abde", (None, d, e), rng.choice(("de", "e", "d")), (a, b)),
            ("abcd,cde->abe", (None, e), "e", (a, b, c)), ("abc,bcd->abd", (a, d), None, (a, b)),
            ("...x,xy->...y", d, "y", (a, b)),
        )
    )  # fmt: skip
    return model(layers.EinsumDense(equation, output_shape=size, bias_axes=rng.choice((None, biased))), shape)


def embedding(rng: Random) -> Any:
    if flag(rng)():
        return model(layers.Embedding(rng.randint(5, 30), rng.randint(2, 8)), rng.choice(((5,), (3, 4))))
    tokens, table = keras.Input((5,)), layers.ReversibleEmbedding(20, 6, tie_weights=flag(rng)())
    return keras.Model(tokens, table(layers.Dense(6)(table(tokens)), reverse=True))


def norm(rng: Random) -> Any:
    shape = rng.choice((sequence(rng), (*image(rng)[:-1], 4), (4,), (3, 4, 5, 4)))
    kind = rng.choice(("Batch", "Layer", "RMS", "Unit", "Group", "", "Spectral"))
    if kind == "Spectral":
        inner = rng.choice((layers.Dense(4), layers.Conv2D(4, 3), layers.Conv2DTranspose(5, 3)))
        return model(layers.SpectralNormalization(inner), (6, 6, 3))
    given: dict[str, Any] = {"axis": rng.choice((-1, len(shape)))}
    given |= {"groups": rng.choice((-1, 1))} if kind == "Group" else {}
    given |= options(rng, center=flag(rng), scale=flag(rng)) if kind in ("Batch", "Layer", "Group") else {}
    given |= {"axis": rng.randint(1, len(shape)), "renorm": rarely(rng)} if kind == "Batch" else {}
    given |= {"axis": rng.choice((-1, None))} if not kind else {}
    return model(made(f"{kind}Normalization", **given), shape)


def act(rng: Random) -> Any:
    kind, shape = (
        rng.choice(("ReLU", "LeakyReLU", "ELU", "Softmax", "PReLU", "Activation")),
        rng.choice(((5,), (4, 6, 3))),
    )
    given: dict[str, Any] = {"activation": rng.choice(ACTS)} if kind == "Activation" else {}
    given |= options(rng, max_value=lambda: rng.choice((6, 1.0)), negative_slope=lambda: 0.1) if kind == "ReLU" else {}
    given |= {"shared_axes": rng.choice((None, [1], list(range(1, len(shape)))))} if kind == "PReLU" else {}
    return model(made(kind, **given), shape)


def without_effect(rng: Random) -> Any:
    kind, given = rng.choice(
        (
            ("Dropout", [0.2]), ("SpatialDropout2D", [0.2]), ("GaussianNoise", [0.1]), ("GaussianDropout", [0.1]),
            ("AlphaDropout", [0.1]), ("ActivityRegularization", []), ("Identity", []), ("Rescaling", [2.0]),
            ("RandomFlip", []), ("RandomRotation", [0.1]), ("RandomZoom", [0.1]), ("RandomContrast", [0.1]),
            ("RandomBrightness", [0.1]),
        )
    )  # fmt: skip
    return model(getattr(layers, kind)(*given), (*image(rng)[:-1], 3))


def preprocessing(rng: Random) -> Any:
    layer, shape = rng.choice(
        (
            (layers.Resizing(rng.randint(4, 12), 7), image(rng)), (layers.CenterCrop(4, 5), image(rng)),
            (layers.CategoryEncoding(5, output_mode=rng.choice(("one_hot", "multi_hot", "count"))), (1,)),
            (layers.Discretization([0.0, 1.0]), (4,)),
        )
    )  # fmt: skip
    return model(layer, shape)


def reshaped(rng: Random) -> Any:
    shape = image(rng)
    if rarely(rng):
        vector = keras.Input((8,))
        return keras.Model(vector, layers.Conv2D(4, 1)(layers.Reshape((1, 1, 8))(vector)))
    if rarely(rng, 0.2):
        return model(layers.RepeatVector(rng.randint(1, 4)), (rng.randint(2, 6),))
    layer = (layers.Flatten(), layers.Reshape((-1, shape[-1])), layers.Permute(rng.sample((1, 2, 3), 3)))
    return model(rng.choice(layer), shape)


def join(rng: Random) -> Any:
    kind = rng.choice(("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate"))
    shape, count = image(rng), 2 if kind == "Subtract" else rng.randint(2, 4)
    shapes = [shape] * count
    if kind == "Concatenate":
        axis = rng.randint(1, 3)
        shapes = [(*shape[: axis - 1], rng.randint(2, 5), *shape[axis:]) for _ in range(count)]
        return model(layers.Concatenate(axis=axis), *shapes)
    if kind in ("Add", "Multiply") and flag(rng)():
        shapes = [shape, (1, 1, shape[-1])]
    return model(made(kind), *shapes)


def dot(rng: Random) -> Any:
    a, b, size = (rng.randint(2, 6) for _ in range(3))
    if flag(rng)():
        return model(layers.Dot(axes=1, normalize=flag(rng)()), (size,), (size,))
    return model(layers.Dot(axes=(2, 2)), (a, size), (b, size))


def recurrent_layer(rng: Random, **more: Any) -> Any:
    kind = rng.choice(RECURRENT)
    given = {"units": rng.randint(2, 7), **options(rng, use_bias=flag(rng), return_sequences=flag(rng)), **more}
    return made(kind, **given, **(options(rng, reset_after=flag(rng)) if kind == "GRU" else {}))


def recurrent(rng: Random) -> Any:
    form = rng.choice(("one", "one", "both", "cells", "states"))
    if form == "one":
        return model(recurrent_layer(rng, return_state=flag(rng)()), sequence(rng))
    if form == "both":
        merge = rng.choice(("concat", "sum", "mul", "ave", None))
        return model(
            layers.Bidirectional(recurrent_layer(rng, return_state=flag(rng)()), merge_mode=merge), sequence(rng)
        )
    if form == "cells":
        cells = [rng.choice(CELLS)(rng.randint(2, 6)) for _ in range(rng.randint(1, 3))]
        return model(layers.RNN(cells if len(cells) > 1 else cells[0], return_sequences=flag(rng)()), sequence(rng))
    source, target, units = keras.Input(sequence(rng)), keras.Input(sequence(rng)), rng.randint(2, 6)
    kind = rng.choice(("LSTM", "GRU"))
    _, *states = made(kind, units=units, return_state=True)(source)
    decoded = made(kind, units=units, return_sequences=True)(target, initial_state=states if states[1:] else states[0])
    return keras.Model([source, target], layers.Dense(5)(decoded))


def convolutional_recurrent(rng: Random) -> Any:
    axes = rng.randint(1, 3)
    given = {"filters": rng.randint(2, 4), "kernel_size": rng.randint(1, 3), "padding": rng.choice(("same", "valid"))}
    given |= options(rng, return_sequences=flag(rng), use_bias=flag(rng))
    return model(made(f"ConvLSTM{axes}D", **given), (rng.randint(2, 4), *image(rng, axes, 4, 6)))


def distributed(rng: Random) -> Any:
    steps, form = rng.randint(2, 4), rng.randint(0, 2)
    if form == 0:
        return model(layers.TimeDistributed(recurrent_layer(rng)), (steps, *sequence(rng)))
    if form == 1:
        return model(layers.TimeDistributed(layers.Dense(rng.randint(2, 6))), (steps, rng.randint(2, 6)))
    inner = rng.choice(
        (
            layers.Conv2D(4, 3, padding="same", strides=2), layers.SeparableConv2D(4, 3), layers.MaxPooling2D(2),
            layers.GlobalAveragePooling2D(), layers.Flatten(), layers.BatchNormalization(), layers.UpSampling2D(),
            layers.PReLU(shared_axes=[1, 2]),
        )
    )  # fmt: skip
    return model(layers.TimeDistributed(inner), (steps, *image(rng)))


def attention(rng: Random) -> Any:
    q, k, size = sequence(rng), sequence(rng), rng.randint(2, 6)
    form = rng.choice(("one", "two", "three", "image", "grouped", "dot", "additive"))
    if form in ("dot", "additive"):
        given = {"score_mode": rng.choice(("dot", "concat"))} if form == "dot" else {}
        kind = layers.Attention if form == "dot" else layers.AdditiveAttention
        return model(kind(use_scale=flag(rng)(), **given), (q[0], size), (k[0], size))
    if form == "grouped":
        heads = rng.randint(1, 3)
        given = {"num_key_value_heads": heads, "num_query_heads": heads * rng.randint(1, 3), "head_dim": size}
        layer = layers.GroupQueryAttention(**given, **options(rng, use_bias=flag(rng), use_gate=flag(rng)))
        return model(layer, q, (k[0], q[1]), call=lambda one, x, y: one(x, y))
    given = {"num_heads": rng.randint(2, 3), "key_dim": size}
    given |= options(rng, value_dim=lambda: rng.randint(2, 5), use_bias=flag(rng), use_gate=flag(rng))
    given |= options(rng, output_shape=lambda: rng.randint(2, 7))
    if form == "image":
        axes = rng.choice((None, (1,), (2,), (1, 2)))
        one = layers.MultiHeadAttention(attention_axes=axes, **given)
        return model(one, image(rng, 2, 3, 5), call=lambda one, x: one(x, x))
    one = layers.MultiHeadAttention(**given)
    if form == "one":
        return model(one, q, call=lambda one, x: one(x, x))
    if form == "two":
        return model(one, q, k, call=lambda one, x, y: one(x, y, return_attention_scores=flag(rng)()))
    return model(one, q, k, (k[0], size), call=lambda one, x, y, z: one(x, y, key=z))


DRAWS = (
    conv, conv, conv, transposed_conv, transposed_conv, thin_conv, thin_conv, pool, pool, pool, padded, padded, dense,
    einsum_dense, einsum_dense, embedding, norm, norm, norm, act, act, without_effect, preprocessing, reshaped,
    reshaped, join, join, dot, recurrent, recurrent, recurrent, convolutional_recurrent, distributed, distributed,
    attention, attention, attention,
)  # fmt: skip
