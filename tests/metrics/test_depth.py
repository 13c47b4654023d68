"""Weighted layers and nonlinearities on the longest path."""

from __future__ import annotations

import pytest

from tests.metrics.counted import report


@pytest.mark.parametrize(
    ("layer", "entering", "depth"),
    [
        ("conv: {out: 4, kernel: 1, norm: batch, act: relu}", "[3, 8, 8]", 1),
        ("deconv: [4, 2, 2]", "[3, 8, 8]", 1),
        ("linear: 4", "[3]", 1),
        ("attention: 2", "[5, 8]", 2),  # q, k and v stand side by side; the output projection follows
        ("lstm: 4", "[5, 8]", 1),
        ("lstm: {hidden: 4, layers: 3}", "[5, 8]", 3),
        ("gru: {hidden: 4, layers: 2, bidirectional: true}", "[5, 8]", 2),
        ("norm: batch", "[3, 8, 8]", 0),
        ("embedding: [10, 4]", "[5]", 0),
        ("maxpool: 2", "[3, 8, 8]", 0),
        ("custom: {params: 3, macs: 3}", "[3]", 0),
    ],
)
def test_depth_of_a_layer(layer: str, entering: str, depth: int) -> None:
    assert report(f"- {layer}", input=entering).totals["depth"] == depth


def test_a_product_of_activations_has_no_weights() -> None:
    assert report("- matmul: [{from: x}, {from: y}]", x="[5, 8]", y="[8, 6]").totals["depth"] == 0


BRANCHES = """
- {conv: [4, 1], name: stem}
- concat:
    - conv: [4, 1]
    - [conv: {out: 4, kernel: 1, act: relu}, conv: {out: 4, kernel: 1, act: relu}, conv: [4, 1]]
    - [relu, relu, relu, relu]
- conv: {out: 4, kernel: 1, act: relu}
"""


def test_the_longest_path_counts() -> None:
    """The stem, three convolutions of the second branch, the last layer; four activations of the third, one behind."""
    totals = report(BRANCHES, input="[3, 8, 8]").totals
    assert (totals["depth"], totals["nonlinearities"]) == (1 + 3 + 1, 4 + 1)


def test_a_shortcut_does_not_shorten() -> None:
    block = "- {add: [identity, [conv: {out: 4, kernel: 1, act: relu}, conv: [4, 1]]], repeat: 3}"
    totals = report(block, input="[4, 8, 8]").totals
    assert (totals["depth"], totals["nonlinearities"]) == (6, 3)


def test_the_longest_path_may_end_before_the_last_layer() -> None:
    layers = "- {conv: [4, 1], repeat: 3, name: long}\n- {conv: [4, 1], from: input}\n"
    assert report(layers, input="[4, 8, 8]").totals["depth"] == 3


def test_a_parameter_begins_a_path_of_its_own() -> None:
    """It ignores what enters, so the layers before it are not on its path."""
    layers = "- {conv: [4, 1], repeat: 3}\n- {param: [4, 8, 8]}\n- {conv: [4, 1], name: last}"
    assert report(layers, input="[4, 8, 8]").totals["depth"] == 3


def test_keys_from_elsewhere_lengthen_the_path() -> None:
    layers = """
        - {seq: [linear: 6, linear: 6, linear: 6], from: y, name: made}
        - {attention: {heads: 2, kv: made}, from: x}
    """
    assert report(layers, x="[5, 8]", y="[7, 6]").totals["depth"] == 3 + 2


def test_every_activation_is_a_nonlinearity_and_no_softmax() -> None:
    assert report("- [relu, gelu, prelu, act: silu, softmax, dropout: 0.5]", input="[8]").totals["nonlinearities"] == 4


def test_neither_grows_with_the_batch() -> None:
    totals = report(BRANCHES, input="[3, 8, 8]", batch=7).totals
    assert (totals["depth"], totals["nonlinearities"]) == (5, 5)


def test_an_empty_network_has_no_depth() -> None:
    totals = report("- identity", input="[8]").totals
    assert (totals["depth"], totals["nonlinearities"], totals["params"], totals["macs"]) == (0, 0, 0, 0)
