"""Random calls of torch's other constructors, and all of them by kind; some of them such as torch refuses."""

from __future__ import annotations

from random import Random

from draws import LETTERS, Draw, Drawn, axes_of, flag, options, rarely, spatial
from pieces import Call, call
from random_windows import adaptive, avgpool, conv, deconv, maxpool, padded, upsample

# --- norms and activations --------------------------------------------------------------------------------------------


def shape_of_any(rng: Random) -> list[int]:
    axes = rng.choice((0, 1, 2, 2, 3))
    return [rng.randint(1, 9), *(spatial(rng, axes) if axes else [])]


def batch_norm(rng: Random) -> Drawn:
    kind, shape = rng.choice(("Batch", "Instance")), shape_of_any(rng)
    if kind == "Instance" and len(shape) == 1:
        shape.append(rng.randint(1, 9))
    said = options(rng, affine=flag(rng))
    letters = LETTERS[max(len(shape) - 1, 1)]
    return Drawn(f"norm {kind.lower()}", Call(f"nn.{kind}Norm{letters}", (shape[0],), said), [shape])


def group_norm(rng: Random) -> Drawn:
    groups = rng.randint(1, 4)
    shape = [groups * rng.randint(1, 4) + rarely(rng), *shape_of_any(rng)[1:]]
    if set(shape[1:]) <= {1} and shape[0] == groups:  # one value a group: torch wants two, but from all of a batch
        shape[0] *= 2
    return Drawn("norm group", Call("nn.GroupNorm", (groups, shape[0]), options(rng, affine=flag(rng))), [shape])


def layer_norm(rng: Random) -> Drawn:
    kind, shape = rng.choice(("Layer", "RMS")), shape_of_any(rng)
    taken = shape[-rng.choice((1, 1, len(shape))) :]
    module = Call(f"nn.{kind}Norm", (taken,), options(rng, elementwise_affine=flag(rng)))
    return Drawn(f"norm {kind.lower()}", module, [shape])


def response_norm(rng: Random) -> Drawn:
    shape = shape_of_any(rng)
    shape = shape if len(shape) > 1 else [*shape, 3]
    return Drawn("norm lrn", call("nn.LocalResponseNorm", rng.choice((1, 2, 3, 4, 5, 5, 5, 5))), [shape])


PLAIN = (
    "ReLU", "ReLU6", "LeakyReLU", "RReLU", "ELU", "SELU", "CELU", "GELU", "SiLU", "Mish", "Sigmoid", "LogSigmoid",
    "Tanh", "Tanhshrink", "Hardswish", "Hardsigmoid", "Hardtanh", "Hardshrink", "Softshrink", "Softplus", "Softsign",
)  # fmt: skip


def activation(rng: Random) -> Drawn:
    shape = shape_of_any(rng)
    if rarely(rng, 0.4):
        return Drawn("prelu", call("nn.PReLU", rng.choice((1, shape[0]))), [shape])
    return Drawn("activation", call(f"nn.{rng.choice(PLAIN)}"), [shape])


def scale(rng: Random) -> Drawn:
    shape, kind = shape_of_any(rng), rng.randint(0, 2)
    if kind == 0:
        return Drawn("scale", call("Scale", 1, 0), [shape])
    if kind == 1 and len(shape) > 1:
        return Drawn("scale", call("Scale", shape[0], len(shape) - 1), [shape])
    return Drawn("scale", call("Scale", shape[-1], 0), [shape])


def small(rng: Random) -> Drawn:
    shape = shape_of_any(rng)
    if rng.random() < 0.4:
        return Drawn("param", call("Learned", *shape_of_any(rng)), [shape])
    if rng.random() < 0.5:
        return Drawn("dropout", call("nn.Dropout", rng.choice((0.1, 0.25, 0.5))), [shape])
    return Drawn("softmax", call("nn.Softmax", rng.choice((-1, rng.randint(1, len(shape))))), [shape])


# --- features ---------------------------------------------------------------------------------------------------------


def linear(rng: Random) -> Drawn:
    shape = [rng.randint(1, 6) for _ in range(rng.randint(0, 3))] + [rng.randint(1, 20)]
    return Drawn("linear", Call("nn.Linear", (shape[-1], rng.randint(1, 20)), options(rng, bias=flag(rng))), [shape])


def recurrent(rng: Random) -> Drawn:
    kind, features = rng.choice(("RNN", "LSTM", "GRU")), rng.randint(1, 9)
    said = options(rng, num_layers=lambda: rng.randint(1, 3), bidirectional=flag(rng), bias=flag(rng))
    cell = Call(f"nn.{kind}", (features, rng.randint(1, 9)), {**said, "batch_first": True})
    return Drawn(kind.lower(), call("Output", cell), [[rng.randint(1, 7), features]])


def attention(rng: Random) -> Drawn:
    heads = rng.randint(1, 4)
    features, tokens = heads * rng.randint(1, 4) + rarely(rng), [rng.randint(1, 9), rng.randint(1, 9)]
    said, inputs = options(rng, bias=flag(rng)), [[tokens[0], features]]
    if rng.random() < 0.5:
        width = rng.randint(1, 9)
        said |= {"kdim": width, "vdim": width}
        inputs.append([tokens[1], width])
    cell = Call("nn.MultiheadAttention", (features, heads), {**said, "batch_first": True})
    return Drawn("attention", call("Attend", cell), inputs)


