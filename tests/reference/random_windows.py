"""Random calls of torch's convolutions, pools and resizing; some of them such as torch refuses."""

from __future__ import annotations

from random import Random
from typing import Any

from draws import LETTERS, Drawn, axes_of, flag, options, rarely, sizes, spatial
from pieces import Call, call


def conv(rng: Random) -> Drawn:
    axes, groups = axes_of(rng), rng.choice((1, 1, 2, 3, 4))
    channels, out = (groups * rng.randint(1, 4) for _ in range(2))
    if rarely(rng, 0.2):
        groups = channels
        out = channels * rng.randint(1, 3)
    if rarely(rng, 0.08):
        out += 1
    said = options(
        rng,
        stride=lambda: sizes(rng, axes, 1, 4),
        padding=lambda: rng.choice(("valid", "same", *[sizes(rng, axes, 0, 4) for _ in range(4)])),
        dilation=lambda: sizes(rng, axes, 1, 3),
        bias=flag(rng),
    )
    if said.get("padding") == "same":  # torch's word means what the language's does at stride 1, and is refused else
        said.pop("stride", None)
    if groups > 1:
        said["groups"] = groups
    module = Call(f"nn.Conv{LETTERS[axes]}", (channels, out, sizes(rng, axes, 1, 5)), said)
    return Drawn(f"conv{axes}d", module, [[channels, *spatial(rng, axes)]])


def padded(rng: Random) -> Drawn:
    """A convolution behind a padding of its own on every side."""
    drawn = conv(rng)
    (shape,), axes = drawn.inputs, len(drawn.inputs[0]) - 1
    amounts = tuple(rng.randint(0, 3) for _ in range(2 * axes))
    inner = Call(
        drawn.module.name, drawn.module.args, {k: v for k, v in drawn.module.options.items() if k != "padding"}
    )
    module = call("nn.Sequential", call(f"nn.ZeroPad{LETTERS[axes]}", amounts), inner)
    return Drawn("conv padded", module, [shape])


def deconv(rng: Random) -> Drawn:
    axes, groups = axes_of(rng), rng.choice((1, 1, 2, 3))
    channels, out = (groups * rng.randint(1, 4) for _ in range(2))
    if rarely(rng, 0.08):
        out += 1
    said = options(
        rng,
        stride=lambda: sizes(rng, axes, 1, 4),
        padding=lambda: sizes(rng, axes, 0, 3),
        output_padding=lambda: sizes(rng, axes, 0, 2),
        dilation=lambda: sizes(rng, axes, 1, 3),
        bias=flag(rng),
    )
    if groups > 1:
        said["groups"] = groups
    module = Call(f"nn.ConvTranspose{LETTERS[axes]}", (channels, out, sizes(rng, axes, 1, 5)), said)
    return Drawn(f"deconv{axes}d", module, [[channels, *spatial(rng, axes)]])


def maxpool(rng: Random) -> Drawn:
    axes = axes_of(rng)
    said = options(
        rng,
        stride=lambda: sizes(rng, axes, 1, 4),
        padding=lambda: sizes(rng, axes, 0, 2),
        dilation=lambda: sizes(rng, axes, 1, 3),
        ceil_mode=flag(rng),
    )
    module = Call(f"nn.MaxPool{LETTERS[axes]}", (sizes(rng, axes, 1, 5),), said)
    return Drawn(f"maxpool{axes}d", module, [[rng.randint(1, 4), *spatial(rng, axes)]])


def avgpool(rng: Random) -> Drawn:
    axes = axes_of(rng)
    said = options(
        rng,
        stride=lambda: sizes(rng, axes, 1, 4),
        padding=lambda: sizes(rng, axes, 0, 2),
        ceil_mode=flag(rng),
        count_include_pad=flag(rng),
    )
    module = Call(f"nn.AvgPool{LETTERS[axes]}", (sizes(rng, axes, 1, 5),), said)
    return Drawn(f"avgpool{axes}d", module, [[rng.randint(1, 4), *spatial(rng, axes)]])


def adaptive(rng: Random) -> Drawn:
    axes, kind = axes_of(rng), rng.choice(("Max", "Avg"))
    out = sizes(rng, axes, 1, 7)
    if isinstance(out, tuple) and axes > 1:
        out = tuple(None if rarely(rng) else size for size in out)
    module = call(f"nn.Adaptive{kind}Pool{LETTERS[axes]}", 1 if rarely(rng) else out)
    return Drawn("adaptive", module, [[rng.randint(1, 4), *spatial(rng, axes)]])


def upsample(rng: Random) -> Drawn:
    axes = axes_of(rng)
    modes = {1: ("nearest", "linear"), 2: ("nearest", "bilinear", "bicubic"), 3: ("nearest", "trilinear")}[axes]
    every = ("nearest", "linear", "bilinear", "bicubic", "trilinear", "area")
    scales = (1, 2, 2, 3, 4, 0.5, 0.25, 1.5, 2.5, 0.75, 1.25, 1.1, 0.7, 2.3)
    said: dict[str, Any] = options(rng, mode=lambda: rng.choice(every if rarely(rng) else (*modes, "area")))
    if rng.random() < 0.4:
        said = {"size": sizes(rng, axes, 1, 12), **said}
    elif rng.random() < 0.5:
        said = {"scale_factor": tuple(rng.choice(scales) for _ in range(axes)), **said}
    else:
        said = {"scale_factor": rng.choice(scales), **said}
    return Drawn("upsample", Call("nn.Upsample", (), said), [[rng.randint(1, 4), *spatial(rng, axes)]])
