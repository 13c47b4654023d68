"""The table of modules, and how arguments of a row become those of a module."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from inspect import Parameter, signature
from typing import Any

from convcalc.arith import is_plain
from convcalc.errors import SpecError, did_you_mean, quoted
from convcalc.importers.ultralytics import attention, blocks, detr, heads, plain, stages, text
from convcalc.importers.ultralytics.document import ModuleArgument, Row, invalid
from convcalc.importers.ultralytics.network import Kernel, YoloNet
from convcalc.records import NamedTuple


class ModuleRule(NamedTuple):
    """A module, by the function that adds its layers."""

    build: Callable[..., Any]
    is_scaled: bool = False
    """Whether the first argument is a width, which the model's factor scales."""
    takes_repeats: int = -1
    """The place among the arguments of the repeats of the row; by default the module itself is repeated."""
    reads_many: bool = False
    is_counted: bool = True
    """Whether its layers are known."""


def _all(
    *, is_scaled: bool = False, takes_repeats: int = -1, reads_many: bool = False, **modules: Callable[..., Any]
) -> dict[str, ModuleRule]:
    """Return modules that are alike, by their names."""
    return {name: ModuleRule(build, is_scaled, takes_repeats, reads_many) for name, build in modules.items()}


def conv(
    net: YoloNet, at: str, x: int, c2: int, k: Kernel = 1, s: Kernel = 1, p: Kernel | None = None, g: int = 1,
    d: int = 1, act: bool = True,
) -> int:  # fmt: skip
    return net.conv(at, x, c2, k, s, p=p, g=g, d=d, act=act)


def dwconv(net: YoloNet, at: str, x: int, c2: int, k: int = 1, s: int = 1, d: int = 1, act: bool = True) -> int:
    return net.dwconv(at, x, c2, k, s, d, act)


MODULES: dict[str, ModuleRule] = {
    **_all(
        is_scaled=True,
        Conv=conv, DWConv=dwconv, Focus=stages.focus, GhostConv=blocks.ghost_conv, Bottleneck=blocks.bottleneck,
        GhostBottleneck=blocks.ghost_bottleneck, SPP=stages.spp, SPPF=stages.sppf, SPPELAN=stages.spp_elan,
        ADown=stages.adown, AConv=stages.aconv, SCDown=stages.scdown, ELAN1=blocks.elan1,
        RepNCSPELAN4=blocks.rep_csp_elan, PSA=attention.psa, ConvTranspose=plain.conv_transpose,
        DWConvTranspose2d=plain.depthwise_deconv,
    ),
    **_all(
        is_scaled=True, takes_repeats=1,
        BottleneckCSP=blocks.bottleneck_csp, C1=blocks.c1, C2=blocks.c2, C2f=blocks.c2f, C3=blocks.c3, C3x=blocks.c3x,
        C3Ghost=blocks.c3_ghost, C3TR=attention.c3_tr, C3k2=attention.c3k2, RepC3=blocks.rep_c3, C2fCIB=blocks.c2f_cib,
        C2fPSA=attention.c2f_psa, C2PSA=attention.c2_psa, A2C2f=attention.a2c2f, C2fAttn=text.c2f_attn,
    ),
    **_all(
        reads_many=True,
        Detect=heads.detect, v10Detect=heads.v10_detect, Segment=heads.segment, Segment26=heads.segment,
        Pose=heads.pose, Pose26=heads.pose26, OBB=heads.obb, OBB26=heads.obb, SemanticSegment=heads.semantic,
        Depth=heads.depth, RTDETRDecoder=detr.decoder, CBFuse=stages.cb_fuse, Concat=stages.concat,
        ImagePoolingAttn=text.image_pooling, WorldDetect=text.world_detect, YOLOEDetect=text.yoloe_detect,
        YOLOESegment=text.yoloe_segment, YOLOESegment26=text.yoloe_segment,
    ),
    **_all(
        Classify=heads.classify, CBAM=blocks.cbam, ChannelAttention=blocks.channel_attention,
        SpatialAttention=blocks.spatial_attention, AIFI=attention.aifi, HGStem=stages.hg_stem,
    ),
    "HGBlock": ModuleRule(stages.hg_block, takes_repeats=3),
    **_all(ResNetLayer=stages.resnet_layer, CBLinear=stages.cb_linear),
    "nn.ConvTranspose2d": ModuleRule(plain.deconv, is_scaled=True),
    **{f"nn.{name}": module for name, module in _all(
        Upsample=plain.upsample, MaxPool2d=plain.maxpool, AvgPool2d=plain.avgpool, AdaptiveAvgPool2d=plain.adaptive,
        ZeroPad2d=plain.zero_pad, Identity=plain.identity, BatchNorm2d=plain.batch_norm, Dropout=plain.dropout,
        Flatten=plain.flatten, Conv2d=plain.conv, PixelShuffle=plain.pixel_shuffle,
        PixelUnshuffle=plain.pixel_unshuffle,
    ).items()},
}  # fmt: skip
V5_HEADS = _all(reads_many=True, Detect=heads.detect_v5, Segment=heads.segment_v5)
"""Heads of files with anchors."""
UNCOUNTED = (
    "CIB", "Conv2", "LayerNorm2d", "LightConv", "MLP", "MLPBlock", "RepConv", "RepVGGDW", "TransformerBlock",
    "TransformerEncoderLayer", "TransformerLayer",
)  # fmt: skip
"""Modules that files may name and whose arguments are those of their classes: the package takes what they give to have
the channels of what they read."""


