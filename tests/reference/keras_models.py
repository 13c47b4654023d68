"""Models of Keras 3.15.1 with what Keras and torch count of them: how ``keras_models.json.xz`` was made.

To be run where Keras and torch 2.14.1 are installed; the tests need neither::

    KERAS_BACKEND=torch python tests/reference/keras_models.py -o tests/reference/keras_models.json.xz

``models`` are networks of keras.applications and random models: each has its configuration without what counts
nothing (initializers and the like), its name, the elements of all its weights and of its trainable ones, of each layer
that has weights too, the multiplications that ``torch.utils.flop_counter`` sees of one sample, and the sizes of its
outputs. No size of a product is 1, where torch multiplies tensors instead of matrices.
"""

from __future__ import annotations

import argparse
import json
import lzma
import re
import sys
import warnings
from contextlib import suppress
from math import prod
from pathlib import Path
from random import Random
from typing import Any

import keras
import keras.src.backend as keras_backend
import torch
from draws import flag
from keras import layers, ops
from keras_layers import DRAWS
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import _disable_current_modes
from torch.utils.flop_counter import FlopCounterMode

NETWORKS = (
    "ConvNeXtTiny", "DenseNet121", "EfficientNetB0", "EfficientNetV2B0", "InceptionResNetV2", "InceptionV3",
    "MobileNet", "MobileNetV2", "MobileNetV3Large", "MobileNetV3Small", "NASNetLarge", "ResNet50", "ResNet50V2",
    "VGG16", "Xception",
)  # fmt: skip
BATCH = 2
COUNTS_NOTHING = re.compile(
    r".*(initializer|regularizer|constraint)|dtype|trainable|compile_config|seed|sparse|ragged|optional|momentum|epsilon|"
    r"synchronized|renorm_\w+|stateful|unroll|zero_output_for_mask|recurrent_dropout|unit_forget_bias|fill_\w+"
)


# --- random networks --------------------------------------------------------------------------------------------------


def image_network(rng: Random) -> Any:
    image = keras.Input((rng.randint(12, 20), rng.randint(12, 20), 3))
    x = layers.Conv2D(8, 3, strides=rng.randint(1, 2), padding="same")(layers.Rescaling(1 / 255)(image))
    for _ in range(rng.randint(1, 4)):
        x = rng.choice((residual, excited, next_block, widened, operations, activated))(rng, x)
    ends = (
        lambda x: layers.Dropout(0.2)(layers.GlobalAveragePooling2D()(x)), layers.Flatten(), tokens,
        lambda x: ops.mean(x, axis=(1, 2)),
    )  # fmt: skip
    return keras.Model(image, layers.Dense(5, activation="softmax")(rng.choice(ends)(x)))


def residual(rng: Random, x: Any) -> Any:
    y = layers.BatchNormalization()(layers.Conv2D(8, 3, padding="same")(x))
    return layers.Add()([x, layers.ReLU()(y)])


def excited(rng: Random, x: Any) -> Any:
    keeps = flag(rng)()
    gate = layers.GlobalAveragePooling2D(keepdims=keeps)(x)
    gate = gate if keeps else layers.Reshape((1, 1, 8))(gate)
    gate = layers.Dense(4, activation="relu")(gate) if flag(rng)() else layers.Conv2D(4, 1)(gate)
    return layers.Multiply()([x, layers.Dense(8, activation="sigmoid")(gate)])


def next_block(rng: Random, x: Any) -> Any:
    y = layers.LayerNormalization()(layers.DepthwiseConv2D(3, padding="same")(x))
    return x + layers.Dense(8)(layers.Dense(16, activation="gelu")(y))


def widened(rng: Random, x: Any) -> Any:
    return layers.Conv2D(8, 1)(layers.Concatenate()([x, layers.Conv2D(4, 1)(x)]))


def operations(rng: Random, x: Any) -> Any:
    return ops.multiply(ops.relu(x), 0.5) + x


