"""One network in a process that runs, against the tools that count modules of PyTorch where they are installed."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from importlib.util import find_spec
from typing import Any

from convcalc.cli import main
from tests.benchmarks.measure import Row, call, paired, process, python

LAYERS = 100_000
CHAIN = f"""
import convcalc
turns = "{{seq: [{{conv: [8, 1], repeat: 1000}}], repeat: {LAYERS // 1000}}}"
report = convcalc.load(text=f"convcalc: 1\\ninput: [8, 8, 8]\\nlayers:\\n  - {{turns}}\\n", name="chain.yaml").report()
assert len(report.rows) == {LAYERS}
"""
PEERS: dict[str, str] = {
    "torchinfo": "torchinfo.summary",
    "ptflops": "ptflops.get_model_complexity_info",
    "fvcore": "fvcore.nn.FlopCountAnalysis",
    "torch": "torch.utils.flop_counter, meta device",
}


def text_of(design: str) -> Callable[[], object]:
    """Return a call from the file to the printed text."""

    def work() -> None:
        with redirect_stdout(io.StringIO()):
            assert main(["report", design]) == 0

    return work


def rows(pairs: int) -> Iterator[Row]:
    """ResNet-50, EfficientNet-B7 and a chain of 100,000 layers."""
    used, base = process(python(CHAIN)), process(python("import convcalc"))
    yield Row(f"report of {LAYERS:,} layers", f"{used.seconds - base.seconds:.2f} s, {used.mebibytes:.0f} MiB")
    for work, design in (("ResNet-50", "zoo:resnet50"), ("EfficientNet-B7", "zoo:efficientnet@b7")):
        ours = call(text_of(design))
        mine, *_ = paired(ours, ours, pairs)
        yield Row(f"{work}, file to text", f"{mine * 1e3:.1f} ms")
    ours = call(text_of("zoo:resnet50"))
    for module, name in PEERS.items():
        if all(find_spec(each) for each in (module, "torchvision")):
            mine, other, ratio = paired(ours, call(peer(module)), min(pairs, 5))
            yield Row("ResNet-50", f"{mine * 1e3:.1f} ms", f"`{name}`", f"{other * 1e3:.1f} ms", ratio)


def peer(module: str) -> Callable[[], object]:
    """Return one count of torchvision's ResNet-50, whose module is made before; by one thread, as ours is."""
    import torch
    from torchvision.models import resnet50

    torch.set_num_threads(1)
    model, image = resnet50().eval(), torch.zeros(1, 3, 224, 224)
    if module == "torchinfo":
        from torchinfo import summary

        return lambda: str(summary(model, input_data=image, verbose=0))
    if module == "ptflops":
        from ptflops import get_model_complexity_info

        return lambda: get_model_complexity_info(model, (3, 224, 224), print_per_layer_stat=False)
    if module == "fvcore":
        from fvcore.nn import FlopCountAnalysis

        return lambda: FlopCountAnalysis(model, image).unsupported_ops_warnings(False).total()
    return _flop_counter(model.to("meta"), image.to("meta"))


def _flop_counter(model: Any, image: Any) -> Callable[[], object]:
    from torch.utils.flop_counter import FlopCounterMode

    def work() -> int:
        with FlopCounterMode(display=False) as counter:
            model(image)
        return counter.get_total_flops()

    return work
