"""Random small networks: chains of layers with branches, drawn piece by piece behind what torch gave so far."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from draws import Drawn, rarely
from pieces import Call, call
from random_draws import PLAIN
from to_spec import leaving

Shape = list[int]
Piece = Callable[[Random, Shape], Call]
PROBLEMS = (RuntimeError, ValueError, IndexError, AssertionError)
LETTERS = {2: "1d", 3: "2d", 4: "3d"}


def activation(rng: Random, shape: Shape) -> Call:
    return call(f"nn.{rng.choice(PLAIN)}")


def norm(rng: Random, shape: Shape) -> Call:
    batch = call(f"nn.BatchNorm{LETTERS[max(len(shape), 2)]}", shape[0])
    layer = call("nn.LayerNorm", shape[-1:])
    groups = next((g for g in (4, 3, 2, 1) if shape[0] % g == 0 and shape[0] > g), None)
    group = call("nn.GroupNorm", groups, shape[0]) if groups else layer  # of one value a group torch has its own view
    return rng.choice((batch, batch, layer, group))


def conv(rng: Random, shape: Shape) -> Call:
    """Any convolution that the channels allow: half of them keep the spatial size."""
    kernel, groups = rng.randint(1, 4), rng.choice([g for g in (1, 1, 2, 3, 4, shape[0]) if shape[0] % g == 0])
    out = groups * rng.randint(1, 4)
    said = {"padding": "same"} if rarely(rng, 0.5) else {"stride": rng.randint(1, 2), "padding": rng.randint(0, 2)}
    return Call(f"nn.Conv{LETTERS[len(shape)]}", (shape[0], out, kernel), {**said, "groups": groups})


def deconv(rng: Random, shape: Shape) -> Call:
    return call(f"nn.ConvTranspose{LETTERS[len(shape)]}", shape[0], rng.randint(1, 6), rng.randint(2, 3), stride=2)


def pool(rng: Random, shape: Shape) -> Call:
    kind = rng.choice(("Max", "Avg"))
    if rarely(rng):
        return call(f"nn.Adaptive{kind}Pool{LETTERS[len(shape)]}", rng.randint(1, 3))
    ceil = rng.random() < 0.5
    return call(f"nn.{kind}Pool{LETTERS[len(shape)]}", rng.randint(2, 3), stride=2, padding=1, ceil_mode=ceil)


def upsample(rng: Random, shape: Shape) -> Call:
    return call("nn.Upsample", scale_factor=rng.choice((2, 0.5, 1.5)))


def linear(rng: Random, shape: Shape) -> Call:
    return call("nn.Linear", shape[-1], rng.randint(1, 12), bias=rng.random() < 0.8)


def recurrent(rng: Random, shape: Shape) -> Call:
    cell = rng.choice(("nn.RNN", "nn.LSTM", "nn.GRU"))
    both = rng.random() < 0.5
    return call("Output", call(cell, shape[-1], rng.randint(1, 6), bidirectional=both, batch_first=True))


def attention(rng: Random, shape: Shape) -> Call:
    heads = next(h for h in (4, 3, 2, 1) if shape[-1] % h == 0)
    return call("Attend", call("nn.MultiheadAttention", shape[-1], heads, batch_first=True))


def flat(rng: Random, shape: Shape) -> Call:
    return call("nn.Flatten", rng.choice((1, 1, len(shape) - 1)), -1)


def permute(rng: Random, shape: Shape) -> Call:
    return call("Permute", *rng.sample(range(len(shape)), len(shape)))


def taking(rng: Random, shape: Shape) -> Call:
    axis = rng.randrange(len(shape))
    return call("Slice", axis, rng.choice((0, 1, -2)), None, rng.choice((None, 2)))


def shuffle(rng: Random, shape: Shape) -> Call:
    return call("nn.ChannelShuffle", 2)


def residual(rng: Random, shape: Shape) -> Call:
    """A branch that keeps its shape, added to what enters or multiplied with it; sometimes a gate."""
    kind = rng.choice(("Add", "Mul"))
    if len(shape) < 3:
        branch = call("nn.Sequential", call("nn.Linear", shape[-1], 2 * shape[-1]), activation(rng, shape),
                      call("nn.Linear", 2 * shape[-1], shape[-1]))  # fmt: skip
        return call(kind, call("nn.Identity"), branch)
    letters, channels = LETTERS[len(shape)], shape[0]
    if rarely(rng, 0.3):
        gate = call("nn.Sequential", call(f"nn.AdaptiveAvgPool{letters}", 1),
                    call(f"nn.Conv{letters}", channels, channels, 1), call("nn.Sigmoid"))  # fmt: skip
        return call("Mul", call("nn.Identity"), gate)
    parts = [call(f"nn.Conv{letters}", channels, channels, rng.choice((1, 3, 5)), padding="same", bias=False),
             call(f"nn.BatchNorm{letters}", channels), activation(rng, shape)]  # fmt: skip
    shortcut = call(f"nn.Conv{letters}", channels, channels, 1) if rarely(rng, 0.3) else call("nn.Identity")
    return call(kind, shortcut, call("nn.Sequential", *parts * rng.randint(1, 2)))


def side_by_side(rng: Random, shape: Shape) -> Call:
    """Convolutions of several sizes side by side, or projections of the features."""
    if len(shape) < 3:
        axis = len(shape) - 1
        branches = [call("nn.Linear", shape[-1], rng.randint(1, 6)) for _ in range(rng.randint(2, 3))]
        return Call("Concat", (call("nn.Identity"), *branches), {"axis": axis})
    letters = LETTERS[len(shape)]
    branches = [
        call("nn.Sequential", call(f"nn.Conv{letters}", shape[0], rng.randint(1, 5), size, padding="same"), *extra)
        for size, extra in zip(rng.sample((1, 2, 3, 5), 2), ([], [activation(rng, shape)]), strict=True)
    ]
    return Call("Concat", (*branches, call("nn.Identity")), {"axis": 0})


IMAGE: tuple[Piece, ...] = (
    conv, conv, conv, deconv, norm, norm, activation, activation, pool, pool, upsample, residual, residual,
    side_by_side, side_by_side, shuffle, taking, flat, permute, linear,
)  # fmt: skip
SEQUENCE: tuple[Piece, ...] = (
    linear, linear, recurrent, attention, attention, norm, activation, residual, side_by_side, permute, conv, taking,
    flat,
)  # fmt: skip
VECTOR: tuple[Piece, ...] = (linear, linear, activation, norm, residual, side_by_side)
STARTS: tuple[Callable[[Random], Shape], ...] = (
    lambda rng: [rng.randint(1, 4), rng.randint(6, 16), rng.randint(6, 16)],
    lambda rng: [rng.randint(1, 4), rng.randint(6, 16), rng.randint(6, 16)],
    lambda rng: [rng.randint(2, 8), rng.randint(4, 12)],
    lambda rng: [rng.randint(1, 3), rng.randint(4, 7), rng.randint(4, 7), rng.randint(4, 7)],
)


def network(rng: Random) -> Drawn:
    """Between three and nine pieces; one of ten networks may end in a piece that torch refuses."""
    shape, pieces, words = rng.choice(STARTS)(rng), list[Call](), rarely(rng, 0.1)
    entering = shape
    if words:
        shape = [rng.randint(2, 9)]
        entering, pieces = shape, [call("nn.Embedding", rng.randint(5, 40), rng.randint(2, 9))]
        shape = leaving(pieces[0], shape)
    wanted, refused_may_stay = rng.randint(3, 9), rarely(rng, 0.1)
    while len(pieces) < wanted:
        choices = IMAGE if len(shape) > 2 else SEQUENCE if len(shape) == 2 else VECTOR
        piece = rng.choice(choices)(rng, shape)
        try:
            left = leaving(piece, shape)
        except PROBLEMS:
            if refused_may_stay:
                pieces.append(piece)
                break
            continue
        if 0 in left or max(left) > 200:
            continue
        pieces.append(piece)
        shape = left
    return Drawn("network", call("nn.Sequential", *pieces), [entering], words)
