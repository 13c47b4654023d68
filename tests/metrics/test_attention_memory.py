"""What attention holds inside: what PyTorch keeps of it, and the same network written out layer by layer."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

import convcalc
from tests.conftest import ROOT
from tests.metrics.counted import report

MEASURED = json.loads((ROOT / "tests/reference/attention_state.json").read_text("utf-8"))["kept"]
WIDTHS = {"float32": 4, "bfloat16": 2}


@pytest.mark.parametrize("measured", MEASURED)
def test_training_keeps_what_pytorch_keeps(measured: str) -> None:
    """PyTorch keeps the input, which is the output of a layer before; of the layer itself its output is counted."""
    via, heads, n, d, dtype = measured.split()
    text = f"input: [{n}, {d}]\nlayers: [{{attention: {heads}, via: {via}}}]"
    totals = convcalc.load(text=text).report(dtype=dtype).totals
    assert totals["training_bytes"] - 4 * WIDTHS[dtype] * totals["params"] == MEASURED[measured]


def test_gpt_2_at_1024_tokens() -> None:
    assert MEASURED["fused 12 1024 768 float32"] == 5 * 4 * 1024 * 768 + 4 * 12 * 1024 == 15_777_792
    assert MEASURED["module 12 1024 768 float32"] == 6 * 4 * 1024 * 768 + 4 * 12 * 1024 * 1024 == 69_206_016


WRITTEN_OUT = """\
- {linear: 6, name: q, from: in}
- {linear: 6, name: k, from: in}
- {linear: 6, name: v, from: in}
- {permute: [1, 0], name: kt, from: k}
- {matmul: [{from: q}, {from: kt}], name: scores}
- {softmax: , name: soft}
- {matmul: [{from: soft}, {from: v}], name: context}
- {linear: 5, name: y}
"""
AFTER = {"chain": "- relu", "residual": "- add: [identity, {from: in}]"}


@pytest.mark.parametrize("after", AFTER)
@given(n=st.integers(6, 40))
def test_the_peak_is_that_of_the_network_written_out(after: str, n: int) -> None:
    """With one head, and with more tokens than features, so that turning the keys is not the peak."""

    def peak(layers: str) -> int:
        whole = f"- {{linear: 5, name: in}}\n{layers}{AFTER[after]}"
        return int(report(whole, input=f"[{n}, 3]").totals["peak_activation_bytes"])

    assert peak("- {attention: {heads: 1, head_dim: 6}, name: y}\n") == peak(WRITTEN_OUT)


def test_one_kernel_holds_no_scores() -> None:
    """4 heads of 3, 2 of keys and of values; 20 tokens and 7 before: the input is gone when the kernel runs."""
    layer = "- {{attention: {{heads: 4, kv_heads: 2, head_dim: 3, past: 7}}, via: {}}}"
    q, keys_and_values, log_sums, scores = 20 * 12, 2 * 27 * 6, 20 * 4, 4 * 20 * 27
    for via in ("fused", "fast_path"):
        totals = report(layer.format(via), input="[20, 5]").totals
        assert totals["peak_activation_bytes"] == 4 * (q + keys_and_values + q + log_sums)
    by_hand = report(layer.format("operator"), input="[20, 5]").totals["peak_activation_bytes"]
    assert by_hand == 4 * (27 * 6 + 2 * scores)


def test_sdpa_is_one_kernel() -> None:
    """Queries [4, 20, 6], keys and values [2, 9, 6]; log-sums in 32 bits, as kernels have them."""
    layers = "- {sdpa: [{from: q}, {from: k}, {from: v}], name: s}"
    network = "inputs: {q: [4, 20, 6], k: [2, 9, 6], v: [2, 9, 6]}\nlayers:\n" + layers
    output, read, log_sums = 4 * 20 * 6, 4 * 20 * 6 + 2 * 2 * 9 * 6, 4 * 20
    for dtype, width in {"float64": 8, **WIDTHS}.items():
        totals = convcalc.load(text=network).report(dtype=dtype).totals
        assert totals["training_bytes"] == width * output + max(width, 4) * log_sums
        assert totals["peak_activation_bytes"] == width * (output + read) + max(width, 4) * log_sums


@pytest.mark.parametrize("via", ["operator", "fused"])
@pytest.mark.parametrize("n", [3, 30])
def test_tensors_alive_add_up_to_the_peak(n: int, via: str) -> None:
    text = f"input: [{n}, 8]\nlayers: [add: [identity, {{attention: 2, via: {via}, name: a}}], linear: 2]"
    found = convcalc.load(text=text).report(batch=3, detailed=["peak"]).peak
    assert found is not None
    assert sum(tensor.bytes for tensor in found.alive) == found.bytes
    assert [tensor.name for tensor in found.alive if tensor.name.startswith("a ")] == ["a (inside)"]
