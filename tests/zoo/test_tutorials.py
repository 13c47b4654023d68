"""The numbers that six tutorials on 1×1 convolutions work out by hand, row by row as they print them."""

from __future__ import annotations

from fractions import Fraction

import pytest

import convcalc
from convcalc.errors import SpecErrors
from convcalc.report.report import Report
from tests.zoo.layerwise import SPECS


def tutorial(design: str, **variables: int) -> Report:
    """A design under specs/tutorials: ``name``, ``name#path``, ``name@variant#path``."""
    file, mark, rest = design.partition("#") if "@" not in design else design.partition("@")
    path = f"{SPECS}/tutorials/{file}.yaml{mark}{rest}"
    return convcalc.load(path, set={name: str(value) for name, value in variables.items()}).report()


def params(design: str, **variables: int) -> int:
    return tutorial(design, **variables).totals["params"]


def macs(design: str, **variables: int) -> int:
    return tutorial(design, **variables).totals["macs"]


def output(design: str, **variables: int) -> tuple[int, ...]:
    (shape,) = tutorial(design, **variables).outputs.values()
    return shape


def nonlinearities(design: str) -> int:
    return sum(row.op == "act" for row in tutorial(design).rows)


def field_of_view(design: str) -> int:
    """What one output of a chain of stride-1 convolutions sees of its input, in pixels along an axis."""
    windows = [row.attributes["kernel_size"] for row in tutorial(design).rows if row.op == "conv"]
    return 1 + sum(int(kernel[0]) - 1 for kernel in windows)


# --- 1, 2: GoogLeNet 3a -----------------------------------------------------------------------------------------------

GOOGLENET_3A = {
    "#naive.1x1": 12_288,
    "#naive.3x3": 221_184,
    "#naive.5x5": 153_600,
    "#naive.pool": 0,
    "#naive": 387_072,
    "@unprojected#naive": 387_072,
    "@unprojected#reduced": 157_184,
    "@unprojected#reduced.1x1": 12_288,
    "@unprojected#reduced.3x3": 1 * 1 * 192 * 96 + 3 * 3 * 96 * 128,
    "@unprojected#reduced.5x5": 1 * 1 * 192 * 16 + 5 * 5 * 16 * 32,
    "@unprojected#reduced.pool": 0,
    "#reduced": 163_328,
    "#reduced.pool": 1 * 1 * 192 * 32,
}


@pytest.mark.parametrize(("part", "weights"), GOOGLENET_3A.items(), ids=list(GOOGLENET_3A))
def test_googlenet_3a(part: str, weights: int) -> None:
    assert params(f"googlenet_3a{part}") == weights


def test_googlenet_3a_is_not_quite_a_third() -> None:
    naive = params("googlenet_3a#naive")
    assert f"{params('googlenet_3a@unprojected#reduced') / naive:.3f}" == "0.406"
    assert f"{naive / params('googlenet_3a@unprojected#reduced'):.2f}" == "2.46"
    assert f"{params('googlenet_3a#reduced') / naive:.3f}" == "0.422"


def test_googlenet_3a_channels() -> None:
    assert output("googlenet_3a#naive") == (416, 28, 28)
    assert output("googlenet_3a#reduced") == (256, 28, 28)
    assert list(tutorial("googlenet_3a").outputs) == ["naive", "reduced"]


# --- 3, 4: the bottleneck of ResNet -----------------------------------------------------------------------------------


def test_resnet_bottleneck() -> None:
    plain, bottleneck = params("resnet_bottleneck#plain"), params("resnet_bottleneck#bottleneck")
    assert plain == 3 * 3 * 256 * 256 * 2 == 1_179_648
    assert bottleneck == 1 * 1 * 256 * 64 + 3 * 3 * 64 * 64 + 1 * 1 * 64 * 256 == 69_632
    assert f"{plain / bottleneck:.2f}" == "16.94"
    assert output("resnet_bottleneck#plain") == output("resnet_bottleneck#bottleneck") == (256, 56, 56)


