"""Transposed and three-dimensional layers as PyTorch 2.14 was measured to run them, row by row."""

from __future__ import annotations

import pytest

import convcalc

ROWS = [
    # layer, input, output, params, multiplies
    ("deconv: [512, 2, 2]", [1024, 28, 28], (512, 56, 56), 2_097_664, 1_644_167_168),
    ("deconv: [256, 2, 2]", [512, 52, 52], (256, 104, 104), 524_544, 1_417_674_752),
    ("deconv: [128, 2, 2]", [256, 100, 100], (128, 200, 200), 131_200, 1_310_720_000),
    ("deconv: [64, 2, 2]", [128, 196, 196], (64, 392, 392), 32_832, 1_258_815_488),
    ("deconv: [8, 2, 2]", [16, 16, 16, 16], (8, 32, 32, 32), 1_032, 4_194_304),
    ("conv: {out: 8, kernel: 3, padding: 1}", [1, 32, 32, 32], (8, 32, 32, 32), 224, 7_077_888),
    ("conv: {out: 16, kernel: 3, padding: 1}", [8, 16, 16, 16], (16, 16, 16, 16), 3_472, 14_155_776),
    ("conv: [3, 1]", [16, 32, 32, 32], (3, 32, 32, 32), 51, 1_572_864),
    ("conv: {out: 64, kernel: 4, stride: 2, padding: 1, bias: false}", [3, 64, 64], (64, 32, 32), 3_072, 3_145_728),
    ("conv: {out: 1, kernel: 4, bias: false}", [512, 4, 4], (1, 1, 1), 8_192, 8_192),
]


@pytest.mark.parametrize(("layer", "entering", "leaving", "params", "macs"), ROWS)
def test_a_layer(layer: str, entering: list[int], leaving: tuple[int, ...], params: int, macs: int) -> None:
    (row,) = convcalc.load(text=f"input: {entering}\nlayers:\n  - {layer}\n").report().rows
    assert (row.output_shape, row.values["params"], row.values["macs"]) == (leaving, params, macs)


def test_a_network_in_three_dimensions() -> None:
    """A U-Net of one level: the skip from the first layer meets the upsampled second in the last."""
    text = """\
input: [1, 32, 32, 32]
layers:
  - {conv: {out: 8, kernel: 3, padding: 1, act: relu}, name: a}
  - maxpool: 2
  - {conv: {out: 16, kernel: 3, padding: 1, act: relu}, name: b}
  - {deconv: [8, 2, 2], name: up}
  - concat: [identity, {from: a}]
  - {conv: [3, 1], name: c}
"""
    report = convcalc.load(text=text).report()
    assert report.outputs == {"c": (3, 32, 32, 32)}
    totals = report.totals
    assert (totals["params"], totals["macs"], totals["activations"]) == (4_779, 27_000_832, 688_128)
