"""Corners of the tools: sizes that turn negative, padding words, lists of sizes, fused kernels, and no number at all.

Measured with torch 2.14.1 on a CPU: calflops 0.3.2, DeepSpeed 0.19.8, ptflops 0.7.5, fvcore 0.1.5, torch-scan 0.2.0,
onnx-tool 1.0.1 with PyTorch's exporters. What follows from a formula says so.
"""

from __future__ import annotations

import pytest

import convcalc
from convcalc import profiles
from convcalc.designs.sources import open_source
from convcalc.errors import Source, SpecError
from convcalc.graph.graph import Graph

GENERATOR = """\
input: [100, 1, 1]
defaults: {deconv: {kernel: 4, stride: 2, padding: 1, bias: false, norm: batch, act: relu}}
layers:
  - deconv: {out: 512, stride: 1, padding: 0}
  - deconv: 256
  - deconv: 128
  - deconv: 64
  - deconv: {out: 3, norm: none, act: tanh}
"""


def graph(layer: str, entering: str) -> Graph:
    head = f"inputs: {entering}" if entering.startswith("{") else f"input: {entering}"
    return open_source(Source("corner.yaml", f"{head}\nlayers:\n  - {layer}\n")).graph


def total(layer: str, entering: str, key: str, batch: int = 1) -> int:
    return profiles.total(graph(layer, entering), key, batch=batch)


def test_a_transposed_convolution_whose_kernel_reaches_over_its_input() -> None:
    """The bias stands at places that a convolution would have: ⌊(1 − 4)/1⌋ + 1 = −2 on both axes, 4 in all."""
    assert total("deconv: [512, 4]", "[100, 1, 1]", "calflops") == 2 * 819_200 + 512 * (-2) ** 2 == 1_640_448
    assert total("deconv: [512, 4]", "[100, 1, 1]", "calflops_macs") == 819_200
    three = 2 * 4 * 4 * 5**3 + 4 * (-3) ** 3
    assert total("deconv: [4, 5]", "[4, 1, 1, 1]", "calflops") == three


def test_deepspeed_counts_the_bias_of_a_transposed_convolution_where_it_is_added() -> None:
    assert total("deconv: [512, 4]", "[100, 1, 1]", "deepspeed") == 2 * 819_200 + 512 * 4**2 == 1_646_592
    assert total("deconv: [512, 4]", "[100, 1, 1]", "deepspeed_macs") == 819_200
    assert total("deconv: {out: 7, kernel: 5, stride: 2}", "[5, 2, 2]", "deepspeed") == 7_343
    assert total("deconv: {out: 6, kernel: 3, dilation: 2, padding: 1, groups: 2}", "[4, 3, 3]", "deepspeed") == 2_094


def test_every_tool_counts_a_generator() -> None:
    found = profiles.reconcile(convcalc.load(text=GENERATOR).graph, "generator.yaml", "generator")
    assert [standing.profile.key for standing in found.results if standing.total is None] == []


@pytest.mark.parametrize(
    ("layer", "entering", "macs", "bias"),
    [
        ("conv: {out: 2, kernel: 2, padding: same, bias: false}", "[3, 4, 4]", 3 * 2 * 4 * 9, 0),
        ("conv: {out: 2, kernel: 2, padding: same}", "[3, 4, 4]", 3 * 2 * 4 * 9, 2 * 9),
        ("conv: {out: 2, kernel: [2, 3, 4], padding: same}", "[3, 4, 4, 4]", 3 * 2 * 24 * 3 * 4 * 3, 2 * 36),
        ("conv: {out: 4, kernel: 4, padding: same, dilation: 3, groups: 2}", "[6, 20]", 3 * 4 * 4 * 19, 4 * 19),
        ("conv: {out: 4, kernel: 4, padding: same, dilation: 2, groups: 2}", "[6, 20]", 3 * 4 * 4 * 20, 4 * 20),
        ("dwconv: {kernel: 2, padding: same}", "[3, 4, 4]", 3 * 4 * 9, 3 * 9),
        ("conv: {out: 2, kernel: 2, padding: valid}", "[3, 4, 4]", 3 * 2 * 4 * 9, 2 * 9),
    ],
)
@pytest.mark.parametrize("key", ["calflops", "deepspeed"])
@pytest.mark.parametrize("batch", [1, 3])
def test_a_padding_word_is_halved(layer: str, entering: str, macs: int, bias: int, key: str, batch: int) -> None:
    """⌊d·(k − 1)/2⌋ cells on both sides: a place less where d·(k − 1) is odd."""
    word = f"{{{layer}, via: string}}"
    assert total(word, entering, key, batch) == batch * (2 * macs + bias)
    assert total(word, entering, f"{key}_macs", batch) == batch * macs


