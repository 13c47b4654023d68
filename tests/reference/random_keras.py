"""Random attentions, recurrent layers and norms of Keras 3.15.1: how ``random_keras.json`` was made.

To be run where Keras and torch 2.14.1 are installed; the tests need neither::

    export KERAS_BACKEND=torch
    python tests/reference/random_keras.py --seed 14 --count 300 -o tests/reference/random_keras.json

Rows are those of ``random_options.json``. Keras has kernels [entering, leaving]; here they are turned, and the axes of
heads are one. Multiplications are what ``torch.utils.flop_counter`` sees of a run with torch behind Keras. No size of
an attention is 1, where torch multiplies tensors instead of matrices.
"""

from __future__ import annotations

from math import prod
from random import Random
from typing import Any, NamedTuple

import keras
import random_layers
import torch
from draws import flag, options, rarely
from keras import layers
from random_layers import Watch
from to_spec import item
from torch.utils.flop_counter import FlopCounterMode

RECURRENT = {"lstm": layers.LSTM, "gru": layers.GRU, "rnn": layers.SimpleRNN}


class Drawn(NamedTuple):
    """A layer of Keras, its constructor as text, the shapes that enter it, and the same in the language."""

    kind: str
    module: str
    layer: Any
    inputs: list[list[int]]
    spec: str


def made(kind: str, cls: Any, given: dict[str, Any], inputs: list[list[int]], spec: str) -> Drawn:
    text = f"keras.layers.{cls.__name__}({', '.join(f'{name}={value!r}' for name, value in given.items())})"
    return Drawn(kind, text, cls(**given), inputs, spec)


def sources(rng: Random) -> tuple[list[list[int]], dict[str, str]]:
    """Shapes of queries, of keys and of values, and the words for the last two."""
    inputs, rows = [[rng.randint(2, 9), rng.randint(2, 9)]], rng.randint(2, 9)
    inputs += [[rows, rng.randint(2, 9)] for _ in range(rng.randint(0, 2))]
    return inputs, dict(zip(("kv", "values"), "yz"[: len(inputs) - 1], strict=False))


def attention(rng: Random) -> Drawn:
    inputs, words = sources(rng)
    given = {"num_heads": rng.randint(1, 4), "key_dim": rng.randint(2, 6)}
    given |= options(
        rng, value_dim=lambda: rng.randint(2, 6), use_bias=flag(rng), output_shape=lambda: rng.randint(1, 9)
    )
    spec = item(
        "attention", heads=given["num_heads"], head_dim=given["key_dim"], value_dim=given.get("value_dim"),
        dim=given.get("output_shape"), bias=given.get("use_bias"), **words,
    )  # fmt: skip
    return made("keras attention", layers.MultiHeadAttention, given, inputs, spec)


def grouped_attention(rng: Random) -> Drawn:
    inputs, words = sources(rng)
    kv_heads = rng.randint(1, 3)
    given = {"head_dim": rng.randint(2, 6), "num_query_heads": kv_heads * rng.randint(1, 3)}
    given |= {"num_key_value_heads": kv_heads, **options(rng, use_bias=flag(rng))}
    heads = {"heads": given["num_query_heads"], "kv_heads": kv_heads, "head_dim": given["head_dim"]}
    spec = item("attention", **heads, bias=given.get("use_bias"), **words)
    return made("keras attention", layers.GroupQueryAttention, given, inputs, spec)


def recurrent(rng: Random) -> Drawn:
    kind = rng.choice(list(RECURRENT))
    given = {"units": rng.randint(1, 9), **options(rng, use_bias=flag(rng)), "return_sequences": True}
    given |= options(rng, reset_after=flag(rng)) if kind == "gru" else {}
    single = kind != "gru" or not given.get("reset_after", True)
    said = {"hidden": given["units"], "bias": given.get("use_bias"), "single_bias": single}
    inputs = [[rng.randint(1, 7), rng.randint(1, 9)]]
    drawn = made(f"keras {kind}", RECURRENT[kind], given, inputs, item(kind, **said))
    if rarely(rng, 0.4):
        text, spec = f"keras.layers.Bidirectional({drawn.module})", item(kind, **said, bidirectional=True)
        return Drawn(drawn.kind, text, layers.Bidirectional(drawn.layer), inputs, spec)
    return drawn


