"""Random decoders of experts, caches and masks: counted by hand, and the same in ints, in arrays and in symbols."""

from __future__ import annotations

from itertools import product
from random import Random
from typing import Any

import pytest

import convcalc

SIZES = {
    "n": (1, 6), "past": (1, 6), "kv": (1, 3), "times": (1, 3), "width": (1, 4), "value": (1, 4), "dim": (2, 6),
    "depth": (1, 3), "experts": (4, 7), "inner": (1, 5), "window": (1, 9), "vocab": (2, 9), "rank": (1, 4),
}  # fmt: skip
CHOICES: dict[str, tuple[Any, ...]] = {
    "ffn": ("each", "kind", "nested", "plain"), "k": (1, 3, 4), "latent": (False, False, True),
    "mask": ("", ", mask: causal", ", mask: causal, window: window"), "bias": ("false", "true", "qkv", "[q, o]"),
    "norm": ("none", "rms", "layer", "rms_across_heads"), "kept": (False, True), "tie": ("", ", tie: table"),
}  # fmt: skip
KEYS = (
    "params", "active_params", "macs", "seen_macs", "cache_bytes", "train_flops", "weight_bytes", "training_bytes",
    "traffic_bytes",
)  # fmt: skip
WHOLE = (*KEYS, "peak_activation_bytes", "inference_bytes")
TEXT = """\
input: n
vars: {{{sizes}}}
defaults: {{linear: {{bias: false}}}}
blocks:
  Expert: [mul: [linear: {{out: inner, act: silu}}, linear: inner], linear: {{out: dim, bias: true}}]
  Latent:
    - {{seq: [linear: kv*times*rank, reshape: [n, kv*times, rank], permute: [1, 0, 2]], name: q}}
    - {{seq: [linear: rank, cache: past, reshape: [1, past + n, rank]], name: k, from: input}}
    - sdpa: {{past: past{mask}, branches: [{{from: q}}, {{from: k}}, {{from: k}}]}}
    - [permute: [1, 0, 2], reshape: [n, kv*times*rank], linear: dim]
  Heads:
    - attention: {{heads: kv*times, kv_heads: kv, head_dim: width, value_dim: value, past: past, bias: {bias},
                  qk_norm: {norm}{mask}}}
  Ffn: {ffn}
layers:
  - {{embedding: [vocab, dim], name: table}}
  - repeat: depth
    checkpoint: {kept}
    seq: [add: [identity, [norm: rms, {attention}]], add: [identity, [norm: rms, Ffn]]]
  - {{linear: vocab{tie}}}
"""
FFN = {
    "plain": "[linear: inner, linear: dim]",
    "kind": "[experts: {{count: experts, top: {k}, width: inner, gated: true}}]",
    "each": "[{{seq: [linear: experts, softmax], name: router}}, add: [{{Expert: , from: input, name: shared}}, "
    "{{each: {k}, of: experts, name: e, mul: "
    "[{{Expert: , from: input}}, {{slice: {{axis: 1, start: i, stop: i + 1}}, from: router}}]}}]]",
    "nested": "[add: [{{each: {k}, of: experts, add: [{{each: 1, of: 3, name: e, seq: [Expert]}}]}}]]",
}


def drawn(seed: int) -> tuple[str, dict[str, int], dict[str, Any]]:
    dice = Random(seed)
    sizes = {name: dice.randint(*bounds) for name, bounds in SIZES.items()}
    chosen = {name: dice.choice(words) for name, words in CHOICES.items()}
    given = {**chosen, "kept": str(chosen["kept"]).lower(), "ffn": FFN[chosen["ffn"]].format(k=chosen["k"])}
    written = ", ".join(f"{name}: {size}" for name, size in sizes.items())
    text = TEXT.format(sizes=written, attention="Latent" if chosen["latent"] else "Heads", **given)
    return text, sizes, chosen


