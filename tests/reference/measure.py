"""How the files of this folder were made: every module is run without weights, what multiplies is written down.

To be run where torch 2.14.1, torchvision 0.29.1, timm 1.0.31, pytorchcv 0.0.74 and ultralytics 8.4.190 are installed;
the tests need none of them::

    python tests/reference/measure.py torchvision [NAME…]

A layer's parameters and shapes are the module's own attributes; products that are written as functions (attention,
pooled heads) are seen at the operator dispatcher. The sum is compared with ``torch.utils.flop_counter``, which counts
on its own. No kernel is chosen here: on the meta device scaled_dot_product_attention is its two products by itself.
What other tools print of fused kernels is measured on a CPU, by ``fused.py``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

HERE = Path(__file__).parent
COLUMNS = ["type", "kernel", "stride", "padding", "dilation", "groups", "bias", "input", "output", "params", "macs"]
CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
RECURRENT = (nn.LSTM, nn.GRU, nn.RNN)
LAYERS = (*CONVOLUTIONS, *TRANSPOSED, nn.Linear, *RECURRENT)
PRODUCTS = {
    torch.ops.aten.mm,
    torch.ops.aten.bmm,
    torch.ops.aten.addmm,
    torch.ops.aten.baddbmm,
    torch.ops.aten.convolution,
}

Row = list[Any]


class Recorder(TorchDispatchMode):
    """Rows in the order in which layers ran, and the products outside of every layer."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[Row] = []
        self.inside = 0
        self.seen: set[int] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if func.overloadpacket in PRODUCTS and not self.inside:
            shapes = [list(operand.shape) for operand in args if isinstance(operand, torch.Tensor)]
            self.rows.append(_product(func.overloadpacket.__name__, shapes, list(result.shape)))
        return result

    def enter(self, module: nn.Module, inputs: Any) -> None:
        self.inside += 1

    def leave(self, module: nn.Module, inputs: Any, output: Any) -> None:
        self.inside -= 1
        row = _layer(module, list(inputs[0].shape[1:]), output)
        if id(module.weight) in self.seen if hasattr(module, "weight") else False:
            row[-2] = 0  # shared weights count once
        self.seen.add(id(getattr(module, "weight", module)))
        self.rows.append(row)


def _product(name: str, shapes: list[list[int]], output: list[int]) -> Row:
    assert name != "convolution", "a convolution written as a function: its parameters are to be told by hand"
    left, right = shapes[-2:]
    return [name, None, None, None, None, None, None, shapes, output, 0, prod(left) * right[-1]]


