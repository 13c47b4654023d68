"""Random single layers as other tools count them: how ``random_tools.json`` was made.

To be run where torch 2.14.1 and the tools are installed; the tests need none of them::

    python tests/reference/random_tools.py --seed 10 --count 800 -o tests/reference/random_tools.json
    python tests/reference/random_tools.py --seed 12 --count 240 --options -o tests/reference/random_option_tools.json

Layers are drawn as for ``random_layers.json``, those of ``--options`` as for ``random_options.json``. Each tool gets
the module in an ``nn.Sequential``, on a CPU, batch 1, in evaluation mode and with gradients (torch-scan itself turns
them off), and runs in a process of its own, because some leave torch's functions changed. Where a tool fails on a
layer, its cell is null.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import logging
import sys
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import Any

import torch
from draws import Draw, Drawn
from random_draws import DRAWS
from random_layers import measure, tensors
from random_options import DRAWS as OPTIONS
from to_spec import spec
from torch import Tensor, nn

LEFT_OUT = (
    "Add", "Mul", "Concat", "MatMul", "Permute", "Reshape", "Slice", "Scale", "Learned",
    "nn.Embedding", "nn.ZeroPad", "nn.ConstantPad", "nn.Flatten", "nn.PixelShuffle", "nn.PixelUnshuffle",
)  # fmt: skip
"""What is not measured: modules of ``pieces.py``, which no tool knows, and layers that none has a price for."""
Numbers = tuple[float | None, ...]


class Whole(nn.Sequential):
    """One module with up to three inputs, whose names ptflops gives."""

    def forward(self, input: Tensor, y: Tensor | None = None, z: Tensor | None = None) -> Tensor:
        given = [tensor for tensor in (input, y, z) if tensor is not None]
        return self[0](*given)  # type: ignore[no-any-return]


def fvcore(module: nn.Module, drawn: Drawn) -> Numbers:
    from fvcore.nn import ActivationCountAnalysis, FlopCountAnalysis

    counts = [Analysis(module, tuple(tensors(drawn))) for Analysis in (FlopCountAnalysis, ActivationCountAnalysis)]
    for count in counts:
        count.unsupported_ops_warnings(enabled=False).uncalled_modules_warnings(enabled=False)
        count.tracer_warnings("none")
    return tuple(count.total() for count in counts)


def torch_cpu(module: nn.Module, drawn: Drawn) -> Numbers:
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        module(*tensors(drawn))
    return (counter.get_total_flops(),)


def thop(module: nn.Module, drawn: Drawn) -> Numbers:
    from thop import profile

    return (profile(module, inputs=tuple(tensors(drawn)), verbose=False)[0],)


def torchinfo(module: nn.Module, drawn: Drawn) -> Numbers:
    from torchinfo import summary

    return (summary(module, input_data=tensors(drawn), verbose=0).total_mult_adds,)


def ptflops(backend: str) -> Callable[[nn.Module, Drawn], Numbers]:
    def count(module: nn.Module, drawn: Drawn) -> Numbers:
        from ptflops import get_model_complexity_info

        def given(_: Any) -> Any:
            return dict(zip(("input", "y", "z"), tensors(drawn), strict=False))

        said = {"as_strings": False, "print_per_layer_stat": False, "verbose": False, "backend": backend}
        return (get_model_complexity_info(module, tuple(drawn.inputs[0]), input_constructor=given, **said)[0],)

    return count


def calflops(module: nn.Module, drawn: Drawn) -> Numbers:
    """Without its front end, which needs a module with weights."""
    from calflops.calculate_pipline import CalFlopsPipline

    pipeline = CalFlopsPipline(module, include_backPropagation=False, compute_bp_factor=2.0)
    pipeline.start_flops_calculate()
    try:
        module(*tensors(drawn))
        return pipeline.get_total_flops(), pipeline.get_total_macs()
    finally:
        pipeline.end_flops_calculate()


def deepspeed(module: nn.Module, drawn: Drawn) -> Numbers:
    from deepspeed.profiling.flops_profiler.profiler import FlopsProfiler

    profiler = FlopsProfiler(module)
    profiler.start_profile()
    try:
        module(*tensors(drawn))
        return profiler.get_total_flops(), profiler.get_total_macs()
    finally:
        profiler.end_profile()


def torchscan(module: nn.Module, drawn: Drawn) -> Numbers:
    from torchscan import crawl_module

    totals = crawl_module(module, args=tuple(tensors(drawn)))["totals"]
    return tuple(totals[name]["value"] for name in ("operator_flops", "module_flops", "macs"))


TOOLS: dict[str, tuple[Callable[[nn.Module, Drawn], Numbers], tuple[str, ...]]] = {
    "fvcore": (fvcore, ("fvcore", "fvcore_activations")),
    "torch": (torch_cpu, ("torch_cpu",)),
    "thop": (thop, ("thop",)),
    "torchinfo": (torchinfo, ("torchinfo",)),
    "ptflops": (ptflops("pytorch"), ("ptflops_pytorch",)),
    "ptflops aten": (ptflops("aten"), ("ptflops_aten",)),
    "calflops": (calflops, ("calflops", "calflops_macs")),
    "deepspeed": (deepspeed, ("deepspeed", "deepspeed_macs")),
    "torchscan": (torchscan, ("torchscan", "torchscan_module_flops", "torchscan_module_macs")),
}
"""Every tool, and what of it is a profile."""


def counted(tool: str, layers: list[Drawn]) -> list[Numbers]:
    """What a tool says of every layer."""
    warnings.simplefilter("ignore")
    logging.disable()
    torch.set_num_threads(1)
    count, keys = TOOLS[tool]
    found: list[Numbers] = []
    for drawn in layers:
        module = Whole(drawn.module.build()).eval()
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            try:
                found.append(tuple(count(module, drawn)))
            except Exception as failed:  # noqa: BLE001 - whatever a tool fails with, it has no number
                found.append((None,) * len(keys))
                sys.__stderr__.write(f"{tool}: {drawn.module} {drawn.inputs}: {str(failed)[:80]!r}\n")
    return found


def chosen(seed: int, count: int, *, options: bool) -> list[Drawn]:
    """Layers that torch runs, as many of every kind; without options those of one input."""
    rng, kinds, found = Random(seed), list[Draw](OPTIONS if options else DRAWS.values()), dict[str, Drawn]()
    left_out, most = (LEFT_OUT, 3) if options else ((*LEFT_OUT, "GroupedAttention"), 1)
    turn = 0
    while len(found) < count:
        turn += 1
        drawn = kinds[turn % len(kinds)](rng)
        module = drawn.module
        known = not module.name.startswith(left_out) and len(drawn.inputs) <= most
        if module.name == "nn.LocalResponseNorm":  # the language does not say over how many channels: five
            known = module.args == (5,)
        if known and not isinstance(measure(drawn), str):
            found.setdefault(f"{drawn.module} {drawn.inputs}", drawn)
    return sorted(found.values(), key=lambda one: one.kind)


def version(name: str) -> str:
    """The version of an installed package."""
    from importlib import metadata  # noqa: TID251 - nobody waits for a start here

    return metadata.version(name).partition("+")[0]


def whole(number: float | None) -> float | None:
    """An integer where it is one: some tools count in floats."""
    return int(number) if number is not None and number == int(number) else number


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seed", type=int, default=10)
    parser.add_argument("--count", type=int, default=800)
    parser.add_argument("--options", action="store_true")
    parser.add_argument("-o", "--output", type=Path, required=True)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    with torch.backends.mkldnn.flags(enabled=False):
        layers = chosen(given.seed, given.count, options=given.options)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn"), max_tasks_per_child=1) as pool:
        columns = list(pool.map(counted, TOOLS, [layers] * len(TOOLS)))
    keys = [key for _, keys in TOOLS.values() for key in keys]
    lines = []
    for drawn, *cells in zip(layers, *columns, strict=True):
        numbers = [whole(number) for cell in cells for number in cell]
        row = [drawn.kind, str(drawn.module), drawn.inputs, spec(drawn.module, drawn.inputs[0]), *numbers]
        lines.append(json.dumps(row, separators=(",", ":"), ensure_ascii=False))
    tools = {name: version(name) for name in dict.fromkeys(tool.split()[0] for tool in TOOLS)}
    head = {"tools": tools, "seed": given.seed, "columns": ["kind", "torch", "input", "spec", *keys]}
    joined = ",\n".join(lines)
    given.output.write_text(f'{json.dumps(head)[:-1]}, "rows": [\n{joined}\n]}}\n', "utf-8")


if __name__ == "__main__":
    main()
