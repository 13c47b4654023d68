"""Layer by layer: what a report says of a design against what the framework's own module was measured to do."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from itertools import repeat
from math import prod
from pathlib import Path
from typing import Any

from convcalc.designs.sources import open_spec
from convcalc.report.report import LayerRow, Report

REFERENCE = Path(__file__).parents[1] / "reference"
SPECS = Path(__file__).parents[2] / "specs"

Ints = tuple[int, ...]


@dataclass(frozen=True)
class Layer:
    """The facts of one layer that multiplies, alike whichever side they come from."""

    op: str
    params: int
    macs: int
    output: Ints
    kernel: Ints = ()
    stride: Ints = ()
    padding: tuple[Ints, ...] = ()
    dilation: Ints = ()
    groups: int = 1
    bias: bool = False


@cache
def language_models() -> dict[str, dict[str, Any]]:
    """Every measured language model as its claim names it; of these only the totals are known."""
    measured = json.loads((REFERENCE / "language_models.json").read_text("utf-8"))["language_models"]
    libraries = {name: "diffusers" if "unet" in name else "transformers" for name in measured}
    return {f"{libraries[name]}/{name}": model for name, model in measured.items()}


@cache
def models() -> dict[str, dict[str, Any]]:
    """Every measured module as ``SOURCE/NAME``, the source being the name of its file."""
    files = {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(REFERENCE.glob("*.json"))}
    measured = {source: file["models"] for source, file in files.items() if "models" in file}
    return {f"{source}/{name}": model for source, found in measured.items() for name, model in found.items()}


def cited_modules(frameworks: Iterable[str]) -> dict[str, set[str]]:
    """Return the bundled designs whose claims cite modules of a framework, each with those: ``timm:dpn68``."""
    cited: dict[str, set[str]] = {}
    for path in sorted((SPECS / "zoo").glob("*.yaml")):
        for claim in open_spec(str(path)).document.claims:
            framework, _, name = claim.texts["source"].partition("/")
            if framework in frameworks:
                design = "@".join(filter(None, (f"zoo:{path.stem}", claim.texts.get("variant"))))
                cited.setdefault(design, set()).add(f"{framework}:{name}")
    return cited


def measured(model: str) -> list[Layer]:
    """The module's layers in the order they ran; products around a softmax are joined to one attention layer."""
    layers: list[Layer] = []
    for row in models()[model]["rows"]:
        layers.append(_measured_layer(row))
        if [layer.op for layer in layers[-4:]] == ["linear", "matmul", "matmul", "linear"]:
            layers[-4:] = [_attention(layers[-4:])]
    return layers


def _measured_layer(row: list[Any]) -> Layer:
    kind, kernel, stride, padding, dilation, groups, bias, shape, output, params, macs = row
    if kind == "addmm":  # a linear layer called as a function: bias, input and weight are its operands
        return Layer("linear", sum(prod(operand) for operand in (shape[0], shape[2])), macs, tuple(output), bias=True)
    if kind in ("bmm", "mm"):
        return Layer("matmul", 0, macs, tuple(output))
    layer = Layer(kind, params, macs, tuple(output), bias=bias)
    if kind in ("linear", "lstm", "gru", "rnn"):
        return layer
    rank = len(shape) - 1
    return replace(
        layer,
        kernel=_each(kernel, rank),
        stride=_each(stride, rank),
        padding=tuple((pad, pad) for pad in _each(padding, rank)),
        dilation=_each(dilation, rank),
        groups=groups,
    )


def _each(value: int | list[int], rank: int) -> Ints:
    return tuple(value) if isinstance(value, list) else tuple(repeat(value, rank))


def _attention(products: list[Layer]) -> Layer:
    """q, k and v in one, scores, context, projection. Windows may be written as rows: the output is its size alone."""
    params, macs = (sum(getattr(layer, fact) for layer in products) for fact in ("params", "macs"))
    return Layer("attention", params, macs, (prod(products[-1].output),), bias=products[-1].bias)


def counted(report: Report) -> list[Layer]:
    """The report's layers that multiply, in its order."""
    return [_counted_layer(row) for row in report.rows if row.values["macs"]]


def _counted_layer(row: LayerRow) -> Layer:
    attributes = row.attributes
    params, macs, output = row.values["params"], row.values["macs"], tuple(row.output_shape)
    match row.op:
        case "linear" | "lstm" | "gru" | "rnn":
            return Layer(row.op, params, macs, output, bias=attributes["bias"])
        case "matmul":
            return Layer("matmul", params, macs, output)
        case "attention":
            return Layer("attention", params, macs, (prod(output),), bias=attributes["bias"])
        case "conv" | "dwconv" | "deconv":
            return Layer(
                "deconv" if row.op == "deconv" else "conv",
                params,
                macs,
                output,
                tuple(attributes["kernel_size"]),
                tuple(attributes["stride"]),
                tuple((before, after) for before, after in attributes["padding"]),
                tuple(attributes["dilation"]),
                attributes["groups"],
                attributes["bias"],
            )
    raise AssertionError(f"{row.path}: nothing was measured for {row.op}")


def assert_equals_module(report: Report, model: str) -> None:
    """Totals and every multiplying layer agree with the measured module, to the last digit."""
    module = models()[model]
    assert counted(report) == measured(model)
    totals = {metric: report.totals[metric] for metric in ("params", "macs", "activations")}
    assert totals == {
        "params": module["params"],
        "macs": module["macs"],
        "activations": module["acts_all_mac_ops"],
    }
    if "running_statistics" in module:
        assert report.totals["buffers"] == module["running_statistics"]
    assert [list(shape) for shape in report.inputs.values()] == [module["input"]]
    assert [list(shape) for shape in report.outputs.values()] == module["out"]
    assert report.is_complete
