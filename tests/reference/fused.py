"""What ptflops' backend aten prints of whole networks where people run it: on a CPU, with the kernels torch chooses.

On the meta device scaled_dot_product_attention is its two products, which that backend counts; on a CPU, as on a GPU,
it is one operator, which it does not. To be run beside ``measure.py`` where ptflops 0.7.5 is installed too; it puts the
numbers into ``other_tools.json``::

    python tests/reference/fused.py torchvision/vit_b_16 [MODULE…]
"""

from __future__ import annotations

import json
import sys

from measure import HERE, SOURCES
from ptflops import get_model_complexity_info

COLUMN = "ptflops_aten"


def printed(module: str) -> int:
    """Return what the backend prints of a module, without trained weights, batch 1, evaluation mode."""
    source, _, name = module.partition("/")
    network, shape = SOURCES[source](name)
    network = network.to_empty(device="cpu").eval()
    for tensor in (*network.parameters(), *network.buffers()):
        tensor.data.zero_()  # places in tables among them
    macs, _ = get_model_complexity_info(
        network, tuple(shape), backend="aten", as_strings=False, print_per_layer_stat=False
    )
    assert isinstance(macs, int), module
    return macs


def main(modules: list[str]) -> None:
    """Measure the modules, and put each number where the file has that of another run."""
    path = HERE / "other_tools.json"
    text = path.read_text("utf-8")
    held = json.loads(text)
    column = held["columns"].index(COLUMN)
    for module in modules:
        row = held["totals"][module]
        before = json.dumps(row)
        row[column] = printed(module)
        assert text.count(before), module
        text = text.replace(before, json.dumps(row))
        sys.stdout.write(f"{module} {row[column]}\n")
    path.write_text(text, "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
