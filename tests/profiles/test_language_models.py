"""Counts of tools for language models: what their own functions printed, and papers."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy
import pytest
import sympy

import convcalc
from convcalc import profiles
from convcalc.arith import record_constraints
from convcalc.errors import SpecError
from convcalc.graph.builder import GraphBuilder
from convcalc.graph.graph import Graph
from convcalc.ops.make import make
from convcalc.profiles import ProfileResult
from tests.language_models import BY_HAND, LLAMA

MEASURED = Path(__file__).parents[1] / "reference" / "language_tools.json"
PRINTED: list[dict[str, Any]] = json.loads(MEASURED.read_text("utf-8"))["printed"]
KEYS = (
    "megatron",
    "megatron_causal",
    "torchtitan",
    "palm",
    "nanogpt",
    "llm_viewer",
    "6nd",
    "cookbook",
    "cookbook_2025",
)
TIED = LLAMA.replace("{linear: vocab, name: head}", "{linear: vocab, name: head, tie: emb}")
HEAD, N = 4096 * 128256, 2048


def network(name: str, **variables: Any) -> convcalc.Network:
    design, _, tied = name.partition(" ")
    text, _, variant = design.partition("@")
    if text == "LLAMA":
        return convcalc.load(text=TIED if tied else LLAMA, variant=variant or None, set=variables)
    return convcalc.load(design, set=variables)


def printed(name: str, key: str, batch: int = 1, **variables: Any) -> ProfileResult:
    return profiles.profile_result(network(name, **variables).graph, profiles.find_profile(key), batch=batch)


@pytest.mark.parametrize("row", PRINTED, ids=[f"{i}-{row['profile']}" for i, row in enumerate(PRINTED)])
def test_what_functions_of_tools_printed(row: dict[str, Any]) -> None:
    found = printed(row["design"], row["profile"], row["batch"], **row["set"])
    assert (found.total, found.error) == (row["printed"], "")
    assert sum(found.terms.values()) == found.total


def test_every_tool_is_measured() -> None:
    assert {*(row["profile"] for row in PRINTED), "palm", "6nd"} == {*KEYS}


# --- the terms --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "total", "terms"),
    [
        ("megatron", 98_814_312_579_072, {}),
        ("megatron_causal", 95_515_777_695_744, {"causal half": -3 * 32 * 2 * N * N * 4096}),
        ("torchtitan", 98_817_584_136_192, {"norms": 6 * N * 65 * 4096}),
        ("palm", 98_817_584_136_192, {"norms": 6 * N * 65 * 4096}),
        ("6nd", 6 * 8_030_261_248 * N,
         {"attention products": -6 * 32 * 2 * N * N * 4096, "norms": 6 * N * 65 * 4096, "tables": 6 * N * HEAD}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("by_hand", [False, True], ids=["one layer", "by hand"])
def test_llama(key: str, total: int, terms: dict[str, int], *, by_hand: bool) -> None:
    """Training of 2,048 tokens: six for each multiply, and what else the formula has; however attention is written."""
    net = convcalc.load(text=BY_HAND, variant="prefill") if by_hand else convcalc.load(text=LLAMA)
    found = profiles.profile_result(net.graph, profiles.find_profile(key))
    macs = 16_469_052_096_512
    order = dict(found.terms)
    assert found.total == total
    assert order == {"macs": macs, "additions": macs, "backward pass": 4 * macs, **terms}


def test_gpt2() -> None:
    found = printed("zoo:gpt2", "nanogpt")
    assert found.total == 875_690_459_136
    assert found.terms["norms"] + found.terms["biases"] == 6 * 1024 * 121_344
    assert "tables" not in found.terms
    assert (printed("zoo:gpt2", "cookbook").total or 0) // 1024 == 439_202_304


def test_one_token_behind_others() -> None:
    """The softmax, norms, sums and activations; of the head one operation a multiply, where two are done."""
    found = printed("LLAMA@decode", "llm_viewer")
    extra = ("softmax", "block norms", "elementwise", "activation functions")
    assert sum(found.terms[name] for name in extra) == 44_307_456
    assert found.terms["output layer"] == -HEAD
    assert found.total == 19_349_115_904 - HEAD


@pytest.mark.parametrize("size", ["540b", "62b", "8b"])
def test_palm(size: str) -> None:
    """Parameters of table 1 of the paper, and for the largest model the utilizations of table 3 and appendix B."""
    layers, heads, dim = {"540b": (118, 48, 18432), "62b": (64, 32, 8192), "8b": (32, 16, 4096)}[size]
    text = f"""\
