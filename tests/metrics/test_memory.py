"""Bytes: worked out by hand, and by a simulation of the definition; widths of number formats from their definitions."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

import convcalc
from convcalc.metrics.registry import DETAIL_KEYS

DETAILED = (*DETAIL_KEYS, "peak")

NET = """\
input: [3, 8, 8]
layers:
  - {conv: {out: 5, kernel: 3, norm: batch, bias: true}, name: stem}
  - {seq: [conv: [5, 1]], repeat: 2, tie: true, name: shared}
"""
STEM, NORM, SHARED = 5 * 3 * 9 + 5, 4 * 5, 5 * 5 + 5
BYTES = {"float64": 8, "float32": 4, "float16": 2, "bfloat16": 2, "int8": 1, "fp8": 1}


@pytest.mark.parametrize(("dtype", "width"), BYTES.items(), ids=list(BYTES))
def test_weights_buffers_and_shared_weights_once(dtype: str, width: int) -> None:
    report = convcalc.load(text=NET).report(detailed=DETAILED, dtype=dtype)
    rows = {row.path: row.values["weight_bytes"] for row in report.rows}
    assert rows == {
        "stem": STEM * width,
        "stem.norm": NORM * width,
        "shared1.conv1": SHARED * width,
        "shared2.conv1": 0,
    }
    assert report.totals["weight_bytes"] == sum(rows.values())


def test_half_bytes_are_filled_up_in_every_layer() -> None:
    report = convcalc.load(text="input: [3, 1, 1]\nlayers: [conv: {out: 1, kernel: 1, bias: false}]").report(
        detailed=DETAILED, dtype="int4"
    )
    assert report.totals["weight_bytes"] == 2


def test_weights_do_not_grow_with_the_batch() -> None:
    network = convcalc.load(text=NET)
    assert (
        network.report(detailed=DETAILED, batch=16).totals["weight_bytes"]
        == network.report(detailed=DETAILED).totals["weight_bytes"]
    )


# --- activations in memory --------------------------------------------------------------------------------------------


def simulated_peak(network: convcalc.Network, width: int) -> int:
    """By the definition, tensor by tensor: alive is what has been made and will still be read, or is a result."""
    nodes, results = network.graph.nodes, set(network.graph.outputs.values())
    tables = {node.index for node in nodes if node.op is not None and node.op.kind == "param"}
    sizes = [0 if node.index in tables else width * math.prod(node.shape) for node in nodes]
    readers = {node.index: [other.index for other in nodes if node.index in other.inputs] for node in nodes}
    peak = 0
    for step in (node for node in nodes if node.op is not None):
        made = [node for node in nodes if node.op is None or node.index <= step.index]
        needed = [
            node.index
            for node in made
            if node.index == step.index or node.index in results or any(at >= step.index for at in readers[node.index])
        ]
        peak = max(peak, sum(sizes[index] for index in needed))
    return peak


@pytest.mark.parametrize("name", ["resnet18", "googlenet", "densenet", "unet", "vit", "mobilenet_v2", "yolov3"])
def test_peak_is_what_a_simulation_of_the_definition_gives(name: str) -> None:
    network = convcalc.load(f"zoo:{name}")
    assert network.report(detailed=DETAILED).totals["peak_activation_bytes"] == simulated_peak(network, 4)


@st.composite
def graphs(draw: st.DrawFn) -> str:
    """Random layers that read any earlier layer or one of two inputs, of many widths; some are results."""
    layers, names = [], ["a", "b"]
    for place in range(draw(st.integers(1, 9))):
        source = draw(st.sampled_from(names))
        kind = draw(
            st.sampled_from([f"conv: [{draw(st.integers(1, 40))}, 1]", "relu: ", "add: [identity, {from: SECOND}]"])
        )
        if "SECOND" in kind:
            kind = f"concat: [identity, {{from: {draw(st.sampled_from(names))}}}]"
        layers.append(f"  - {{{kind}, name: l{place}, from: {source}}}")
        names.append(f"l{place}")
    results = draw(st.lists(st.sampled_from(names[2:]), max_size=2, unique=True))
    return "\n".join(["inputs: {a: [3, 5, 7], b: [64, 5, 7]}", "layers:", *layers, f"outputs: [{', '.join(results)}]"])


@given(graphs())
def test_peak_of_random_graphs(text: str) -> None:
    network = convcalc.load(text=text)
    assert network.report(detailed=DETAILED, dtype="int8").totals["peak_activation_bytes"] == simulated_peak(network, 1)


def test_a_chain_by_hand() -> None:
    """48 + 160, 160 + 160, 160 + 20 bytes: the activation is not a view, and the input is gone when it runs."""
    text = "input: [3, 4, 4]\nlayers: [conv: [10, 1], relu, {conv: {out: 5, kernel: 2, stride: 2}}]"
    report = convcalc.load(text=text).report(detailed=DETAILED, dtype="int8")
    assert [row.values["peak_activation_bytes"] for row in report.rows] == [48 + 160, 160 + 160, 160 + 20]
    assert report.totals["peak_activation_bytes"] == 320
    weights = 3 * 10 + 10 + 10 * 5 * 4 + 5
    assert report.totals["training_bytes"] == 4 * weights + 160 + 160 + 20
    assert report.totals["traffic_bytes"] == (48 + 40 + 160) + (160 + 160) + (160 + 205 + 20)


def test_a_batch_multiplies_activations_and_not_weights() -> None:
    network = convcalc.load("zoo:lenet")
    one, eight = network.report(detailed=DETAILED).totals, network.report(detailed=DETAILED, batch=8).totals
    assert eight["peak_activation_bytes"] == 8 * one["peak_activation_bytes"]
    weights = 4 * one["params"]
    assert eight["training_bytes"] - 4 * weights == 8 * (one["training_bytes"] - 4 * weights)
    assert eight["traffic_bytes"] - weights == 8 * (one["traffic_bytes"] - weights)


def test_shared_weights_are_read_at_every_call_and_kept_once() -> None:
    text = "input: [4]\nlayers: [{linear: {out: 4, bias: false}, name: l, repeat: 3, tie: true}]"
    totals = convcalc.load(text=text).report(detailed=DETAILED, dtype="int8").totals
    assert totals["traffic_bytes"] == 3 * (4 + 16 + 4)
    assert totals["training_bytes"] == 4 * 16 + 3 * 4


MEASURED = {
    "alexnet": (2_150_912, 0),
    "vgg@11": (26_292_224, 0),
    "vgg": (26_292_224, 0),
    "squeezenet": (9_726_720, 0),
    "squeezenet@1.1": (6_910_464, 0),
    "vgg@16bn": (26_292_736, 512),
    "resnet18": (7_025_152, 512),
    "googlenet": (7_025_152, 512),
}
"""Most bytes in storages at once while torchvision 0.29.1's module ran, and what is not a tensor of the network.

