"""Windows as columns."""

from __future__ import annotations

from typing import Any

from convcalc.arith import prod
from convcalc.ops.arguments import PaddingType, SizesType, argument
from convcalc.ops.kinds._window import (
    AxisSizes,
    PaddingPairs,
    half_padding_warning,
    output_sizes,
    require_spatial,
    resolve_padding,
)
from convcalc.ops.op import Op, Window
from convcalc.records import dataclass
from convcalc.shapes import Shape


@dataclass(frozen=True, slots=True)
class Unfold(Op):
    """Unfold, im2col: the cells of every place of a window, as a column.

    Formula:
        Columns as a convolution has places: the product of ⌊(n + p₀ + p₁ − d·(k − 1) − 1)/s⌋ + 1 over the axes. No
        params, no multiplies.
    Shapes:
        [C, spatial …] → [C·K, columns], K the product of kernel sizes.
    Source:
        PyTorch reference, torch.nn.Unfold.
    Examples:
        unfold: 3 on [4, 9, 9] -> [36, 49]; 0 params, 0 multiplies
        unfold: {kernel: [2, 3], stride: 2, padding: [0, 1]} on [4, 8, 9] -> [24, 20]; 0 params, 0 multiplies
    """

    kind = "unfold"
    rearranges = True

    kernel_size: AxisSizes = argument("kernel", SizesType(), positional=True)
    """Size k of the window: one integer, or one per spatial axis."""
    stride: AxisSizes = argument("stride", SizesType(), positional=True, default=1)
    """Step s between places of the window."""
    padding: str | PaddingPairs = argument("padding", PaddingType(), default=0)
    """As for conv."""
    dilation: AxisSizes = argument("dilation", SizesType(), default=1)
    """Distance d between the cells of a window."""

    def output(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        require_spatial("unfold", x)
        places = output_sizes(self.padding, x.spatial, self._window(x))
        return Shape((x.channels * prod(self.kernel_size), prod(places)))

    def _window(self, x: Shape) -> Window:
        pads = resolve_padding(self.padding, x.spatial, self.kernel_size, self.stride, self.dilation)
        return Window(self.kernel_size, self.stride, pads, self.dilation)

    def warning(self, *inputs: Shape) -> str:
        return half_padding_warning(self.padding, self._window(*inputs))

    def pytorch_refusal(self, via: str, *inputs: Shape) -> str:
        return "" if inputs[0].rank == 3 else "nn.Unfold is for two spatial axes"

    def attributes(self, *inputs: Shape) -> dict[str, Any]:
        return self._window(*inputs)._asdict()
