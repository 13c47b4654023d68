"""Attention written as products, as one layer; and the order of layers."""

from __future__ import annotations

import pytest

import convcalc
from convcalc.metrics.registry import core_metrics
from convcalc.recovery import changed_metrics, recover
from tests.recovery.recovered import of_text, require_equal, totals

PACKED = """
input: [6, 8]
layers:
  - {linear: 24, name: qkv}
  - {reshape: [6, 3, 2, 4]}
  - {permute: [1, 2, 0, 3], name: parts}
  - sdpa:
      - [slice: {stop: 1}, reshape: [2, 6, 4]]
      - [{from: parts}, slice: {start: 1, stop: 2}, reshape: [2, 6, 4]]
      - [{from: parts}, slice: {start: 2}, reshape: [2, 6, 4]]
  - permute: [1, 0, 2]
  - reshape: [6, 8]
  - linear: 8
"""
HEADS = "{reshape: [%d, 2, 4]}, permute: [1, 0, 2]"
APART = f"""
inputs: {{x: [6, 8], y: [5, 8]}}
layers:
  - matmul:
      - - matmul:
            - [{{from: x}}, linear: 8, {HEADS % 6}]
            - [{{from: y}}, linear: 8, {{reshape: [5, 2, 4]}}, permute: [1, 2, 0]]
        - {{norm_place}}softmax
      - [{{from: y}}, {{linear: {{out: 8, bias: false}}}}, {HEADS % 5}]
  - permute: [1, 0, 2]
  - reshape: [6, 8]
  - linear: 8
"""


def apart(place: str = "") -> str:
    return APART.replace("{norm_place}", place)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (PACKED, "attention: 2"),
        (PACKED.replace("linear: 24,", "linear: {out: 24, bias: false},"), "bias: [false, false, false, true]"),
        (apart(), "attention: {heads: 2, bias: [true, true, false, true], kv: y}"),
        (
            apart("add: [identity, [param: [9, 2], gather: [30], reshape: [2, 6, 5]]]\n        - "),
            "attention: {heads: 2, bias: [true, true, false, true], position_bias: 9, kv: y}",
        ),
    ],
)
def test_products_become_one_layer(text: str, expected: str) -> None:
    graph = of_text(text)
    recovered = recover(graph)
    assert expected in recovered
    made = of_text(recovered)
    wanted, found = totals(graph), totals(made)
    assert {key: found[key] for key in ("params", "macs", "activations")} == {
        key: wanted[key] for key in ("params", "macs", "activations")
    }
    assert recover(made) == recovered, "a fixed point"
    require_equal(recover(graph, flat=True), graph)
    assert set(changed_metrics(graph, recovered)) <= {
        "output_elements", "training_bytes", "traffic_bytes", "peak_activation_bytes", "inference_bytes", "flops",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "old", "new"),
    [
        (PACKED, "linear: 24, name: qkv}", "linear: {out: 24, act: gelu}, name: qkv}"),
        (PACKED, "- linear: 8", "- {linear: 8, name: o}\noutputs: [o, parts]"),
        (PACKED, "- permute: [1, 0, 2]\n", "- {scale: channel}\n  - permute: [1, 0, 2]\n"),
        (apart("add: [identity, from: mask]\n        - "), "y: [5, 8]", "y: [5, 8], mask: [2, 6, 5]"),
    ],
)
def test_what_is_not_the_same_stays(text: str, old: str, new: str) -> None:
    assert old in text
    graph = of_text(text.replace(old, new, 1))
    recovered = recover(graph)
    assert "attention" not in recovered
    require_equal(recovered, graph)


def test_one_window_is_a_window_as_several_are() -> None:
    """The second picture has a single window, without an axis for it."""
    windows = (
        "inputs: {{x: [14, 14, 8]}}\nlayers:\n  - reshape: [2, 7, 2, 7, 8]\n  - permute: [0, 2, 1, 3, 4]\n"
        "  - reshape: [4, 49, 8]\n  - attention: 2\n  - reshape: [14, 14, 8]\n  - slice: {{stop: 7}}\n"
        "  - slice: {{axis: 1, stop: 7}}\n{}"
    )
    products = PACKED[PACKED.index("  - {linear: 24") :].replace("[6, ", "[49, ").replace(", 6, 4]", ", 49, 4]")
    text = windows.format("  - reshape: [49, 8]\n" + products + "  - reshape: [7, 7, 8]\n")
    recovered = recover(of_text(text))
    assert "reshape: [1, 49, 8]" in recovered
    assert of_text(recovered).layers[-1].shape == (7, 7, 8)


@pytest.mark.parametrize(
    ("left", "right", "join"),
    [(16, 64, "concat"), (64, 16, "concat"), (16, 16, "add"), (16, 16, "mul")],
)
def test_the_order_needs_as_much_memory(left: int, right: int, join: str) -> None:
    """The branch that is written last is made first."""
    graph = of_text(
        f"input: [8, 16, 16]\nlayers: [{{conv: [64, 1], name: a}}, {{conv: [{left}, 1], name: a2}}, "
        f"{{conv: [8, 1], name: b, from: input}}, {{conv: [{right}, 1], name: b2}}, "
        f"{join}: [{{from: b2}}, {{from: a2}}]]"
    )
    assert changed_metrics(graph, recover(graph)) == ()


@pytest.mark.parametrize("name", ["cspdarknet53", "unet", "resnet50", "densenet", "yolov3", "inception_v3"])
def test_all_metrics_of_bundled_networks(name: str) -> None:
    graph = convcalc.load(f"zoo:{name}").graph
    made = of_text(recover(graph))
    for key, measure in core_metrics().items():
        assert measure.values(made)[1] == measure.values(graph)[1], key
