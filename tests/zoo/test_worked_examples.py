"""The worked examples of the language, word for word, with the counts stated beside them."""

from __future__ import annotations

import pytest

import convcalc
from convcalc.report.report import Report

VGG_16 = """\
input: [3, 224, 224]
vars: {convs: [2, 2, 3, 3, 3], classes: 1000}
variants: {"11": {convs: [1, 1, 2, 2, 2]}, "19": {convs: [2, 2, 4, 4, 4]}}
defaults: {conv: {padding: 1, act: relu}}
layers:
  - repeat: {n: convs, c: [64, 128, 256, 512, 512]}
    name: stage
    seq: [{conv: [c, 3], repeat: n, name: conv}, maxpool: 2]
  - flatten
  - {seq: [linear: {out: 4096, act: relu}, dropout: 0.5], repeat: 2, name: fc}
  - linear: classes
"""

NIN = """\
input: [3, 32, 32]
defaults: {conv: {padding: half, act: relu}}
layers:
  - [conv: [192, 5], conv: [160, 1], conv: [96, 1], maxpool: {kernel: 3, stride: 2, ceil_mode: true}, dropout: 0.5]
  - [conv: [192, 5], conv: [192, 1], conv: [192, 1], avgpool: {kernel: 3, stride: 2, ceil_mode: true}, dropout: 0.5]
  - [conv: [192, 3], conv: [192, 1], conv: [10, 1], avgpool: global, flatten, softmax]
"""

GOOGLENET_3A = """\
input: [192, 28, 28]
defaults: {conv: {padding: half, act: relu}}
blocks:
  Naive:
    params: {c1, c3, c5}
    layers: [concat: [conv: [c1, 1], conv: [c3, 3], conv: [c5, 5], maxpool: {kernel: 3, stride: 1, padding: 1}]]
  Inception:
    params: {c1, r3, c3, r5, c5, pool}                     # the columns of the paper's Table 1
    layers:
      - concat:
          - conv: [c1, 1]
          - [conv: [r3, 1], conv: [c3, 3]]
          - [conv: [r5, 1], conv: [c5, 5]]
          - [maxpool: {kernel: 3, stride: 1, padding: 1}, conv: [pool, 1]]
layers:
  - {Naive: [64, 128, 32], name: naive}
  - {Inception: [64, 96, 128, 16, 32, 32], name: reduced, from: input}
outputs: [naive, reduced]
claims:
  - {at: reduced, params: 159Ki, macs: 128M, excluding: [bias], source: "arXiv:1409.4842, Table 1"}
"""

RESNET_BLOCKS = """\
inputs: {x64: [64, 56, 56], x256: [256, 56, 56]}
defaults: {conv: {padding: half, norm: batch}}
blocks:
  Plain:
    params: {c}
    layers: [add: [identity, [conv: {out: c, kernel: 3, act: relu}, conv: [c, 3]]], relu]
  Bottleneck:
    params: {c, width: c//4}
    layers: [add: [identity, [conv: {out: width, kernel: 1, act: relu}, conv: {out: width, kernel: 3, act: relu}, conv: [c, 1]]], relu]
layers:
  - {Plain: 64, name: plain64, from: x64}
  - {Plain: 256, name: plain256, from: x256}
  - {Bottleneck: 256, name: bottleneck256, from: x256}
outputs: [plain64, plain256, bottleneck256]
"""  # noqa: E501 - word for word

RESNET_50 = """\
input: [3, 224, 224]
vars: {depths: [3, 4, 6, 3], v1: false, classes: 1000}     # v1: stride on the 1x1, as the paper drew it
variants: {"101": {depths: [3, 4, 23, 3]}, "152": {depths: [3, 8, 36, 3]}, paper: {v1: true}}
defaults: {conv: {padding: half, norm: batch, act: relu}}
blocks:
  Bottleneck:
    params: {width, stride: 1, out: 4*width}
    layers:
      - add:
          - [conv: [width, 1, stride if v1 else 1], conv: [width, 3, 1 if v1 else stride], conv: {out: out, kernel: 1, act: none}]
          - conv: {out: out, kernel: 1, stride: stride, act: none}
            name: shortcut
            when: stride != 1 or cin != out
            else: identity
      - relu
layers:
  - conv: [64, 7, 2]
  - maxpool: {kernel: 3, stride: 2, padding: 1}
  - repeat: {n: depths, w: [64, 128, 256, 512], s: [1, 2, 2, 2]}
    name: stage
    seq:
      - Bottleneck: {width: w, stride: s if first else 1}
        repeat: n
        name: block
  - [avgpool: global, flatten, linear: classes]
claims:
  - {params: 25.6M, macs: 4.09G, top1: 76.13, source: torchvision ResNet50_Weights.IMAGENET1K_V1}
  - {variant: paper, macs: 3.8G, source: "arXiv:1512.03385, Table 1", quote: "FLOPs 3.8×10^9"}
"""  # noqa: E501 - word for word

