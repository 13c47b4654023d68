"""From channels to places."""

from __future__ import annotations

from convcalc.arith import Number, divides, floordiv, prod, require
from convcalc.ops.arguments import SizeType, argument
from convcalc.ops.kinds._window import require_spatial
from convcalc.ops.op import Op
from convcalc.records import dataclass
from convcalc.shapes import Shape


@dataclass(frozen=True, slots=True)
class PixelShuffle(Op):
    """Pixel shuffle, depth to space: r channels for each spatial axis become r places along it.

    Formula:
        No params, no multiplies.
    Shapes:
        [C·r², H, W] → [C, r·H, r·W], and likewise for any number of spatial axes.
    Source:
        PyTorch reference, torch.nn.PixelShuffle; Shi et al., arXiv:1609.05158.
    Examples:
        pixel_shuffle: 2 on [12, 5, 7] -> [3, 10, 14]; 0 params, 0 multiplies
        pixel_shuffle: 3 on [18, 4, 4] -> [2, 12, 12]; 0 params, 0 multiplies
    """

    kind = "pixel_shuffle"
    is_resized = True

    factor: Number = argument("factor", SizeType(), positional=True)
    """How many places r a cell becomes along each spatial axis."""

    def output(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        require_spatial("pixel_shuffle", x)
        cells = prod(self.factor for _ in x.spatial)
        text = "pixel_shuffle: the {} places of a factor of {} do not divide the {} channels"
        require(divides(cells, x.channels), "CC404", text, cells, self.factor, x.channels)
        return Shape((floordiv(x.channels, cells), *(self.factor * size for size in x.spatial)))

    def pytorch_refusal(self, via: str, *inputs: Shape) -> str:
        return "" if inputs[0].rank == 3 else "nn.PixelShuffle is for two spatial axes"
