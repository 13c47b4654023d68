"""What keras-flops and Netscope printed for whole networks and for single layers: exact, cell by cell."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from convcalc import profiles
from convcalc.arith import prod
from convcalc.designs.sources import open_source
from convcalc.errors import Source
from convcalc.graph.graph import Graph, Node
from tests.conftest import ROOT

REFERENCE = Path(__file__).parents[1] / "reference"
MEASURED: dict[str, dict[str, Any]] = {
    key: json.loads((REFERENCE / f"{key}.json").read_text("utf-8")) for key in ("keras_flops", "netscope")
}
CELLS = [(key, cell) for key, measured in MEASURED.items() for cell in measured["single"]]


class Zoo(NamedTuple):
    """A shipped design and what the tool's own network has otherwise: pairs of the text of the spec and another."""

    design: str
    swaps: tuple[tuple[str, str], ...] = ()
    batch: int = 1

    def graph(self) -> Graph:
        name, _, variant = self.design.partition("@")
        text, _, _ = (ROOT / "specs" / "zoo" / f"{name}.yaml").read_text("utf-8").partition("\nclaims:")
        for old, new in self.swaps:
            assert old in text
            text = text.replace(old, new)
        return open_source(Source(f"{name}.yaml", text), variant=variant or None).graph


WITH_BIAS = (("norm: batch, act: relu}}", "norm: batch, act: relu, bias: true}}"),)
WITHOUT_ADAPTIVE_POOL = (("[avgpool: {out: 7}, flatten]", "[flatten]"),)
SCALED_BRANCHES = (("norm: none, act: none}]}", "norm: none, act: none}, scale: scalar]}"),)
GROUPED_DEPTHWISE = (("dwconv: {kernel: 7,", "conv: {out: dim, groups: dim, kernel: 7,"),)
KERAS = {
    "VGG16": Zoo("vgg", WITHOUT_ADAPTIVE_POOL),
    "VGG19": Zoo("vgg@19", WITHOUT_ADAPTIVE_POOL),
    "ResNet50": Zoo("resnet50@paper", WITH_BIAS),
    "ResNet101": Zoo("resnet50@paper101", WITH_BIAS),
    "ResNet152": Zoo("resnet50@paper152", WITH_BIAS),
    "MobileNet": Zoo("mobilenet_v1"),
    "MobileNet(alpha=0.5)": Zoo("mobilenet_v1@0.5"),
    "MobileNetV2": Zoo("mobilenet_v2"),
    "MobileNetV2(alpha=1.4)": Zoo("mobilenet_v2@1.4"),
    "MobileNetV3Large": Zoo("mobilenet_v3@large_100"),
    "MobileNetV3Small": Zoo("mobilenet_v3@small_100"),
    "InceptionV3": Zoo("inception_v3"),
    "InceptionResNetV2": Zoo("inception_resnet_v2", SCALED_BRANCHES),
    "Xception": Zoo("xception"),
    "DenseNet121": Zoo("densenet"),
    "DenseNet169": Zoo("densenet@169"),
    "DenseNet201": Zoo("densenet@201"),
    "EfficientNetB0": Zoo("efficientnet"),
    "EfficientNetV2S": Zoo("efficientnet_v2"),
    "ConvNeXtTiny": Zoo("convnext", GROUPED_DEPTHWISE),
    "RegNetX004": Zoo("regnet@x_400mf"),
}

POOL_BEFORE_NORM = (
    ("  - {norm: lrn, when: halves == 2}\n  - maxpool\n", "  - maxpool\n  - {norm: lrn, when: halves == 2}\n"),
)
SIZE_227 = (("[3, 224, 224]", "[3, 227, 227]"),)
PADDED_HEAD = (("conv: [classes, 1]", "conv: {out: classes, kernel: 1, padding: 1}"),)
WITHOUT_SCALE = (("norm: batch", "norm: {type: batch, affine: false}"),)
CAFFE = {
    "alexnet": Zoo("alexnet@paper"),
    "caffenet": Zoo("alexnet@paper", POOL_BEFORE_NORM),
    "googlenet": Zoo("googlenet@paper", SIZE_227, batch=10),
    "vgg-16": Zoo("vgg", batch=10),
    "resnet-50": Zoo("resnet50@paper"),
    "resnet-152": Zoo("resnet50@paper152"),
    "squeezenet": Zoo("squeezenet", SIZE_227 + PADDED_HEAD),
    "squeezenet_v11": Zoo("squeezenet@1.1", SIZE_227),
    "inceptionv3": Zoo("inception_v3", WITHOUT_SCALE),
    "inceptionv4": Zoo("inception_v4"),
}
NETWORK_IN_NETWORK = """
convcalc: 1
input: [3, 224, 224]
defaults: {conv: {padding: half, act: relu}, maxpool: {kernel: 3, stride: 2, ceil_mode: true}}
layers:
  - [conv: {out: 96, kernel: 11, stride: 4, padding: 0}, conv: [96, 1], conv: [96, 1], maxpool]
  - [conv: [256, 5], conv: [256, 1], conv: [256, 1], maxpool]
  - [conv: [384, 3], conv: [384, 1], conv: [384, 1], maxpool]
  - [conv: [1024, 3], conv: [1024, 1], conv: [1000, 1], avgpool: global]
"""
"""Netscope's preset nin: the ImageNet network, where the shipped design is that of CIFAR-10."""

