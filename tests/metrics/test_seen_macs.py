"""Caches and masks: pairs counted one by one, and what transformers' own models keep and see."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import convcalc
from convcalc.report.report import Report
from tests.conftest import ROOT
from tests.metrics.counted import report

MEASURED = json.loads((ROOT / "tests/reference/attention_state.json").read_text("utf-8"))
COUNT = st.integers(1, 12)
PAST = st.integers(0, 12)
WINDOW = st.none() | st.integers(1, 20)


def pairs(queries: int, keys: int, past: int, window: int | None) -> int:
    """Pairs of a query and a key that it sees, one by one."""
    return sum(
        key <= past + query and (window is None or past + query - key < window)
        for query in range(queries)
        for key in range(keys)
    )


def option(window: int | None) -> str:
    return "" if window is None else f", window: {window}"


@given(COUNT, PAST, WINDOW, st.tuples(*[st.integers(1, 3)] * 5), st.booleans())
def test_what_an_attention_sees_and_keeps(
    n: int, past: int, window: int | None, sizes: tuple[int, ...], appended: bool
) -> None:
    windows, kv_heads, times, width, value_width = sizes
    heads, more = kv_heads * times, ", add_bias_kv: true, add_zero_attn: true" if appended else ""
    given_ = f"heads: {heads}, kv_heads: {kv_heads}, head_dim: {width}, value_dim: {value_width}, past: {past}{more}"
    shape = f"[{windows}, {n}, 5]"
    totals = report(f"- attention: {{{given_}, mask: causal{option(window)}}}", input=shape).totals
    open_ = report(f"- attention: {{{given_}}}", input=shape).totals
    hidden = n * (past + n) - pairs(n, past + n, past, window)
    assert totals["macs"] == open_["macs"] == open_["seen_macs"]
    assert totals["seen_macs"] == totals["macs"] - windows * heads * (width + value_width) * hidden
    tokens = past + n if window is None else min(past + n, window)
    assert totals["cache_bytes"] == 4 * windows * kv_heads * (width + value_width) * tokens
    assert open_["cache_bytes"] == 4 * windows * kv_heads * (width + value_width) * (past + n)


@given(COUNT, st.integers(1, 16), PAST, WINDOW)
def test_what_sdpa_sees(queries: int, keys: int, past: int, window: int | None) -> None:
    """Whether or not the last query is that of the last key; ``causal`` is PyTorch's is_causal, without past."""

    def seen(options: str) -> int:
        layer = f"- sdpa: {{{options}branches: [{{from: q}}, {{from: k}}, {{from: v}}]}}"
        q, k, v = f"[2, 4, {queries}, 3]", f"[2, 2, {keys}, 3]", f"[2, 2, {keys}, 5]"
        return int(report(layer, q=q, k=k, v=v).totals["seen_macs"])

    assert seen(f"mask: causal, past: {past}{option(window)}, ") == 64 * pairs(queries, keys, past, window)
    assert seen("causal: true, ") == seen("mask: causal, ") == 64 * pairs(queries, keys, 0, None)
    assert seen("") == 64 * queries * keys


@given(COUNT, st.integers(1, 16))
def test_what_a_local_mask_hides(n: int, window: int) -> None:
    """Keys that are `window` and more away on either side; none is kept for later tokens."""
    seen = sum(abs(query - key) < window for query in range(n) for key in range(n))
    branches = "branches: [{from: q}, {from: k}, {from: v}]"
    q, k, v = f"[2, 4, {n}, 3]", f"[2, 2, {n}, 3]", f"[2, 2, {n}, 5]"
    totals = report(f"- sdpa: {{mask: local, window: {window}, {branches}}}", q=q, k=k, v=v).totals
    assert totals["seen_macs"] == 64 * seen
    totals = report(f"- attention: {{heads: 2, mask: local, window: {window}}}", input=f"[3, {n}, 4]").totals
    assert totals["macs"] - totals["seen_macs"] == 3 * 2 * 4 * (n * n - seen)
    assert totals["cache_bytes"] == 0


@given(COUNT, PAST.filter(bool), st.integers(1, 3))
def test_keys_of_other_tokens_are_kept(n: int, source: int, kv_heads: int) -> None:
    """A run that has them projects none: its products are those of queries, of the output, and of the pairs."""
    heads = f"heads: {2 * kv_heads}, kv_heads: {kv_heads}, head_dim: 3, bias: false"
    first = report(f"- attention: {{{heads}, kv: y, cache: write}}", x=f"[{n}, 5]", y=f"[{source}, 5]").totals
    later = report(f"- attention: {{{heads}, past: {source}, cache: read}}", input=f"[{n}, 5]").totals
    plain = report(f"- attention: {{{heads}, kv: y}}", x=f"[{n}, 5]", y=f"[{source}, 5]").totals
    width, kept = 2 * kv_heads * 3, 2 * kv_heads * 3 * source
    assert first["macs"] == plain["macs"] == later["macs"] + 5 * kept
    assert first["cache_bytes"] == later["cache_bytes"] == 4 * kept
    assert plain["cache_bytes"] == 0
    assert first["params"] == later["params"] == plain["params"] == 2 * 5 * width + 2 * 5 * kv_heads * 3
    assert later["traffic_bytes"] == 4 * (n * 5 + 2 * 5 * width + kept + n * 5)


