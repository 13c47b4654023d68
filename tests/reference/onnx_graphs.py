"""Graphs of networks without weights, and their truth: how ``onnx_graphs.tar.xz`` and ``onnx_graphs.json`` were made.

To be run where torch 2.14.1, torchvision 0.29.1, timm 1.0.31, onnx 1.23.2 and onnxscript are installed, one export at a
time; the tests need none of them::

    python tests/reference/onnx_graphs.py resnet18 dynamo 20 -o resnet18_d20.onnx
    python tests/reference/onnx_graphs.py timm:pvt_v2_b0 torchscript 16 -o pvt_v2_b0_ts16.onnx

Multiplies are those of PyTorch's FlopCounterMode, halved, with attention as its two products; params are the elements
of floating-point constants of an axis or more that a node reads, as the onnx package lists them, batch norms' means and
variances apart. The graphs whose names begin with ``reference`` have a row for every operator that multiplies, of
onnx.shape_inference and onnxruntime. Quantised ones are one small network (378 params and 73,803 multiplies, by
arithmetic) through onnxruntime.quantization 1.32 and onnxruntime's optimisers.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from math import prod
from pathlib import Path
from typing import Any

import onnx
import timm
import torch
import torchvision
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

FLOATS = (1, 10, 11, 16)
KEPT_ELEMENTS = 16


def made(name: str) -> tuple[Any, Any]:
    """A network and its input."""
    if name.startswith("timm:"):
        model = timm.create_model(name[5:])
        return model.eval(), torch.zeros(1, *model.pretrained_cfg["input_size"])
    return torchvision.models.get_model(name, weights=None).eval(), torch.zeros(1, 3, 224, 224)


def multiplies(model: Any, x: Any) -> int:
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), counter:
        model(x)
    return int(counter.get_total_flops()) // 2


def constants(graph: Any) -> Iterator[tuple[str, Any]]:
    """The name and the tensor of every constant."""
    yield from ((tensor.name, tensor) for tensor in graph.initializer)
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield node.output[0], attribute.t


def params(model: Any) -> int:
    nodes = model.graph.node
    read = {name for node in nodes for name in node.input}
    read |= {name for function in model.functions for node in function.node for name in node.input}
    kept = {name for node in nodes if node.op_type == "BatchNormalization" for name in node.input[3:5]}
    found = [tensor for name, tensor in constants(model.graph) if name in read - kept]
    return sum(prod(tensor.dims) for tensor in found if tensor.data_type in FLOATS and tensor.dims)


def strip(model: Any) -> None:
    """Leave the elements of large constants out, as in a file whose weights are in another one that is not there."""
    for _, tensor in constants(model.graph):
        if tensor.data_type in FLOATS and prod(tensor.dims) > KEPT_ELEMENTS:
            for field in ("raw_data", "float_data", "external_data"):
                tensor.ClearField(field)
            tensor.data_location = 1
            place = tensor.external_data.add()
            place.key, place.value = "location", "weights.bin"
    del model.graph.value_info[:]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("name")
    parser.add_argument("exporter", choices=("dynamo", "torchscript"))
    parser.add_argument("opset", type=int)
    parser.add_argument("-o", "--output", type=Path, required=True)
    given = parser.parse_args()
    model, x = made(given.name)
    is_new = given.exporter == "dynamo"
    options = {"external_data": False} if is_new else {}
    torch.onnx.export(model, (x,), str(given.output), dynamo=is_new, opset_version=given.opset, **options)
    exported = onnx.load(given.output)
    truth = {"params": params(exported), "multiplies": multiplies(model, x)}
    strip(exported)
    onnx.save(exported, given.output)
    sys.stdout.write(f"{json.dumps({given.output.stem: truth})}\n")


if __name__ == "__main__":
    main()