ON_SIZES = {
    **dict.fromkeys(("upsample: 2 [8, 10, 10]", "upsample: 2 [8, 11, 9]", "upsample: 2 [4, 20, 30]"), 2),
    "upsample: {scale: 2, mode: bilinear} [8, 10, 10]": 2,
    "norm: {type: layer, axis: -1} [5, 8]": 3,
    "norm: {type: layer, axis: -1, affine: false} [5, 8]": 3,
    "norm: {type: layer, axis: 0} [8, 12]": 3,
    "norm: {type: layer, axis: 0} [8, 10, 10]": 4,
    "norm: {type: layer, axis: [0, 1, 2]} [8, 10, 10]": 4,
    "deconv: {out: 16, kernel: 3, stride: 2} [8, 12]": 2,
    "deconv: {out: 16, kernel: 3, stride: 2} [8, 4, 6, 6]": 6,
    "deconv: {out: 16, kernel: 3, dilation: 2} [8, 10, 10]": 11,
    "deconv: {out: 16, kernel: 3, dilation: 2, padding: same} [8, 11, 9]": 11,
}
"""What keras-flops counts more, because Keras works out sizes inside the graph.

UpSampling2D multiplies two sides; a layer norm folds its axes and the batch into two sizes, a product for each;
transposed convolutions multiply a side by a stride and add the kernel (one and one an axis), dilated ones work out
their padding besides. It is the same for every size and batch.
"""
BY_THE_MIDDLE = ("norm: {type: layer, axis: 1} [8, 10, 10]", "norm: {type: layer, axis: 1, affine: false} [8, 10, 10]")
"""Layer norms over other than the last axes of a tensor, which Keras does not run as one kernel."""
PREPROCESSING = {"EfficientNetB0": 4 * 3 * 224 * 224 + 3}
"""Rescaling and Normalization, which stand before the first layer: x·a + b, (x − mean)/max(deviation, ε) by channel."""
WITH_THE_STATE = {"rnn: 16 [5, 8]": 3 * 16}
"""Of a batch of several, the sum of SimpleRNN's two products: a state of unknown batch fits 3 only as 3, 1 as any."""
QUARTERS = {"deconv: {out: 5, kernel: 3, stride: 2} [7, 4, 5]": 0.25}
"""Netscope multiplies by kernel/stride and rounds nothing: 7·5·9·11·1.5²."""


def standing(graph: Graph, key: str, batch: int = 1) -> Any:
    return profiles.profile_result(graph, profiles.find_profile(key), batch=batch).total


def single(cell: str) -> Graph:
    input_, layer = cell.split(" → ")
    return open_source(Source("single.yaml", f"convcalc: 1\ninput: {input_}\nlayers:\n  - {layer}\n")).graph


def shown(cell: str) -> str:
    input_, layer = cell.split(" → ")
    return f"{layer} {input_}"


def elementary(graph: Graph) -> int:
    """Operations of a layer norm that is not one kernel: mean, variance and the two steps that use them."""
    (node,) = graph.layers
    return in_steps(node)


def in_steps(node: Node) -> int:
    """9 an element and 3 for what is normalised together with scale and shift; 6 and 5 without."""
    assert node.op is not None
    (x,) = node.input_shapes
    groups = x.elements // prod(x[axis] for axis in node.op.attributes(x)["axis"])
    return 9 * x.elements + 3 * groups if node.facts.weights else 6 * x.elements + 5 * groups