def _layer(module: nn.Module, entering: list[int], output: Any) -> Row:
    params = sum(weight.numel() for weight in module.parameters())
    if isinstance(module, RECURRENT):
        leaving = list(output[0].shape[1:])
        weights = sum(weight.numel() for name, weight in module.named_parameters() if name.startswith("weight"))
        kind = type(module).__name__.lower()
        return [kind, *[None] * 5, module.bias, entering, leaving, params, entering[0] * weights]
    leaving = list(output.shape[1:])
    bias = module.bias is not None
    if isinstance(module, nn.Linear):
        macs = prod(leaving) * module.in_features
        return ["linear", None, None, None, None, None, bias, entering, leaving, params, macs]
    transposed = isinstance(module, TRANSPOSED)
    places = prod(entering) * module.out_channels if transposed else prod(leaving) * module.in_channels
    macs = places // module.groups * prod(module.kernel_size)
    padding = module.padding
    if isinstance(padding, str):
        reach = zip(module.kernel_size, module.dilation, strict=True)
        padding = tuple(d * (k - 1) // 2 for k, d in reach) if padding == "same" else 0
    sizes = [_folded(value) for value in (module.kernel_size, module.stride, padding, module.dilation)]
    return ["deconv" if transposed else "conv", *sizes, module.groups, bias, entering, leaving, params, macs]


def _folded(sizes: Any) -> Any:
    return sizes if isinstance(sizes, int) else sizes[0] if len(set(sizes)) == 1 else list(sizes)


@contextmanager
def _watched(module: nn.Module, recorder: Recorder) -> Iterator[None]:
    hooks = []
    for layer in module.modules():
        if isinstance(layer, LAYERS):
            hooks += [layer.register_forward_pre_hook(recorder.enter), layer.register_forward_hook(recorder.leave)]
    yield
    for hook in hooks:
        hook.remove()


def _shapes(output: Any) -> list[list[int]]:
    if isinstance(output, torch.Tensor):
        return [list(output.shape[1:])]
    values = output.values() if isinstance(output, dict) else output
    return [shape for value in values for shape in _shapes(value)]


def measure(module: nn.Module, shape: list[int]) -> dict[str, Any]:
    """Run the module once where it is (the meta device, if it lets), batch 1, evaluation mode."""
    module = module.eval()
    words = any(isinstance(layer, nn.Embedding) for layer in module.modules())
    dtype = torch.int64 if words else torch.float32
    given = torch.zeros([1, *shape], device=next(module.parameters()).device, dtype=dtype)
    recorder, counter = Recorder(), FlopCounterMode(display=False)
    with torch.no_grad():
        with _watched(module, recorder), recorder:
            output = module(given)
        recurrent = any(isinstance(layer, RECURRENT) for layer in module.modules())
        if not recurrent:  # the counter has no formula for them
            with counter:
                module(given)
    rows = recorder.rows
    macs = sum(row[-1] for row in rows)
    assert recurrent or 2 * macs == counter.get_total_flops(), (2 * macs, counter.get_total_flops())
    leaving = {"all": sum(prod(row[-3]) for row in rows)}
    leaving["layers"] = sum(prod(row[-3]) for row in rows if row[0] not in ("mm", "bmm", "addmm", "baddbmm"))
    return {
        "input": shape,
        "params": sum(weight.numel() for weight in module.parameters()),
        "macs": macs,
        "acts_conv_linear": leaving["layers"],
        "acts_all_mac_ops": leaving["all"],
        "out": _shapes(output),
        "running_statistics": sum(
            buffer.numel() for name, buffer in module.named_buffers() if name.endswith(("running_mean", "running_var"))
        ),
        "rows": rows,
    }


# --- sources ----------------------------------------------------------------------------------------------------------

Built = tuple[nn.Module, list[int]]


def torchvision_model(name: str) -> Built:
    """NAME at the smallest picture of its published weights, NAME_noaux (without auxiliary heads), NAME@SIZE."""
    import torchvision
    from torchvision.models import get_model, get_model_weights

    base, _, size = name.partition("@")
    base, noaux, _ = base.partition("_noaux")
    options: dict[str, Any] = {"init_weights": False} if base in ("googlenet", "inception_v3") else {}
    if base.startswith(("fcn", "deeplab", "lraspp")):
        options = {"weights_backbone": None, "aux_loss": not noaux}
    elif noaux:
        options["aux_logits"] = False
    if size:
        options["image_size"] = int(size)
    with torch.device("cpu" if base.startswith("regnet") else "meta"):  # RegNet computes its widths with tensors
        module = get_model(base, weights=None, **options).to("meta")
    if base.startswith(("fcn", "deeplab", "lraspp")):
        return module, [3, 520, 520]
    if "r3d" in base or base in ("mc3_18", "r2plus1d_18"):
        return module, [3, 16, 112, 112]
    assert torchvision.__version__.startswith("0.29.1")
    side = int(size) if size else min(weight.transforms().crop_size[0] for weight in get_model_weights(base))
    return module, [3, side, side]


def timm_model(name: str) -> Built:
    """NAME as timm builds it, at the picture of its default configuration."""
    import timm
    from timm.layers import set_fused_attn

    set_fused_attn(False)
    with torch.device("meta"):
        module = timm.create_model(name)
    return module, list(module.default_cfg["input_size"])


def pytorchcv_model(name: str) -> Built:
    """NAME as pytorchcv builds it."""
    from pytorchcv.model_provider import get_model

    with torch.device("meta"):
        module = get_model(name, pretrained=False)
    channels = getattr(module, "in_channels", 3)
    return module, [channels, *module.in_size]


def ultralytics_model(name: str) -> Built:
    """NAME as ultralytics builds it from its own file, with the 80 classes of COCO, unfused."""
    from ultralytics.nn.tasks import DetectionModel

    module = DetectionModel(f"{name}.yaml", verbose=False)  # computes its strides from numbers: not on the meta device
    return module, [3, 640, 640]


def own_module(name: str) -> Built:
    """A module written in modules.py after the source that it names."""
    import modules

    return modules.build(name)


SOURCES: dict[str, Callable[[str], Built]] = {
    "torchvision": torchvision_model,
    "timm": timm_model,
    "pytorchcv": pytorchcv_model,
    "ultralytics": ultralytics_model,
    "torch": own_module,
}


def main(source: str, names: list[str]) -> None:
    """Measure the names (or all that the file has) and put them into the file."""
    path = HERE / f"{source}.json"
    held = (
        json.loads(path.read_text("utf-8")) if path.exists() else {"source": source, "columns": COLUMNS, "models": {}}
    )
    for name in names or list(held["models"]):
        held["models"][name] = json.loads(json.dumps(measure(*SOURCES[source](name))))
        sys.stdout.write(f"{name} {held['models'][name]['params']} {held['models'][name]['macs']}\n")
    path.write_text(written(held), "utf-8")


def written(held: dict[str, Any]) -> str:
    """One row of a model a line, so that a difference can be read."""
    models = []
    for name, model in held["models"].items():
        facts = {key: value for key, value in model.items() if key != "rows"}
        rows = ",\n".join(json.dumps(row, separators=(",", ":")) for row in model["rows"])
        models.append(f'{json.dumps(name)}:{json.dumps(facts, separators=(",", ":"))[:-1]},"rows":[\n{rows}\n]}}')
    columns = json.dumps(held["columns"], separators=(",", ":"))
    head = f'{{"source":{json.dumps(held["source"])},\n"columns":{columns},\n"models":{{\n'
    return head + ",\n".join(models) + "\n}}\n"


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
