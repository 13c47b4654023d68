"""Padding and cropping."""

from __future__ import annotations

from dataclasses import dataclass

from convcalc.arith import less_equal, require
from convcalc.errors import SpecError
from convcalc.ops.arguments import AxesType, PaddingType, SameOnAllAxes, argument
from convcalc.ops.kinds._checks import distinct_axes
from convcalc.ops.kinds._window import PaddingPairs, require_spatial
from convcalc.ops.op import Op
from convcalc.shapes import Shape


@dataclass(frozen=True, slots=True)
class Pad(Op):
    """Add cells around all axes but the first, or around the axes that are named; negative numbers crop.

    Formula:
        out = n + before + after on each axis. No params, no multiplies.
    Shapes:
        [C, spatial …] → [C, spatial …]; with ``axis`` those axes alone change.
    Source:
        PyTorch reference, torch.nn.functional.pad.
    Examples:
        pad: 1 on [3, 8, 8] -> [3, 10, 10]; 0 params, 0 multiplies
        pad: [[0, 1], [-2, 0]] on [3, 8, 8] -> [3, 9, 6]; 0 params, 0 multiplies
        pad: {padding: [[1, 2]], axis: 0} on [3, 8, 8] -> [6, 8, 8]; 0 params, 0 multiplies
    """

    kind = "pad"

    padding: PaddingPairs = argument("padding", PaddingType((), minimum=None, free=True), positional=True)
    """n, [per axis] or [[before, after], …]; negative crops."""
    axis: int | tuple[int, ...] | None = argument("axis", AxesType(several=True), default=None)
    """The axis, or list of axes, to pad; all but the first by default."""

    def output(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        out = Shape(n + before + after for n, (before, after) in zip(x, self.pads(x), strict=True))
        for size in out:
            require(less_equal(1, size), "CC403", "pad leaves an axis of size {}", size)
        return out

    def pads(self, x: Shape) -> PaddingPairs:
        """Return (before, after) for each axis of the input."""
        if self.axis is None:
            require_spatial("pad", x)
        axes = distinct_axes("pad", tuple(range(1, x.rank)) if self.axis is None else self.axis, x)
        given = self.padding[:1] * len(axes) if isinstance(self.padding, SameOnAllAxes) else self.padding
        if len(given) != len(axes):
            what = f"the input has {len(axes)} spatial" if self.axis is None else f"axis names {len(axes)}"
            raise SpecError("CC410", f"pad: padding has {len(given)} entries, but {what}")
        return tuple(given[axes.index(axis)] if axis in axes else (0, 0) for axis in range(x.rank))
