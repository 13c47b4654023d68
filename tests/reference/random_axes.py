"""Random calls of torch 2.14.1 that reduce, repeat, cut, select, shift and pad axes: how ``random_axes.json`` was made.

To be run where torch is installed; the tests need it not::

    python tests/reference/random_axes.py --seed 12 --count 900 -o tests/reference/random_axes.json

Every row is the kind of an op with its arguments, the shapes that enter, and the shape of what torch returns. Where
torch refuses the call, or returns a tensor of nothing, a row has torch's words in place of the shape.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - its usual name

COLUMNS = ["kind", "arguments", "input", "out"]


class Drawn(NamedTuple):
    """A call of torch, and the same as an op."""

    kind: str
    arguments: dict[str, Any]
    inputs: list[list[int]]
    call: Callable[..., Tensor]


def shape(rng: Random, least: int = 1, most: int = 4) -> list[int]:
    return [rng.choice([1, 1, 2, 3, 4, 5, 6, 8, 9, 12]) for _ in range(rng.randint(least, most))]


def axis(rng: Random, x: list[int]) -> int:
    """Mostly an axis of the shape, now and then one that it does not have."""
    return rng.randint(-len(x), len(x) - 1) if rng.random() < 0.95 else rng.choice([-len(x) - 1, len(x)])


def axes(rng: Random, x: list[int]) -> list[int]:
    return [axis(rng, x) for _ in range(rng.randint(1, len(x)))]


REDUCTIONS: dict[str, Callable[..., Tensor]] = {
    "mean": torch.mean, "sum": torch.sum, "max": torch.amax, "min": torch.amin, "std": torch.std, "var": torch.var,
    "l1": lambda x, dim, keepdim: torch.linalg.vector_norm(x, 1, dim, keepdim),
    "l2": lambda x, dim, keepdim: torch.linalg.vector_norm(x, 2, dim, keepdim),
    "norm": lambda x, dim, keepdim: torch.linalg.vector_norm(x, 3, dim, keepdim),
    "log_sum_exp": torch.logsumexp, "any": torch.any, "all": torch.all,
}  # fmt: skip
INDICES = {"argmax": torch.argmax, "argmin": torch.argmin}


def reduce(rng: Random) -> Drawn:
    x, keepdims = shape(rng), rng.random() < 0.5
    if rng.random() < 0.25:
        type_, place = rng.choice(list(INDICES)), axis(rng, x) if rng.random() < 0.7 else None
        call = INDICES[type_]
        said = {} if place is None else {"axis": place}
        return Drawn("reduce", {"type": type_, **said, "keepdims": keepdims}, [x], lambda t: call(t, place, keepdims))
    type_, places = rng.choice(list(REDUCTIONS)), axes(rng, x)
    reduction = REDUCTIONS[type_]
    said = {"type": type_, "axis": places, "keepdims": keepdims}
    return Drawn("reduce", said, [x], lambda t: reduction(t, dim=places, keepdim=keepdims))


def broadcast(rng: Random) -> Drawn:
    x = shape(rng, most=3)
    if rng.random() < 0.4:
        times = [rng.randint(1, 3) for _ in range(rng.randint(1, 4))]
        return Drawn("broadcast", {"times": times}, [x], lambda t: torch.tile(t, times))
    aim = [n if n > 1 and rng.random() < 0.95 else rng.randint(1, 5) for n in x]
    aim = [*shape(rng, 0, 2), *aim][rng.random() < 0.03 :] or [1]
    if rng.random() < 0.3:
        return Drawn("broadcast", {}, [x, aim], lambda t, other: t.expand_as(other))
    return Drawn("broadcast", {"shape": aim}, [x], lambda t: t.expand(aim))


def split(rng: Random) -> Drawn:
    x = shape(rng)
    place = axis(rng, x)
    size = x[place] if -len(x) <= place < len(x) else 4
    if rng.random() < 0.5:
        parts = rng.choice([n for n in range(1, size + 1) if size % n == 0])
        part = rng.randint(-parts, parts - 1) if rng.random() < 0.95 else parts
        said = {"into": parts, "part": part, "axis": place}
        return Drawn("split", said, [x], lambda t: torch.chunk(t, parts, place)[part])
    cuts = sorted(rng.sample(range(1, size), min(size - 1, rng.randint(0, 3)))) if size > 1 else []
    sizes = [b - a for a, b in zip([0, *cuts], [*cuts, size], strict=True)]
    sizes[0] += rng.random() < 0.05
    part = rng.randint(-len(sizes), len(sizes) - 1)
    said = {"sizes": sizes, "part": part, "axis": place}
    return Drawn("split", said, [x], lambda t: torch.split(t, sizes, place)[part])


def gather(rng: Random) -> Drawn:
    x = shape(rng)
    indices = shape(rng, most=3)
    if rng.random() < 0.4:
        places = sorted(rng.sample(range(len(x)), rng.randint(1, len(x))))
        index = tuple(torch.zeros(indices, dtype=torch.int64) if n in places else slice(None) for n in range(len(x)))
        return Drawn("gather", {"axis": places, "size": indices}, [x], lambda t: t[index])
    place = axis(rng, x)
    if rng.random() < 0.5:
        count = indices[0]
        chosen = torch.zeros(count, dtype=torch.int64)
        return Drawn("gather", {"axis": place, "size": count}, [x], lambda t: torch.index_select(t, place, chosen))
    before = (slice(None),) * (place % len(x))

    def picked(t: Tensor, other: Tensor) -> Tensor:
        t.size(place)  # refuses an axis that there is not
        return t[(*before, other.long() * 0)]

    return Drawn("gather", {"axis": place}, [x, indices], picked)


FUNCTIONS: dict[str, Callable[..., Tensor]] = {
    "sub": torch.sub, "div": torch.div, "pow": torch.pow, "mod": torch.remainder, "max": torch.maximum,
    "min": torch.minimum, "eq": torch.eq, "lt": torch.lt, "ge": torch.ge, "logical_or": torch.logical_or,
    "where": lambda a, b, c: torch.where(a > 0, b, c), "clamp": torch.clamp, "exp": torch.exp, "log": torch.log,
    "sqrt": torch.sqrt, "rsqrt": torch.rsqrt, "neg": torch.neg, "abs": torch.abs, "sin": torch.sin, "cos": torch.cos,
    "logical_not": torch.logical_not,
}  # fmt: skip
THREE = ("where", "clamp")
ONE = ("exp", "log", "sqrt", "rsqrt", "neg", "abs", "sin", "cos", "logical_not")


def elementwise(rng: Random) -> Drawn:
    x = shape(rng)
    if rng.random() < 0.2:
        type_, place = rng.choice(["cumsum", "cumprod"]), axis(rng, x)
        return Drawn("elementwise", {"type": type_, "axis": place}, [x], lambda t: getattr(torch, type_)(t, place))
    type_ = rng.choice(list(FUNCTIONS))
    count = 1 if type_ in ONE else 3 if type_ in THREE else 2
    inputs = [[1 if rng.random() < 0.3 else n + (rng.random() < 0.06) for n in x] for _ in range(count)]
    return Drawn("elementwise", {"type": type_}, inputs, FUNCTIONS[type_])


def roll(rng: Random) -> Drawn:
    x = shape(rng)
    places = axes(rng, x)
    shifts = [rng.randint(-9, 9) for _ in range(len(places) + (len(places) > 1 and rng.random() < 0.1))]
    return Drawn("roll", {"shift": shifts, "axis": places}, [x], lambda t: torch.roll(t, shifts, places))


def pad(rng: Random) -> Drawn:
    """Torch's padding begins with the last axis; the op's is for the axes that are named."""
    x = shape(rng)
    places = rng.sample(range(len(x)), rng.randint(1, len(x)))
    pairs = [[rng.randint(-2, 3), rng.randint(-1, 3)] for _ in places]
    every = [pairs[places.index(n)] if n in places else [0, 0] for n in range(len(x))]
    flat = [side for pair in reversed(every) for side in pair]
    named = [n - len(x) if rng.random() < 0.3 else n for n in places]
    return Drawn("pad", {"padding": pairs, "axis": named}, [x], lambda t: F.pad(t, flat))


DRAWS = (reduce, broadcast, split, gather, elementwise, roll, pad)


def row(drawn: Drawn) -> list[Any]:
    """A line of the table."""
    try:
        out = drawn.call(*map(torch.ones, drawn.inputs))
    except (RuntimeError, IndexError, ValueError) as refused:
        found: Any = " ".join(str(refused).split())[:80]
    else:
        found = list(out.shape) if out.numel() else f"leaves nothing: {list(out.shape)}"
    return [drawn.kind, drawn.arguments, drawn.inputs, found]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seed", type=int, default=12)
    parser.add_argument("--count", type=int, default=900)
    parser.add_argument("-o", "--output", type=Path, required=True)
    given = parser.parse_args()
    rng = Random(given.seed)
    table = [row(DRAWS[place % len(DRAWS)](rng)) for place in range(given.count)]
    table.sort(key=lambda one: one[0])
    head = {"source": f"torch {torch.__version__.partition('+')[0]}", "seed": given.seed, "columns": COLUMNS}
    lines = ",\n".join(json.dumps(one, separators=(",", ":"), ensure_ascii=False) for one in table)
    given.output.write_text(f'{json.dumps(head)[:-1]}, "rows": [\n{lines}\n]}}\n', "utf-8")
    refused = sum(isinstance(one[3], str) for one in table)
    sys.stdout.write(f"{len(table)} rows, of which torch refuses {refused}\n")


if __name__ == "__main__":
    main()
