"""Random layers of torch 2.14.1 with the options that few networks use: how ``random_options.json`` was made.

To be run where torch is installed; the tests need it not::

    python tests/reference/random_options.py --seed 12 --count 600 -o tests/reference/random_options.json

Rows are those of ``random_layers.json``, with the shape of every parameter behind them, by its name in the language: of
``nn.MultiheadAttention`` the packed ``in_proj_weight`` is three matrices, of recurrent layers ``weight_ih_l0_reverse``
is ``backward1.input``, and the two biases of a cell are one.
"""

from __future__ import annotations

import re
from random import Random
from typing import Any

import random_layers
from draws import LETTERS, Draw, Drawn, flag, options, rarely
from pieces import Call, call
from random_draws import shape_of_any
from random_windows import avgpool
from torch import nn


def attention(rng: Random) -> Drawn:
    heads = rng.randint(1, 4)
    features, tokens = heads * rng.randint(1, 4), rng.randint(1, 9)
    given, inputs = options(rng, bias=flag(rng), add_bias_kv=flag(rng), add_zero_attn=flag(rng)), [[tokens, features]]
    if rng.random() < 0.7:
        rows, kdim = rng.randint(1, 9), rng.randint(1, 9)
        vdim = rng.choice((kdim, rng.randint(1, 9)))
        given |= {"kdim": kdim, "vdim": vdim}
        inputs.append([rows, kdim])
        if vdim != kdim:
            inputs.append([rows + rarely(rng), vdim])
    cell = Call("nn.MultiheadAttention", (features, heads), {**given, "batch_first": True})
    return Drawn("attention", call("Attend", cell), inputs)


def grouped_attention(rng: Random) -> Drawn:
    kv_heads, features = rng.randint(1, 3), rng.randint(1, 9)
    windows = [rng.randint(1, 3) for _ in range(rng.randint(0, 2))]
    inputs = [[*windows, rng.randint(1, 6), features]]
    given = {"heads": kv_heads * rng.randint(1, 3), "kv_heads": kv_heads, "head_dim": rng.randint(2, 6)}
    given |= {"dim": rng.randint(1, 9), "bias": rng.choice((True, False, tuple(rng.choices((True, False), k=4))))}
    if rng.random() < 0.4:
        given["kv_features"] = rng.randint(1, 9)
        inputs.append([*windows, rng.randint(1, 6), given["kv_features"]])
    if rng.random() < 0.5:
        given["value_dim"] = rng.randint(2, 6)  # with 1 the context is a view: bias is added apart
    norms = ("layer", "rms", "layer_across_heads", "rms_across_heads")
    given |= options(rng, qk_norm=lambda: rng.choice(norms))
    return Drawn("attention grouped", Call("GroupedAttention", (features,), given), inputs)


def lstm(rng: Random) -> Drawn:
    features, hidden = rng.randint(1, 9), rng.randint(2, 9)
    given = options(rng, num_layers=lambda: rng.randint(1, 3), bidirectional=flag(rng), bias=flag(rng))
    given |= {"proj_size": rng.randint(1, hidden - 1) + hidden * rarely(rng), "batch_first": True}
    return Drawn("lstm", call("Output", Call("nn.LSTM", (features, hidden), given)), [[rng.randint(1, 7), features]])


def running_norm(rng: Random) -> Drawn:
    kind, shape = rng.choice(("Batch", "Instance")), shape_of_any(rng)
    shape = shape if len(shape) > 1 else [*shape, 4]
    given = options(rng, affine=flag(rng), track_running_stats=flag(rng))
    return Drawn(f"norm {kind.lower()}", Call(f"nn.{kind}Norm{LETTERS[len(shape) - 1]}", (shape[0],), given), [shape])


def layer_norm(rng: Random) -> Drawn:
    shape = shape_of_any(rng)
    taken = shape[-rng.choice((1, 1, len(shape))) :]
    given = options(rng, 0.7, elementwise_affine=lambda: rng.random() < 0.7, bias=flag(rng))
    return Drawn("norm layer", Call("nn.LayerNorm", (taken,), given), [shape])


DRAWS: tuple[Draw, ...] = (*(attention, grouped_attention) * 2, lstm, running_norm, layer_norm, avgpool)


def parameters(module: nn.Module) -> dict[str, list[int]]:
    """The shapes of a module's parameters, by their names in the language."""
    found: dict[str, list[int]] = {}
    for name, weight in module.named_parameters():
        name, shape = name.removeprefix("module."), list(weight.shape)  # noqa: PLW2901
        if packed := re.fullmatch(r"in_proj_(weight|bias)", name):
            found |= {f"{part}.{packed[1]}": [shape[0] // 3, *shape[1:]] for part in "qkv"}
        elif cell := re.fullmatch(r"(weight|bias)_(ih|hh|hr)_l(\d)(_reverse)?", name):
            part = {"ih": "input", "hh": "hidden", "hr": "projection"}[cell[2]]
            path = f"{'backward' if cell[4] else 'forward'}{int(cell[3]) + 1}"
            found |= {f"{path}.bias": [2, *shape]} if cell[1] == "bias" else {f"{path}.{part}": shape}
        else:
            name = name.replace("out_proj", "o").replace("_proj_weight", ".weight")  # noqa: PLW2901
            found[name] = shape[2:] if name in ("bias_k", "bias_v") else shape
    return found


def row(drawn: Drawn) -> list[Any]:
    """The row of a layer, with the shapes of its parameters if torch takes it."""
    usual = random_layers.row(drawn)
    return usual if isinstance(usual[4], str) else [*usual, parameters(drawn.module.build())]


if __name__ == "__main__":
    random_layers.main(__doc__, 12, 600, lambda rng, place: DRAWS[place % len(DRAWS)](rng), row, columns=("weights",))
