"""Bytes of weights: elements worked out by hand, widths of the number formats from their definitions."""

from __future__ import annotations

import pytest

import convcalc

NET = """\
input: [3, 8, 8]
layers:
  - {conv: {out: 5, kernel: 3, norm: batch, bias: true}, name: stem}
  - {seq: [conv: [5, 1]], repeat: 2, tie: true, name: shared}
"""
STEM, NORM, SHARED = 5 * 3 * 9 + 5, 4 * 5, 5 * 5 + 5
BYTES = {"float64": 8, "float32": 4, "float16": 2, "bfloat16": 2, "int8": 1, "fp8": 1}


@pytest.mark.parametrize(("dtype", "width"), BYTES.items(), ids=list(BYTES))
def test_weights_buffers_and_shared_weights_once(dtype: str, width: int) -> None:
    report = convcalc.load(text=NET).report(dtype=dtype)
    rows = {row.path: row.values["weight_bytes"] for row in report.rows}
    assert rows == {
        "stem": STEM * width,
        "stem.norm": NORM * width,
        "shared1.conv1": SHARED * width,
        "shared2.conv1": 0,
    }
    assert report.totals["weight_bytes"] == sum(rows.values())


def test_half_bytes_are_filled_up_in_every_layer() -> None:
    report = convcalc.load(text="input: [3, 1, 1]\nlayers: [conv: {out: 1, kernel: 1, bias: false}]").report(
        dtype="int4"
    )
    assert report.totals["weight_bytes"] == 2


def test_weights_do_not_grow_with_the_batch() -> None:
    network = convcalc.load(text=NET)
    assert network.report(batch=16).totals["weight_bytes"] == network.report().totals["weight_bytes"]