@pytest.mark.parametrize(("h", "w", "c", "middle"), [(56, 56, 256, 64), (7, 9, 12, 5), (1, 3, 20, 30)])
def test_resnet_bottleneck_formula(h: int, w: int, c: int, middle: int) -> None:
    sizes = {"h": h, "w": w, "c": c, "middle": middle}
    assert (
        macs("resnet_bottleneck#bottleneck", **sizes) == h * w * c * middle + 9 * h * w * middle**2 + h * w * middle * c
    )
    assert macs("resnet_bottleneck#single", **sizes) == 9 * h * w * c * c


@pytest.mark.parametrize("c", [4, 256, 1024])
def test_resnet_bottleneck_ratio_is_the_same_at_every_width(c: int) -> None:
    bottleneck = macs("resnet_bottleneck#bottleneck", c=c)
    assert Fraction(bottleneck, macs("resnet_bottleneck#single", c=c)) == Fraction(17, 144)
    assert Fraction(bottleneck, macs("resnet_bottleneck#plain", c=c)) == Fraction(17, 288)


# --- 5: a 1×1 before a 5×5 --------------------------------------------------------------------------------------------


def test_reduction_before_5x5() -> None:
    assert macs("reduction_5x5#direct") == 330_000_000
    assert macs("reduction_5x5#reduced.1x1") == 4_800_000
    assert macs("reduction_5x5#reduced.5x5") == 33_000_000
    assert macs("reduction_5x5#reduced") == 37_800_000
    assert f"{37_800_000 / macs('reduction_5x5#direct'):.5f}" == "0.11455"
    assert output("reduction_5x5#direct") == output("reduction_5x5#reduced") == (55, 30, 40)


def test_reduction_before_5x5_adds_one_nonlinearity() -> None:
    assert (nonlinearities("reduction_5x5#direct"), nonlinearities("reduction_5x5#reduced")) == (1, 2)


# --- 6, 7: channels and weights ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("design", "height", "kernels"), [("one", 1, 1), ("several", 1, 4), ("several", 1, 7), ("3x3", 3, 4)]
)
def test_a_kernel_has_weights_for_every_channel(design: str, height: int, kernels: int) -> None:
    assert params(f"multichannel#{design}", kernels=kernels) == height * height * 3 * kernels + kernels


def test_a_1x1_on_a_3x3x3_input() -> None:
    assert params("multichannel#one") == 3 + 1
    assert output("multichannel#one") == (1, 3, 3)
    assert output("multichannel#several") == (4, 3, 3)


def test_two_kinds_of_weight_sharing() -> None:
    assert params("weight_sharing#shared") == 3 * 3 * 120 == 1_080
    assert params("weight_sharing#per_channel") == 3 * 3 * 40 * 120 == 43_200
    assert macs("weight_sharing#shared") == macs("weight_sharing#per_channel") == 30 * 30 * 43_200


# --- 8, 9, 12: one by one ---------------------------------------------------------------------------------------------

ONE_BY_ONE = {
    "#scales": ((1, 6, 6), 1),
    "#one": ((1, 6, 6), 32),
    "#many": ((16, 6, 6), 32 * 16),
    "_channels#shrink": ((32, 28, 28), 192 * 32),
    "_channels#mix": ((28, 28, 28), 3 * 3 * 3 * 64 + 64 * 28),
    "_channels#mix.1x1": ((28, 28, 28), 64 * 28),
    "_neurons#linear": ((5,), 6 * 5 + 5),
    "_neurons#convolution": ((5,), 6 * 5 + 5),
}


@pytest.mark.parametrize(("part", "expected"), ONE_BY_ONE.items(), ids=list(ONE_BY_ONE))
def test_one_by_one(part: str, expected: tuple[tuple[int, ...], int]) -> None:
    assert (output(f"one_by_one{part}"), params(f"one_by_one{part}")) == expected


