"""Receptive fields: networks that really run, one cell of the input at a time, and the published table."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from math import prod
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import convcalc
from convcalc.graph.graph import Graph, Node
from convcalc.metrics._receptive_axis import FieldSequence
from convcalc.metrics.receptive_field import trace_receptive_fields
from convcalc.metrics.registry import DETAIL_KEYS
from convcalc.report.report import LayerRow

DETAILED = (*DETAIL_KEYS, "peak")

Array: TypeAlias = np.ndarray[Any, Any]

# --- networks that run ------------------------------------------------------------------------------------------------


def touched(network: convcalc.Network) -> dict[str, Array]:
    """Run a one-channel 1-D network with positive weights on every one-hot input.

    Returns:
        For every layer, whether its cell (row) answers to an input cell (column).
    """
    (n,) = network.graph.inputs[0].shape.spatial
    found: dict[str, Array] = {}
    for hot in range(n):
        signal = np.zeros(n)
        signal[hot] = 1.0
        for path, answer in run(network.graph, signal).items():
            table = found.setdefault(path, np.zeros((len(answer), n), bool))
            table[:, hot] = answer > 0
    return found


def run(graph: Graph, signal: Array) -> dict[str, Array]:
    tensors: list[Array] = []
    for node in graph.nodes:
        tensors.append(signal if node.op is None else answer(node, [tensors[index] for index in node.inputs]))
    return {node.path: tensors[node.index] for node in graph.layers}


def answer(node: Node, entering: Sequence[Array]) -> Array:  # noqa: PLR0911 - an op, an answer
    """One layer, cell by cell, as its reference page says it: none of the program's own arithmetic."""
    op: Any = node.op
    x, size, facts = entering[0], node.shape.spatial[0], op.attributes(*node.input_shapes)
    match op.kind:
        case "add":
            return sum(entering[1:], x)
        case "act":
            return np.maximum(x, 0)
        case "pad":
            before, after = op.padding[0]
            return np.pad(x, (before, after))
        case "upsample" if facts["mode"] == "nearest":
            return np.array([x[i * len(x) // size] for i in range(size)])
        case "slice":
            return x[slice(op.start, op.stop, op.step)]
        case "upsample" if facts["mode"] == "bicubic":
            places = ((np.arange(size) + 0.5) * len(x) / size - 0.5).tolist()
            return np.array([sum(x[min(max(cell, 0), len(x) - 1)] for cell in nearest_four(place)) for place in places])
        case "upsample":
            places = (np.arange(size) + 0.5) * len(x) / size - 0.5
            return np.interp(places, np.arange(len(x)), x)
        case "deconv":
            return spread_out(x, size, facts)
    return slid(x, size, facts, np.max if op.kind == "maxpool" else np.sum)


def nearest_four(place: float) -> list[int]:
    """The cells around a place; one alone where it is that cell's own."""
    whole = math.floor(place + 1e-9)
    return [whole] if abs(place - whole) < 1e-9 else [whole - 1, whole, whole + 1, whole + 2]


def slid(x: Array, size: int, facts: Mapping[str, Any], pooled: Callable[[Any], Any]) -> Array:
    (k,), (s,), (d,) = facts["kernel_size"], facts["stride"], facts["dilation"]
    ((before, after),) = facts["padding"]
    cells = np.pad(x, (before, after + s))
    return np.array([pooled([cells[i * s + t * d] for t in range(k)]) for i in range(size)])


def spread_out(x: Array, size: int, facts: Mapping[str, Any]) -> Array:
    (k,), (s,), (d,) = facts["kernel_size"], facts["stride"], facts["dilation"]
    ((before, _),) = facts["padding"]
    out = np.zeros(size)
    for i, value in enumerate(x):
        for t in range(k):
            place = i * s + t * d - before
            if 0 <= place < size:
                out[place] += value
    return out


def test_what_runs_is_a_convolution() -> None:
    network = convcalc.load(text="input: [1, 9]\nlayers: [{conv: {out: 1, kernel: 3, stride: 2, padding: 1}, name: c}]")
    given = np.arange(9.0)
    assert run(network.graph, given)["c"].tolist() == [0 + 1, 1 + 2 + 3, 3 + 4 + 5, 5 + 6 + 7, 7 + 8]


WINDOWS = st.tuples(st.integers(1, 4), st.integers(1, 3), st.integers(1, 2), st.integers(0, 2), st.integers(0, 2))


@st.composite
def windows(draw: st.DrawFn, *, step: int | None = None) -> str:
    k, s, d, before, after = draw(WINDOWS)
    s = step or s
    if draw(st.booleans()):
        pads = [min(before, k // 2), min(after, k // 2)]
        return f"maxpool: {{kernel: {k}, stride: {s}, padding: [{pads}]}}"
    return f"conv: {{out: 1, kernel: {k}, stride: {s}, dilation: {d}, padding: [[{before}, {after}]]}}"


@st.composite
def odd_windows(draw: st.DrawFn) -> str:
    """A layer that keeps the size and the centres."""
    k, d = draw(st.sampled_from([1, 3, 5])), draw(st.integers(1, 2))
    return f"conv: {{out: 1, kernel: {k}, padding: half, dilation: {d}}}"


@st.composite
def aligned(draw: st.DrawFn) -> list[str]:
    layers = []
    for _ in range(draw(st.integers(1, 4))):
        if draw(st.booleans()):
            layers.append(draw(windows()))
        else:
            branch = draw(st.lists(odd_windows(), min_size=1, max_size=2))
            layers.append(f"add: [identity, [{', '.join(f'{{{one}}}' for one in branch)}]]")
    return layers


def built(layers: Sequence[str], size: int) -> convcalc.Network | None:
    text = f"input: [1, {size}]\nlayers:\n" + "".join(f"  - {{{layer}}}\n" for layer in layers)
    try:
        return convcalc.load(text=text)
    except convcalc.SpecErrors:
        return None


@given(aligned(), st.integers(20, 60))
@settings(max_examples=150, deadline=None)
def test_every_cell_of_random_networks(layers: Sequence[str], size: int) -> None:
    """Outermost input cells of every cell of every layer, cut at the borders; nothing is misaligned."""
    network = built(layers, size)
    if network is None:
        return
    for where, axis, cell, row in cells_of(network):
        assert len(axis.low) == 1
        first, last = axis.low[0] + cell * axis.step, axis.high[0] + cell * axis.step
        if first >= 0 and last < size:
            assert [first, last] == outermost(row), (where, cell, layers)
        elif row.any():
            assert first <= outermost(row)[0]
            assert outermost(row)[1] <= last
    assert trace_receptive_fields(network.graph)[1] == []


def cells_of(network: convcalc.Network) -> Iterator[tuple[str, FieldSequence, int, Array]]:
    """Every cell of every layer: what is said of the axis, and which cells of the input it really answers to."""
    places, seen = trace_receptive_fields(network.graph)[0], touched(network)
    for node in network.graph.layers:
        (axis,) = places[node.index]
        assert isinstance(axis, FieldSequence)
        for cell, row in enumerate(seen[node.path]):
            yield node.path, axis, cell, row


def outermost(row: Array) -> list[int]:
    (hot,) = np.nonzero(row)
    return [int(hot[0]), int(hot[-1])]


BORDER = 4
"""Cells of a layer at both ends whose fields are cut: an interpolation reads no cell twice there."""
ENLARGING = st.sampled_from(
    [
        "upsample: 2",
        "upsample: 3",
        "upsample: {scale: 2, mode: linear}",
        "deconv: {out: 1, kernel: 2, stride: 2}",
        "deconv: {out: 1, kernel: 4, stride: 2, padding: 1}",
        "deconv: {out: 1, kernel: 3, stride: 2, padding: 1}",
        "deconv: {out: 1, kernel: 5, stride: 3}",
        "deconv: {out: 1, kernel: 2, stride: 3}",
        "deconv: {out: 1, kernel: 2, stride: 2, dilation: 3}",
        "deconv: {out: 1, kernel: 3, stride: 3, dilation: 2, padding: 1}",
        "deconv: {out: 1, kernel: 3, stride: 2, dilation: 2}",
        "upsample: {scale: 3, mode: bicubic}",
        "upsample: {scale: 2, mode: bicubic}",
        "slice: {axis: 1, start: 1, step: 2}",
    ]
)


@given(st.lists(st.one_of(windows(), ENLARGING), min_size=1, max_size=4), st.integers(24, 96))
@settings(max_examples=150, deadline=None)
def test_cells_take_turns_behind_an_upsampling(layers: Sequence[str], size: int) -> None:
    network = built(layers, size)
    if network is None or max(prod(node.shape) for node in network.graph.nodes) > 2000:
        return
    cells = list(cells_of(network))
    border = BORDER * max(1, *(axis.stride for _, axis, _, _ in cells))  # in cells of the input
    for where, axis, cell, row in cells:
        first, last = axis.end_at(cell, axis.low), axis.end_at(cell, axis.high)
        if first > last:
            assert not row.any(), (where, cell, layers)
        elif first >= border and last < size - border:
            assert [first, last] == outermost(row), (where, cell, layers)


# --- the published table ----------------------------------------------------------------------------------------------


def last_of(design: str, path: str, text: str | None = None) -> LayerRow:
    network = convcalc.load(text=text) if text else convcalc.load(design)
    return next(row for row in network.report(detailed=DETAILED).rows if row.path == path)


TABLE: Mapping[str, Mapping[str, tuple[int, int, int | None]]] = json.loads(
    (Path(__file__).parents[1] / "reference" / "receptive_fields.json").read_text("utf-8")
)["networks"]
"""Network → end point → field, stride, padding. TensorFlow's ``SAME`` has no padding of its own: there is none then."""
INCEPTION_STEM = {
    "Conv2d_1a_3x3": "valid1.conv1", "Conv2d_2a_3x3": "valid2.conv1", "Conv2d_2b_3x3": "conv1",
    "MaxPool_3a_3x3": "maxpool1", "Conv2d_3b_1x1": "conv2", "Conv2d_4a_3x3": "valid3.conv1",
    "MaxPool_5a_3x3": "maxpool2",
}  # fmt: skip
VGG_STAGES = {f"pool{n}": f"stage{n}.maxpool1" for n in range(1, 6)}
VGG_CONVS = {f"conv{n}/conv{n}_{m}": f"stage{n}.conv{m}" for n in range(1, 6) for m in ((1, 2) if n > 2 else (1,))}
SHIPPED: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "alexnet_v2": (
        "alexnet", {"pool1": "maxpool1", "pool5": "maxpool3"} | {f"conv{n}": f"conv{n}" for n in range(1, 6)}
    ),
    "vgg_a": ("vgg@11", VGG_STAGES | VGG_CONVS),
    "vgg_16": ("vgg@16", VGG_STAGES | VGG_CONVS),
    "inception_v2": (
        "inception_v2",
        {"Conv2d_1a_7x7": "conv1", "MaxPool_2a_3x3": "maxpool1", "Conv2d_2b_1x1": "conv2.conv1",
         "Conv2d_2c_3x3": "conv2.conv2", "MaxPool_3a_3x3": "maxpool2"}
        | {f"Mixed_3{there}": f"3{here}.concat1" for there, here in ("ba", "cb")}
        | {"Mixed_4a": "3c.concat1", "Mixed_5a": "4e.concat1"}
        | {f"Mixed_4{there}": f"4{here}.concat1" for there, here in ("ba", "cb", "dc", "ed")}
        | {f"Mixed_5{there}": f"5{here}.concat1" for there, here in ("ba", "cb")},
    ),
    "inception_v3": (
        "inception_v3",
        INCEPTION_STEM
        | {f"Mixed_{n}{letter}": f"{n}{letter}.concat1" for n, all_ in ((5, "bcd"), (6, "abcde"), (7, "abc"))
           for letter in all_},
    ),
    "inception_v4": ("inception_v4", {
        "Conv2d_1a_3x3": "stem.valid1.conv1", "Conv2d_2a_3x3": "stem.valid2.conv1", "Conv2d_2b_3x3": "stem.conv1",
        "Mixed_3a": "stem.concat1", "Mixed_4a": "stem.concat2", "Mixed_5a": "stem.concat3",
        "Mixed_6a": "reduction_a.concat1", "Mixed_7a": "reduction_b.concat1",
    } | {f"Mixed_5{letter}": f"inception_a{n}.concat1" for n, letter in enumerate("bcde", 1)}
      | {f"Mixed_6{letter}": f"inception_b{n}.concat1" for n, letter in enumerate("bcdefgh", 1)}
      | {f"Mixed_7{letter}": f"inception_c{n}.concat1" for n, letter in enumerate("bcd", 1)}),
    "inception_resnet_v2": ("inception_resnet_v2", INCEPTION_STEM | {
        "Mixed_5b": "mixed_5b.concat1", "Mixed_6a": "mixed_6a.concat1", "PreAuxLogits": "block17_20.act1",
        "Mixed_7a": "mixed_7a.concat1", "Conv2d_7b_1x1": "conv3",
    }),
    "mobilenet_v1": (
        "mobilenet_v1", {"Conv2d_0": "conv1"} | {f"Conv2d_{n}_pointwise": f"block{n}.pointwise" for n in range(1, 14)}
    ),
}  # fmt: skip
"""Network → our spec of it, and the layer of each end point."""
PADDED_FIRST = 2
"""AlexNet's first convolution is padded here, as torchvision has it, and not there."""


@pytest.mark.parametrize("network", SHIPPED)
def test_published(network: str) -> None:
    design, layers = SHIPPED[network]
    rows = {row.path: row.values for row in convcalc.load(f"zoo:{design}").report(detailed=DETAILED).rows}
    more = PADDED_FIRST if network == "alexnet_v2" else 0
    assert layers.keys() == TABLE[network].keys()
    for end, path in layers.items():
        field, stride, padding = TABLE[network][end]
        values = rows[path]
        assert values["receptive_field"] == (field, field), end
        assert values["effective_stride"] == (stride, stride), end
        if padding is not None:
            assert values["offset"] == (-padding - more,) * 2, end


SLIM = """\
input: [3, 224, 224]
blocks:
  Unit:
    params: {{step: 1}}
    layers:
      - add:
          - conv: {{out: 8, kernel: 1, stride: step}}
          - seq:
              - conv: [8, 1]
              - conv: {{out: 8, kernel: 3, stride: step, padding: 1}}
              - conv: [8, 1]
layers:
  - conv: {{out: 8, kernel: 7, stride: 2, padding: 3}}
  - maxpool: {{kernel: 3, stride: 2, padding: same}}
{stages}
"""


def slim_resnet(depths: Sequence[int]) -> str:
    """ResNet v1 as TensorFlow Slim has it: the last unit of the first three stages steps, not the first of the next."""
    lines = []
    for place, depth in enumerate(depths):
        lines.append(f"  - {{Unit: , repeat: {depth - 1}, name: s{place}}}")
        lines.append(f"  - {{Unit: {{step: {2 if place < 3 else 1}}}, name: end{place}}}")
    return SLIM.format(stages="\n".join(lines))


@pytest.mark.parametrize("depths", [(3, 4, 6, 3), (3, 4, 23, 3), (3, 8, 36, 3), (3, 24, 36, 3)])
def test_published_resnets_with_the_strides_where_slim_has_them(depths: Sequence[int]) -> None:
    report = convcalc.load(text=slim_resnet(depths)).report(detailed=DETAILED)
    published = TABLE[f"resnet_v1_{3 * sum(depths) + 2}"]
    for place in range(4):
        values = [row.values for row in report.rows if row.path.startswith(f"end{place}.")][-1]
        field, stride, _ = published[f"block{place + 1}"]
        assert (values["receptive_field"][0], values["effective_stride"][0]) == (field, stride)
    assert report.misaligned == ()


@pytest.mark.parametrize(("depth", "less", "field"), [("50", 56, 483), ("101", 56, 1027), ("152", 56, 1507)])
def test_resnets_that_step_a_block_later_see_less(depth: str, less: int, field: int) -> None:
    """Stepping in the first 3×3 of the next stage, its windows are (8, 16, 32) cells narrower: 56 in all."""
    values = last_of(f"zoo:resnet50@{depth}" if depth != "50" else "zoo:resnet50", "stage4.block3.act1").values
    assert values["receptive_field"] == (field - less,) * 2


# --- by hand ----------------------------------------------------------------------------------------------------------


GAPPED = "{deconv: {out: 1, kernel: 3, stride: 2, dilation: 2}}"
"""Every other cell of it looks at nothing."""


@pytest.mark.parametrize(
    ("layers", "field", "offset"),
    [
        ("{deconv: {out: 1, kernel: 2, stride: 2, dilation: 3}}", 1, 0),
        ("{deconv: {out: 1, kernel: 3, stride: 2, dilation: 2}}", 3, -2),
        ("{conv: [1, 3]}, {slice: {axis: 1, start: -100, step: 2}}", 3, 0),
        ("{conv: [1, 3]}, {slice: {axis: 1, start: -4}}", 3, 10),
        ("{conv: [4, 3]}, {pixel_shuffle: 2}, {conv: [1, 2]}", 4, 0),
        ("{conv: [4, 3]}, {pixel_shuffle: 2}, {conv: [1, 4]}", 5, 0),
        ("{pad: [[1, 1]]}, {pixel_unshuffle: 3}, {conv: [1, 2]}", 6, -1),
        (f"{GAPPED}, {{slice: {{axis: 1, step: 2}}}}, {{conv: [1, 2]}}", 4, -2),
        (f"{GAPPED}, {{slice: {{axis: 1, start: 1, step: 2}}}}, {{conv: [1, 2]}}", 0, None),
        ("{conv: [1, 3]}, {split: {into: 2, part: 1, axis: 1}}", 3, 7),
        ("{conv: [1, 3]}, {split: {sizes: [3, 9, 2], part: -1, axis: -1}}, {conv: [1, 2]}", 4, 12),
        ("{conv: [2, 3]}, {split: {into: 2, part: 1}}", 3, 0),
        ("{conv: [1, 3]}, {pad: {padding: [[2, 0], [1, 1]], axis: [1, 0]}}, {conv: [1, 3]}", 5, -2),
        ("{conv: [2, 3]}, {pad: {padding: 1, axis: 0}}", 3, 0),
    ],
)
def test_single_axes_by_hand(layers: str, field: int, offset: int | None) -> None:
    """Tap t of a transposed convolution lies d·t cells on; of 14 cells behind a 3-window the fourth last is cell 10."""
    values = convcalc.load(text=f"input: [1, 16]\nlayers: [{layers}]").report(detailed=DETAILED).rows[-1].values
    assert (values["receptive_field"], values["offset"]) == ((field,), (offset,))


@pytest.mark.parametrize(
    ("layers", "field"),
    [
        ("{permute: [1, 0]}, linear: 64", (3,)),
        ("{permute: [1, 0]}, {norm: layer}", (3,)),
        ("{permute: [1, 0]}, experts: 64", (3,)),
        ("{experts: 64}", ("whole",)),
        ("{einsum: {equation: 'ij->ji', branches: [identity]}}", (None,)),
        ("{sdpa: [identity, identity, identity]}", ("whole",)),
        ("{reshape: [2, 2, 18]}, {sdpa: [identity, identity, identity]}", (None,)),
        ("{unfold: 3}", (None,)),
        ("{permute: [1, 0]}, softmax: 1", (3,)),
        ("{permute: [1, 0]}, softmax: 0", ("whole",)),
        ("{permute: [1, 0]}, {permute: [1, 0]}, {conv: {out: 2, kernel: 3}}", (5,)),
        ("{permute: [1, 0]}, {conv: {out: 2, kernel: 3}}", (None,)),
        ("{permute: [1, 0]}, {concat: {axis: 1, branches: [identity, identity]}}", (3,)),
        ("{permute: [1, 0]}, {concat: {axis: 0, branches: [identity, identity]}}", (None,)),
        ("{add: [{permute: [1, 0]}, {reshape: [18, 4]}]}", (None,)),
        ("{reshape: [18, 4]}, linear: 64", (None,)),
        ("{reshape: [18, 4]}, softmax: 1", (None,)),
    ],
)
def test_axes_are_followed_while_they_are_permuted(layers: str, field: tuple[Any, ...]) -> None:
    """Four channels lie behind the eighteen places of a 3-window, then before them; reshaping loses them."""
    text = f"input: [8, 20]\nlayers: [{{conv: {{out: 4, kernel: 3}}}}, {layers}]"
    assert convcalc.load(text=text).report(detailed=DETAILED).rows[-1].values["receptive_field"] == field


@pytest.mark.parametrize("axes", ["0", "-1", "[0]"])
def test_a_lone_axis_has_no_other_to_change_places_with(axes: str) -> None:
    """The only axis holds features, and none of them is a place: there is no field, written with brackets or not."""
    report = convcalc.load(text=f"input: [16]\nlayers: [{{permute: {axes}}}]").report(detailed=DETAILED)
    assert report.rows[-1].values["receptive_field"] == ()
    assert [report.rows[-1].attributes["axes"], report.rows[-1].output_shape] == [(int(axes.strip("[]")),), (16,)]


@pytest.mark.parametrize(
    ("layers", "field"),
    [
        ("reduce: {type: mean, axis: [1, 2], keepdims: true}", ("whole", "whole")),
        ("reduce: {type: mean, axis: [1, 2]}", ("whole", "whole")),
        ("reduce: {type: mean, axis: 0, keepdims: true}", (3, 5)),
        ("reduce: {type: mean, axis: 2}", (3, "whole")),
        ("reduce: {type: mean, axis: 1}", ("whole", None)),  # the columns are where the rows were
        ("reduce: {type: mean, axis: 0}", (None, None)),
        ("elementwise: exp", (3, 5)),
        ("elementwise: {type: cumsum, axis: -1}", (3, "whole")),
        (
            "elementwise: {type: sub, branches: [identity, {reduce: {type: mean, axis: 1, keepdims: true}}]}",
            ("whole", 5),
        ),
        ("roll: {shift: 1, axis: 0}", (3, 5)),
        ("roll: {shift: 1, axis: [1, 2]}", (None, None)),
        ("gather: {axis: 0, size: 3}", (3, 5)),
        ("gather: {axis: 1, size: 3}", (None, None)),
        ("broadcast: {times: [3, 1, 1]}", (3, 5)),
        ("broadcast: {times: [2, 1, 1, 1]}", (None, None)),
        ("broadcast: {times: [1, 2]}", (None, None)),
        ("{avgpool: {out: [18, 1]}}, {broadcast: [4, 18, 7]}", (3, "whole")),
    ],
)
def test_axes_that_are_reduced_moved_and_repeated(layers: str, field: tuple[Any, ...]) -> None:
    """Behind a window of 3×5 on 20×30, each cell of which lies at its own place."""
    text = f"input: [1, 20, 30]\nlayers: [{{conv: {{out: 4, kernel: [3, 5]}}}}, {layers}]"
    assert convcalc.load(text=text).report(detailed=DETAILED).rows[-1].values["receptive_field"] == field


def test_the_axes_of_two_change_places() -> None:
    layers = "{conv: {out: 4, kernel: [3, 5]}}, {permute: [2, 0, 1]}, {norm: {type: layer, axis: 2}}"
    text = f"input: [3, 20, 30]\nlayers: [{layers}]"
    network = convcalc.load(text=text)
    assert network.report(detailed=DETAILED).rows[-1].values["receptive_field"] == ("whole", 5)
    text = text.replace("axis: 2", "axis: 0")
    assert convcalc.load(text=text).report(detailed=DETAILED).rows[-1].values["receptive_field"] == (3, "whole")


def test_following_many_cells_ends_in_time() -> None:
    text = "input: [1, 4099]\nlayers: [{upsample: {size: 4093}}, {conv: {out: 1, kernel: 3, padding: 1}, repeat: 1000}]"
    rows = convcalc.load(text=text).report(detailed=DETAILED).rows
    assert rows[0].values["receptive_field"] == (1,)
    assert rows[-1].values["receptive_field"] == (None,)
    text = "input: [1, 4099]\nlayers: [{upsample: {size: 4093}}, {maxpool: {kernel: 1}, repeat: 1000}]"
    assert convcalc.load(text=text).report(detailed=DETAILED).rows[-1].values["receptive_field"] == (1,)


# --- marks ------------------------------------------------------------------------------------------------------------


def told(layers: str, shape: str = "[4, 8, 8]", fact: str = "receptive_field") -> list[Any]:
    report = convcalc.load(text=f"input: {shape}\nlayers: [{layers}]").report(detailed=DETAILED)
    return [row.values[fact] for row in report.rows]


WHOLE = ("whole", "whole")


def test_global_layers_have_a_mark() -> None:
    assert told("conv: [4, 3], avgpool: global, conv: [4, 1]") == [(3, 3), WHOLE, WHOLE]
    assert told("conv: [4, 3], avgpool: {out: 1}") == [(3, 3), WHOLE]
    assert told("conv: [4, 3], flatten, relu, linear: 5") == [(3, 3), (None, None), (None, None), WHOLE]
    assert told("norm: {type: group, groups: 2}") == [WHOLE]
    assert told("norm: {type: layer, axis: 0}") == [(1, 1)]
    assert told("norm: {type: layer, axis: [0, 2]}") == [(1, "whole")]
    assert told("norm: instance") == told("norm: {type: batch, track_running_stats: false}") == [WHOLE]
    assert told("norm: batch") == told("norm: {type: instance, track_running_stats: true}") == [(1, 1)]
    assert told("softmax: 0, softmax: 1") == [(1, 1), ("whole", 1)]
    assert told("linear: {out: 5, axis: -1}") == [(1, "whole")]


def test_one_cell_that_is_flattened_is_still_that_cell() -> None:
    assert told("conv: [4, 8], flatten, linear: 3", "[4, 8, 8]")[-1] == (8, 8)


def test_tokens_of_an_image() -> None:
    values = told("{conv: [6, 4, 4]}, {reshape: [6, 4]}, {permute: [1, 0]}, {attention: 2}, relu")
    assert values == [(4, 4), (None, None), (None, None), WHOLE, WHOLE]


def test_a_gate_that_saw_everything() -> None:
    gate = "mul: [identity, [avgpool: global, conv: [4, 1]]]"
    assert told(f"conv: [4, 3], {gate}")[-1] == WHOLE


def test_a_learned_table_looks_at_nothing() -> None:
    values = told("conv: {out: 4, kernel: 3, padding: 1}, add: [identity, {param: [4, 8, 8]}]")
    assert values == [(3, 3), (0, 0), (3, 3)]


def test_axes_have_fields_of_their_own() -> None:
    layer = "conv: {out: 4, kernel: [3, 1], stride: [2, 1], padding: [1, 0]}"
    assert told(layer) == [(3, 1)]
    assert (told(layer, fact="effective_stride"), told(layer, fact="offset")) == ([(2, 1)], [(-1, 0)])
    assert told("conv: [4, 3]", "[4, 5, 6, 7]") == [(3, 3, 3)]
    assert told("linear: 4", "[7]") == [()]


def test_cuts_and_pads_move_the_field() -> None:
    assert told("pad: [[2, 0], [0, 0]], {slice: {axis: 2, start: 3}}", fact="offset") == [(-2, 0), (-2, 3)]
    assert told("{slice: {axis: 1, start: -4, step: 2}}", fact="effective_stride") == [(2, 1)]
    assert told("{slice: {axis: 1, start: -4, step: 2}}", fact="offset") == [(4, 0)]


def test_adaptive_pools_take_turns() -> None:
    """8 cells in 3: 0…2, 2…5, 5…7: the middle one is wider."""
    assert told("avgpool: {out: [3, 4]}") == [(4, 2)]
    assert told("avgpool: {out: [3, 4]}", fact="effective_stride")[0][1] == 2


def misaligned(layers: str, size: int = 16) -> list[tuple[str, tuple[str, ...], str]]:
    report = convcalc.load(text=f"input: [4, {size}]\nlayers: [{layers}]").report(detailed=DETAILED)
    assert report.misaligned is not None
    return [(join.layer, join.paths, join.differ) for join in report.misaligned]


def test_misaligned_paths_are_named() -> None:
    shifted = "{add: [{conv: [4, 1]}, {conv: {out: 4, kernel: 3, padding: [[2, 0]]}}], name: join}"
    ((layer, paths, differ),) = misaligned(shifted)
    assert (layer, len(paths), differ) == ("join", 2, "centres")
    strided = "{add: [[{conv: [4, 1, 2]}, {upsample: 2}, {conv: [4, 1, 2]}], {conv: [4, 1, 2]}], name: join}"
    assert misaligned(strided) == []
    cut = "{add: [{conv: [4, 1, 2]}, {slice: {axis: 1, stop: 8}}], name: join}"
    ((layer, paths, differ),) = misaligned(cut)
    assert (layer, differ) == ("join", "strides")


def test_the_largest_field_wins() -> None:
    layers = (
        "{concat: [{conv: [4, 1]}, {conv: {out: 4, kernel: 5, padding: 2}}, {conv: {out: 4, kernel: 3, padding: 1}}]}"
    )
    assert told(layers, "[4, 9]")[-1] == (5,)
    assert misaligned(layers) == []


# --- other numbers ----------------------------------------------------------------------------------------------------


def test_symbols_and_arrays_go_the_same_way() -> None:
    """The axis of a window is worked out for a symbol and for an array in place of the kernel and the stride."""
    import sympy

    from convcalc.metrics._window_reads import ReadPattern

    k, s, p = sympy.symbols("k s p", positive=True, integer=True)
    first = FieldSequence((0,), (0,), 1)

    def window(k: Any, s: Any, p: Any) -> ReadPattern:
        return ReadPattern(lambda i: (i * s - p, i * s - p + k - 1), 1, s)

    def twice(k: Any, s: Any, p: Any) -> FieldSequence:
        once = first.read(window(k, s, p))
        assert once is not None
        again = once.read(window(3, 2, 1))
        assert again is not None
        return again

    symbolic = twice(k, s, p)
    assert sympy.expand(symbolic.size - (k + 2 * s)) == 0
    assert (symbolic.stride, symbolic.low[0]) == (2 * s, -p - s)
    swept: Any = twice(np.array([3, 5]), np.array([1, 2]), np.array([1, 2]))
    assert (swept.size.tolist(), swept.stride.tolist(), swept.low[0].tolist()) == ([5, 9], [2, 4], [-2, -4])
