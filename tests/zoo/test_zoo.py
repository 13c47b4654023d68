"""The shipped networks equal the frameworks' own modules, layer by layer."""

from __future__ import annotations

import pytest

import convcalc
from convcalc.report import Report
from tests.zoo.layerwise import SPECS, assert_equals_module

SAME = {
    "lenet": "custom/lenet5",
    "alexnet": "torchvision/alexnet",
    "vgg": "torchvision/vgg16",
    "vgg@11": "torchvision/vgg11",
    "vgg@19": "torchvision/vgg19",
    "vgg@16bn": "torchvision/vgg16_bn",
    "googlenet": "torchvision/googlenet_noaux",
    "inception_v3": "torchvision/inception_v3_noaux",
    "resnet18": "torchvision/resnet18",
    "resnet18@34": "torchvision/resnet34",
    "resnet50": "torchvision/resnet50",
    "resnet50@101": "torchvision/resnet101",
    "resnet50@152": "torchvision/resnet152",
    "mobilenet_v2": "torchvision/mobilenet_v2",
    "densenet": "torchvision/densenet121",
    "densenet@169": "torchvision/densenet169",
    "densenet@161": "torchvision/densenet161",
    "vit": "torchvision/vit_b_16",
    "vit@b32": "torchvision/vit_b_32",
}

DEPTHS = {
    "lenet": 5,
    "alexnet": 8,
    "alexnet@paper": 8,
    "nin": 9,
    "vgg@11": 11,
    "vgg@13": 13,
    "vgg": 16,
    "vgg@19": 19,
    "vgg@19bn": 19,
    "googlenet": 22,
    "googlenet@paper": 22,
    "resnet18": 18,
    "resnet18@34": 34,
    "resnet50": 50,
    "resnet50@101": 101,
    "resnet50@152": 152,
    "resnet50@paper": 50,
    "densenet": 121,
    "densenet@169": 169,
    "densenet@201": 201,
    "densenet@161": 161,
}

PUBLISHED = {  # parameters and giga-multiplies in torchvision's documentation, of models that were not measured
    "vgg@13": (133_047_848, "11.308"),
    "vgg@11bn": (132_868_840, "7.609"),
    "vgg@13bn": (133_053_736, "11.308"),
    "vgg@19bn": (143_678_248, "19.632"),
    "densenet@201": (20_013_928, "4.291"),
    "vit@l16": (304_326_632, "61.555"),
    "vit@l32": (306_535_400, "15.378"),
    "vit@h14": (632_045_800, "167.295"),
}


def shipped(design: str, **variables: str) -> Report:
    file, _, variant = design.partition("@")
    return convcalc.load(f"{SPECS}/zoo/{file}.yaml" + (f"@{variant}" if variant else ""), set=variables).report()


def kernels(report: Report, path: str = "") -> list[tuple[int, ...]]:
    """Kernel sizes of the convolutions whose paths begin so."""
    convolutions = (row for row in report.rows if row.op == "conv" and row.path.startswith(path))
    return [tuple(row.attributes["kernel_size"]) for row in convolutions]


@pytest.mark.parametrize(("design", "model"), SAME.items(), ids=list(SAME))
def test_equals_the_module(design: str, model: str) -> None:
    assert_equals_module(shipped(design), model)


def test_larger_picture_equals_the_module() -> None:
    assert_equals_module(shipped("vit", image="384"), "torchvision/vit_b_16@384")


@pytest.mark.parametrize(("design", "depth"), DEPTHS.items(), ids=list(DEPTHS))
def test_depth_is_the_number_in_the_name(design: str, depth: int) -> None:
    assert shipped(design).totals["depth"] == depth


@pytest.mark.parametrize(("design", "published"), PUBLISHED.items(), ids=list(PUBLISHED))
def test_published_counts(design: str, published: tuple[int, str]) -> None:
    totals = shipped(design).totals
    assert (totals["params"], f"{totals['macs'] / 10**9:.3f}") == published


WIDTHS = {"1.4": (6_108_776, 582_195_824), "0.75": (2_636_424, 209_069_792)}


@pytest.mark.parametrize(("alpha", "counts"), WIDTHS.items(), ids=list(WIDTHS))
def test_mobilenet_of_another_width(alpha: str, counts: tuple[int, int]) -> None:
    totals = shipped("mobilenet_v2", alpha=alpha).totals
    assert (totals["params"], totals["macs"]) == counts


def test_resnet_of_the_paper_has_its_stride_on_the_first_pointwise_convolution() -> None:
    totals = shipped("resnet50@paper").totals
    assert (totals["params"], totals["macs"]) == (25_557_032, 3_857_973_248)


def test_inception_v2_has_the_parameters_of_the_released_model() -> None:
    assert shipped("inception_v2").totals["params"] == 11_295_240


def test_alexnet_of_the_paper_has_two_halves() -> None:
    totals = shipped("alexnet@paper").totals
    assert totals["params"] == 34_944 + 307_456 + 885_120 + 663_936 + 442_624 + 37_752_832 + 16_781_312 + 4_097_000
    assert totals["params"] == 60_965_224
    assert totals["activations"] == 2 * (48 * 55**2 + 128 * 27**2 + 192 * 13**2 + 192 * 13**2 + 128 * 13**2) + 9_192
    assert totals["activations"] == 659_272


def test_googlenet_of_the_paper_has_five_by_five_kernels_and_biases() -> None:
    report = shipped("googlenet@paper")
    assert report.totals["params"] == 6_998_552
    assert report.totals["buffers"] == 0
    assert kernels(report).count((5, 5)) == 9


def test_network_in_network_follows_each_convolution_by_two_pointwise_ones() -> None:
    report = shipped("nin")
    assert (report.totals["params"], report.totals["macs"]) == (966_986, 222_486_528)
    assert kernels(report) == [(5, 5), (1, 1), (1, 1), (5, 5), (1, 1), (1, 1), (3, 3), (1, 1), (1, 1)]
    named = [row.path for row in report.rows if row.op == "conv"]
    assert named == ["conv1", "cccp1", "cccp2", "conv2", "cccp3", "cccp4", "conv3", "cccp5", "cccp6"]


def test_shallow_resnets_have_plain_blocks_and_deep_ones_bottlenecks() -> None:
    def block(design: str) -> list[tuple[int, ...]]:
        return kernels(shipped(design), "stage1.block2.")

    assert block("resnet18") == block("resnet18@34") == [(3, 3), (3, 3)]
    assert block("resnet50") == block("resnet50@101") == block("resnet50@152") == [(1, 1), (3, 3), (1, 1)]
