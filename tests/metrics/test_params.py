"""Learnable weights and buffers, against counting by hand; shared weights count once."""

from __future__ import annotations

import pytest

import convcalc
from tests.metrics.counted import report


@pytest.mark.parametrize(
    ("layer", "entering", "params"),
    [
        # k·k·(Ci/g)·Co + Co
        ("conv: [64, 3]", "[3, 32, 32]", 3 * 3 * 3 * 64 + 64),
        ("conv: {out: 64, kernel: [1, 7], groups: 4, bias: false}", "[16, 32, 32]", 7 * 4 * 64),
        ("conv: {out: 64, kernel: 3, norm: batch}", "[3, 32, 32]", 3 * 3 * 3 * 64 + 2 * 64),  # no bias before a norm
        ("conv: {out: 64, kernel: 3, norm: batch, bias: true}", "[3, 32, 32]", 3 * 3 * 3 * 64 + 64 + 2 * 64),
        ("conv: {out: 55, kernel: 5, weight_sharing: channels, bias: false}", "[200, 30, 40]", 25 * 55),
        ("deconv: [512, 2, 2]", "[1024, 28, 28]", 1024 * 512 * 4 + 512),
        ("linear: 10", "[84]", 84 * 10 + 10),
        ("norm: batch", "[64, 7, 7]", 2 * 64),
        ("norm: {type: batch, affine: false}", "[64, 7, 7]", 0),
        ("norm: {type: group, groups: 8}", "[64, 7, 7]", 2 * 64),
        ("norm: instance", "[64, 7, 7]", 0),
        ("norm: {type: instance, affine: true}", "[64, 7, 7]", 2 * 64),
        ("norm: {type: layer, axis: [1, 2]}", "[64, 7, 5]", 2 * 7 * 5),
        ("norm: layer", "[196, 768]", 2 * 768),
        ("norm: rms", "[196, 768]", 768),
        ("norm: lrn", "[64, 7, 7]", 0),
        ("prelu", "[64, 7, 7]", 64),
        ("relu", "[64, 7, 7]", 0),
        ("embedding: [1000, 64]", "[12]", 1000 * 64),
        ("param: [3, 5]", "[2]", 15),
        ("scale: channel", "[64, 7, 7]", 64),
        ("scale: scalar", "[64, 7, 7]", 1),
        # four projections of 768 × 768 with their biases
        ("attention: 12", "[197, 768]", 4 * (768 * 768 + 768)),
        # 8 query heads of 4, 2 key–value heads: q and o 32 × 32, k and v 32 × 8
        ("attention: {heads: 8, kv_heads: 2}", "[10, 32]", 2 * (32 * 32 + 32) + 2 * (32 * 8 + 8)),
        # gates·(H·I + H·H + 2·H)
        ("lstm: 20", "[7, 10]", 4 * (20 * 10 + 20 * 20 + 2 * 20)),
        ("gru: 20", "[7, 10]", 3 * (20 * 10 + 20 * 20 + 2 * 20)),
        ("rnn: {hidden: 20, bias: false}", "[7, 10]", 20 * 10 + 20 * 20),
        # above the first layer both directions enter: 2·H
        (
            "lstm: {hidden: 20, layers: 2, bidirectional: true}",
            "[7, 10]",
            2 * 4 * (20 * 10 + 20 * 20 + 40) + 2 * 4 * (20 * 40 + 20 * 20 + 40),
        ),
        ("custom: {params: 17, macs: 5}", "[4]", 17),
    ],
)
def test_params(layer: str, entering: str, params: int) -> None:
    assert report(f"- {layer}", input=entering).totals["params"] == params


def test_params_do_not_grow_with_the_batch() -> None:
    totals = report("- conv: {out: 4, kernel: 1, norm: batch}", input="[3, 8, 8]", batch=32).totals
    assert (totals["params"], totals["buffers"]) == (3 * 4 + 2 * 4, 2 * 4)


