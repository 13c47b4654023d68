"""From places to channels."""

from __future__ import annotations

from convcalc.arith import Number, divides, floordiv, prod, require
from convcalc.ops.arguments import SizeType, argument
from convcalc.ops.kinds._window import require_spatial
from convcalc.ops.op import Op, Window
from convcalc.records import dataclass
from convcalc.shapes import Shape


@dataclass(frozen=True, slots=True)
class PixelUnshuffle(Op):
    """Pixel unshuffle, space to depth: r places along each spatial axis become channels.

    Formula:
        No params, no multiplies.
    Shapes:
        [C, r·H, r·W] → [C·r², H, W], and likewise for any number of spatial axes.
    Source:
        PyTorch reference, torch.nn.PixelUnshuffle.
    Examples:
        pixel_unshuffle: 2 on [3, 10, 14] -> [12, 5, 7]; 0 params, 0 multiplies
    """

    kind = "pixel_unshuffle"

    factor: Number = argument("factor", SizeType(), positional=True)
    """How many places r along each spatial axis become one."""

    def output(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        require_spatial("pixel_unshuffle", x)
        for size in x.spatial:
            text = "pixel_unshuffle: a factor of {} does not divide an axis of {}"
            require(divides(self.factor, size), "CC404", text, self.factor, size)
        sizes = tuple(floordiv(size, self.factor) for size in x.spatial)
        return Shape((x.channels * prod(self.factor for _ in sizes), *sizes))

    def window(self, *inputs: Shape) -> Window:
        """The r cells along each axis that all channels of a place hold together."""
        axes = len(inputs[0].spatial)
        return Window((self.factor,) * axes, (self.factor,) * axes, ((0, 0),) * axes, (1,) * axes)

    def pytorch_refusal(self, via: str, *inputs: Shape) -> str:
        return "" if inputs[0].rank == 3 else "nn.PixelUnshuffle is for two spatial axes"
