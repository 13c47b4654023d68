"""Small model files of Ultralytics that name every module at least once; what they count was measured with the package.

``tests/reference/model_files.py`` builds them.
"""

from __future__ import annotations

SCALES = "scales: {n: [0.34, 0.25, 512], m: [0.67, 0.75, 512], x: [1.0, 1.25, 256]}"

CONVOLUTIONS = """
nc: 7
backbone:
  - [-1, 1, Focus, [32, 3]]                          # 0
  - [-1, 1, Conv, [64, [3, 5], [2, 1], [1, 2]]]
  - [-1, 2, Conv, [64, 3, 1, None, 4, 2, False]]
  - [-1, 1, DWConv, [96, 3, 2]]
  - [-1, 3, Bottleneck, [96, True, 2]]
  - [-1, 2, Bottleneck, [96, False]]                 # 5
  - [-1, 1, C1, [64]]
  - [-1, 3, C2, [96, False, 1, 0.25]]
  - [-1, 3, C3, [96, True, 2]]
  - [-1, 6, C3x, [64]]
  - [-1, 3, C3Ghost, [128]]                          # 10
  - [-1, 2, C3TR, [128]]
  - [-1, 3, BottleneckCSP, [128]]
  - [-1, 1, GhostConv, [160, 3, 2]]
  - [-1, 1, GhostBottleneck, [160, 3, 2]]
  - [-1, 1, GhostBottleneck, [160]]                  # 15
  - [-1, 1, SPP, [192, [3, 5]]]
  - [-1, 1, SPPF, [192]]
  - [-1, 1, nn.BatchNorm2d, []]
  - [-1, 1, nn.SiLU, []]
head:
  - [-1, 1, nn.Upsample, [None, 2, "nearest"]]       # 20
  - [13, 1, nn.MaxPool2d, [3, 1, 1]]
  - [[-1, -2], 1, Concat, [1]]
  - [-1, 3, C2f, [96, True]]
  - [-1, 1, nn.ConvTranspose2d, [64, 2, 2, 0]]
  - [[-1, 12], 1, Concat, [1]]                       # 25
  - [-1, 1, ConvTranspose, [64, 3, 1, 1, False]]
  - [-1, 1, DWConvTranspose2d, [32, 4, 2, 1]]
  - [-1, 1, nn.ZeroPad2d, [[0, 1, 0, 1]]]
  - [-1, 1, nn.AvgPool2d, [2]]
  - [[-1, 17], 1, Detect, [nc]]                      # 30
"""

ATTENTION = """
nc: 12
reg_max: 1
end2end: True
backbone:
  - [-1, 1, nn.Identity, []]
  - [-1, 1, Conv, [128, 3, 2]]
  - [-1, 2, C3k2, [256, False, 0.25]]
  - [-1, 2, C3k2, [256, True]]
  - [-1, 1, SCDown, [512, 3, 2]]
  - [-1, 3, C2fCIB, [512, True]]                     # 5
  - [-1, 3, C2fCIB, [512, True, True]]
  - [-1, 4, A2C2f, [512, True, 4]]
  - [-1, 2, A2C2f, [512, False, -1]]
  - [-1, 1, Conv, [512, 3, 2]]
  - [-1, 1, SPPF, [512, 5, 3, True]]                 # 10
  - [-1, 2, C2PSA, [512]]
  - [-1, 1, PSA, [512]]
head:
  - [-1, 2, C2fPSA, [512]]
  - [-1, 1, C3k2, [512, True, 0.5, True]]
  - [[4, 14], 1, Detect, [nc]]
"""

ELAN = """
nc: 5
activation: torch.nn.PReLU()
backbone:
  - [-1, 1, Conv, [32, 3, 2]]
  - [-1, 1, ELAN1, [64, 32, 24]]
  - [-1, 1, AConv, [96]]
  - [-1, 1, RepNCSPELAN4, [96, 64, 32, 3]]
  - [-1, 1, CBLinear, [[16, 24]]]
  - [3, 1, ADown, [128]]                             # 5
  - [-1, 1, RepNCSPELAN4, [128, 96, 48]]
  - [-1, 1, CBLinear, [[24]]]
  - [6, 1, SPPELAN, [128, 40]]
  - [3, 1, Conv, [24, 3, 2]]
head:
  - [[4, 7, 9], 1, CBFuse, [[1, 0]]]                 # 10
  - [[-1, 8], 1, Concat, [1]]
  - [[3, 11], 1, v10Detect, [nc]]
"""