MOBILENET_V2 = """\
input: [3, size, size]
vars: {alpha: 1.0, size: 224, classes: 1000, head: make_divisible(1280*(alpha if alpha > 1 else 1))}
defaults: {conv: {padding: half, norm: batch, act: relu6}}
blocks:
  Inverted:
    params: {t, c, stride: 1, hidden: t*cin}
    layers:
      - add:
          - {identity: , when: stride == 1 and cin == c}
          - - {conv: [hidden, 1], when: t != 1}
            - dwconv: [3, stride]
            - conv: {out: c, kernel: 1, act: none}
layers:
  - conv: [make_divisible(32*alpha), 3, 2]
  - repeat:
      t: [ 1,  6,  6,  6,  6,   6,   6]
      c: [16, 24, 32, 64, 96, 160, 320]
      n: [ 1,  2,  3,  4,  3,   3,   1]
      s: [ 1,  2,  2,  2,  1,   2,   1]
    name: stage
    seq:
      - Inverted: {t: t, c: make_divisible(c*alpha), stride: s if first else 1}
        repeat: n
        name: block
  - [conv: [head, 1], avgpool: global, flatten, dropout: 0.2, linear: classes]
"""

DENSENET_121 = """\
input: [3, 224, 224]
vars: {growth: 32, stem: 2*growth, depths: [6, 12, 24, 16], classes: 1000}
variants: {"169": {depths: [6, 12, 32, 32]}, "161": {growth: 48, depths: [6, 12, 36, 24]}}
defaults: {conv: {padding: half, bias: false}}
blocks:
  Dense: [concat: [identity, [norm: batch, relu, conv: [4*growth, 1], norm: batch, relu, conv: [growth, 3]]]]
  Transition: [norm: batch, relu, conv: [cin//2, 1], avgpool: 2]
layers:
  - conv: {out: stem, kernel: 7, stride: 2, norm: batch, act: relu}
  - maxpool: {kernel: 3, stride: 2, padding: 1}
  - repeat: {n: depths}
    name: stage
    seq:
      - {Dense: , repeat: n, name: layer}
      - {Transition: , when: not last, name: transition}
  - [norm: batch, relu, avgpool: global, flatten, linear: classes]
"""

REDUCTION_5X5 = """\
input: {h: 30, w: 40, c: 200}
vars: {out: 55, reduce: 20}
defaults: {conv: {padding: same, bias: false}}
layers:
  - {conv: [out, 5], name: direct}
  - {seq: [conv: [reduce, 1], conv: [out, 5]], name: reduced, from: input}
  - {conv: {out: out, kernel: 5, weight_sharing: channels}, name: shared, from: input}
  - {conv: {out: 1, kernel: 1, weight_sharing: channels}, name: mean, from: input}
outputs: [direct, reduced, shared, mean]
"""

SQUEEZE_EXCITE = """\
input: [256, 56, 56]
blocks:
  SE:
    params: {r: 16, c: cin}                       # c remembers the block's input channels
    layers: [mul: [identity, [avgpool: global, conv: {out: c//r, kernel: 1, act: relu}, conv: {out: c, kernel: 1, act: sigmoid}]]]
layers: [SE]
"""  # noqa: E501 - word for word

U_NET = """\
input: [1, 572, 572]
vars: {classes: 2}
defaults: {conv: {act: relu}}
blocks:
  Double: {params: {c}, layers: [conv: [c, 3], conv: [c, 3]]}
layers:
  - repeat: {c: [64, 128, 256, 512]}
    name: down
    seq: [{Double: c, name: enc}, maxpool: 2]
  - {Double: 1024, name: bottom}
  - repeat: {c: [512, 256, 128, 64], crop: [4, 16, 40, 88]}
    name: up
    seq:
      - deconv: [c, 2, 2]
      - concat: [{pad: -crop, from: "down{4-i}.enc"}, identity]      # negative padding crops
      - Double: c
  - conv: {out: classes, kernel: 1, act: none}
"""

