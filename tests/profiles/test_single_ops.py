"""What tools printed for single layers, on 1×8×10×10 unless another input stands there (CPU, torch 2.14.1)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from convcalc import profiles
from convcalc.designs.sources import open_source
from convcalc.errors import Source, SpecError

KEYS = (
    "fvcore", "torch_cpu", "ptflops_pytorch", "ptflops_aten", "thop", "torchinfo", "calflops", "calflops_macs",
    "deepspeed", "deepspeed_macs",
)  # fmt: skip


MEASURED = Path(__file__).parents[1] / "reference" / "single_layers.json"
LAYERS: list[dict[str, Any]] = json.loads(MEASURED.read_text("utf-8"))["layers"]


class Single(NamedTuple):
    """A layer and what ``KEYS`` printed; DeepSpeed prints what calflops does where nothing else stands."""

    layer: str
    printed: tuple[int, ...]
    input: str = "[8, 10, 10]"


SCORES = "{matmul: [identity, {permute: [0, 2, 1]}], via: fused}"
SINGLES = [
    Single("conv: {out: 16, kernel: 3, padding: 1}", (115200, 230400, 116800, 116800, 115200, 116800, 232000, 115200)),
    Single("conv: {out: 16, kernel: 3, stride: 2, padding: 1, groups: 4, bias: false}",
           (7200, 14400, 7200, 7200, 7200, 7200, 14400, 7200)),
    Single("{dwconv: {kernel: 3, padding: same}, via: string}", (0, 14400, 8000, 8000, 7200, 8000, 15200, 7200)),
    Single("deconv: {out: 16, kernel: 4, stride: 2, padding: 1}",
           (204800, 409600, 211200, 211200, 819200, 825600, 410000, 204800, 416000, 204800)),
    Single("deconv: {out: 16, kernel: 4, stride: 2, padding: 1, groups: 4, bias: false}",
           (51200, 102400, 51200, 51200, 204800, 204800, 25600, 12800, 102400, 51200)),
    Single("linear: {out: 16, axis: -1}", (640, 1280, 720, 720, 640, 144, 1280, 640), "[5, 8]"),
    Single("norm: batch", (1600, 0, 1600, 0, 3200, 16, 1600, 0)),
    Single("norm: {type: batch, affine: false}", (800, 0, 800, 0, 1600, 0, 800, 0)),
    Single("norm: layer", (200, 0, 40, 0, 160, 16, 200, 0), "[5, 8]"),
    Single("norm: {type: layer, affine: false}", (160, 0, 40, 0, 80, 0, 160, 0), "[5, 8]"),
    Single("norm: {type: group, groups: 2}", (4000, 0, 1600, 0, 0, 16, 4000, 0)),
    Single("norm: instance", (3200, 0, 800, 0, 1600, 0, 3200, 0)),
    Single("norm: {type: instance, affine: true}", (4000, 0, 1600, 0, 3200, 16, 4000, 0)),
    *(Single(name, (0, 0, 1600, 0, 0, 0, 800, 0)) for name in ("relu", "elu", "gelu")),
    Single("relu6", (0, 0, 800, 0, 0, 0, 0, 0)),
    Single("silu", (0, 0, 800, 0, 0, 0, 800, 0)),
    Single("leaky_relu", (0, 0, 800, 0, 0, 0, 800, 0)),
    *(Single(name, (0, 0, 0, 0, 0, 0, 0, 0)) for name in ("sigmoid", "tanh", "hardswish", "hardsigmoid")),
    Single("maxpool: 2", (0, 0, 1600, 0, 0, 0, 800, 0)),
    Single("avgpool: 2", (0, 0, 1600, 0, 200, 0, 800, 0)),
    Single("avgpool: global", (800, 0, 1600, 0, 808, 0, 800, 0)),
    Single("avgpool: {out: 3}", (800, 0, 1600, 0, 872, 0, 800, 0)),
    Single("softmax", (0, 0, 40, 0, 115, 0, 40, 0), "[5, 8]"),
    Single("{matmul: [{slice: {stop: 8, axis: -1}}, {param: [2, 8, 6]}], via: function}",
           (480, 960, 480, 480, 0, 0, 960, 480), "[2, 5, 8]"),
    Single("{matmul: [{slice: {stop: 8, axis: -1}}, {param: [2, 8, 6]}], via: operator}",
           (480, 960, 0, 480, 0, 0, 0, 0, 960, 480), "[2, 5, 8]"),
    Single(f"{{matmul: [[{SCORES}, {{softmax: , via: method}}], identity], via: fused}}",
           (0, 0, 0, 0, 0, 0, 0, 0, 1600, 800), "[2, 5, 8]"),
    Single("attention: 2", (1680, 3360, 2380, 1840, 0, 0, 2610, 1280, 3410, 1680), "[5, 8]"),
    Single("upsample: {scale: 2, mode: nearest}", (3200, 0, 6400, 0, 3200, 0, 800, 0, 3200, 0)),
    Single("upsample: {scale: 2, mode: bilinear}", (12800, 0, 6400, 0, 35200, 0, 800, 0, 3200, 0)),
    *(Single(f"{{{join}: [identity, identity], via: function}}", (0, 0, 800, 0, 0, 0, 800, 0))
      for join in ("add", "mul")),
    *(Single(f"{join}: [identity, identity]", (0, 0, 0, 0, 0, 0, 0, 0)) for join in ("add", "mul")),
    Single("lstm: 16", (0, 0, 9120, 0, 8960, 8320, 16160, 0), "[5, 8]"),
    Single("gru: 16", (0, 11520, 6800, 6240, 6800, 6240, 12080, 0), "[5, 8]"),
    Single("embedding: [100, 8]", (0, 0, 0, 0, 0, 800, 0, 0), "[5]"),
]  # fmt: skip


def count(single: Single, key: str) -> int:
    text = f"convcalc: 1\ninput: {single.input}\nlayers:\n  - {single.layer}\n"
    return profiles.total(open_source(Source("single.yaml", text)).graph, key)


@pytest.mark.parametrize("single", SINGLES, ids=lambda single: f"{single.layer} {single.input}")
def test_single_layer(single: Single) -> None:
    printed = single.printed if len(single.printed) == len(KEYS) else (*single.printed, *single.printed[-2:])
    counted = tuple(count(single, key) for key in KEYS)
    assert dict(zip(KEYS, counted, strict=True)) == dict(zip(KEYS, printed, strict=True))


def test_a_learned_slope_counts_once_a_channel_in_torchinfo() -> None:
    """nn.PReLU() has one slope for all channels, a spec's one for each: 8 are counted where 1 was measured."""
    single = Single("prelu", (0, 0, 1600, 0, 800, 8, 800, 0))
    assert tuple(count(single, key) for key in KEYS[:8]) == single.printed


@pytest.mark.parametrize("measured", LAYERS, ids=lambda measured: f"{measured['layer']} {measured['input']}")
def test_measured_layer(measured: dict[str, Any]) -> None:
    single = Single(measured["layer"], (), measured["input"])
    assert {key: count(single, key) for key in measured["printed"]} == measured["printed"]


@pytest.mark.parametrize(
    ("layer", "key"),
    [
        ("experts: {count: 4, top: 2, width: 6}", "torch"),
        ("experts: 4", "deepspeed"),
        ("sdpa: [identity, identity, identity]", "onnx_tool"),
        ('einsum: {equation: "ij,jk->ik", branches: [identity, {permute: [1, 0]}]}', "fvcore"),
    ],
)
def test_a_tool_whose_rule_is_not_known_has_no_number(layer: str, key: str) -> None:
    with pytest.raises(
        SpecError, match=rf"CC742: {key}: no number for .*: no rule for {layer.split(':', 1)[0]} is known"
    ):
        count(Single(layer, (), "[5, 8]"), key)