def test_buffers_are_running_means_and_variances() -> None:
    """2·C for a batch norm, learned scale or not; the other norms remember nothing."""
    counted = report(
        """
        - {norm: batch, name: batch}
        - {norm: {type: batch, affine: false}, name: plain}
        - {norm: {type: group, groups: 2}, name: group}
        - {norm: instance, name: instance}
        """,
        input="[8, 5, 5]",
    )
    assert {row.path: row.values["buffers"] for row in counted.rows} == {
        "batch": 16,
        "plain": 16,
        "group": 0,
        "instance": 0,
    }
    assert counted.totals["buffers"] == 32


SHARED_HEAD = """
- {conv: {out: 32, kernel: 3, stride: 2, padding: 1}, name: stem}
- {conv: {out: 32, kernel: 3, stride: 2, padding: 1}, name: down1}
- {conv: {out: 32, kernel: 3, stride: 2, padding: 1}, name: down2}
- {seq: [{conv: {out: 32, kernel: 3, padding: 1, act: relu}, name: a}, {conv: {out: 36, kernel: 3, padding: 1}, name: b}], name: p1, from: stem}
- {seq: [{conv: {out: 32, kernel: 3, padding: 1, act: relu}, name: a, tie: p1.a}, {conv: {out: 36, kernel: 3, padding: 1}, name: b, tie: p1.b}], name: p2, from: down1}
- {seq: [{conv: {out: 32, kernel: 3, padding: 1, act: relu}, name: a, tie: p1.a}, {conv: {out: 36, kernel: 3, padding: 1}, name: b, tie: p2.b}], name: p3, from: down2}
"""  # noqa: E501 - three times the same line


def test_weights_called_at_several_places_count_once_their_multiplies_at_each() -> None:
    """A detection head on three scales, as it was measured: 39,044 params, 603,095,040 multiplies."""
    counted = report(SHARED_HEAD, input="[3, 256, 320]")
    assert counted.totals["params"] == 39_044
    assert counted.totals["macs"] == 603_095_040
    assert counted.totals["activations"] == 2_688_000
    rows = {row.path: row for row in counted.rows}
    assert [rows[f"p{scale}.b"].values["params"] for scale in (1, 2, 3)] == [10_404, 0, 0]
    assert [rows[f"p{scale}.b"].tied_to for scale in (1, 2, 3)] == [None, "p1.b", "p1.b"]
    assert [rows[f"p{scale}.b"].values["macs"] for scale in (1, 2, 3)] == [212_336_640, 53_084_160, 13_271_040]


def test_shared_norms_share_their_buffers() -> None:
    counted = report("- {norm: batch, repeat: 3, tie: true}", input="[8, 5, 5]")
    assert (counted.totals["params"], counted.totals["buffers"]) == (16, 16)
    assert [row.values["buffers"] for row in counted.rows] == [16, 0, 0]


def test_rows_add_up() -> None:
    counted = report(SHARED_HEAD, input="[3, 256, 320]")
    for column in counted.columns:
        if column.is_additive:
            assert sum(row.values[column.key] for row in counted.rows) == counted.totals[column.key]


@pytest.mark.parametrize(
    ("slopes", "entering", "count"),
    [("1", "[4, 5]", 1), ("4", "[4, 5]", 4), ("[1, 5]", "[4, 5]", 5), ("[4, 1, 1]", "[4, 5, 6]", 4), ("[6]", "[6]", 6)],
)
def test_slopes_of_prelu_broadcast(slopes: str, entering: str, count: int) -> None:
    """nn.PReLU() has 1, nn.PReLU(4) 4; ONNX's PRelu has the shape that it is given."""
    report = convcalc.load(text=f"input: {entering}\nlayers: [act: {{type: prelu, slopes: {slopes}}}]\n").report()
    assert report.rows[0].values["params"] == count
    assert report.rows[0].values["buffers"] == 0


def test_prelu_says_how_many_slopes_it_has() -> None:
    report = convcalc.load(text="input: [4, 5]\nlayers: [prelu, act: {type: prelu, slopes: 1}, relu]\n").report()
    assert [row.summary for row in report.rows] == ["prelu, 4 slopes", "prelu, 1 slope", "relu"]
    assert [row.attributes for row in report.rows] == [
        {"type": "prelu", "slopes": (4,)},
        {"type": "prelu", "slopes": (1,)},
        {"type": "relu"},
    ]