def activated(rng: Random, x: Any) -> Any:
    return layers.Activation(keras.activations.silu)(x)


def tokens(x: Any) -> Any:
    x = layers.Reshape((-1, 8))(x)
    return ops.mean(layers.LayerNormalization()(x + layers.MultiHeadAttention(2, 4)(x, x)), axis=1)


def channels_first(rng: Random) -> Any:
    given = {"data_format": "channels_first"}
    image = keras.Input((3, rng.randint(10, 14), rng.randint(9, 13)))
    x = layers.BatchNormalization(axis=1)(layers.Conv2D(6, 3, strides=rng.randint(1, 2), **given)(image))
    blocks = (
        layers.DepthwiseConv2D(3, padding="same", **given), layers.ZeroPadding2D(1, **given),
        layers.UpSampling2D(2, **given), layers.Conv2DTranspose(6, 2, strides=2, **given),
        layers.PReLU(shared_axes=[2, 3]),
    )  # fmt: skip
    for block in rng.sample(blocks, 3):
        x = block(x)
    ends = layers.GlobalAveragePooling2D(**given), layers.Flatten(**given), layers.Cropping2D(1, **given)
    return keras.Model(image, layers.Dense(4)(rng.choice(ends)(x)))


def text_network(rng: Random) -> Any:
    length, width = rng.randint(6, 12), 8
    text = keras.Input((length,))
    x = layers.Embedding(30, width)(text)
    blocks = (
        layers.Conv1D(width, 3, padding="same", activation="relu"),  # a block that is drawn twice shares its weights
        layers.LSTM(width, return_sequences=True),
        layers.Bidirectional(layers.GRU(4, return_sequences=True)),
        lambda x: layers.LayerNormalization()(layers.Add()([x, layers.MultiHeadAttention(2, 4)(x, x)])),
        lambda x: layers.SeparableConv1D(width, 3, padding="same")(layers.SpatialDropout1D(0.1)(x)),
        layers.TimeDistributed(layers.Dense(width, activation="tanh")),
        lambda x: layers.Permute((2, 1))(layers.Dense(length)(layers.Permute((2, 1))(x))),
    )
    for _ in range(rng.randint(1, 3)):
        x = rng.choice(blocks)(x)
    ends = layers.GlobalMaxPooling1D(keepdims=flag(rng)()), layers.GlobalAveragePooling1D(), layers.LSTM(5)
    return keras.Model(text, layers.Dense(3)(rng.choice(ends)(x)))