TRANSFORMER = """
nc: 9
scales: {l: [0.5, 1.0, 1024]}
backbone:
  - [-1, 1, HGStem, [16, 24]]
  - [-1, 4, HGBlock, [24, 64, 3]]
  - [-1, 1, DWConv, [64, 3, 2, 1, False]]
  - [-1, 4, HGBlock, [48, 128, 5, True, False]]
  - [-1, 4, HGBlock, [48, 128, 5, True, True]]
head:
  - [-1, 1, Conv, [64, 1, 1, None, 1, 1, False]]     # 5
  - [-1, 1, AIFI, [96, 4]]
  - [-1, 1, Conv, [64, 1, 1]]
  - [-1, 1, nn.Upsample, [None, 2, "nearest"]]
  - [1, 1, Conv, [64, 1, 1]]
  - [[-2, -1], 1, Concat, [1]]                       # 10
  - [-1, 6, RepC3, [64]]
  - [-1, 2, RepC3, [64, 0.5]]
  - [[12, 7], 1, RTDETRDecoder, [nc, 64, 30, 4, 8, 3, 96]]
"""

RESNET = """
nc: 10
backbone:
  - [-1, 1, ResNetLayer, [3, 32, 1, True, 1]]
  - [-1, 1, ResNetLayer, [32, 16, 1, False, 2]]
  - [-1, 1, ResNetLayer, [64, 32, 2, False, 3]]
head:
  - [-1, 1, Classify, [nc]]
"""

WORLD = """
nc: 6
scales: {s: [0.5, 0.5, 512]}
backbone:
  - [-1, 1, Conv, [64, 3, 2]]
  - [-1, 1, Conv, [128, 3, 2]]
head:
  - [-1, 4, C2fAttn, [256, 128, 8]]
  - [-1, 1, Conv, [256, 3, 2]]
  - [[2, 3], 1, ImagePoolingAttn, [64]]
  - [3, 2, C2fAttn, [128, 64, 1]]
  - [[2, 5], 1, WorldDetect, [nc, 512, True]]
"""

HEADS = {
    "segment": "Segment, [nc, 16, 64]",
    "pose": "Pose, [nc, kpt_shape]",
    "obb": "OBB, [nc, 1]",
    "segment26": "Segment26, [nc, 16, 64]",
    "pose26": "Pose26, [nc, kpt_shape]",
    "obb26": "OBB26, [nc, 1]",
    "yoloe": "YOLOEDetect, [nc, 512, True]",
    "yoloe masks": "YOLOESegment, [nc, 16, 64, 512, True]",
    "yoloe26 masks": "YOLOESegment26, [nc, 16, 64, 512, True]",
    "semantic": "SemanticSegment, [nc]",
    "depth": "Depth, [48]",
}


def with_head(row: str) -> str:
    """A network of three maps with a head; YOLO26 has its own form of some."""
    settings = "end2end: True\nreg_max: 1" if "26" in row else ""
    return f"""
nc: 11
{settings}
kpt_shape: [5, 3]
backbone:
  - [-1, 1, Conv, [32, 3, 4]]
  - [-1, 1, {"C3k2" if "26" in row else "C2f"}, [64]]
  - [-1, 1, Conv, [96, 3, 2]]
  - [-1, 1, Conv, [128, 3, 2]]
head:
  - [[1, 2, 3], 1, {row}]
"""


def scaled(text: str) -> str:
    return SCALES + text


FILES = {
    "convolutions": scaled(CONVOLUTIONS),
    "attention": scaled(ATTENTION),
    "elan": ELAN,
    "transformer": TRANSFORMER,
    "resnet": RESNET,
    "world": WORLD,
    **{name: with_head(row) for name, row in HEADS.items()},
}
VARIANTS = {"convolutions": "nmx", "attention": "nmx"}
"""Scales that were measured, of files that have several."""
SIZE = 128
"""Height and width of the image."""
DESIGNS = [f"{name}@{scale}" if scale else name for name in FILES for scale in VARIANTS.get(name, ("",))]
