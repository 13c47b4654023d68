"""What is said of shipped networks beside their references: depths in their names, kernels, papers' own versions."""

from __future__ import annotations

import pytest

import convcalc
from convcalc.report.report import Report
from tests.zoo.layerwise import SPECS

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


def shipped(design: str, **variables: str) -> Report:
    file, _, variant = design.partition("@")
    return convcalc.load(f"{SPECS}/zoo/{file}.yaml" + (f"@{variant}" if variant else ""), set=variables).report()


def kernels(report: Report, path: str = "") -> list[tuple[int, ...]]:
    """Kernel sizes of the convolutions whose paths begin so."""
    convolutions = (row for row in report.rows if row.op == "conv" and row.path.startswith(path))
    return [tuple(row.attributes["kernel_size"]) for row in convolutions]


@pytest.mark.parametrize(("design", "depth"), DEPTHS.items(), ids=list(DEPTHS))
def test_depth_is_the_number_in_the_name(design: str, depth: int) -> None:
    assert shipped(design).totals["depth"] == depth


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
