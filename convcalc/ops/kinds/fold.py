"""Columns summed to a map."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from convcalc.arith import Number, divides, equal, floordiv, prod, require
from convcalc.ops.arguments import DimsType, PaddingType, SizesType, argument
from convcalc.ops.kinds._window import AxisSizes, PaddingPairs, output_sizes, resolve_padding
from convcalc.ops.op import Op, Window
from convcalc.records import dataclass
from convcalc.shapes import Shape


@dataclass(frozen=True, slots=True)
class Fold(Op):
    """Fold, col2im: columns are laid as windows over a map and summed where they overlap; the reverse of unfold.

    Formula:
        There are as many columns as unfold makes of the output. No params, no multiplies.
    Shapes:
        [C·K, columns] → [C, out …], K the product of kernel sizes.
    Source:
        PyTorch reference, torch.nn.Fold.
    Examples:
        fold: {out: [9, 9], kernel: 3} on [36, 49] -> [4, 9, 9]; 0 params, 0 multiplies
        fold: {out: [8, 9], kernel: [2, 3], stride: 2, padding: [0, 1]} on [24, 20] -> [4, 8, 9]; 0 params, 0 multiplies
    """

    kind = "fold"
    rearranges = True

    sizes: tuple[Number, ...] = argument("out", DimsType())
    """Spatial sizes of the output."""
    kernel_size: AxisSizes = argument("kernel", SizesType())
    """Size k of the window: one integer, or one per axis of the output."""
    stride: AxisSizes = argument("stride", SizesType(), default=1)
    """Step s between places of the window."""
    padding: str | PaddingPairs = argument("padding", PaddingType(), default=0)
    """Cells cut from the output, as unfold adds them."""
    dilation: AxisSizes = argument("dilation", SizesType(), default=1)
    """Distance d between the cells of a window."""

    @classmethod
    def spatial_axes(cls, given: Mapping[str, Any], axes: int) -> int:
        """Those of the output."""
        out = given.get("out")
        return len(out) if isinstance(out, tuple) else 1

    def output(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        require(x.rank == 2, "CC401", "fold needs [channels·kernel, columns], but its input is {}", x)
        cells = prod(self.kernel_size)
        text = "fold: the {} cells of the kernel do not divide the {} rows of {}"
        require(divides(cells, x.channels), "CC404", text, cells, x.channels, x)
        places = prod(output_sizes(self.padding, self.sizes, self._window()))
        text = "fold: the window has {} places on {}, but the input {} has {} columns"
        require(equal(places, x[1]), "CC405", text, places, Shape(self.sizes), x, x[1])
        return Shape((floordiv(x.channels, cells), *self.sizes))

    def _window(self) -> Window:
        pads = resolve_padding(self.padding, self.sizes, self.kernel_size, self.stride, self.dilation)
        return Window(self.kernel_size, self.stride, pads, self.dilation)

    def pytorch_refusal(self, via: str, *inputs: Shape) -> str:
        return "" if len(self.sizes) == 2 else "nn.Fold is for two spatial axes"

    def attributes(self, *inputs: Shape) -> dict[str, Any]:
        return {"out_size": self.sizes, **self._window()._asdict()}