DECODERS = st.fixed_dictionaries({
    "depth": st.integers(1, 3), "kv": st.integers(1, 2), "times": st.integers(1, 2), "d": st.integers(1, 4),
    "w": WINDOW, "latent": st.booleans(), "mlp": st.integers(1, 9),
})  # fmt: skip
DECODER = """\
input: n
vars: {{n: 1, past: 0}}
blocks:
  Latent:
    - {{seq: [linear: 6, reshape: [n, 2, 3], permute: [1, 0, 2]], name: q}}
    - {{seq: [linear: 3, cache: past], name: latent, from: input}}
    - {{reshape: [1, past + n, 3], name: k}}
    - sdpa: {{mask: causal, past: past{w}, branches: [{{from: q}}, {{from: k}}, {{from: k}}]}}
    - [permute: [1, 0, 2], reshape: [n, 6], linear: 12]
  Block:
    - add: [identity, [norm: rms, {attention}]]
    - add: [identity, [norm: rms, linear: {{out: {mlp}, act: gelu}}, linear: 12]]
layers:
  - embedding: [31, 12]
  - {{Block: , repeat: {depth}}}
  - linear: 31
"""


def decoder(sizes: dict[str, Any]) -> str:
    heads = f"heads: {sizes['kv'] * sizes['times']}, kv_heads: {sizes['kv']}, head_dim: {sizes['d']}"
    window = option(sizes["w"])
    attention = "Latent: " if sizes["latent"] else f"attention: {{{heads}, past: past, mask: causal{window}}}"
    return DECODER.format(**{**sizes, "w": window}, attention=attention)


@given(DECODERS, st.integers(1, 25))
def test_a_token_more_costs_what_a_longer_prompt_costs_more(sizes: dict[str, Any], past: int) -> None:
    text = decoder(sizes)

    def seen(**values: int) -> int:
        return convcalc.load(text=text, set=values).report().totals["seen_macs"]

    assert seen(n=1, past=past) == seen(n=past + 1) - seen(n=past)
    assert seen(n=past, past=3) == seen(n=past + 3) - seen(n=3)


@pytest.mark.parametrize("latent", [False, True])
def test_symbols_and_arrays_are_ints(latent: bool) -> None:
    """On both sides of the window, with the tokens, the past and the window itself open."""
    text = decoder({"depth": 2, "kv": 2, "times": 2, "d": 3, "w": None, "latent": latent, "mlp": 7})
    text = text.replace("past: 0}", "past: 0, w: 6}").replace("mask: causal", "mask: causal, window: w")
    keys = ("macs", "seen_macs", "cache_bytes", "training_bytes", "traffic_bytes")
    network = convcalc.load(text=text)
    formulas = network.formula(symbols=["n", "past", "w"], metrics=keys).totals
    axes: dict[str, Any] = {"n": [1, 3, 9], "past": [1, 4, 7, 30], "w": [1, 6, 12]}
    table = network.sweep(metrics=[*keys, "peak_activation_bytes"], **axes)
    points = [dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values())]
    for place, point in enumerate(points):
        totals = convcalc.load(text=text, set=point).report().totals
        assert {key: formulas[key].value(point) for key in keys} == {key: totals[key] for key in keys}
        assert {key: int(table[key][place]) for key in (*keys, "peak_activation_bytes")}.items() <= totals.items()


# --- transformers -----------------------------------------------------------------------------------------------------

MODELS: dict[str, tuple[str, list[int | None]]] = {
    "gpt2": ("attention: {heads: 4, past: past, mask: causal}", [None] * 3),
    "llama": ("attention: {heads: 4, kv_heads: 2, past: past, mask: causal}", [None] * 3),
    "mistral": ("attention: {heads: 4, kv_heads: 2, past: past, mask: causal, window: 6}", [6] * 3),
    "gemma2": ("attention: {heads: 4, kv_heads: 2, head_dim: 12, past: past, mask: causal WINDOW}", [6, None, 6]),
    "deepseek_v2": ("[linear: 26, cache: past]", [None] * 3),
    "deepseek_v3": ("[linear: 26, cache: past]", [None] * 3),
}


def layer_of(model: str, run: str, window: int | None) -> Report:
    past, new = map(int, run.split())
    layer = MODELS[model][0].replace(" WINDOW", option(window))
    return convcalc.load(text=f"input: [n, 32]\nvars: {{n: {new}, past: {past}}}\nlayers: [{layer}]").report(batch=2)