YOLOV8_BACKBONE = """\
input: [3, 640, 640]
vars: {depth: 1.0, width: 1.0, cmax: 512}                  # the l model
variants: {n: {depth: 0.33, width: 0.25, cmax: 1024}, s: {depth: 0.33, width: 0.50, cmax: 1024},
           m: {depth: 0.67, width: 0.75, cmax: 768}, x: {width: 1.25}}
defaults: {conv: {padding: half, norm: batch, act: silu}}
blocks:
  C2f:
    params: {c, n, shortcut: true, h: c//2}
    layers:
      - conv: [c, 1]
      - repeat: n                                 # each round appends one bottleneck of the newest h channels
        name: m
        concat: [identity, [slice: {start: -h}, add: [{identity: , when: shortcut}, [conv: [h, 3], conv: [h, 3]]]]]
      - conv: [c, 1]
  SPPF:
    params: {k: 5, c: cin, h: cin//2}
    layers:
      - conv: [h, 1]
      - {concat: [identity, [slice: {start: -h}, maxpool: {kernel: k, stride: 1, padding: half}]], repeat: 3, name: m}
      - conv: [c, 1]
  Stage:
    params:
      base:
      n:
      c: round_up(min(base, cmax)*width, 8)
      reps: max(round(n*depth), 1)
    layers: [conv: [c, 3, 2], C2f: [c, reps]]
layers:
  - conv: [round_up(64*width), 3, 2]
  - {repeat: {c: [128, 256, 512, 1024], n: [3, 6, 6, 3]}, name: "p{i+2}", Stage: [c, n]}
  - {SPPF: , name: sppf}
outputs: [p3, p4, sppf]
"""

VIT_B_16 = """\
input: [3, image, image]
vars: {image: 224, patch: 16, dim: 768, depth: 12, heads: 12, mlp: 4*dim, classes: 1000}
variants: {l16: {dim: 1024, depth: 24, heads: 16}, b32: {patch: 32}}
blocks:
  Encoder:
    - add: [identity, [norm: layer, attention: heads]]
    - add: [identity, [norm: layer, linear: {out: mlp, act: gelu}, linear: dim]]
layers:
  - [conv: [dim, patch, patch], flatten: {start: 1}, permute: [1, 0]]    # (768, 14, 14) -> (768, 196) -> (196, 768)
  - concat: [param: [1, dim], identity]           # class token
  - add: [identity, param]                        # position embedding: a param shaped like its input
  - {Encoder: , repeat: depth, name: block}
  - [norm: layer, slice: {stop: 1}, flatten, linear: classes]
"""


def counted(text: str, variant: str | None = None, **variables: str) -> Report:
    return convcalc.load(text=text, name="example.yaml", variant=variant, set=variables).report()


def weights(report: Report, path: str) -> int:
    """Parameters of a part without its biases."""
    layers = [row for row in report.rows if row.path.startswith(f"{path}.")]
    biases = sum(row.output_shape[0] for row in layers if row.attributes.get("bias"))
    return sum(row.values["params"] for row in layers if row.op == "conv") - biases


def multiplies(report: Report, path: str) -> int:
    return sum(row.values["macs"] for row in report.rows if f"{row.path}.".startswith(f"{path}."))


def params(report: Report, path: str) -> int:
    return sum(row.values["params"] for row in report.rows if f"{row.path}.".startswith(f"{path}."))


CASES = [  # text, variant, variables, params, multiplies
    (VGG_16, None, {}, 138_357_544, 15_470_264_320),
    (VGG_16, "19", {}, 143_667_240, None),
    (NIN, None, {}, 966_986, 222_486_528),
    (RESNET_50, None, {}, 25_557_032, 4_089_184_256),
    (RESNET_50, "101", {}, 44_549_160, None),
    (RESNET_50, "152", {}, 60_192_808, None),
    (RESNET_50, "paper", {}, 25_557_032, 3_857_973_248),
    (MOBILENET_V2, None, {}, 3_504_872, 300_774_272),
    (MOBILENET_V2, None, {"alpha": "1.4"}, 6_108_776, 582_195_824),
    (MOBILENET_V2, None, {"alpha": "0.75"}, 2_636_424, 209_069_792),
    (DENSENET_121, None, {}, 7_978_856, 2_834_161_664),
    (DENSENET_121, "169", {}, 14_149_480, None),
    (DENSENET_121, "161", {}, 28_681_000, 7_727_907_072),
    (SQUEEZE_EXCITE, None, {}, 8_464, 8_192),
    (U_NET, None, {}, 31_030_658, 150_428_424_448),
    (YOLOV8_BACKBONE, "n", {}, 1_272_656, 1_577_779_200),
    (VIT_B_16, None, {}, 86_567_656, 17_563_828_224),
    (VIT_B_16, "l16", {}, 304_326_632, None),
    (VIT_B_16, "b32", {}, 88_224_232, None),
]


