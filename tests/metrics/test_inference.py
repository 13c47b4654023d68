"""What has to fit in memory to run: the sum of three numbers, however they are counted."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

import convcalc
from tests.conftest import Command

PARTS = ("weight_bytes", "cache_bytes", "peak_activation_bytes")
TEXT = """\
input: n
vars: {n: 1, past: 7, dim: 8, depth: 2, experts: 4, w: 5}
defaults: {linear: {bias: false}, attention: {mask: causal}}
layers:
  - {embedding: [11, dim], name: table}
  - repeat: depth
    name: layer
    seq:
      - {attention: {heads: 2, kv_heads: 1, past: past, window: w}, name: att}
      - {seq: [linear: 3, cache: past, reshape: [(past + n)*3], slice: {stop: n}, reshape: [n, 1]], name: kept}
      - mul: [{from: att}, identity]
      - add: [{each: 2, of: experts, name: expert, seq: [linear: dim]}]
  - {linear: 11, tie: table}
"""


@pytest.mark.parametrize("dtype", ["float32", "weights=int4g4,cache=fp8,bfloat16"])
def test_it_is_the_sum_of_weights_caches_and_the_peak(dtype: str) -> None:
    axes: dict[str, Any] = {"n": [1, 6], "past": [0, 9], "depth": [1, 3], "experts": [2, 8], "batch": [1, 5]}
    table = convcalc.load(text=TEXT).sweep(metrics=("inference_bytes", *PARTS), dtype=dtype, **axes)
    for place, point in enumerate(itertools.product(*axes.values())):
        given = dict(zip(axes, point, strict=True))
        batch = given.pop("batch")
        totals = convcalc.load(text=TEXT, set=given).report(batch=batch, dtype=dtype).totals
        assert totals["inference_bytes"] == sum(totals[key] for key in PARTS) == table["inference_bytes"][place]


def test_the_cache_of_every_layer_and_the_weights_of_every_expert() -> None:
    """By hand, in float32: two layers of 1 token behind 7, of which an attention keeps 5 and `cache` all 8."""
    head = 4  # dim / heads
    attention = 8 * 8 + 8 * head + 8 * head + 8 * 8 + 8 + head + head + 8
    weights = 11 * 8 + 2 * (attention + 8 * 3 + 4 * 8 * 8)
    caches = 2 * (5 * (head + head) + 8 * 3)
    totals = convcalc.load(text=TEXT).report().totals
    assert totals["inference_bytes"] - totals["peak_activation_bytes"] == 4 * (weights + caches)


def test_the_largest_batch_that_fits(cli: Command) -> None:
    """Llama-3-8B in bf16 with 8,192 tokens a sample: 131,072 bytes of cache each, weights once."""
    words = ("--for", "batch=1..4096", "--set", "past=8191", "--dtype", "bfloat16", "--max", "inference_bytes=80GB")
    found = json.loads(cli("solve", "zoo:llama3@decode", *words, "--json").stdout)["solution"]
    batch, needed = found["values"]["batch"], found["metrics"]["inference_bytes"]
    network = convcalc.load("zoo:llama3@decode", set={"past": 8191})
    one = network.report(dtype="bfloat16").totals["peak_activation_bytes"]
    assert needed == 2 * 8_030_261_248 + batch * (8192 * 131_072 + one) <= 80 * 10**9
    assert needed + 8192 * 131_072 + one > 80 * 10**9


def test_it_is_shown_where_there_is_a_cache(cli: Command) -> None:
    plain = "input: [5, 8]\nlayers: [attention: {heads: 2%s}]\n"
    assert "Inference bytes" in cli("report", "-", input=plain % ", past: 3").stdout
    assert "Inference bytes" not in cli("report", "-", input=plain % "").stdout
    asked = cli("report", "-", "--columns", "inference_bytes", input=plain % "").stdout
    assert "Inference bytes" in asked
    assert cli("check", "-", "--max", "inference_bytes=1KiB", input=plain % "").exit_code == 1