def find_module(row: Row, *, is_v5: bool) -> ModuleRule:
    """Return the module that a row names.

    Raises:
        SpecError: CC761, where it is not known, or none whose cost is.
    """
    name = row.module
    if is_v5 and name in V5_HEADS:
        return V5_HEADS[name]
    if name in MODULES:
        return MODULES[name]
    if name in UNCOUNTED:
        return ModuleRule(_uncounted(name), is_counted=False)
    kind = name.removeprefix("nn.")
    if kind != name and kind in plain.ACTIVATIONS:
        return ModuleRule(plain.activation_layer(plain.ACTIVATIONS[kind]))
    message = f"the module {quoted(name)} is not read{did_you_mean(name, MODULES)}"
    hint = "" if message.endswith("?") else f"known modules: {', '.join(MODULES)}"
    raise SpecError("CC761", message, row.span, hint)


def _uncounted(name: str) -> Callable[..., int]:
    def build(net: YoloNet, at: str, x: int) -> int:
        return net.opaque(at, name, [x], net.shape(x), params=None)

    return build


def bind(module: ModuleRule, row: Row, arguments: Sequence[ModuleArgument]) -> list[Any]:
    """Return the arguments of a module in order, checked.

    Raises:
        SpecError: CC768 for an argument that is missing, of the wrong type, or one too many.
    """
    if not module.is_counted:
        return []
    wanted = [*signature(module.build).parameters.values()][3:]
    names = [each.name for each in wanted]
    form = f"its arguments are [{', '.join(names)}]"
    if len(arguments) > len(names):
        text = f"{row.module} has {len(arguments)} arguments, of at most {len(names)}"
        raise invalid(text, arguments[len(names)].span, form)
    for parameter in wanted[len(arguments) :]:
        if parameter.default is Parameter.empty:
            raise invalid(f"{row.module} needs {quoted(parameter.name)}", row.span, form)
    for parameter, argument in zip(wanted, arguments, strict=False):
        kind = str(parameter.annotation)
        if not _fits(argument.value, kind):
            raise invalid(f"{row.module}: {parameter.name} must be {_TYPES[kind]}", argument.span, form)
    return [argument.value for argument in arguments]


_TYPES = {
    "int": "an integer", "int | None": "an integer", "Number": "an integer", "bool": "true or false",
    "bool | None": "true or false", "float": "a number", "float | None": "a number", "str": "a word",
    "str | None": "a word", "Kernel": "an integer or a list of two", "Kernel | None": "an integer or a list of two",
    "tuple[int, ...]": "a list of integers", "int | tuple[int, ...]": "an integer or a list of them",
    "tuple[tuple[int, ...], ...] | int": "the lists of anchors, or the number of anchors",
    "Any": "a list of two kernels",
}  # fmt: skip


def _fits(value: Any, annotation: str) -> bool:
    """Whether a value is of a type of the functions that build modules."""
    if value is None:
        return annotation.endswith("| None")
    if annotation == "Any":  # the kernels of a bottleneck
        return type(value) is tuple and len(value) == 2 and all(_fits(each, "Kernel") for each in value)
    return any(_CHECKS[each](value) for each in annotation.removesuffix(" | None").split(" | "))


_CHECKS: dict[str, Callable[[Any], bool]] = {
    "int": lambda value: type(value) is int,
    "Number": lambda value: type(value) is int or not is_plain(value),
    "bool": lambda value: type(value) is bool or value in (0, 1),
    "float": lambda value: type(value) in (int, float),
    "str": lambda value: type(value) is str,
    "Kernel": lambda value: type(value) is int or (_all_integers(value) and len(value) == 2),
    "tuple[int, ...]": lambda value: _all_integers(value) and len(value) > 0,
    "tuple[tuple[int, ...], ...]": lambda value: (
        type(value) is tuple and len(value) > 0 and all(_all_integers(each) and len(each) > 1 for each in value)
    ),
}


def _all_integers(value: Any) -> bool:
    return type(value) is tuple and all(type(each) is int for each in value)