@pytest.mark.parametrize(
    ("pool", "entering", "counted"),
    [
        ("maxpool: {kernel: 2}", "[8, 4, 4]", 32),
        ("maxpool: {kernel: [2, 2]}", "[8, 4, 4]", 96),
        ("avgpool: {kernel: 2}", "[8, 4, 4]", 96),
        ("avgpool: {kernel: [2, 2]}", "[8, 4, 4]", 160),
        ("maxpool: [3, 2]", "[8, 7, 7]", 8 * 9 * (3 - 1)),
        ("maxpool: {kernel: [3, 3], stride: 2}", "[8, 7, 7]", 8 * 9 * (9 - 1)),
        ("avgpool: {kernel: [2, 2, 2]}", "[2, 4, 4, 4]", 2 * 8 * (8 - 1 + 3)),
        ("avgpool: {kernel: 2}", "[2, 4, 4, 4]", 2 * 8 * (2 - 1 + 3)),
        ("avgpool: 2", "[2, 8]", 2 * 4 * (2 - 1 + 1)),
    ],
)
@pytest.mark.parametrize("key", ["torchscan_module_flops", "torchscan_module_macs"])
def test_torch_scan_tells_a_list_from_an_integer(pool: str, entering: str, counted: int, key: str) -> None:
    assert total(pool, entering, key) == counted


@pytest.mark.parametrize(
    ("arguments", "entering", "batch", "counted"),
    [
        ("{heads: 2, kv: k}, via: module", "{x: [3, 4], k: [5, 4]}", 2, 1673),
        ("{heads: 2, kv: k}, via: fused", "{x: [3, 4], k: [5, 4]}", 2, 1613),
        ("{heads: 2, kv: k, bias: false}, via: module", "{x: [3, 4], k: [5, 4]}", 2, 1545),
        ("4, via: module", "[11, 64]", 1, 392_833),
        ("4, via: fused", "[11, 64]", 1, 392_349),
    ],
)
def test_torch_scan_adds_the_mean_of_the_weights(arguments: str, entering: str, batch: int, counted: int) -> None:
    assert total(f"{{attention: {arguments}}}", entering, "torchscan_module_flops", batch) == counted


def test_ptflops_always_adds_the_bias_of_the_output() -> None:
    assert total("{attention: {heads: 4, bias: false}, via: module}", "[11, 64]", "ptflops_pytorch") == 213_576


