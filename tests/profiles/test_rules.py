"""Rules between the rows of the tables: units, sums, batches, forms, and the three kinds of number."""

from __future__ import annotations

from typing import Any

import numpy
import pytest
import sympy

from convcalc import profiles
from convcalc.designs.sources import Network, open_design, open_source
from convcalc.designs.zoo import search_zoo
from convcalc.errors import Source, SpecError
from convcalc.graph.builder import GraphBuilder
from convcalc.graph.graph import Graph
from convcalc.ops.make import make
from convcalc.ops.registry import find_op
from convcalc.profiles import TERMS, Profile

PROFILES = {profile.key: profile for profile in profiles.profiles() if profile.demands is None}
"""Without those whose formula is of a whole network."""
REQUIRED = {
    "fvcore", "torch", "ptflops_pytorch", "ptflops_aten", "thop", "thop_ultralytics", "torchinfo", "calflops",
    "deepspeed", "torchscan", "onnx_tool", "keras_flops", "netscope", "timm",
}  # fmt: skip


def network(layers: str, input_: str = "[8, 10, 10]") -> Network:
    return open_source(Source("spec.yaml", f"convcalc: 1\ninput: {input_}\nlayers:\n  - {layers}\n"))


DESIGNS = [one.design for one in search_zoo() if one.variant is None]


def test_all_tools_are_there_with_their_words() -> None:
    assert set(PROFILES) >= REQUIRED
    known = profiles.profiles()
    assert [profile.key for profile in known] == list(profiles.profile_keys())
    assert len({profile.order for profile in known}) == len(known)
    assert {profile.unit for profile in known} == {"MACs", "FLOPs", "Mac", "mult-adds", "elements", "OPs"}
    for profile in known:
        assert profile.counts[-1] != "."
        assert "/" in profile.source


WITH_RMS_NORMS = ("deepseek", "gemma2", "llama2", "llama3", "mamba", "mistral", "mixtral", "qwen2", "qwen3", "t5")
STOPS = {
    ("zoo:zfnet", "onnx_tool"), ("zoo:convnext_v2", "onnx_tool"), ("zoo:convnext_v2", "keras_flops"),
    ("zoo:deepseek", "keras_flops"), ("zoo:deepseek", "thop_ultralytics"),
    *((f"zoo:{name}", "onnx_tool") for name in WITH_RMS_NORMS),
}  # fmt: skip
"""A tool stops at a local response norm, or at norms by root mean squares; a norm over all positions it does not know,
or can be written in many ways, or has no rule for attention as one function."""


@pytest.mark.parametrize("design", DESIGNS)
def test_terms_and_layers_add_up_to_every_total(design: str) -> None:
    graph = open_design(design).graph
    for profile in PROFILES.values():
        if (design, profile.key) in STOPS:
            with pytest.raises(SpecError, match="no number for"):
                profiles.total(graph, profile.key)
            continue
        standing = profiles.profile_result(graph, profile)
        assert standing.total == sum(standing.terms.values()) == sum(profiles.layer_counts(graph, profile)) >= 0
        assert standing.total == profiles.total(graph, profile.key)
        assert set(standing.terms) <= set(TERMS)
        assert 0 not in standing.terms.values()


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_a_batch_multiplies_what_is_not_by_sample(profile: Profile) -> None:
    graph = network("[conv: [4, 3], relu, maxpool: 2, upsample: 2, flatten, linear: 6, softmax]").graph
    one, many = (profiles.total(graph, profile.key, batch=batch) for batch in (1, 5))
    assert many == (one if profile.is_per_sample else 5 * one)


def test_batch_norms_of_a_batch_have_their_channels_once() -> None:
    graph = network("norm: batch").graph
    assert profiles.total(graph, "keras_flops", batch=5) == 2 * 4000 + 6 * 8
    assert profiles.total(graph, "torchscan_module_flops", batch=5) == 4 * 4000 + 2 * 8


@pytest.mark.parametrize(
    ("layers", "key", "count"),
    [
        ("{avgpool: global, via: method}", "fvcore", 0),
        ("{avgpool: global, via: function}", "fvcore", 800),
        ("{avgpool: global, via: function}", "ptflops_pytorch", 800),
        ("{avgpool: global, via: function}", "thop", 0),
        ("{relu: , via: function}", "ptflops_pytorch", 800),
        ("{relu: , via: function}", "calflops", 800),
        ("{relu: , via: method}", "calflops", 0),
        ("{norm: batch, via: subclass}", "thop", 0),
        ("{norm: batch, via: subclass}", "thop_ultralytics", 3200),
        ("{norm: batch, via: subclass}", "fvcore", 1600),
        ("{conv: {out: 16, kernel: 1}, via: subclass}", "thop", 0),
        ("{conv: {out: 16, kernel: 1}, via: subclass}", "torchinfo", 12800 + 1600),
        ("{conv: {out: 16, kernel: 1}, via: function}", "torchinfo", 0),
        ("{conv: {out: 16, kernel: 1}, via: function}", "fvcore", 12800),
    ],
)
def test_how_a_layer_is_written_decides_what_a_tool_sees(layers: str, key: str, count: int) -> None:
    assert profiles.total(network(layers).graph, key) == count