def grouped_attention(rng: Random) -> Drawn:
    kv_heads = rng.randint(1, 3)
    windows = [rng.randint(1, 3) for _ in range(rng.randint(0, 2))]
    features, kv_features = rng.randint(1, 9), rng.choice((0, rng.randint(1, 9)))
    inputs = [[*windows, rng.randint(1, 6), features]]
    if kv_features:
        inputs.append([*windows, rng.randint(1, 6), kv_features])
    said = {"heads": kv_heads * rng.randint(1, 3), "kv_heads": kv_heads, "head_dim": rng.randint(1, 6)}
    said |= {"dim": rng.randint(1, 9), "bias": rng.random() < 0.7}
    if kv_features:
        said["kv_features"] = kv_features
    return Drawn("attention grouped", Call("GroupedAttention", (features,), said), inputs)


def embedding(rng: Random) -> Drawn:
    shape = [rng.randint(1, 6) for _ in range(rng.randint(1, 3))]
    return Drawn("embedding", call("nn.Embedding", rng.randint(2, 50), rng.randint(1, 9)), [shape], words=True)


# --- axes -------------------------------------------------------------------------------------------------------------


def rearranging(rng: Random) -> Drawn:
    shape = [rng.randint(1, 9) for _ in range(rng.randint(2, 4))]
    rank = len(shape)
    kind = rng.choice(("flatten", "permute", "reshape"))
    if kind == "flatten":
        start, end = rng.randint(1, rank), rng.randint(1, rank)
        return Drawn(kind, call("nn.Flatten", start, rng.choice((-1, end))), [shape])
    if kind == "permute":
        axes = rng.sample(range(rank), rank)
        if rarely(rng):
            axes[0] = rng.randint(0, rank)
        return Drawn(kind, call("Permute", *axes), [shape])
    aim = rng.sample(shape, rank)
    aim = [aim[0] * aim[1], *aim[2:]] if rng.random() < 0.5 else aim
    if rng.random() < 0.4:
        aim[rng.randrange(len(aim))] = -1
    if rarely(rng):
        aim[rng.randrange(len(aim))] = rng.randint(1, 9)
    return Drawn(kind, call("Reshape", *aim), [shape])


def taking(rng: Random) -> Drawn:
    shape = [rng.randint(2, 9) for _ in range(rng.randint(1, 4))]
    axis = rng.randrange(len(shape))
    size = shape[axis]
    start = rng.randint(-size - 2, size - 1)
    first = max(start + size, 0) if start < 0 else start
    stop = rng.choice((None, rng.randint(first + 1, size + 3), rng.randint(first + 1, size) - size or None))
    steps = rng.choice((None, 1, 2, 3))
    return Drawn(
        "slice", call("Slice", axis, rng.choice((None, start)) if stop is None else start, stop, steps), [shape]
    )


def padding(rng: Random) -> Drawn:
    axes = axes_of(rng)
    amounts = tuple(rng.randint(-1, 3) for _ in range(2 * axes))
    kind = rng.choice(("ZeroPad", "ConstantPad"))
    args = (amounts if rng.random() < 0.7 else rng.randint(-2, 3), *([0.5] if kind == "ConstantPad" else []))
    shape = [rng.randint(1, 4), *spatial(rng, axes, 4)]
    return Drawn("pad", call(f"nn.{kind}{LETTERS[axes]}", *args), [shape])


def shuffling(rng: Random) -> Drawn:
    factor, shape = rng.randint(1, 3), [rng.randint(1, 4), rng.randint(1, 6), rng.randint(1, 6)]
    kind = rng.choice(("ChannelShuffle", "PixelShuffle", "PixelUnshuffle"))
    if kind == "ChannelShuffle":
        shape[0] = shape[0] * factor + rarely(rng)
    elif kind == "PixelShuffle":
        shape[0] = shape[0] * factor**2 + rarely(rng)
    else:
        shape[1:] = [size * factor + rarely(rng) for size in shape[1:]]
    return Drawn("shuffle", call(f"nn.{kind}", factor), [shape])


def joining(rng: Random) -> Drawn:
    kind, shape = rng.choice(("Add", "Mul", "Concat", "MatMul")), shape_of_any(rng)
    other = [1 if rarely(rng, 0.25) else size for size in shape]
    first = [1 if rarely(rng, 0.25) else size for size in shape]
    said: dict[str, int] = {}
    if kind == "Concat":
        axis = rng.choice((0, rng.randrange(len(shape))))
        first, other, said = list(shape), list(shape), {"axis": axis}
        other[axis] = rng.randint(1, 9)
    if kind == "MatMul":
        lead, inner = [first[:-2], other[:-2]] if len(shape) > 2 else [[], []], rng.randint(1, 9)
        first, other = [*lead[0], rng.randint(1, 9), inner], [*lead[1], inner, rng.randint(1, 9)]
    if rarely(rng):
        place = rng.randrange(len(other))
        other[place] += 1
    module = Call(kind, (call("nn.Identity"), call("From", 1)), said)
    return Drawn(kind.lower(), module, [first, other])


DRAWS: dict[str, Draw] = {
    draw.__name__ + str(turn): draw
    for draw, turns in (
        (conv, 6), (deconv, 4), (maxpool, 4), (avgpool, 4), (adaptive, 2), (upsample, 2), (batch_norm, 1),
        (group_norm, 1), (layer_norm, 1), (response_norm, 1), (activation, 1), (scale, 1), (small, 1), (padded, 1),
        (linear, 1), (recurrent, 2),
        (attention, 1), (grouped_attention, 1), (embedding, 1), (rearranging, 2), (taking, 1), (padding, 1),
        (shuffling, 1), (joining, 2),
    )
    for turn in range(turns)
}  # fmt: skip
"""Draws by their names, the richer ones several times."""
