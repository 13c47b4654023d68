"""Padding and cropping."""

from __future__ import annotations

from dataclasses import dataclass

from convcalc.arith import less_equal, require
from convcalc.ops.arguments import PaddingType, argument
from convcalc.ops.kinds._window import PaddingPairs, require_spatial
from convcalc.ops.op import Op
from convcalc.shapes import Shape


@dataclass(frozen=True, slots=True)
class Pad(Op):
    """Add cells around all axes but the first; negative numbers crop.

    Formula:
        out = n + before + after on each axis. No params, no multiplies.
    Shapes:
        [C, spatial …] → [C, spatial …].
    Source:
        PyTorch reference, torch.nn.functional.pad.
    Examples:
        pad: 1 on [3, 8, 8] -> [3, 10, 10]; 0 params, 0 multiplies
        pad: [[0, 1], [-2, 0]] on [3, 8, 8] -> [3, 9, 6]; 0 params, 0 multiplies
    """

    kind = "pad"

    padding: PaddingPairs = argument("padding", PaddingType((), minimum=None, takes_list=True), positional=True)
    """n, [per axis] or [[before, after], …]; negative crops."""

    def output(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        require_spatial("pad", x)
        sizes = tuple(n + before + after for n, (before, after) in zip(x.spatial, self.padding, strict=True))
        for size in sizes:
            require(less_equal(1, size), "CC403", "pad leaves an axis of size {}", size)
        return Shape((x.channels, *sizes))