def test_rules_of_tools_without_a_table() -> None:
    conv, deconv = network("conv: {out: 16, kernel: 3, padding: 1}"), network("deconv: {out: 16, kernel: 4, stride: 2}")
    counts = {key: profiles.total(conv.graph, key) for key in ("onnx_tool", "keras_flops", "netscope")}
    assert counts == {"onnx_tool": 115200 + 1600, "keras_flops": 230400 + 1600, "netscope": 115200}
    outputs = 16 * 22 * 22
    assert profiles.total(deconv.graph, "onnx_tool") == outputs * 16 * 16 + outputs
    assert profiles.total(deconv.graph, "keras_flops") == 2 * (outputs * 16 * 8 // 4) + outputs
    assert profiles.total(deconv.graph, "netscope") == outputs * 16 * 8 // 4
    assert profiles.total(network("norm: lrn").graph, "netscope") == 5 * 800
    pool = network("maxpool: 2").graph
    assert {key: profiles.total(pool, key) for key in ("onnx_tool", "keras_flops", "torchscan_module_macs")} == {
        "onnx_tool": 800,
        "keras_flops": 800,
        "torchscan_module_macs": 200,
    }
    prices = {"relu": 1, "relu6": 2, "sigmoid": 32, "silu": 33, "gelu": 34, "tanh": 76, "hardswish": 5}
    assert {name: profiles.total(network(name).graph, "onnx_tool") for name in prices} == {
        name: 800 * price for name, price in prices.items()
    }


def test_norms_and_softmax_of_tools_without_a_table() -> None:
    batch, layer, softmax = (network(one, "[5, 8]").graph for one in ("norm: batch", "norm: layer", "softmax"))
    assert [profiles.total(graph, "onnx_tool") for graph in (batch, layer, softmax)] == [
        31 * 40,
        7 * 40 + 29 * 5,
        36 * 40,
    ]
    counted = [profiles.total(graph, "keras_flops") for graph in (batch, layer, softmax)]
    assert counted == [2 * 40 + 6 * 5, 2 * 40, 5 * 40]
    assert profiles.total(layer, "torchscan_module_flops") == 8 * 40 + 2 * 5
    plain = network("norm: {type: layer, affine: false}", "[5, 8]").graph
    assert profiles.total(plain, "torchscan_module_flops") == 6 * 40 + 2 * 5
    cell = (2 * 16 * 8 - 16) + (2 * 16 * 16 - 16) + 16 + 2 * 16
    assert profiles.total(network("rnn: 16", "[5, 8]").graph, "calflops") == 5 * cell
    attention = network("attention: 2", "[5, 8]").graph
    scores = 2 * 5 * 5
    assert profiles.total(attention, "onnx_tool") == 1680 + 4 * 40 + 36 * scores + 40 + 2
    assert profiles.total(attention, "keras_flops") == 4 * 40 + 40 + 5 * scores


def layer_of(kind: str, inputs: int = 1, **arguments: Any) -> Graph:
    """One layer that reads tensors of 4 channels and 6 places."""
    builder = GraphBuilder()
    entering = [builder.input(f"x{place}", (4, 6)) for place in range(inputs)]
    builder.add("layer", make(kind, axes=1, **arguments), *entering)
    return builder.graph()


@pytest.mark.parametrize(
    ("type_", "inputs", "onnx", "keras"),
    [
        ("neg", 1, 24, 24),
        ("abs", 1, 24, 0),
        ("exp", 1, 768, 0),
        ("log", 1, 1032, 24),
        ("sqrt", 1, 576, 0),
        ("sin", 1, 936, 0),
        ("reciprocal", 1, 96, 24),
        ("sub", 2, 24, 24),
        ("sub", 1, 24, 24),  # of a constant
        ("div", 2, 96, 24),
        ("pow", 1, 768, 24),
        ("max", 3, 48, 48),
        ("le", 2, 24, 24),
        ("logical_or", 2, 24, 0),
        ("clamp", 1, 48, 48),
        ("clamp", 3, 48, 48),
        ("rsqrt", 1, None, 48),
        ("mean", 3, None, 72),
        ("log2", 1, None, None),
    ],
)
def test_functions_of_elements(type_: str, inputs: int, onnx: int | None, keras: int | None) -> None:
    """What onnx-tool 1.0.1 prints of a graph of this node, and TensorFlow's register of operations; others see none."""
    graph = layer_of("elementwise", inputs, type=type_)
    found = {key: profiles.profile_result(graph, profile).total for key, profile in PROFILES.items()}
    assert (found.pop("onnx_tool"), found.pop("keras_flops")) == (onnx, keras)
    assert set(found.values()) == {0}


@pytest.mark.parametrize(
    ("type_", "onnx", "keras"),
    [
        ("mean", 24, 24),
        ("sum", 24, 20),
        ("max", 24, 20),
        ("min", 24, 0),
        ("prod", 24, 0),
        ("l2", 600, 44),  # squares, their sum, and a root that has no formula
        ("argmax", 0, 20),
        ("std", None, None),
    ],
)
def test_reductions(type_: str, onnx: int | None, keras: int | None) -> None:
    graph = layer_of("reduce", type=type_, axis=1)
    found = {key: profiles.profile_result(graph, profile).total for key, profile in PROFILES.items()}
    assert (found.pop("onnx_tool"), found.pop("keras_flops")) == (onnx, keras)
    assert set(found.values()) == {0}


def test_what_only_moves_elements_costs_no_tool() -> None:
    for layer in (
        layer_of("broadcast", times=[2, 2]),
        layer_of("split", into=2, part=1),
        layer_of("gather", size=3),
        layer_of("roll", shift=1, axis=0),
        layer_of("pad", padding=1, axis=0),
    ):
        assert {profiles.total(layer, key) for key in PROFILES} == {0}


def test_transposed_convolutions_over_three_axes_have_no_formula_in_tensorflow() -> None:
    graph = network("deconv: {out: 4, kernel: 1}", "[8, 2, 3, 4]").graph
    assert profiles.total(graph, "keras_flops") == 4 * 2 * 3 * 4


def test_average_pools_by_their_windows() -> None:
    """Ultralytics adds the cells of every window; walked here one by one."""
    for size, kernel, stride, pad in [(10, 3, 1, 1), (10, 3, 2, 1), (11, 4, 3, 2), (7, 2, 2, 0), (9, 5, 2, 2)]:
        places = (size + 2 * pad - kernel) // stride + 1
        layer = f"avgpool: {{kernel: {kernel}, stride: {stride}, padding: {pad}}}"
        input_ = f"[2, {size}, {size}]"
        padded = (places * kernel) ** 2 * 2 + 2 * places**2
        assert profiles.total(network(layer, input_).graph, "thop_ultralytics") == padded
        own = sum(0 <= place * stride - pad + cell < size for place in range(places) for cell in range(kernel))
        for unpadded in (f"{{{layer}, via: unpadded}}", layer.replace("}", ", count_include_pad: false}")):
            graph = network(unpadded, input_).graph
            assert profiles.total(graph, "thop_ultralytics") == 2 * own**2 + 2 * places**2


def test_an_unknown_profile_is_refused_with_the_nearest() -> None:
    with pytest.raises(SpecError, match="no profile 'fvcor'; did you mean 'fvcore'") as caught:
        profiles.total(network("relu").graph, "fvcor")
    assert caught.value.code == "CC741"
    assert "thop_ultralytics" in caught.value.hint


KINDS: dict[str, dict[str, Any]] = {
    "conv": {"out_channels": 16, "kernel_size": (3, 3), "stride": (1, 1), "padding": ((1, 1), (1, 1)),
             "dilation": (1, 1), "groups": 1, "bias": True, "weight_sharing": "none"},
    "norm": {"type": "batch", "groups": None, "axis": None, "affine": None},
    "act": {"type": "relu"},
    "attention": {"heads": 1, "bias": True, "qk_norm": "layer", "add_bias_kv": False, "add_zero_attn": False,
                  "mask": "none", "cache": "none"},
    "avgpool": {"kernel_size": "global", "stride": None, "padding": 0, "ceil_mode": False, "out_size": None},
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("key", PROFILES)
def test_the_rules_run_on_arrays_and_symbols(key: str, kind: str) -> None:
    op_class = find_op(kind)
    assert op_class is not None
    op = op_class(**KINDS[kind])

    def count(size: Any) -> Any:
        builder = GraphBuilder()
        builder.add(kind, op, builder.input("input", (8, size, size)))
        return profiles.profile_result(builder.graph(), PROFILES[key]).total

    sizes = (5, 8, 13)
    exact = [count(size) for size in sizes]
    assert numpy.broadcast_to(count(numpy.array(sizes)), 3).tolist() == exact
    size = sympy.Symbol("n", integer=True, positive=True)
    formula = sympy.sympify(count(size))
    assert [formula.subs(size, value) for value in sizes] == exact


@pytest.mark.parametrize(("size", "places", "printed"), [(13, 6, 52479), (12, 6, 46080), (7, 1, 12800)])
def test_thop_multiplies_quotients_in_floating_point(size: int, places: int, printed: int) -> None:
    """What ``int((torch.prod(torch.div(n, o)) + 1) * y)`` gives: 13/6·13/6 is a little less than 169/36."""
    graph = network(f"avgpool: {{out: {places}}}", f"[256, {size}, {size}]").graph
    assert profiles.total(graph, "thop") == printed


def test_a_term_that_no_other_profile_has_is_not_lost() -> None:
    """A profile is one file: what it calls its terms needs no line anywhere else."""
    own = Profile("own", "own 1.0", "MACs", "", "", 999, lambda _: [("stray thoughts", 7)])
    found = profiles.profile_result(network("conv: {out: 4, kernel: 1}").graph, own)
    assert found.terms == {"macs": 3200, "stray thoughts": 7}
    assert found.total == 3207
