"""Normalisation layers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from convcalc.arith import Number, equal
from convcalc.errors import SpecError
from convcalc.ops.arguments import AxesType, ChoiceType, FlagType, SizeType, argument
from convcalc.ops.kinds._checks import distinct_axes, require_groups
from convcalc.ops.op import Op
from convcalc.records import dataclass
from convcalc.shapes import Shape

TYPES = ("batch", "layer", "group", "instance", "rms", "lrn")
OVER_AXES = ("layer", "rms")
RUNNING = ("batch", "instance")
GIVEN = ("groups", "channel_axis", "scale", "bias", "track_running_stats")
"""Arguments that reports show where they are given."""


@dataclass(frozen=True, slots=True)
class Norm(Op):
    """Normalisation: batch, layer, group, instance, root-mean-square, or local response.

    Formula:
        params = C for the scale and C for the shift of batch, group and (affine) instance, size(axis) each for layer,
        size(axis) for the scale of rms; 0 for lrn or without affine; buffers = 2·C for the running mean and variance
        of batch, or as ``track_running_stats`` says. No multiplies: elementwise work is not counted.
    Shapes:
        Unchanged. layer and rms normalise over ``axis`` (the last by default; to be written on rank 3 and more).
    Source:
        Ioffe & Szegedy 2015; Ba et al. 2016; Wu & He 2018; Ulyanov et al. 2016; Zhang & Sennrich 2019;
        Krizhevsky et al. 2012, section 3.3, for local response; PyTorch and Keras references for what is learned.
    Examples:
        norm: batch on [64, 56, 56] -> [64, 56, 56]; 128 params, 0 multiplies
        norm: layer on [196, 768] -> [196, 768]; 1536 params, 0 multiplies
        norm: {type: layer, bias: false} on [196, 768] -> [196, 768]; 768 params, 0 multiplies
        norm: {type: rms, axis: 0} on [32, 7, 7] -> [32, 7, 7]; 32 params, 0 multiplies
        norm: {type: group, groups: 4, affine: false} on [8, 5, 5] -> [8, 5, 5]; 0 params, 0 multiplies
        norm: {type: batch, channel_axis: -1, scale: false} on [196, 768] -> [196, 768]; 768 params, 0 multiplies
    """

    kind = "norm"

    type: str = argument("type", ChoiceType(TYPES), positional=True)
    """batch, layer, group, instance, rms or lrn."""
    groups: Number | None = argument("groups", SizeType(), default=None)
    """Groups of channels of a group norm; divides the channels."""
    axis: int | tuple[int, ...] | None = argument("axis", AxesType(several=True), default=None)
    """The axis, or list of axes, that layer and rms normalise over."""
    channel_axis: int | None = argument("channel_axis", AxesType(), default=None)
    """The axis of the channels of batch, group and instance; 0 by default."""
    affine: bool | None = argument("affine", FlagType(), default=None)
    """Whether scale and shift are learned: true by default, for instance false."""
    scale: bool | None = argument("scale", FlagType(), default=None)
    """Whether an affine norm learns a scale: true by default."""
    bias: bool | None = argument("bias", FlagType(), default=None)
    """Whether an affine norm learns a shift: true by default, for rms false."""
    track_running_stats: bool | None = argument("track_running_stats", FlagType(), default=None)
    """Whether running mean and variance are kept: true by default for batch, false for instance."""

    @classmethod
    def unused_arguments(cls, given: Mapping[str, Any]) -> frozenset[str]:
        if len(given) == 1 and "type" in given:
            return frozenset()
        type_ = given.get("type")
        unused = {"groups": type_ != "group", "track_running_stats": type_ not in RUNNING}
        unused |= {"axis": type_ not in OVER_AXES, "channel_axis": type_ in (*OVER_AXES, "lrn")}
        unused |= dict.fromkeys(("affine", "scale", "bias"), type_ == "lrn")
        return frozenset(name for name, is_unused in unused.items() if is_unused and name in given)

    def output(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        if self.type == "group" and self.groups is None:
            raise SpecError("CC408", "group norm needs its number of groups: {type: group, groups: 32}")
        if self.type in OVER_AXES and self.axis is None and x.rank >= 3:
            text = "write the axis it normalises over (0 for channels, -1 for the last)"
            raise SpecError("CC401", f"{self.type} norm on the shape {x}: {text}")
        axes = distinct_axes("norm", self._axes(), x)
        if self.groups is not None:
            require_groups(self.groups, x[axes[0]])
        return x

    def _axes(self) -> tuple[int, ...]:
        if self.type not in OVER_AXES:
            return (self.channel_axis or 0,)
        if self.axis is None:
            return (-1,)
        return self.axis if isinstance(self.axis, tuple) else (self.axis,)

    def _learned(self) -> tuple[str, ...]:
        affine = self.type not in ("instance", "lrn") if self.affine is None else self.affine
        if not affine:
            return ()
        flags = {"weight": self.scale is not False, "bias": self.type != "rms" if self.bias is None else self.bias}
        return tuple([name for name, is_learned in flags.items() if is_learned])

    def weights(self, *inputs: Shape) -> dict[str, Shape]:
        return dict.fromkeys(self._learned(), self._sizes(*inputs))

    def buffers(self, *inputs: Shape) -> dict[str, Shape]:
        kept = self.type == "batch" if self.track_running_stats is None else self.track_running_stats
        return dict.fromkeys(("running_mean", "running_var"), self._sizes(*inputs)) if kept else {}

    def _sizes(self, x: Shape) -> Shape:
        return Shape([x[axis] for axis in self._axes()])

    def mixed_axes(self, *inputs: Shape) -> frozenset[int]:
        (x,) = inputs
        if self.type == "group" or (self.type in ("batch", "instance") and not self.buffers(x)):
            return frozenset(range(x.rank))  # the statistics are those of the input
        return frozenset(map(x.axis, self._axes())) if self.type in OVER_AXES else frozenset()

    def pytorch_refusal(self, via: str, *inputs: Shape) -> str:
        (x,) = inputs
        if self.type == "lrn" and x.rank == 1:
            return "a local response norm needs a spatial axis"
        of_input = self.type == "instance" and not self.track_running_stats
        if of_input and x.rank > 1 and equal(x.elements, x[self._axes()[0]]) is True:
            return "an instance norm needs more than one cell a channel"
        return ""

    def attributes(self, *inputs: Shape) -> dict[str, Any]:
        axes = {"axis": self._axes()} if self.type in OVER_AXES else {}
        given = {name: value for name in GIVEN if (value := getattr(self, name)) is not None}
        return {"type": self.type, **given, **axes, "affine": bool(self._learned())}