torch 2.14.1 on the meta device, evaluation mode, no gradients, one picture, ``inplace`` off; after every operator the
storages that are still referred to are summed, parameters and buffers aside. The caller holds on to the picture. A
batch norm also returns the two statistics (64 numbers each) that a backward pass would want.
"""


@pytest.mark.parametrize(("design", "measured"), MEASURED.items(), ids=list(MEASURED))
def test_peak_is_what_a_framework_needs(design: str, measured: tuple[int, int]) -> None:
    report = convcalc.load(f"zoo:{design}").report(detailed=DETAILED)
    picture = 4 * math.prod(report.inputs["input"])
    assert report.totals["peak_activation_bytes"] + picture + measured[1] == measured[0]


# --- what is alive, formats of single layers, intensity ---------------------------------------------------------------


@given(graphs())
def test_what_is_alive_at_the_peak_adds_up_to_it(text: str) -> None:
    network = convcalc.load(text=text)
    found = network.report(detailed=DETAILED, dtype="int8").peak
    assert found is not None
    assert found.bytes == simulated_peak(network, 1) == sum(tensor.bytes for tensor in found.alive)
    sizes = {node.path: math.prod(node.shape) for node in network.graph.nodes}
    assert all(sizes[tensor.name] == tensor.bytes for tensor in found.alive)


def test_the_peak_of_a_residual_block_by_hand() -> None:
    """While the last convolution runs: its input, its output, and what the sum will still read."""
    text = "input: [1, 4, 4]\nlayers: [{conv: [8, 1], name: a}, {add: [identity, [{conv: [6, 1], name: b}, "
    report = convcalc.load(text=f"{text}{{conv: [8, 1], name: c}}]], name: sum}}]").report(
        detailed=DETAILED, dtype="int8"
    )
    assert report.peak is not None
    assert (report.peak.layer, report.peak.bytes) == ("sum", 3 * 128)
    assert [(tensor.name.rpartition(".")[2], tensor.bytes) for tensor in report.peak.alive] == [
        ("a", 128), ("c", 128), ("sum", 128),
    ]  # fmt: skip


FORMATS = "float16, shared*.**=int8, shared2.conv1=int4"


def test_formats_of_single_layers() -> None:
    """The input and the stem take 2 bytes a number, the shared layers' weights those of their owner: 1."""
    report = convcalc.load(text=NET).report(detailed=DETAILED, dtype=FORMATS)
    rows = {row.path: row.values for row in report.rows}
    stem, norm, first, second = rows.values()
    assert [stem["weight_bytes"], norm["weight_bytes"]] == [2 * STEM, 2 * NORM]
    assert [first["weight_bytes"], second["weight_bytes"]] == [SHARED, 0]
    image, inner = 3 * 64, 5 * 36
    assert stem["traffic_bytes"] == 2 * (image + STEM + inner)
    assert first["traffic_bytes"] == 2 * inner + SHARED + inner
    assert second["traffic_bytes"] == inner + SHARED + inner // 2
    assert report.totals["peak_activation_bytes"] == 2 * (image + inner)  # while the stem runs
    assert report.dtype == FORMATS