def norm(rng: Random) -> Drawn:
    shape = [rng.randint(2, 6) for _ in range(rng.randint(1, 3))]
    kind = rng.choice(("Batch", "Layer", "Group", "RMS"))
    axis = rng.choice((-1, rng.randint(1, len(shape))))
    place = axis if axis < 0 else axis - 1
    said: dict[str, Any] = {"type": kind.lower(), "axis" if kind in ("Layer", "RMS") else "channel_axis": place}
    given: dict[str, Any] = {"axis": axis}
    if kind == "Group":
        given |= {"groups": rng.choice([n for n in range(1, shape[place] + 1) if shape[place] % n == 0])}
        said |= {"groups": given["groups"]}
    if kind != "RMS":
        learned = options(rng, center=flag(rng), scale=flag(rng))
        given |= learned
        said |= {"scale": learned.get("scale"), "bias": learned.get("center")}
    cls = getattr(layers, f"{kind}Normalization")
    return made(f"keras norm {kind.lower()}", cls, given, [shape], item("norm", **said))


DRAWS = (attention, grouped_attention, recurrent, recurrent, norm, norm)


def measure(drawn: Drawn) -> list[Any]:
    """Params, statistics, multiplications, shape of the output, and the parameters by their names in the language."""
    shape = drawn.inputs[0]
    if "norm" in drawn.kind:  # layer norms over other axes than the last are not run with torch
        drawn.layer.build((1, *shape))
        multiplied, leaving = 0, shape
    elif drawn.kind == "keras attention":  # value comes before key; scores are wanted, so that no kernel is chosen
        places = [shape, drawn.inputs[-1], drawn.inputs[:2][-1]]
        multiplied, leaving = run(drawn.layer, places, return_attention_scores=True)
    else:  # one step more is run, to see what a step gives
        multiplied, leaving = run(drawn.layer, [shape])
        multiplied = run(drawn.layer, [[2 * shape[0], shape[1]]])[0] - multiplied
    learned, kept = drawn.layer.trainable_weights, drawn.layer.non_trainable_weights
    statistics = [weight for weight in kept if weight.name.startswith("moving")]
    counts = [sum(prod(weight.shape) for weight in of) for of in (learned, statistics)]
    return [*counts, multiplied, leaving, dict(in_words(drawn, weight) for weight in learned)]


def run(layer: Any, shapes: list[list[int]], **arguments: Any) -> tuple[int, list[int]]:
    """Multiplications, and the shape of the output."""
    given = [keras.ops.ones((1, *shape)) for shape in shapes]
    with torch.no_grad():
        layer(*given, **arguments)  # builds it
        with Watch() as watch, FlopCounterMode(display=False) as counter:
            output = layer(*given, **arguments)
    assert not watch.unseen, watch.unseen
    output = output[0] if isinstance(output, tuple) else output
    return counter.get_total_flops() // 2, list(output.shape[1:])


def in_words(drawn: Drawn, weight: Any) -> tuple[str, list[int]]:
    """Name and shape of a parameter in the language."""
    *parents, name = weight.path.split("/")
    shape = list(weight.shape)
    if drawn.kind == "keras attention":
        part = {"query": "q", "key": "k", "value": "v", "attention_output": "o"}[parents[-1]]
        if name == "bias":
            return f"{part}.bias", [prod(shape)]
        cut = -1 if part == "o" else 1
        return f"{part}.weight", [prod(shape[cut:]), prod(shape[:cut])]
    if drawn.kind.rpartition(" ")[2] in RECURRENT:
        path = "backward1" if any(parent.startswith("backward") for parent in parents) else "forward1"
        part = {"kernel": "input", "recurrent_kernel": "hidden", "bias": "bias"}[name]
        return f"{path}.{part}", shape if name == "bias" else shape[::-1]
    return {"gamma": "weight", "scale": "weight", "beta": "bias"}[name], shape


def row(drawn: Drawn) -> list[Any]:
    return [drawn.kind, drawn.module, drawn.inputs, drawn.spec, *measure(drawn)]


if __name__ == "__main__":
    random_layers.main(
        __doc__, 14, 300, lambda rng, place: DRAWS[place % len(DRAWS)](rng), row,
        columns=("weights",), maker=f"keras {keras.__version__}, ",
    )  # fmt: skip