def test_a_1x1_is_a_linear_layer_at_each_of_36_positions() -> None:
    assert output("one_by_one#many", n=5) == (5, 6, 6)
    assert macs("one_by_one#many", n=5) == 36 * 32 * 5
    assert macs("one_by_one_neurons#linear") == macs("one_by_one_neurons#convolution") == 30


def test_a_convolution_takes_any_input_size() -> None:
    convolutions = {params("one_by_one_size#convolution", size=size) for size in (1, 6, 28)}
    connected = [params("one_by_one_size#connected", size=size) for size in (1, 6, 28)]
    assert convolutions == {32 * 16}
    assert connected == [32 * 16, 32 * 36 * 16, 32 * 784 * 16]


def test_no_input_has_no_size() -> None:
    with pytest.raises(SpecErrors):
        tutorial("one_by_one_size", size=0)


# --- 10: Network in Network, the figure -------------------------------------------------------------------------------


def test_kernels_of_several_sizes_side_by_side() -> None:
    assert output("nin_module") == (3 + 2 + 2, 3, 3)
    assert output("nin_module#module.1x1") == (3, 3, 3)
    assert output("nin_module#module.2x2") == output("nin_module#module.pool") == (2, 3, 3)
    assert params("nin_module") == 3 * (1 * 1 * 2) + 2 * (2 * 2 * 2)


# --- 13, 14: GoogLeNet and AlexNet; 11, 15 and 19 are in test_zoo.py --------------------------------------------------


def test_googlenet_has_22_layers_and_alexnet_8() -> None:
    alexnet, googlenet = (
        convcalc.load(f"{SPECS}/zoo/{name}.yaml@paper").report().totals for name in ("alexnet", "googlenet")
    )
    assert (googlenet["depth"], alexnet["depth"]) == (22, 8)
    assert (googlenet["params"], alexnet["params"]) == (6_998_552, 60_965_224)
    assert f"{alexnet['params'] / googlenet['params']:.1f}" == "8.7"
    assert f"{alexnet['params'] / (googlenet['params'] - 1_025_000):.1f}" == "10.2"
    assert alexnet["activations"] == 659_272


# --- 16, 17, 18: small, split and depthwise kernels -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("large", "small", "view", "weights"),
    [("one_5x5", "two_3x3", 5, (25, 18)), ("one_7x7", "three_3x3", 7, (49, 27))],
)
def test_small_kernels(large: str, small: str, view: int, weights: tuple[int, int]) -> None:
    designs = [f"small_kernels#{large}", f"small_kernels#{small}"]
    assert [field_of_view(design) for design in designs] == [view, view]
    assert tuple(params(design, c=10) for design in designs) == tuple(weight * 10**2 for weight in weights)
    assert tuple(macs(design, c=10, size=8) for design in designs) == tuple(64 * weight * 10**2 for weight in weights)
    assert [nonlinearities(design) for design in designs] == [1, view // 2]


@pytest.mark.parametrize(("k", "split", "square"), [(3, 6, 9), (7, 14, 49)])
def test_asymmetric_kernels(k: int, split: int, square: int) -> None:
    assert params("asymmetric#split", k=k, c=10) == split * 10**2
    assert params("asymmetric#square", k=k, c=10) == square * 10**2
    assert output("asymmetric#split", k=k) == output("asymmetric#square", k=k) == (64, 28, 28)


def test_a_depthwise_convolution_does_not_sum_over_channels() -> None:
    assert params("depthwise#separable.depthwise") == 9 * 64
    assert output("depthwise#separable.depthwise") == (64, 56, 56)


@pytest.mark.parametrize("out", [16, 128])
def test_a_separable_convolution_costs_the_share_of_mobilenet(out: int) -> None:
    share = Fraction(macs("depthwise#separable", out=out), macs("depthwise#ordinary", out=out))
    assert share == Fraction(1, out) + Fraction(1, 9)
