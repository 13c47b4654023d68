"""Multiplies and operations, against counting by hand."""

from __future__ import annotations

import pytest

from tests.metrics.counted import report


@pytest.mark.parametrize(
    ("layer", "entering", "macs"),
    [
        # N·Co·(Ci/g)·K·Po
        ("conv: [64, 3]", "[3, 32, 32]", 64 * 3 * 9 * 30 * 30),
        ("conv: {out: 64, kernel: 3, padding: 1}", "[3, 32, 32]", 64 * 3 * 9 * 32 * 32),  # zeros are multiplied too
        ("conv: {out: 64, kernel: 3, groups: 4, padding: 1}", "[16, 32, 32]", 64 * 4 * 9 * 32 * 32),
        ("conv: {out: 64, kernel: 5, stride: 2}", "[3, 100]", 64 * 3 * 5 * 48),
        ("conv: {out: 8, kernel: 3, padding: 1}", "[4, 6, 7, 9]", 8 * 4 * 27 * 6 * 7 * 9),
        ("conv: {out: 55, kernel: 5, padding: half, weight_sharing: channels}", "[200, 30, 40]", 55 * 200 * 25 * 1200),
        ("dwconv: {kernel: 3, padding: 1}", "[32, 14, 14]", 32 * 9 * 14 * 14),
        # rows·Fin·Fout
        ("linear: 10", "[84]", 840),
        ("linear: 10", "[7, 84]", 7 * 840),
        ("linear: {out: 10, axis: -1}", "[3, 7, 84]", 21 * 840),
        # four projections of 197 rows, and 2·N·Sq·Sk·E
        ("attention: 12", "[197, 768]", 4 * 197 * 768 * 768 + 2 * 197 * 197 * 768),
        # 9 windows, each attended alone
        ("attention: 4", "[9, 10, 32]", 9 * (4 * 10 * 32 * 32 + 2 * 10 * 10 * 32)),
        # steps·gates·H·(I + H), for each direction; above the first layer 2·H enter
        ("lstm: 20", "[7, 10]", 7 * 4 * 20 * 30),
        ("gru: 20", "[7, 10]", 7 * 3 * 20 * 30),
        ("rnn: 20", "[7, 10]", 7 * 20 * 30),
        ("gru: {hidden: 20, layers: 2, bidirectional: true}", "[7, 10]", 2 * 7 * 3 * 20 * 30 + 2 * 7 * 3 * 20 * 60),
        ("custom: {params: 17, macs: 5}", "[4]", 5),
        # what is not counted
        ("norm: batch", "[64, 7, 7]", 0),
        ("gelu", "[64, 7, 7]", 0),
        ("maxpool: 2", "[64, 8, 8]", 0),
        ("softmax", "[1000]", 0),
        ("upsample: {scale: 2, mode: bilinear}", "[64, 7, 7]", 0),
        ("embedding: [1000, 64]", "[12]", 0),
        ("scale: channel", "[64, 7, 7]", 0),
    ],
)
def test_multiplies(layer: str, entering: str, macs: int) -> None:
    totals = report(f"- {layer}", input=entering).totals
    assert totals["macs"] == macs
    assert totals["flops"] == 2 * macs


def test_a_transposed_convolution_multiplies_at_its_input_positions() -> None:
    """By output positions it would be four times as much at stride 2."""
    totals = report("- deconv: [16, 4, 2]", input="[8, 10, 10]").totals
    assert totals["macs"] == 8 * 16 * 16 * 10 * 10
    grouped = report("- deconv: {out: 16, kernel: 4, stride: 2, groups: 4}", input="[8, 10, 10]").totals
    assert grouped["macs"] == 8 * 4 * 16 * 10 * 10


def test_a_convolution_and_its_transpose_multiply_alike() -> None:
    """The transpose maps the output's shape back to the input's, with the same products."""
    forward = report("- conv: {out: 16, kernel: 4, stride: 2, bias: false}", input="[8, 22, 22]")
    backward = report("- deconv: {out: 8, kernel: 4, stride: 2, bias: false}", input="[16, 10, 10]")
    assert next(iter(forward.outputs.values())) == (16, 10, 10)
    assert next(iter(backward.outputs.values())) == (8, 22, 22)
    assert forward.totals["macs"] == backward.totals["macs"]
    assert forward.totals["params"] == backward.totals["params"]


def test_products_of_two_activations_are_counted() -> None:
    """B·m·k·n, with leading axes that broadcast."""
    assert report("- matmul: [{from: x}, {from: y}]", x="[5, 8]", y="[8, 6]").totals["macs"] == 5 * 8 * 6
    assert report("- matmul: [{from: x}, {from: y}]", x="[4, 1, 5, 8]", y="[1, 3, 8, 6]").totals["macs"] == 12 * 240


def test_products_element_by_element_are_not() -> None:
    assert report("- mul: [{from: x}, {from: y}]", x="[5, 8]", y="[5, 8]").totals["macs"] == 0


def test_keys_from_elsewhere() -> None:
    """5 queries of 8 features over 7 keys made from 6 features."""
    totals = report("- attention: {heads: 2, kv: y}", x="[5, 8]", y="[7, 6]").totals
    assert totals["macs"] == 5 * 8 * 8 + 2 * 7 * 6 * 8 + 2 * 5 * 7 * 8 + 5 * 8 * 8


@pytest.mark.parametrize("batch", [1, 2, 64])
def test_multiplies_grow_with_the_batch(batch: int) -> None:
    counted = report("- conv: [64, 3]\n- flatten\n- linear: 10", input="[3, 32, 32]", batch=batch)
    assert counted.totals["macs"] == batch * (64 * 3 * 9 * 900 + 64 * 900 * 10)
    assert [row.values["macs"] for row in counted.rows] == [batch * 64 * 3 * 9 * 900, 0, batch * 64 * 900 * 10]
    assert counted.totals["flops"] == 2 * counted.totals["macs"]


def test_counts_are_exact_at_any_size() -> None:
    side = 10**9
    totals = report(f"- conv: {{out: {10**6}, kernel: 3, padding: 1}}", input=f"[{10**6}, {side}, {side}]").totals
    assert totals["macs"] == 9 * 10**12 * 10**18