def by_hand(s: dict[str, int], chosen: dict[str, Any]) -> dict[str, int]:
    """Weights, pairs and kept numbers of one block, one by one, times the blocks, and the tables."""
    n, keys, heads, k = s["n"], s["past"] + s["n"], s["kv"] * s["times"], chosen["k"]
    pairs = [
        (query, key)
        for query, key in product(range(n), range(keys))
        if not chosen["mask"] or 0 <= s["past"] + query - key < (s["window"] if "window" in chosen["mask"] else keys)
    ]
    if chosen["latent"]:
        matrices, extra = {"q": (heads * s["rank"], s["dim"]), "k": (s["rank"], s["dim"])}, 0
        matrices["o"] = (s["dim"], heads * s["rank"])
        each_pair, kept = 2 * heads * s["rank"], keys * s["rank"]
    else:
        rows = {"q": heads * s["width"], "k": s["kv"] * s["width"], "v": s["kv"] * s["value"]}
        matrices = {name: (row, s["dim"]) for name, row in rows.items()} | {"o": (s["dim"], heads * s["value"])}
        biased = {"true": "qkvo", "false": "", "qkv": "qkv", "[q, o]": "qo"}[chosen["bias"]]
        across = rows["q"] + rows["k"]
        norms = {"none": 0, "rms": 2 * s["width"], "layer": 4 * s["width"], "rms_across_heads": across}
        extra = sum(matrices[name][0] for name in biased) + norms[chosen["norm"]]
        each_pair = heads * (s["width"] + s["value"])
        kept = s["kv"] * (s["width"] + s["value"]) * (min(keys, s["window"]) if "window" in chosen["mask"] else keys)
    projections = sum(row * column for row, column in matrices.values())
    multiplying = 3 * s["dim"] * s["inner"]
    expert, router = multiplying + s["dim"], s["dim"] * s["experts"]
    held, active, work = {
        "plain": (2 * s["dim"] * s["inner"],) * 3,
        "kind": (s["experts"] * multiplying, k * multiplying, k * multiplying),
        "each": (router + (1 + s["experts"]) * expert, router + (1 + k) * expert, router + (1 + k) * multiplying),
        "nested": (s["experts"] * 3 * expert, k * expert, k * multiplying),
    }[chosen["ffn"]]
    table, blocks = s["vocab"] * s["dim"], s["depth"]
    tables = table if chosen["tie"] else 2 * table
    block = n * (projections + work) + n * keys * each_pair
    return {
        "params": tables + blocks * (2 * s["dim"] + projections + extra + held),
        "active_params": tables + blocks * (2 * s["dim"] + projections + extra + active),
        "macs": n * table + blocks * block,
        "seen_macs": n * table + blocks * (n * (projections + work) + len(pairs) * each_pair),
        "cache_bytes": 4 * blocks * kept,
        "train_flops": 6 * n * table + (8 if chosen["kept"] else 6) * blocks * block,
    }


@pytest.mark.parametrize("seed", range(60))
def test_counts_are_those_by_hand(seed: int) -> None:
    text, sizes, chosen = drawn(seed)
    expected = by_hand(sizes, chosen)
    totals = convcalc.load(text=text).report().totals
    assert {key: totals[key] for key in expected} == expected


@pytest.mark.parametrize("seed", range(100, 112))
def test_arrays_and_symbols_are_ints(seed: int) -> None:
    text, sizes, _ = drawn(seed)
    dice, network = Random(seed), convcalc.load(text=text)
    names = dice.sample(sorted(sizes), 3)
    dtype = dice.choice(("float32", "weights=int4g2,cache=fp8,bfloat16, train=mixed", "weights=q8_0,float16"))
    axes: dict[str, Any] = {name: dice.sample(range(SIZES[name][0], 12), 2) for name in names}
    table = network.sweep(metrics=WHOLE, dtype=dtype, **axes)
    formulas = network.formula(symbols=names, metrics=KEYS, dtype=dtype)
    assert len(table) == 8
    for place in range(len(table)):
        point = {name: int(table[name][place]) for name in names}
        totals = convcalc.load(text=text, set=point).report(dtype=dtype).totals
        assert {key: int(table[key][place]) for key in WHOLE} == {key: totals[key] for key in WHOLE}
        if all(assumption.holds(point) for assumption in formulas.assumptions):
            assert {key: formulas.totals[key].value(point) for key in KEYS} == {key: totals[key] for key in KEYS}