input: n
vars: {{n: 2048, vocab: 256000, dim: {dim}, heads: {heads}}}
defaults: {{linear: {{bias: false}}, attention: {{bias: false}}, norm: {{bias: false}}}}
blocks:
  Parallel:
    - norm: layer
    - {{identity: , name: x}}
    - mul: [linear: {{out: 4*dim, act: silu}}, linear: 4*dim]
    - linear: dim
layers:
  - {{embedding: [vocab, dim], name: emb}}
  - repeat: {layers}
    add:
      - identity
      - Parallel
      - [norm: layer, attention: {{heads: heads, head_dim: 256, kv_heads: 1}}]
  - norm: layer
  - {{linear: vocab, tie: emb}}
"""
    net = convcalc.load(text=text)
    params = net.report().totals["params"] - layers * dim  # one norm a block in the paper, two here
    shown = {"540b": 540_350, "62b": 62_500, "8b": 8_630}[size] * 10**6
    assert abs(params - shown) < 10**7  # the last digit of the paper is rounded here and cut there
    if size != "540b":
        return
    found = profiles.profile_result(net.graph, profiles.find_profile("palm"))
    rate = Fraction("238.3e3") / (6144 * 275 * 10**12)
    products = 6 * 2 * layers * heads * 256 * 2048**2
    assert found.total is not None
    assert round(100 * rate * found.total / 2048, 1) == Fraction("46.2")
    assert round(100 * rate * (found.total - products) / 2048, 1) == Fraction("45.7")


@pytest.mark.parametrize("key", ["torchtitan", "palm", "nanogpt", "6nd"])
def test_a_tied_head_counts_its_table_once(key: str) -> None:
    own, tied = printed("LLAMA@small", key), printed("LLAMA@small tied", key)
    assert own.total is not None
    without_table = 6 * 8 * 96 * 64 if key in ("nanogpt", "6nd") else 0
    assert own.total - (tied.total or 0) == without_table
    assert "shared weights" not in tied.terms


def test_experts() -> None:
    """Idle ones count in 6·N·D alone; the router is missed by Megatron-LM alone."""
    router, params, active = 6 * 32 * 4096 * 8 * 128, 46_702_792_704, 12_879_925_248
    terms = {key: printed("zoo:mixtral", key, n=128).terms for key in ("megatron", "torchtitan", "6nd")}
    assert terms["megatron"]["router"] == -router
    assert printed("zoo:mixtral", "6nd", n=128).total == 6 * 128 * params
    assert terms["6nd"]["idle experts"] == 6 * 128 * (params - active)
    assert {"router", "idle experts"}.isdisjoint(terms["torchtitan"])


def test_what_a_causal_mask_hides() -> None:
    """Pairs are counted one by one; Megatron-LM has N²/2 of them, whatever the window."""
    masked = LLAMA.replace("past: past", "mask: causal")
    n, window = 24, 5
    for text, seen in (
        (masked, sum(1 for i in range(n) for j in range(n) if j <= i)),
        (masked.replace("mask: causal", f"mask: causal, window: {window}"),
         sum(1 for i in range(n) for j in range(n) if i - window < j <= i)),
    ):  # fmt: skip
        net = convcalc.load(text=text, variant="small", set={"n": n})
        found = profiles.profile_result(net.graph, profiles.find_profile("megatron_causal"))
        each = 6 * 2 * 2 * 64  # in training, for each pair and layer: 2 layers, 2 products of 64 features
        report = net.report()
        assert 6 * (report.totals["macs"] - report.totals["seen_macs"]) == each * (n * n - seen)
        assert found.terms["masked pairs"] == -each * (n * n - seen)
        assert found.terms["diagonal"] == -each * n // 2
        assert found.terms.get("window", 0) == each * (n * (n + 1) // 2 - seen)
        assert found.total == printed("LLAMA@small", "megatron_causal", n=n).total
    found = printed("zoo:llama3", "megatron_causal")
    assert (found.total, found.terms["diagonal"]) == (6 * 70_274_254_897_152, -6 * 1_073_741_824)


# --- where there is no number -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("design", "keys", "reason"),
    [
        ("zoo:resnet18", {*KEYS} - {"6nd"}, "there is no attention, and the formula needs layers and heads"),
        ("zoo:mamba", {*KEYS} - {"6nd"}, "there is no attention, and the formula needs layers and heads"),
        ("zoo:vit", {"megatron", "megatron_causal", "llm_viewer", "cookbook"}, "there is no language-model head"),
        ("zoo:t5", {*KEYS}, "the formula is of one sequence, and here are two, of 512 and 128 tokens"),
        ("zoo:mixtral", {"palm", "nanogpt", "cookbook", "llm_viewer"}, "is of dense models, and here are experts"),
        ("zoo:gemma2", {"nanogpt", "cookbook", "llm_viewer"}, "do not share the width 2304 of a token"),
        ("zoo:deepseek", {"megatron"}, "the formula has no latent attention, such as that of layer layer1.attention1"),
        ("zoo:llama3@decode", {*KEYS} - {"6nd", "llm_viewer"}, "is of a whole sequence, of 1² pairs"),
        ("LLAMA@small", {"llm_viewer"}, "or of one token after others, of 8² pairs of a query and a key"),
    ],
)
def test_reasons(design: str, keys: set[str], reason: str) -> None:
    net = network(design, **({"past": 3} if design == "LLAMA@small" else {}))
    for key in keys:
        found = profiles.profile_result(net.graph, profiles.find_profile(key))
        assert found.total is None
        assert found.error.startswith(f"{key}: no number: ")
        assert reason in found.error
        with pytest.raises(SpecError, match="CC742"):
            profiles.total(net.graph, key)


def test_weights_of_a_convolutional_network_meet_a_sample_once() -> None:
    found = printed("zoo:resnet18", "6nd", 4)
    assert found.total == 6 * 4 * 11_689_512
    assert found.terms["biases"] == 6 * 4 * 1000
    assert found.terms["norms"] == 6 * 4 * 9_600


def test_layers_behind_the_blocks_are_missed() -> None:
    """Megatron-LM counts logits of all tokens, and nothing else behind the last block."""
    more = LLAMA.replace(
        "  - {linear: vocab, name: head}", "  - {linear: 80, name: one}\n  - {linear: vocab, name: head}"
    )
    net = convcalc.load(text=more, variant="small")
    found = profiles.profile_result(net.graph, profiles.find_profile("megatron"))
    assert found.terms["missed layers"] == -6 * 8 * 64 * 80
    last = LLAMA.replace("  - {linear: vocab, name: head}", "  - {slice: {start: -1}}\n  - {linear: vocab, name: head}")
    net = convcalc.load(text=last, variant="small")
    found = profiles.profile_result(net.graph, profiles.find_profile("megatron"))
    assert found.terms["output layer"] == 6 * 7 * 64 * 96
    assert found.total == printed("LLAMA@small", "megatron").total


def test_a_reconciliation_leaves_tools_of_language_models_out_where_there_is_none() -> None:
    every, shown = set(profiles.profile_keys()), {}
    for design in ("zoo:gpt2", "zoo:bert", "zoo:resnet18", "zoo:vit"):
        found = profiles.reconcile(network(design).graph, design, design)
        shown[design] = {result.profile.key for result in found.results}
    assert shown["zoo:gpt2"] == shown["zoo:bert"] == every
    assert shown["zoo:resnet18"] == shown["zoo:vit"] == every - {*KEYS} | {"6nd"}


# --- three kinds of numbers -------------------------------------------------------------------------------------------


def decoder(n: Any, dim: Any, mask: str) -> Graph:
    """Two blocks of four heads, in whose builder sizes may be arrays or symbols."""
    builder = GraphBuilder()
    x = builder.add("emb", make("embedding", vocab=96, dim=dim), builder.input("input", (n,)))
    for i in range(2):
        inner = builder.add(f"b{i}.norm1", make("norm", type="layer", axis=-1), x)
        inner = builder.add(f"b{i}.attention", make("attention", heads=4, mask=mask), inner)
        x = builder.add(f"b{i}.add1", make("add"), x, inner)
        inner = builder.add(f"b{i}.up", make("linear", out=4 * dim, axis=-1), x)
        inner = builder.add(
            f"b{i}.down", make("linear", out=dim, axis=-1), builder.add(f"b{i}.act", make("gelu"), inner)
        )
        x = builder.add(f"b{i}.add2", make("add"), x, inner)
    builder.add("head", make("linear", out=96, bias=False, axis=-1), x)
    return builder.graph()


@pytest.mark.parametrize("mask", ["none", "causal"])
@pytest.mark.parametrize("key", KEYS)
def test_arrays_and_symbols_are_ints(key: str, mask: str) -> None:
    def count(n: Any, dim: Any) -> Any:
        with record_constraints():
            found = profiles.profile_result(decoder(n, dim, mask), profiles.find_profile(key), batch=3)
        assert not found.error
        return found.total

    sizes = [(1, 8), (5, 8), (6, 12)]
    exact = [count(*size) for size in sizes]
    n, dim = (numpy.array(column) for column in zip(*sizes, strict=True))
    assert numpy.broadcast_to(count(n, dim), 3).tolist() == exact
    tokens, width = (sympy.Symbol(name, integer=True, positive=True) for name in ("n", "w"))
    formula = sympy.sympify(count(tokens, 4 * width))
    assert [formula.subs({tokens: size[0], width: size[1] // 4}) for size in sizes] == exact