@pytest.mark.parametrize(("model", "run"), [(model, run) for model in MODELS for run in MEASURED["models"][model]])
def test_caches_and_pairs_are_those_of_transformers(model: str, run: str) -> None:
    """Between two runs its sliding layers keep one key less than the window: that of the next token is added first."""
    past, new = map(int, run.split())
    kept, seen = MEASURED["models"][model][run]
    assert seen == [pairs(new, past + new, past, window) for window in MODELS[model][1]]
    ours = 0
    for window in MODELS[model][1]:
        counted = layer_of(model, run, window).totals["cache_bytes"]
        full = window is not None and past + new >= window
        ours += counted // window * (window - 1) if full and window else counted
    assert ours == kept


# --- published designs ------------------------------------------------------------------------------------------------

LLAMA = """\
input: n
vars: {n: 8192, past: 0, vocab: 128256, dim: 4096, depth: 32, heads: 32, kv: 8, mlp: 14336}
variants: {decode: {n: 1, past: 8192}}
defaults: {linear: {bias: false}, attention: {bias: false, mask: causal}}
blocks:
  Block:
    - add: [identity, [norm: rms, attention: {heads: heads, kv_heads: kv, past: past}]]
    - add: [identity, [norm: rms, mul: [linear: {out: mlp, act: silu}, linear: mlp], linear: dim]]
layers:
  - embedding: [vocab, dim]
  - {Block: , repeat: depth, name: layer}
  - norm: rms
  - {linear: vocab, name: head}
"""


def test_llama_3_8b() -> None:
    """Megatron-LM counts N²/2 pairs, and so half of the diagonal less: N·L·h·d for two products."""
    totals = convcalc.load(text=LLAMA).report(dtype="bfloat16").totals
    diagonal = 32 * 8192 * 4096
    assert totals["params"] == 8_030_261_248
    assert totals["macs"] == 79_070_347_919_360
    assert totals["seen_macs"] == 70_275_328_638_976 == 70_274_254_897_152 + diagonal
    assert totals["cache_bytes"] == 8192 * 131_072 == 1_073_741_824


def test_llama_3_8b_decodes_a_token() -> None:
    """9,652,404,224 is that of the same network with its cache and its products written out."""
    report_ = convcalc.load(text=LLAMA, variant="decode").report(dtype="bfloat16")
    assert report_.totals["macs"] == report_.totals["seen_macs"] == 9_652_404_224
    assert report_.totals["cache_bytes"] == 8193 * 131_072
    before = convcalc.load(text=LLAMA, variant="decode", set={"past": 8191}).report(dtype="bfloat16")
    assert report_.totals["traffic_bytes"] - before.totals["traffic_bytes"] == 131_072


def test_a_window_bounds_cache_and_traffic() -> None:
    def totals(past: int) -> Mapping[str, int]:
        text = LLAMA.replace("mask: causal}}", "mask: causal, window: 512}}")
        return convcalc.load(text=text, set={"n": 1, "past": past}).report(dtype="bfloat16").totals

    far = totals(8192)
    assert far["cache_bytes"] == 512 * 131_072
    assert (far["seen_macs"], far["traffic_bytes"]) == (totals(511)["seen_macs"], totals(511)["traffic_bytes"])
    assert far["traffic_bytes"] - totals(510)["traffic_bytes"] == 131_072


def test_a_cache_is_written_at_the_new_tokens_and_read_by_what_follows() -> None:
    """DeepSeek-V2-Lite keeps 27 times a latent of 512 and a rotary key of 64: 31,104 bytes a token."""
    text = (
        "input: [3, 2048]\nlayers: [{linear: 576, name: kv}, {cache: 100, name: c}, {reshape: [1, 103, 576], name: r}]"
    )
    report_ = convcalc.load(text=text).report(dtype="bfloat16")
    assert 27 * report_.totals["cache_bytes"] == 103 * 31_104
    traffic = {row.path: row.values["traffic_bytes"] for row in report_.rows}
    assert (traffic["c"], traffic["r"]) == (2 * 576 * (3 + 3), 2 * 576 * (103 + 103))


@pytest.mark.parametrize(
    ("words", "biased"),
    [
        ("qkv", "qkv"),
        ("[q, v, o]", "qvo"),
        ("[o]", "o"),
        ("[q, k, v, o]", "qkvo"),
        ("[true, true, true, false]", "qkv"),
        ("true", "qkvo"),
        ("false", ""),
    ],
)
def test_words_for_biases(words: str, biased: str) -> None:
    """Projections of 8 features to 4 heads of 3, two of keys and values, and back."""
    sizes = {"q": 12, "k": 6, "v": 6, "o": 8}
    layer = f"- attention: {{heads: 4, kv_heads: 2, head_dim: 3, bias: {words}}}"
    expected = 8 * (12 + 6 + 6) + 12 * 8 + sum(sizes[name] for name in biased)
    assert report(layer, input="[5, 8]").totals["params"] == expected
