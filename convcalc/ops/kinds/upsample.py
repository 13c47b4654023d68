"""Resizing."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from convcalc.arith import Number, floordiv, floored_otherwise, less_equal, require
from convcalc.errors import SpecError
from convcalc.ops.arguments import ChoiceType, ScalesType, SizesType, argument
from convcalc.ops.kinds._window import AxisSizes, require_spatial
from convcalc.ops.op import Op
from convcalc.records import dataclass
from convcalc.shapes import Shape

MODES = ("nearest", "linear", "bilinear", "bicubic", "trilinear", "area")

AXES = {"linear": 1, "bilinear": 2, "bicubic": 2, "trilinear": 3}
"""How many spatial axes the modes of PyTorch are for that are not for any number."""


@dataclass(frozen=True, slots=True)
class Upsample(Op):
    """Resize the spatial axes by a scale, to a size, or to the spatial size of another layer.

    Formula:
        out = ⌊n·scale⌋ on each axis. No params; interpolation is not counted among the multiplies.
    Shapes:
        [C, spatial …] → [C, spatial …].
    Source:
        PyTorch reference, torch.nn.Upsample.
    Examples:
        upsample: 2 on [64, 7, 7] -> [64, 14, 14]; 0 params, 0 multiplies
        upsample: {like: y} on x [8, 5, 5], y [2, 9, 7] -> [8, 9, 7]; 0 params, 0 multiplies
        upsample: {size: [10, 12], mode: bilinear} on [8, 5, 5] -> [8, 10, 12]; 0 params, 0 multiplies
    """

    kind = "upsample"
    is_resized = True
    layer_arguments = ("like",)

    scale: tuple[Number | Fraction, ...] | None = argument("scale", ScalesType(), positional=True, default=None)
    """Factor, which may be a fraction: one, or one per spatial axis."""
    size: AxisSizes | None = argument("size", SizesType(), default=None)
    """The size to reach: one, or one per spatial axis."""
    mode: str = argument("mode", ChoiceType(MODES), default="nearest")
    """How new cells are filled; it changes no count."""

    def output(self, *inputs: Shape) -> Shape:
        x, *like = inputs
        require_spatial("upsample", x)
        if [self.scale is not None, self.size is not None, bool(like)].count(True) != 1:
            raise SpecError("CC408", "upsample needs exactly one of scale, size and like")
        if like:
            text = "upsample: {} and the layer that it shall be like, {}, differ in rank"
            require(like[0].rank == x.rank, "CC405", text, x, like[0])
            return Shape((x.channels, *like[0].spatial))
        if self.size is not None:
            return Shape((x.channels, *self.size))
        sizes = tuple(_scaled(n, scale) for n, scale in zip(x.spatial, self.scale or (), strict=True))
        for size in sizes:
            require(less_equal(1, size), "CC403", "upsample leaves an axis of size {}", size)
        return Shape((x.channels, *sizes))

    def pytorch_refusal(self, via: str, *inputs: Shape) -> str:
        axes, needed = inputs[0].rank - 1, AXES.get(self.mode)
        if needed is None or needed == axes:
            return ""
        return f"the mode {self.mode} is for {needed + 2} axes, batch and channels among them, and here are {axes + 2}"

    def attributes(self, *inputs: Shape) -> dict[str, Any]:
        return {"size": self.output(*inputs).spatial, "mode": self.mode}

    def warning(self, *inputs: Shape) -> str:
        """Name a size that torch, which multiplies in floating point, rounds to another integer."""
        x, *like = inputs
        for n, scale in zip(x.spatial, () if like else self.scale or (), strict=False):
            if isinstance(n, int) and isinstance(scale, Fraction):
                other = floored_otherwise(n, scale)
                if other is not None:
                    exact = _scaled(n, scale)
                    return f"{n}·({scale}) is {exact}, but torch multiplies in floating point and makes it {other}"
        return ""


def _scaled(size: Number, scale: Number | Fraction) -> Number:
    """⌊n·scale⌋, exact for a fraction."""
    if isinstance(scale, Fraction):
        return floordiv(size * scale.numerator, scale.denominator)
    return size * scale