@pytest.mark.parametrize(("text", "variant", "variables", "parameters", "macs"), CASES)
def test_totals(text: str, variant: str | None, variables: dict[str, str], parameters: int, macs: int | None) -> None:
    totals = counted(text, variant, **variables).totals
    assert totals["params"] == parameters
    if macs is not None:
        assert totals["macs"] == macs
    assert totals["flops"] == 2 * totals["macs"]


def test_googlenet_3a() -> None:
    report = counted(GOOGLENET_3A)
    assert (weights(report, "naive"), weights(report, "reduced")) == (387_072, 163_328)
    assert (multiplies(report, "naive"), multiplies(report, "reduced")) == (303_464_448, 128_049_152)
    assert dict(report.outputs) == {"naive": (416, 28, 28), "reduced": (256, 28, 28)}


def test_resnet_blocks() -> None:
    report = counted(RESNET_BLOCKS)
    blocks = ("plain64", "plain256", "bottleneck256")
    assert [weights(report, block) for block in blocks] == [73_728, 1_179_648, 69_632]
    assert [multiplies(report, block) for block in blocks] == [231_211_008, 3_699_376_128, 218_365_952]
    assert list(report.inputs.items()) == [("x64", (64, 56, 56)), ("x256", (256, 56, 56))]


def test_reduction_and_shared_channels() -> None:
    report = counted(REDUCTION_5X5)
    designs = ("direct", "reduced", "shared", "mean")
    assert [params(report, design) for design in designs] == [275_000, 31_500, 1_375, 1]
    assert [multiplies(report, design) for design in designs] == [330_000_000, 37_800_000, 330_000_000, 240_000]
    assert [multiplies(report, f"reduced.conv{layer}") for layer in (1, 2)] == [4_800_000, 33_000_000]


def test_squeeze_and_excite_multiplies_every_element() -> None:
    (mul,) = (row for row in counted(SQUEEZE_EXCITE).rows if row.op == "mul")
    assert mul.output_shape == (256, 56, 56)
    assert mul.values["output_elements"] == 802_816


def test_u_net_copies_and_crops() -> None:
    assert list(counted(U_NET).outputs.values()) == [(2, 388, 388)]


def test_yolov8_backbone_has_three_outputs_in_the_order_written() -> None:
    outputs = counted(YOLOV8_BACKBONE, "n").outputs
    assert dict(outputs) == {"p3": (64, 80, 80), "p4": (128, 40, 40), "sppf": (256, 20, 20)}
    assert list(outputs) == ["p3", "p4", "sppf"]


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        (VGG_16, ["stage1.conv1", "stage3.conv2", "stage3.conv3.act", "stage5.maxpool1", "fc2.linear1", "linear1"]),
        (
            RESNET_50,
            ["stage2.block1.conv3", "stage2.block1.shortcut", "stage2.block1.shortcut.norm", "stage4.block3.conv1"],
        ),
        (MOBILENET_V2, ["stage2.block1.conv1", "stage1.block1.conv2.norm", "stage2.block1.dwconv1.act"]),
        (DENSENET_121, ["stage1.layer1.conv2", "stage3.transition.avgpool1", "norm1"]),
        (U_NET, ["down4.enc.conv2", "bottom.conv1", "up1.deconv1", "up4.double1.conv2", "up1.pad1"]),
        (YOLOV8_BACKBONE, ["p3.conv1", "p3.c2f1.m1.conv2", "p5.c2f1.conv2.act", "sppf.m3.maxpool1"]),
        (VIT_B_16, ["block1.attention1", "block12.linear2", "param1", "param2"]),
    ],
)
def test_paths(text: str, paths: list[str]) -> None:
    assert set(paths) - {row.path for row in counted(text).rows} == set()
