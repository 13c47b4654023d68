"""Functions of torch 2.14.1 that imported graphs hold, on random shapes: how ``imported_layers.json`` was made.

To be run where torch is installed; the tests need it not::

    python tests/reference/imported_layers.py -o tests/reference/imported_layers.json

A row is as in ``random_layers.json``: what was called on inputs x, y, z, their shapes without batch, the same in the
spec language, and what torch says; multiplications are half of what ``torch.utils.flop_counter`` sees on the meta
device, where no kernel hides them. torch contracts an einsum from left to right, for opt_einsum is not installed.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import torch
from torch.nn import functional as F  # noqa: F401, N812 - the calls are made by name
from torch.utils.flop_counter import FlopCounterMode

NAMES = "xyz"
Drawn = tuple[str, list[list[int]], str]
"""A call, the shapes that enter it, and an item of a spec."""


def einsum(rng: Random) -> Drawn:
    """An equation over a few letters; a kept letter may have the size 1 in one of the operands."""
    letters, count = rng.sample("abcdefgh", rng.randint(2, 4)), rng.randint(1, 3)
    sizes = {letter: rng.randint(2, 5) for letter in letters}
    terms = ["".join(rng.sample(letters, rng.randint(1, len(letters)))) for _ in range(count)]
    known = sorted({*"".join(terms)})
    output = "".join(rng.sample(known, rng.randint(1, len(known))))
    shapes = [[sizes[letter] for letter in term] for term in terms]
    if rng.random() < 0.3:
        place = rng.randrange(count)
        shapes[place] = [1 if letter in output else sizes[letter] for letter in terms[place]]
    if rng.random() < 0.3:
        place = rng.randrange(count)
        shapes[place], terms[place] = [7, *shapes[place]], f"...{terms[place]}"
        output = f"...{output}"
    if rng.random() < 0.1:  # a size that does not fit, or a letter twice in the output
        shapes[-1][-1] += 1
        output += output[-1] * rng.randint(0, 1)
    equation = f"{','.join(terms)}->{output}"
    branches = ", ".join(f"{{from: {name}}}" for name in NAMES[:count])
    text = f"torch.einsum({equation!r}, {', '.join(NAMES[:count])})"
    return text, shapes, f"einsum: {{equation: '{equation}', branches: [{branches}]}}"


def sdpa(rng: Random) -> Drawn:
    windows, kv_heads = [rng.randint(2, 3)] * rng.randint(0, 1), rng.randint(1, 3)
    heads, (n, keys, width, out) = kv_heads * rng.randint(1, 3), (rng.randint(1, 9) for _ in range(4))
    heads += rng.random() < 0.1
    shapes = [[*windows, heads, n, width], [*windows, kv_heads, keys, width], [*windows, kv_heads, keys, out]]
    if rng.random() < 0.1:
        shapes[rng.randrange(3)][-1 - rng.randint(0, 1)] += 1
    causal = rng.random() < 0.3
    more = f"is_causal={causal}, enable_gqa={heads != kv_heads}"
    branches = "branches: [{from: x}, {from: y}, {from: z}]"
    spec = f"sdpa: {{causal: {str(causal).lower()}, {branches}}}"
    return f"F.scaled_dot_product_attention(x, y, z, {more})", shapes, spec


def pixels(rng: Random) -> Drawn:
    way, factor, sizes = rng.choice(("pixel_shuffle", "pixel_unshuffle")), rng.randint(1, 4), (rng.randint(1, 4),) * 2
    channels = rng.randint(1, 3)
    shape = [channels * factor**2, *sizes] if way == "pixel_shuffle" else [channels, *(factor * n for n in sizes)]
    shape[rng.randrange(3)] += rng.random() < 0.2
    return f"F.{way}(x, {factor})", [shape], f"{way}: {factor}"


def windows(rng: Random) -> Drawn:
    """An unfold, or a fold with the columns that it has, or one more."""
    kernel, stride, dilation = ([rng.randint(1, 3), rng.randint(1, 3)] for _ in range(3))
    padding, size, channels = [rng.randint(0, 2) for _ in range(2)], [rng.randint(2, 9) for _ in range(2)], 3
    options = f"kernel_size={kernel}, dilation={dilation}, padding={padding}, stride={stride}"
    same = f"kernel: {kernel}, dilation: {dilation}, padding: {padding}, stride: {stride}"
    if rng.random() < 0.5:
        return f"F.unfold(x, {options})", [[channels, *size]], f"unfold: {{{same}}}"
    try:
        shape = list(eval(f"F.unfold(torch.ones(1, {channels}, *{size}), {options})").shape[1:])  # noqa: S307
    except RuntimeError:
        shape = [channels, 4]
    shape[rng.randrange(2)] += rng.random() < 0.2
    return f"F.fold(x, {size}, {options})", [shape], f"fold: {{out: {size}, {same}}}"


def measured(call: str, shapes: list[list[int]]) -> list[Any]:
    """Params, buffers, multiplications and the shape, or the words with which torch refuses."""
    batch = [] if "einsum" in call else [1]
    given = {name: torch.ones(*batch, *shape, device="meta") for name, shape in zip(NAMES, shapes, strict=False)}
    try:
        with FlopCounterMode(display=False) as counter:
            output = eval(call, globals(), given)  # noqa: S307
    except (RuntimeError, ValueError, AssertionError) as refused:
        return [" ".join(str(refused).split())[:100]]
    return [0, 0, counter.get_total_flops() // 2, list(output.shape[len(batch) :])]


def rows(rng: Random) -> Iterator[list[Any]]:
    for kind, draw, count in (
        ("einsum", einsum, 300),
        ("sdpa", sdpa, 100),
        ("pixels", pixels, 60),
        ("columns", windows, 140),
    ):
        for _ in range(count):
            call, shapes, spec = draw(rng)
            yield [kind, call, shapes, spec, *measured(call, shapes)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("-o", "--output", type=Path, required=True)
    lines = ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows(Random(12)))
    head = {"source": f"torch {torch.__version__.partition('+')[0]}", "seed": 12}
    parser.parse_args().output.write_text(f'{json.dumps(head)[:-1]}, "rows": [\n{lines}\n]}}\n', "utf-8")


if __name__ == "__main__":
    main()