@pytest.mark.parametrize(
    ("glob", "fits"),
    [
        ("stem", {"stem"}),
        ("stem.**", {"stem.norm"}),
        ("**.conv1", {"shared1.conv1", "shared2.conv1"}),
        ("shared?.*", {"shared1.conv1", "shared2.conv1"}),
        ("*", {"stem"}),
        ("**", {"stem", "stem.norm", "shared1.conv1", "shared2.conv1"}),
    ],
)
def test_globs_over_paths(glob: str, fits: set[str]) -> None:
    wide, narrow = (
        convcalc.load(text=NET).report(detailed=DETAILED, dtype=dtype) for dtype in ("float32", f"float32, {glob}=int8")
    )
    changed = {
        row.path
        for row, other in zip(wide.rows, narrow.rows, strict=True)
        if row.values["training_bytes"] != other.values["training_bytes"]
    }
    assert changed == fits
    assert narrow.warnings == ()


@pytest.mark.parametrize(
    ("glob", "meant"),
    [
        ("shared1.conv2", "shared1.conv1"),
        ("shard1.**", "shared1.**"),
        ("shared1", "shared1.**"),
        ("zzz", ""),
        ("cach", "cache="),
        ("weight", "weights="),
        ("kv_cache", "cache="),
        ("KV", "cache="),
    ],
)
def test_a_glob_that_fits_nothing_is_a_warning_with_one_that_fits(glob: str, meant: str) -> None:
    def warnings(pattern: str) -> tuple[str, ...]:
        return convcalc.load(text=NET).report(detailed=DETAILED, dtype=f"float32, {pattern}=int8").warnings

    guess = f"; did you mean '{meant}'?" if meant else ""
    assert warnings(glob) == (f"warning: the glob '{glob}' of the data type matches no layer{guess}",)
    assert not meant or meant.endswith("=") or warnings(meant) == ()


@pytest.mark.parametrize("dtype", ["floaty", "float32, stem=floaty", "float32, =int8", ""])
def test_formats_that_are_none(dtype: str) -> None:
    with pytest.raises(ValueError, match="no number format"):
        convcalc.load(text=NET).report(detailed=DETAILED, dtype=dtype)


