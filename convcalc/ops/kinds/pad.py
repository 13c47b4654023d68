"""Padding and cropping."""

from __future__ import annotations

from typing import Any

from convcalc.arith import at_most, less_equal, require
from convcalc.errors import SpecError
from convcalc.ops.arguments import AxesType, PaddingType, SameOnAllAxes, argument
from convcalc.ops.kinds._checks import distinct_axes
from convcalc.ops.kinds._window import PaddingPairs, require_spatial
from convcalc.ops.op import Op
from convcalc.records import dataclass
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
        pads = self.pads(x)
        for n, (before, after) in zip(x, pads, strict=True):
            left = n + at_most(before, 0) + at_most(after, 0)
            require(less_equal(0, left), "CC403", "pad crops {} cells of an axis of {}", n - left, n)
            require(less_equal(1, n + before + after), "CC403", "pad leaves an axis of size {}", n + before + after)
        return Shape(n + before + after for n, (before, after) in zip(x, pads, strict=True))

    def pads(self, x: Shape) -> PaddingPairs:
        """Return (before, after) for each axis of the input."""
        axes = self._axes(x)
        given = self.padding[:1] * len(axes) if isinstance(self.padding, SameOnAllAxes) else self.padding
        if len(given) != len(axes):
            what = f"the input has {len(axes)} spatial" if self.axis is None else f"axis names {len(axes)}"
            raise SpecError("CC410", f"pad: padding has {len(given)} entries, but {what}")
        return tuple(given[axes.index(axis)] if axis in axes else (0, 0) for axis in range(x.rank))

    def _axes(self, x: Shape) -> tuple[int, ...]:
        if self.axis is not None:
            return distinct_axes("pad", self.axis, x)
        require_spatial("pad", x)
        return tuple(range(1, x.rank))

    def attributes(self, *inputs: Shape) -> dict[str, Any]:
        (x,) = inputs
        pads, axes = self.pads(x), self._axes(x)
        return {"padding": tuple(pads[axis] for axis in axes), **({} if self.axis is None else {"axis": axes})}
