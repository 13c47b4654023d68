"""Convolution, in 1-D, 2-D and 3-D by the rank of its input."""

from __future__ import annotations

from typing import Any

from convcalc.arith import Number, equal, floordiv, prod
from convcalc.ops.arguments import ChoiceType, FlagType, PaddingType, SizesType, SizeType, argument
from convcalc.ops.kinds._checks import require_groups
from convcalc.ops.kinds._window import (
    AxisSizes,
    PaddingPairs,
    half_padding_warning,
    output_sizes,
    require_spatial,
    resolve_padding,
)
from convcalc.ops.op import MatrixProduct, Op, Window
from convcalc.records import dataclass
from convcalc.shapes import Shape


@dataclass(frozen=True, slots=True)
class Conv(Op):
    """Convolution: every output channel sums a window over the input channels of its group.

    Formula:
        params = Co·(Ci/g)·K + Co (the last term with bias); multiplies = Co·(Ci/g)·K·Po, padding counted as input;
        out = ⌊(n + p₀ + p₁ − d·(k − 1) − 1)/s⌋ + 1 on each axis.
    Shapes:
        [Ci, spatial …] → [Co, spatial …]; K = product of kernel sizes, Po = product of the output's spatial sizes.
    Source:
        PyTorch reference, torch.nn.Conv2d. Channel sharing: one kernel per output channel for all input channels.
    Examples:
        conv: {out: 8, kernel: 3} on [3, 32, 32] -> [8, 30, 30]; 224 params, 194400 multiplies
        conv: {out: 4, kernel: [1, 5], stride: 2, padding: same} on [6, 7, 9] -> [4, 4, 5]; 124 params, 2400 multiplies
        conv: {out: 4, kernel: 3, groups: 2, bias: false} on [6, 7, 9] -> [4, 5, 7]; 108 params, 3780 multiplies
        conv: {out: 5, kernel: 5, weight_sharing: channels} on [20, 8, 9] -> [5, 4, 5]; 130 params, 50000 multiplies
    """

    kind = "conv"
    accepts_norm_act = True

    out_channels: Number = argument("out", SizeType(), positional=True)
    """Output channels Co."""
    kernel_size: AxisSizes = argument("kernel", SizesType(), positional=True)
    """Kernel size k: one integer, or one per spatial axis."""
    stride: AxisSizes = argument("stride", SizesType(), positional=True, default=1)
    """Step s between windows: one integer, or one per spatial axis."""
    padding: str | PaddingPairs = argument("padding", PaddingType(), default=0)
    """Cells added around the input: n, [per axis], [[before, after], …], or a word.

    ``valid`` adds none, ``half`` k//2 on both sides (for odd k), ``same`` what makes out = ⌈n/s⌉.
    """
    dilation: AxisSizes = argument("dilation", SizesType(), default=1)
    """Distance d between the cells that a kernel reads."""
    groups: Number = argument("groups", SizeType(), default=1)
    """Groups g: each output channel reads Ci/g input channels; divides both."""
    bias: bool = argument("bias", FlagType(), default=True)
    """Whether one learned number is added per output channel; false by default with a fused norm."""
    weight_sharing: str = argument("weight_sharing", ChoiceType(("none", "channels")), default="none")
    """``channels``: one k×k kernel per output channel, used for every input channel."""

    def output(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        require_spatial("conv", x)
        require_groups(self.groups, x.channels, "input channels")
        require_groups(self.groups, self.out_channels, "output channels")
        return Shape((self.out_channels, *output_sizes(self.padding, x.spatial, self.window(x))))

    def weights(self, *inputs: Shape) -> dict[str, Shape]:
        (x,) = inputs
        depth = () if self.weight_sharing == "channels" else (floordiv(x.channels, self.groups),)
        kernel = Shape((self.out_channels, *depth, *self.kernel_size))
        return {"weight": kernel, "bias": Shape((self.out_channels,))} if self.bias else {"weight": kernel}

    def products(self, *inputs: Shape) -> tuple[MatrixProduct, ...]:
        return self.products_for(self.output(*inputs), *inputs)

    def products_for(self, output: Shape, *inputs: Shape) -> tuple[MatrixProduct, ...]:
        (x,), outputs = inputs, output.elements
        return (MatrixProduct(outputs * floordiv(x.channels, self.groups) * prod(self.kernel_size), outputs),)

    def window(self, *inputs: Shape) -> Window:
        (x,) = inputs
        pads = resolve_padding(self.padding, x.spatial, self.kernel_size, self.stride, self.dilation)
        return Window(self.kernel_size, self.stride, pads, self.dilation)

    def warning(self, *inputs: Shape) -> str:
        return half_padding_warning(self.padding, self.window(*inputs))

    def pytorch_refusal(self, via: str, *inputs: Shape) -> str:
        is_same = via == "string" and self.padding == "same"
        if is_same and any(equal(stride, 1) is False for stride in self.stride):
            return "padding='same' is not for strides; `via: string` says that the padding is that word"
        return ""

    def attributes(self, *inputs: Shape) -> dict[str, Any]:
        return {**Op.attributes(self), "padding": self.window(*inputs).padding}