def test_a_glob_that_is_none() -> None:
    with pytest.raises(ValueError, match=r"the glob 'a\.\.b' has an empty part"):
        convcalc.load(text=NET).report(detailed=DETAILED, dtype="float32, a..b=int8")


def test_intensity_is_an_exact_ratio() -> None:
    """2·3·10·16 operations on 48 + 40 + 160 bytes; a design's is the ratio of its sums, a folded path's too."""
    report = convcalc.load(text="input: [3, 4, 4]\nlayers: [conv: [10, 1], relu]").report(
        detailed=DETAILED, dtype="int8"
    )
    assert report.rows[0].values["arithmetic_intensity"] == Fraction(960, 248)
    assert report.rows[1].values["arithmetic_intensity"] == 0
    assert report.totals["arithmetic_intensity"] == Fraction(960, 248 + 320)


def test_a_batch_reads_weights_once() -> None:
    report = convcalc.load(text="input: [3, 4, 4]\nlayers: [conv: [10, 1]]").report(
        detailed=DETAILED, dtype="int8", batch=5
    )
    assert report.totals["arithmetic_intensity"] == Fraction(5 * 960, 5 * 208 + 40)


def test_folded_rows_have_the_ratio_of_their_sums_and_the_field_of_their_last_layer() -> None:
    from convcalc.report.fold import TableOptions, fold_report

    text = "input: [3, 9, 9]\nlayers: [{seq: [conv: [4, 3], relu, conv: [5, 3]], name: s}, linear: {out: 2, axis: -1}]"
    report = convcalc.load(text=text).report(detailed=DETAILED, dtype="int8")
    group, _ = fold_report(report, TableOptions(depth=1, columns=("arithmetic_intensity", "receptive_field"))).lines
    operations, moved = 2 * (3 * 4 * 9 * 49 + 4 * 5 * 9 * 25), (243 + 112 + 196) + 2 * 196 + (196 + 185 + 125)
    assert group.values["arithmetic_intensity"] == Fraction(operations, moved)
    assert group.values["receptive_field"] == (5, 5)


# --- weights that are read --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("vocab", "tokens", "batch", "rows"), [(50257, 1, 1, 1), (50257, 6, 4, 24), (2, 512, 1, 2), (10, 6, 2, 10)]
)
def test_a_look_up_reads_its_rows_and_not_its_table(vocab: int, tokens: int, batch: int, rows: int) -> None:
    """Of float32: an index and an output row a look-up, and every row of the table once at most."""
    text = f"input: [{tokens}]\nlayers: [embedding: [{vocab}, 768]]"
    total = convcalc.load(text=text).report(batch=batch).totals["traffic_bytes"]
    assert total == 4 * (batch * tokens + rows * 768 + batch * tokens * 768)


def test_one_look_up() -> None:
    report = convcalc.load(text="input: [1]\nlayers: [embedding: [50257, 768]]").report()
    assert report.totals["traffic_bytes"] == 6148
    assert report.totals["weight_bytes"] == 4 * 50257 * 768


def test_a_head_that_is_tied_to_a_table_reads_all_of_it() -> None:
    text = "input: [3]\nlayers: [{embedding: [100, 8], name: e}, {linear: {out: 100, bias: false}, tie: e, name: head}]"
    rows = {row.path: row.values["traffic_bytes"] for row in convcalc.load(text=text).report().rows}
    assert rows == {"e": 4 * (3 + 3 * 8 + 3 * 8), "head": 4 * (3 * 8 + 100 * 8 + 3 * 100)}


@pytest.mark.parametrize(
    ("arguments", "read"),
    [
        ("params: 1000", 0),
        ("params: 1000, macs: 5", 1000),
        ("params: 1000, reads: 300", 300),
        ("params: 1000, macs: 5, reads: 0", 0),
    ],
)
def test_idle_weights_are_not_read(arguments: str, read: int) -> None:
    report = convcalc.load(text=f"input: [4, 5]\nlayers: [custom: {{{arguments}}}]").report()
    assert report.totals["traffic_bytes"] == 4 * (20 + read + 20)
    assert report.totals["weight_bytes"] == 4000
