"""Depthwise convolution."""

from __future__ import annotations

from typing import Any

from convcalc.arith import Number
from convcalc.ops.arguments import ChoiceType, FlagType, PaddingType, SizesType, SizeType, argument
from convcalc.ops.kinds._window import AxisSizes, PaddingPairs, require_spatial
from convcalc.ops.kinds.conv import Conv
from convcalc.ops.op import MatrixProduct, Op, Window
from convcalc.records import dataclass
from convcalc.shapes import Shape


@dataclass(frozen=True, slots=True)
class DepthwiseConv(Op):
    """Depthwise convolution: each channel is filtered by its own kernels and not summed with others.

    Formula:
        A convolution with groups = Ci and Co = multiplier·Ci: params = Co·K + Co (with bias), multiplies = Co·K·Po.
    Shapes:
        [C, spatial …] → [multiplier·C, spatial …].
    Source:
        Howard et al., MobileNets, arXiv:1704.04861, section 3.1.
    Examples:
        dwconv: {kernel: 3, padding: half} on [32, 14, 14] -> [32, 14, 14]; 320 params, 56448 multiplies
        dwconv: {kernel: 3, stride: 2, multiplier: 2, bias: false} on [4, 9, 9] -> [8, 4, 4]; 72 params, 1152 multiplies
    """

    kind = "dwconv"
    accepts_norm_act = True
    defaults_from = "conv"

    kernel_size: AxisSizes = argument("kernel", SizesType(), positional=True)
    """Kernel size k: one integer, or one per spatial axis."""
    stride: AxisSizes = argument("stride", SizesType(), positional=True, default=1)
    """Step s between windows."""
    multiplier: Number = argument("multiplier", SizeType(), default=1)
    """Output channels per input channel."""
    padding: str | PaddingPairs = argument("padding", PaddingType(), default=0)
    """As for conv."""
    dilation: AxisSizes = argument("dilation", SizesType(), default=1)
    """Distance d between the cells that a kernel reads."""
    bias: bool = argument("bias", FlagType(), default=True)
    """Whether one learned number is added per output channel; false by default with a fused norm."""
    weight_sharing: str = argument("weight_sharing", ChoiceType(("none", "channels")), default="none")
    """As for conv; here an output channel reads one input channel, so that it changes nothing."""

    def as_conv(self, x: Shape) -> Conv:
        """Return the grouped convolution that this layer is on an input."""
        require_spatial("dwconv", x)
        return Conv(
            out_channels=self.multiplier * x.channels,
            kernel_size=self.kernel_size,
            stride=self.stride,
            padding=self.padding,
            dilation=self.dilation,
            groups=x.channels,
            bias=self.bias,
            weight_sharing=self.weight_sharing,
        )

    def output(self, *inputs: Shape) -> Shape:
        return self.as_conv(*inputs).output(*inputs)

    def weights(self, *inputs: Shape) -> dict[str, Shape]:
        return self.as_conv(*inputs).weights(*inputs)

    def products(self, *inputs: Shape) -> tuple[MatrixProduct, ...]:
        return self.as_conv(*inputs).products(*inputs)

    def products_for(self, output: Shape, *inputs: Shape) -> tuple[MatrixProduct, ...]:
        return self.as_conv(*inputs).products_for(output, *inputs)

    def window(self, *inputs: Shape) -> Window:
        return self.as_conv(*inputs).window(*inputs)

    def warning(self, *inputs: Shape) -> str:
        return self.as_conv(*inputs).warning(*inputs)

    def pytorch_refusal(self, via: str, *inputs: Shape) -> str:
        return self.as_conv(*inputs).pytorch_refusal(via, *inputs)

    def attributes(self, *inputs: Shape) -> dict[str, Any]:
        return {**self.as_conv(*inputs).attributes(*inputs), "multiplier": self.multiplier}