def seen(graph: Graph) -> Iterator[tuple[Node, int]]:
    """Give the layers that keras-flops counts, and what: behind a convolution in groups, shapes are unknown.

    A linear layer works on rows, and writes the shape of its result into the graph.
    """
    unknown: set[int] = set()
    for node, count in zip(
        graph.layers, profiles.layer_counts(graph, profiles.find_profile("keras_flops")), strict=True
    ):
        assert node.op is not None
        grouped = node.op.kind == "conv" and getattr(node.op, "groups", 1) != 1
        if grouped or (unknown.intersection(node.inputs) and not (node.op.kind == "linear" and node.shape.rank > 1)):
            unknown.add(node.index)
        else:
            yield node, count


def test_every_network_has_a_design() -> None:
    assert list(KERAS) == list(MEASURED["keras_flops"]["totals"])
    assert [*CAFFE, "nin"] == list(MEASURED["netscope"]["totals"])


@pytest.mark.parametrize("name", sorted(KERAS.keys() - {"ConvNeXtTiny", "RegNetX004"}))
def test_keras_network(name: str) -> None:
    counted = standing(KERAS[name].graph(), "keras_flops") + PREPROCESSING.get(name, 0)
    assert counted == MEASURED["keras_flops"]["totals"][name]


def test_nothing_is_counted_behind_a_convolution_in_groups() -> None:
    """The profile counts what follows, of which the tool says nothing: all of RegNet but its first layers."""
    graph = KERAS["RegNetX004"].graph()
    printed = MEASURED["keras_flops"]["totals"]["RegNetX004"]
    assert sum(count for _, count in seen(graph)) == printed < standing(graph, "keras_flops")


def test_convnext_of_keras() -> None:
    """Keras' ConvNeXt has 10⁻⁶ for ε, with which no layer norm is one kernel, and depthwise layers by groups."""
    graph = KERAS["ConvNeXtTiny"].graph()
    counts = (in_steps(node) if node.op and node.op.kind == "norm" else count for node, count in seen(graph))
    assert sum(counts) == MEASURED["keras_flops"]["totals"]["ConvNeXtTiny"]
    ((cell, printed),) = MEASURED["keras_flops"]["epsilon below 1.001e-5"].items()
    assert elementary(single(cell)) == printed


@pytest.mark.parametrize("name", CAFFE)
def test_netscope_preset(name: str) -> None:
    network = CAFFE[name]
    assert standing(network.graph(), "netscope", network.batch) == MEASURED["netscope"]["totals"][name]


def test_netscope_preset_of_network_in_network() -> None:
    graph = open_source(Source("nin.yaml", NETWORK_IN_NETWORK)).graph
    assert standing(graph, "netscope") == MEASURED["netscope"]["totals"]["nin"]


@pytest.mark.parametrize(("key", "cell"), CELLS, ids=lambda value: value)
def test_single_layer(key: str, cell: str) -> None:
    graph, name, printed = single(cell), shown(cell), MEASURED[key]["single"][cell]
    if key == "netscope":
        assert standing(graph, key) + QUARTERS.get(name, 0) == printed
    elif name in BY_THE_MIDDLE:
        assert elementary(graph) == printed
    else:
        assert sum(count for _, count in seen(graph)) + ON_SIZES.get(name, 0) == printed


def test_all_that_differs_was_measured() -> None:
    names = {key: {shown(cell) for cell in measured["single"]} for key, measured in MEASURED.items()}
    assert names["keras_flops"] >= {*ON_SIZES, *BY_THE_MIDDLE}
    assert names["netscope"] >= set(QUARTERS)


def test_batches_of_keras() -> None:
    """Batch norms and learned slopes have numbers that a batch has once."""
    measured = MEASURED["keras_flops"]
    for name, printed in measured["batch of 4"].items():
        assert standing(KERAS[name].graph(), "keras_flops", 4) == printed
    for cell, printed in measured["single, batch of 3"].items():
        assert standing(single(cell), "keras_flops", 3) + WITH_THE_STATE.get(shown(cell), 0) == printed


def test_a_local_response_norm_of_unsaid_size_is_of_one_channel() -> None:
    """Caffe's default is five, which Netscope does not know; a spec says no size at all."""
    ((cell, printed),) = MEASURED["netscope"]["no local_size"].items()
    assert standing(single(cell), "netscope") == 5 * printed
