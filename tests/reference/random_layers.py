"""Random small layers and networks as torch 2.14.1 builds and runs them: how ``random_layers.json`` was made.

To be run where torch is installed; the tests need it not::

    python tests/reference/random_layers.py --seed 10 --count 5000 -o tests/reference/random_layers.json

Every row is a constructor's text (``pieces.py``), the shapes that enter without batch, the same in the spec language
(``to_spec.py``), and what torch says: parameters, the running statistics among the buffers, multiplications, the shape
of the output. Where torch refuses to build or run it, a row has torch's words in place of the numbers. Multiplications
are half of what ``torch.utils.flop_counter`` sees of a run on the CPU, batch 1, evaluation mode; with oneDNN off, so
that recurrent layers are run step by step and every product of theirs is seen.
"""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import torch
from draws import Drawn
from networks import network
from random_draws import DRAWS
from to_spec import spec
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

COLUMNS = ["kind", "torch", "input", "spec", "params", "buffers", "macs", "out"]
UNSEEN = {"mv", "dot", "addmv", "addr", "einsum", "mkldnn_rnn_layer", "mkldnn_convolution", "mkldnn_linear",
          "_scaled_dot_product_flash_attention_for_cpu", "_scaled_dot_product_attention_math"}  # fmt: skip
"""Products that the counter has no formula for: none may stand among what was run."""
REFUSALS = (RuntimeError, ValueError, IndexError, AssertionError, NotImplementedError)
"""What torch raises; ``nn.MultiheadAttention`` asserts."""
NETWORKS = 0.2
"""How many of the rows are networks."""


class Measured(NamedTuple):
    """What torch says of a module, or the words with which it refuses."""

    params: int
    buffers: int
    macs: int
    out: list[int]


class Watch(TorchDispatchMode):
    """Notes what multiplies and is not counted."""

    def __init__(self) -> None:
        super().__init__()
        self.unseen: set[str] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func.overloadpacket.__name__
        self.unseen |= {name} & UNSEEN
        return func(*args, **(kwargs or {}))


def tensors(drawn: Drawn) -> list[Tensor]:
    """One sample for every input; words are numbers of rows."""
    words = torch.int64 if drawn.words else torch.float32
    return [torch.ones([1, *shape], dtype=words) for shape in drawn.inputs]


def measure(drawn: Drawn) -> Measured | str:
    """Build the module and run it once."""
    try:
        module = drawn.module.build().eval()
        with Watch() as watch, FlopCounterMode(display=False) as counter:
            output = module(*tensors(drawn))
    except REFUSALS as refused:
        return " ".join(str(refused).split())[:100]
    assert not watch.unseen, watch.unseen
    if not output.numel():
        return f"leaves nothing: {list(output.shape[1:])}"
    assert counter.get_total_flops() % 2 == 0
    return Measured(
        sum(weight.numel() for weight in module.parameters()),
        running(module),
        counter.get_total_flops() // 2,
        list(output.shape[1:]),
    )


def running(module: nn.Module) -> int:
    """Means and variances; how many batches were seen is not a statistic of a network."""
    return sum(
        buffer.numel() for name, buffer in module.named_buffers() if name.endswith(("running_mean", "running_var"))
    )


def row(drawn: Drawn) -> list[Any]:
    """A line of the table."""
    measured = measure(drawn)
    facts = [measured] if isinstance(measured, str) else list(measured)
    return [drawn.kind, str(drawn.module), drawn.inputs, spec(drawn.module, drawn.inputs[0]), *facts]


def drawn(rng: Random, place: int) -> Drawn:
    """Draw a layer, as many of every kind, or a network."""
    return network(rng) if rng.random() < NETWORKS else DRAWS[list(DRAWS)[place % len(DRAWS)]](rng)


def rows(
    seed: int, count: int, draw: Callable[[Random, int], Any], row_of: Callable[[Any], list[Any]]
) -> list[list[Any]]:
    """Draw rows that differ; ``draw`` knows how many there are."""
    rng, seen = Random(seed), dict[str, list[Any]]()
    while len(seen) < count:
        one = draw(rng, len(seen))
        if (key := f"{one.module} {one.inputs}") not in seen:
            seen[key] = row_of(one)
    return sorted(seen.values(), key=lambda one: one[0])


def written(seed: int, table: list[list[Any]], columns: Sequence[str], maker: str) -> str:
    """One row a line."""
    source = f"{maker}torch {torch.__version__.partition('+')[0]}"
    head = {"source": source, "seed": seed, "columns": [*COLUMNS, *columns]}
    lines = ",\n".join(json.dumps(one, separators=(",", ":"), ensure_ascii=False) for one in table)
    return f'{json.dumps(head)[:-1]}, "rows": [\n{lines}\n]}}\n'


def main(
    about: str, seed: int, count: int, draw: Callable[[Random, int], Any] = drawn,
    row_of: Callable[[Any], list[Any]] = row, *, columns: Sequence[str] = (), maker: str = "",
) -> None:  # fmt: skip
    """Draw a table and write it; its ``columns`` are behind the usual ones, ``maker`` comes before torch."""
    parser = argparse.ArgumentParser(description=about.partition("\n")[0])
    parser.add_argument("--seed", type=int, default=seed)
    parser.add_argument("--count", type=int, default=count)
    parser.add_argument("-o", "--output", type=Path, required=True)
    given = parser.parse_args()
    torch.manual_seed(given.seed)
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    with torch.backends.mkldnn.flags(enabled=False):
        table = rows(given.seed, given.count, draw, row_of)
    given.output.write_text(written(given.seed, table, columns, maker), "utf-8")
    refused = sum(isinstance(one[4], str) for one in table)
    sys.stdout.write(f"{len(table)} rows, of which torch refuses {refused}\n")


if __name__ == "__main__":
    main(__doc__, seed=10, count=5000)