def test_ptflops_projects_keys_and_values_to_their_own_width() -> None:
    """Its hook: N·E + N·E² + 2·L·F² + (N + 2·L)·E + h·(N·L·E/h + N·L + N·L·⌊F/h⌋) + N·F·(F + 1), of N·E queries."""
    n, width, rows, read, heads = 3, 4, 5, 6, 2
    hook = n * width + n * width**2 + 2 * rows * read**2 + (n + 2 * rows) * width + n * read * (read + 1)
    hook += heads * (n * rows * (width // heads) + n * rows + n * rows * (read // heads))
    assert total("{attention: {heads: 2, kv: k}, via: fused}", "{x: [3, 4], k: [5, 6]}", "ptflops_pytorch") == hook


def test_a_fused_kernel_has_no_rule_in_ptflops() -> None:
    """aten::_scaled_dot_product_flash_attention_for_cpu: no rule, so that the projections alone are counted."""
    products = "{q: [4, 32, 16], k: [4, 16, 32]}"
    assert total("{matmul: [identity, {from: k}], via: fused}", products, "ptflops_aten") == 0
    projections = 4 * 11 * 64 * 64 + 4 * 11 * 64
    assert total("{attention: 4, via: fused}", "[11, 64]", "ptflops_aten") == projections
    assert total("{attention: 4, via: module}", "[11, 64]", "ptflops_aten") == projections + 2 * 11 * 11 * 64
    for variant, printed in ((None, 16_864_992_232), ("l16", 59_690_947_560)):
        design = "zoo:vit" + (f"@{variant}" if variant else "")
        assert profiles.total(convcalc.load(design).graph, "ptflops_aten") == printed


@pytest.mark.parametrize(("key", "batched"), [("calflops", 3240), ("ptflops_pytorch", 1080), ("deepspeed", 3240)])
def test_local_response_norm_is_made_of_counted_functions(key: str, batched: int) -> None:
    assert total("norm: lrn", "[8, 5, 6]", key) == 4 * 240 + 4 * 30 == 1080
    assert total("norm: lrn", "[8, 5, 6]", key, 3) == batched
    assert total("{norm: lrn, via: method}", "[8, 5, 6]", key) == 0


@pytest.mark.parametrize(
    ("key", "counts"),
    [
        ("fvcore", (10, 10, 0)),
        ("ptflops_pytorch", (74, 90, 18)),
        ("deepspeed", (26, 50, 12)),
    ],
)
def test_resizing_by_area_calls_an_adaptive_pool(key: str, counts: tuple[int, ...]) -> None:
    cases = (("{size: [2, 8], mode: area}", "[2, 5, 1]"), ("{scale: 2, mode: area}", "[2, 5, 1]"),
             ("{size: 2, mode: area}", "[2, 5]"))  # fmt: skip
    assert tuple(total(f"upsample: {arguments}", entering, key) for arguments, entering in cases) == counts


def test_a_fraction_of_a_scale_is_not_rounded_on_every_axis() -> None:
    scaled = "upsample: {scale: 2.5, mode: nearest}"
    found = {key: total(scaled, "[2, 5, 1]", key) for key in ("deepspeed", "ptflops_pytorch", "fvcore", "thop")}
    assert found == {"deepspeed": 62, "ptflops_pytorch": 62 + 48, "fvcore": 48, "thop": 48}


@pytest.mark.parametrize(
    ("out", "entering", "counted"),
    [
        ("4", "[8, 10, 10]", 1152),
        ("7", "[8, 5, 5]", 2744),
        ("[3, 5]", "[8, 7, 10]", 720),
        ("[3, 4]", "[8, 11, 10]", 1728),
        ("[7, 5]", "[4, 10, 10]", 1260),
        ("[20, 7]", "[8, 15, 8]", 7840),
        ("[1, 7]", "[8, 15, 8]", 1680),
        ("7", "[8, 5]", 280),
        ("4", "[8, 10]", 96),
        ("[1, 3]", "[8, 4, 6]", 192),
    ],
)
def test_onnx_tool_reads_adaptive_pools_of_the_newer_exporter(out: str, entering: str, counted: int) -> None:
    assert total(f"avgpool: {{out: {out}}}", entering, "onnx_tool") == counted


@pytest.mark.parametrize(
    ("layer", "entering", "key"),
    [
        ("maxpool: {out: 7}", "[8, 5, 5]", "onnx_tool"),
        ("avgpool: {out: [2, 3, 3]}", "[4, 5, 6, 7]", "onnx_tool"),
        ("avgpool: {out: 4}", "[8, 10, 10]", "keras_flops"),
    ],
)
def test_what_has_no_number_is_an_error_with_its_place(layer: str, entering: str, key: str) -> None:
    net = graph(layer, entering)
    with pytest.raises(SpecError, match=f"{key}: no number for '{net.layers[-1].path}'") as caught:
        profiles.total(net, key)
    assert caught.value.code == "CC742"
    assert str(caught.value.span) == "corner.yaml:3:5"
    standing = profiles.profile_result(net, profiles.find_profile(key))
    assert (standing.total, dict(standing.terms)) == (None, {})
    assert "no number for" in standing.error


@pytest.mark.parametrize(("slopes", "learned"), [("slopes: 1", 1), ("slopes: 8", 8), ("slopes: [8, 1, 10]", 80)])
def test_slopes_that_are_learned_count_as_they_are(slopes: str, learned: int) -> None:
    """nn.PReLU(): torchinfo counts the weights, thop and calflops the elements; TensorFlow negates every slope."""
    layer = f"act: {{type: prelu, {slopes}}}"
    found = {key: total(layer, "[8, 10, 10]", key) for key in ("torchinfo", "thop", "calflops", "keras_flops")}
    assert found == {"torchinfo": learned, "thop": 800, "calflops": 800, "keras_flops": 3 * 800 + learned}