def vision_transformer(rng: Random) -> Any:
    size = rng.choice((8, 12))
    image = keras.Input((size, size, 3))
    x = layers.Reshape(((size // 4) ** 2, 6))(layers.Conv2D(6, 4, strides=4)(image))
    for _ in range(rng.randint(1, 2)):
        y = layers.LayerNormalization()(x)
        x = layers.Add()([x, layers.MultiHeadAttention(2, 3)(y, y)])
        y = layers.Dense(12, activation=keras.activations.gelu)(layers.LayerNormalization()(x))
        x = x + layers.Dense(6)(layers.Dropout(0.1)(y))
    x = x[:, 0] if flag(rng)() else layers.GlobalAveragePooling1D()(x)
    return keras.Model(image, layers.Dense(5)(x))


def up_and_down(rng: Random) -> Any:
    image = keras.Input((16, 16, 2))
    x, skips = image, []
    for width in (4, 8):
        skips.append(layers.Conv2D(width, 3, padding="same", activation="relu")(x))
        x = layers.MaxPooling2D()(skips[-1])
    for skip, width in zip(reversed(skips), (8, 4), strict=True):
        up = (
            layers.Conv2DTranspose(width, 2, strides=2)
            if flag(rng)()
            else layers.UpSampling2D(interpolation="bilinear")
        )
        x = layers.Conv2D(width, 3, padding="same")(layers.Concatenate()([up(x), skip]))
    return keras.Model(image, layers.Conv2D(2, 1, activation="sigmoid")(x))


def video(rng: Random) -> Any:
    frames = keras.Input((4, 8, 8, 3))
    backbone = keras.Sequential(
        [keras.Input((8, 8, 3)), layers.Conv2D(4, 3, activation="relu"), layers.BatchNormalization(),
         layers.MaxPooling2D(), layers.Flatten(), layers.Dense(5)]
    )  # fmt: skip
    x = rng.choice(
        (
            lambda x: layers.GlobalAveragePooling3D()(layers.MaxPooling3D((1, 2, 2))(layers.Conv3D(4, 3)(x))),
            lambda x: layers.GRU(5)(
                layers.TimeDistributed(layers.Flatten())(layers.TimeDistributed(layers.Conv2D(4, 3))(x))
            ),
            lambda x: layers.Flatten()(layers.ConvLSTM2D(2, 3)(layers.BatchNormalization()(x))),
            lambda x: layers.Bidirectional(layers.LSTM(3))(layers.TimeDistributed(backbone)(x)),
        )
    )(frames)
    return keras.Model(frames, layers.Dense(2)(x))


def shared(rng: Random) -> Any:
    """Nested models that are called twice, layers that are shared, several inputs and outputs."""
    encoder = keras.Sequential([keras.Input((10, 10, 2)), layers.Conv2D(4, 3), layers.MaxPooling2D(), layers.Flatten()])
    first, second, vector = keras.Input((10, 10, 2)), keras.Input((10, 10, 2)), keras.Input((64,))
    twice = layers.Dense(6)
    x, y = twice(encoder(first)), twice(encoder(second))
    left, right = keras.Input((6,)), keras.Input((64,))
    head = keras.Model([left, right], [layers.Dense(3)(left), layers.Concatenate()([layers.Dense(2)(right), left])])
    outputs = head([ops.abs(x - y) if flag(rng)() else layers.Subtract()([x, y]), vector])
    return keras.Model([first, second, vector], [*outputs, layers.Dot(axes=1)([x, y])])


def functions(rng: Random) -> Any:
    """Functions of keras.ops on a sequence."""
    sequence = keras.Input((rng.randint(3, 6), 8))
    steps = (
        lambda x: ops.transpose(x, (0, 2, 1)), lambda x: ops.matmul(x, ops.transpose(x, (0, 2, 1))),
        lambda x: ops.einsum("bij,bkj->bik", x, x), lambda x: ops.concatenate([x, ops.relu(x)], axis=-1),
        lambda x: ops.split(ops.concatenate([x, x], axis=-1), 2, axis=-1)[0] * ops.sigmoid(x),
        lambda x: ops.squeeze(ops.expand_dims(x, 1), axis=1), lambda x: x[:, 1:, :] if x.shape[1] > 2 else x[:, ::2],
        lambda x: ops.softmax(x - ops.max(x, axis=-1, keepdims=True), axis=-1), layers.Dense(8),
        lambda x: ops.reshape(layers.Dense(12)(ops.reshape(x, (-1, x.shape[1] * x.shape[2]))), (-1, 3, 4)),
        lambda x: ops.repeat(ops.tile(x, (1, 2, 1)), 2, axis=2), lambda x: ops.stack([x, x], axis=1)[:, 0],
        lambda x: ops.pad(x, ((0, 0), (1, 1), (0, 2))), lambda x: ops.where(x > 0, x, ops.exp(x) - 1),
        lambda x: ops.moveaxis(ops.swapaxes(x, 1, 2), 1, -1), lambda x: ops.take(x, [0, 1], axis=1),
        lambda x: ops.roll(x, 1, axis=1), lambda x: ops.clip(ops.power(x, 2), 0, 1),
        lambda x: ops.maximum(x, 0.1) - ops.minimum(x, 0.0), lambda x: ops.normalize(x, axis=-1),
    )  # fmt: skip
    x = sequence
    for _ in range(rng.randint(2, 6)):
        x = rng.choice(steps)(x)
    x = x[:, -1, ...] if flag(rng)() else ops.mean(x, axis=-1)
    return keras.Model(sequence, layers.Dense(3)(x))


RANDOM = (*DRAWS, image_network, image_network, image_network, channels_first, text_network, text_network,
          vision_transformer, up_and_down, video, shared, functions, functions, functions)  # fmt: skip


# --- counting ---------------------------------------------------------------------------------------------------------


def recurrence(step: Any, sequences: Any, *args: Any, **kwargs: Any) -> Any:
    """Run a recurrence and count as many steps as there are: more are run, to see what one gives."""

    def counted(x: Any, states: Any) -> Any:
        calls.append(1)
        if len(calls) <= sequences.shape[1]:
            return step(x, states)
        with _disable_current_modes():
            return step(x, states)

    calls: list[int] = []
    return keras_recurrence(counted, sequences, *args, **kwargs)


keras_recurrence = keras_backend.rnn


def elements(weights: Any) -> int:
    return sum(prod(weight.shape) for weight in weights)


def own_layers(made: Any) -> list[Any]:
    """The layers of a model and of the models in it."""
    nested = [own_layers(layer) if isinstance(layer, keras.Model) else [layer] for layer in made.layers]
    return [layer for group in nested for layer in group]


def described(name: str, made: Any, multiplies: int, outputs: list[int]) -> dict[str, Any]:
    own = [each for each in own_layers(made) if each.weights]
    return {
        "name": name, "params": elements(made.weights), "trainable": elements(made.trainable_weights),
        "layers": {each.name: [elements(each.trainable_weights), elements(each.weights)] for each in own},
        "multiplies": multiplies, "outputs": outputs, "model": stripped(json.loads(made.to_json())),
    }  # fmt: skip


def stripped(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: stripped(each) for key, each in value.items() if not COUNTS_NOTHING.fullmatch(key)}
    return [stripped(each) for each in value] if isinstance(value, list) else value


def network(name: str) -> dict[str, Any]:
    with keras.device("meta"):
        made = getattr(keras.applications, name)(weights=None)
        image = torch.zeros((1, *(size or 224 for size in made.input_shape[1:])), device="meta")
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            output = made(image)
    return described(name, made, counter.get_total_flops() // 2, [prod(output.shape[1:])])


def measured(name: str, made: Any) -> dict[str, Any]:
    given = [keras.ops.ones((BATCH, *tensor.shape[1:])) for tensor in made.inputs]
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        output = made(given if len(given) > 1 else given[0], training=False)
    outputs = output if isinstance(output, list | tuple) else [output]
    multiplies, rest = divmod(counter.get_total_flops(), 2 * BATCH)
    assert not rest
    return described(name, made, multiplies, [prod(each.shape[1:]) for each in outputs])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--count", type=int, default=320)
    parser.add_argument("-o", "--output", type=Path, required=True)
    given = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    keras_backend.rnn = recurrence
    layers.RNN._maybe_config_dropout_masks = lambda *_: None  # runs stacked cells once more
    rng = Random(given.seed)
    models = [network(name) for name in NETWORKS]
    while len(models) < given.count:
        draw = RANDOM[len(models) % len(RANDOM)]
        keras.backend.clear_session()
        with suppress(ValueError):  # what Keras refuses is drawn again
            models.append(measured(draw.__name__, draw(rng)))
    versions = f"keras {keras.__version__}, torch {torch.__version__}"
    text = json.dumps({"made_with": versions, "seed": given.seed, "models": models}, separators=(",", ":"))
    given.output.write_bytes(lzma.compress(text.encode(), preset=9))
    sys.stdout.write(f"{len(models)} models\n")


if __name__ == "__main__":
    main()
