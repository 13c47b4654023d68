"""Normalisation layers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from convcalc.arith import Number, equal, prod, require
from convcalc.errors import SpecError
from convcalc.ops.arguments import AxesType, ChoiceType, FlagType, SizeType, argument
from convcalc.ops.kinds._checks import require_groups
from convcalc.ops.op import Op
from convcalc.shapes import Shape

TYPES = ("batch", "layer", "group", "instance", "rms", "lrn")
OVER_AXES = ("layer", "rms")
LEARNED = {"batch": 2, "layer": 2, "group": 2, "instance": 2, "rms": 1, "lrn": 0}


@dataclass(frozen=True, slots=True)
class Norm(Op):
    """Normalisation: batch, layer, group, instance, root-mean-square, or local response.

    Formula:
        params = 2·C for batch, group and (affine) instance, 2·size(axis) for layer, size(axis) for rms,
        0 for lrn or without affine;
        buffers = 2·C for batch (running mean and variance). No multiplies: elementwise work is not counted.
    Shapes:
        Unchanged. layer and rms normalise over ``axis`` (the last by default; to be written on rank 3 and more).
    Source:
        Ioffe & Szegedy 2015; Ba et al. 2016; Wu & He 2018; Ulyanov et al. 2016; Zhang & Sennrich 2019;
        Krizhevsky et al. 2012, section 3.3, for local response.
    Examples:
        norm: batch on [64, 56, 56] -> [64, 56, 56]; 128 params, 0 multiplies
        norm: layer on [196, 768] -> [196, 768]; 1536 params, 0 multiplies
        norm: {type: rms, axis: 0} on [32, 7, 7] -> [32, 7, 7]; 32 params, 0 multiplies
        norm: {type: group, groups: 4, affine: false} on [8, 5, 5] -> [8, 5, 5]; 0 params, 0 multiplies
    """

    kind = "norm"

    type: str = argument("type", ChoiceType(TYPES), positional=True)
    """batch, layer, group, instance, rms or lrn."""
    groups: Number | None = argument("groups", SizeType(), default=None)
    """Groups of channels of a group norm; divides the channels."""
    axis: int | tuple[int, ...] | None = argument("axis", AxesType(several=True), default=None)
    """The axis, or list of axes, that layer and rms normalise over."""
    affine: bool | None = argument("affine", FlagType(), default=None)
    """Whether scale (and shift) are learned: true by default, for instance false."""

    @classmethod
    def unused_arguments(cls, given: Mapping[str, Any]) -> frozenset[str]:
        type_ = given.get("type")
        unused = {"groups": type_ != "group", "axis": type_ not in OVER_AXES, "affine": type_ == "lrn"}
        return frozenset(name for name, is_unused in unused.items() if is_unused and name in given)

    def output(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        if self.type == "group" and self.groups is None:
            raise SpecError("CC408", "group norm needs its number of groups: {type: group, groups: 32}")
        if self.type in OVER_AXES and self.axis is None and x.rank >= 3:
            text = "write the axis it normalises over (0 for channels, -1 for the last)"
            raise SpecError("CC401", f"{self.type} norm on the shape {x}: {text}")
        axes = [x.axis(axis) for axis in self._axes()]
        require(len(set(axes)) == len(axes), "CC402", "norm: the axes {} name one of {} twice", self.axis, x)
        if self.groups is not None:
            require_groups(self.groups, x.channels)
        return x

    def _axes(self) -> tuple[int, ...]:
        if self.type not in OVER_AXES:
            return (0,)
        if self.axis is None:
            return (-1,)
        return self.axis if isinstance(self.axis, tuple) else (self.axis,)

    def _learns(self) -> bool:
        return self.type != "instance" if self.affine is None else self.affine

    def weights(self, *inputs: Shape) -> dict[str, Shape]:
        (x,) = inputs
        scale = Shape(x[axis] for axis in self._axes())
        names = ("weight", "bias")[: LEARNED[self.type]] if self._learns() else ()
        return dict.fromkeys(names, scale)

    def buffers(self, *inputs: Shape) -> dict[str, Shape]:
        (x,) = inputs
        running = Shape((x.channels,))
        return {"running_mean": running, "running_var": running} if self.type == "batch" else {}

    def pytorch_refusal(self, via: str, *inputs: Shape) -> str:
        (x,) = inputs
        if self.type == "lrn" and x.rank == 1:
            return "a local response norm needs a spatial axis"
        if self.type == "instance" and x.rank > 1 and equal(prod(x.spatial), 1) is True:
            return "an instance norm needs more than one cell a channel"
        return ""

    def attributes(self, *inputs: Shape) -> dict[str, Any]:
        axes = {"axis": self._axes()} if self.type in OVER_AXES else {}
        groups = {"groups": self.groups} if self.groups is not None else {}
        return {"type": self.type, **groups, **axes, "affine": bool(self.weights(*inputs))}
