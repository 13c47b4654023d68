"""Elements that layers put out, against counting by hand."""

from __future__ import annotations

import pytest

from tests.metrics.counted import report


@pytest.mark.parametrize(
    ("layer", "entering", "activations"),
    [
        ("conv: {out: 64, kernel: 3, padding: 1, norm: batch, act: relu}", "[3, 32, 32]", 64 * 32 * 32),
        ("deconv: [16, 4, 2]", "[8, 10, 10]", 16 * 22 * 22),
        ("linear: 10", "[7, 84]", 7 * 10),
        # q, k, v, scores heads·N·L, context, output
        ("attention: 12", "[197, 768]", 3 * 197 * 768 + 12 * 197 * 197 + 2 * 197 * 768),
        # 2 key–value heads of 8: k and v are 10 × 16; 9 windows
        ("attention: {heads: 4, kv_heads: 2}", "[9, 10, 32]", 9 * (320 + 2 * 160 + 4 * 100 + 320 + 320)),
        # steps·hidden per direction and stacked layer
        ("lstm: 20", "[7, 10]", 7 * 20),
        ("gru: {hidden: 20, layers: 3, bidirectional: true}", "[7, 10]", 6 * 7 * 20),
        ("custom: {out: [6], macs: 5}", "[4]", 6),
        # layers without multiplies
        ("custom: {out: [6], params: 5}", "[4]", 0),
        ("norm: batch", "[64, 7, 7]", 0),
        ("maxpool: 2", "[64, 8, 8]", 0),
        ("embedding: [1000, 64]", "[12]", 0),
    ],
)
def test_activations(layer: str, entering: str, activations: int) -> None:
    assert report(f"- {layer}", input=entering).totals["activations"] == activations


def test_keys_from_elsewhere() -> None:
    """q 5 × 8, k and v 7 × 8, scores of 2 heads 5 × 7, context and output 5 × 8."""
    counted = report("- attention: {heads: 2, kv: y}", x="[5, 8]", y="[7, 6]")
    assert counted.totals["activations"] == 40 + 56 + 56 + 70 + 40 + 40


def test_products_of_activations_put_out_too() -> None:
    assert report("- matmul: [{from: x}, {from: y}]", x="[1, 5, 8]", y="[3, 8, 6]").totals["activations"] == 3 * 5 * 6


def test_output_elements_are_those_of_every_layer() -> None:
    counted = report("- conv: {out: 4, kernel: 3, act: relu}\n- maxpool: 2\n- flatten\n- linear: 10", input="[3, 8, 8]")
    assert [row.values["output_elements"] for row in counted.rows] == [144, 144, 36, 36, 10]
    assert counted.totals["output_elements"] == 370
    assert counted.totals["activations"] == 154


def test_both_grow_with_the_batch() -> None:
    counted = report("- conv: {out: 4, kernel: 3, act: relu}", input="[3, 8, 8]", batch=5)
    assert (counted.totals["activations"], counted.totals["output_elements"]) == (5 * 144, 5 * 288)
