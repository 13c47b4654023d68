"""Transposed convolution."""

from __future__ import annotations

from typing import Any

from convcalc.arith import Number, either, floordiv, less, less_equal, prod, require
from convcalc.ops.arguments import ChoiceType, FlagType, PaddingType, SizesType, SizeType, argument
from convcalc.ops.kinds._checks import require_groups
from convcalc.ops.kinds._window import (
    AxisSizes,
    PaddingPairs,
    effective_kernel_size,
    half_padding_warning,
    require_spatial,
    resolve_padding,
    split_padding,
    transposed_output_sizes,
)
from convcalc.ops.op import Matrix, MatrixProduct, Op, Window
from convcalc.records import dataclass
from convcalc.shapes import Shape


@dataclass(frozen=True, slots=True)
class TransposedConv(Op):
    """Transposed convolution: every input cell spreads a kernel over the output.

    Formula:
        params = Ci·(Co/g)·K + Co (the last term with bias); multiplies = Ci·(Co/g)·K·Pi, over *input* positions;
        out = (n − 1)·s − p₀ − p₁ + d·(k − 1) + 1 + output_padding on each axis; ``same``: out = n·s.
    Shapes:
        [Ci, spatial …] → [Co, spatial …]; Pi = product of the input's spatial sizes.
    Source:
        PyTorch reference, torch.nn.ConvTranspose2d.
    Examples:
        deconv: [16, 4, 2] on [8, 10, 10] -> [16, 22, 22]; 2064 params, 204800 multiplies
        deconv: {out: 4, kernel: 3, stride: 2, padding: same} on [6, 5, 7] -> [4, 10, 14]; 220 params, 7560 multiplies
        deconv: {out: 4, kernel: 3, padding: 1, groups: 2} on [6, 5, 7] -> [4, 5, 7]; 112 params, 3780 multiplies
        deconv: {out: 4, kernel: 2, weight_sharing: channels} on [8, 5, 5] -> [4, 6, 6]; 20 params, 3200 multiplies
        deconv: {out: 2, kernel: 2, stride: 3, output_padding: 1} on [3, 4] -> [2, 12]; 14 params, 48 multiplies
    """

    kind = "deconv"
    accepts_norm_act = True

    out_channels: Number = argument("out", SizeType(), positional=True)
    """Output channels Co."""
    kernel_size: AxisSizes = argument("kernel", SizesType(), positional=True)
    """Kernel size k: one integer, or one per spatial axis."""
    stride: AxisSizes = argument("stride", SizesType(), positional=True, default=1)
    """Distance s between the places where input cells spread."""
    padding: str | PaddingPairs = argument("padding", PaddingType(), default=0)
    """Cells cut from the output: n, [per axis], [[before, after], …], valid, half or same."""
    dilation: AxisSizes = argument("dilation", SizesType(), default=1)
    """Distance d between the cells of a kernel."""
    groups: Number = argument("groups", SizeType(), default=1)
    """Groups g; divides Ci and Co."""
    bias: bool = argument("bias", FlagType(), default=True)
    """Whether one learned number is added per output channel; false by default with a fused norm."""
    weight_sharing: str = argument("weight_sharing", ChoiceType(("none", "channels")), default="none")
    """``channels``: one k×k kernel per output channel, used for every input channel."""
    output_padding: AxisSizes = argument("output_padding", SizesType(0), default=0)
    """Cells added at the end of the output, fewer than the stride or the dilation."""

    def output(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        require_spatial("deconv", x)
        require_groups(self.groups, x.channels, "input channels")
        require_groups(self.groups, self.out_channels, "output channels")
        self._require_output_padding()
        sizes = transposed_output_sizes(x.spatial, self.window(x), self.output_padding)
        for size in sizes:
            require(less_equal(1, size), "CC403", "the padding leaves an output of size {}", size)
        return Shape((self.out_channels, *sizes))

    def _require_output_padding(self) -> None:
        """More cells than a step leaves out would be touched by no kernel."""
        for added, stride, dilation in zip(self.output_padding, self.stride, self.dilation, strict=True):
            fits = either(less(added, stride), less(added, dilation))
            text = "output_padding = {} must be below the stride {} or the dilation {}"
            require(fits, "CC403", text, added, stride, dilation)

    def weights(self, *inputs: Shape) -> dict[str, Shape]:
        (x,) = inputs
        unshared = (x.channels, floordiv(self.out_channels, self.groups))
        channels = (self.out_channels,) if self.weight_sharing == "channels" else unshared
        kernel = Shape((*channels, *self.kernel_size))
        return {"weight": kernel, "bias": Shape((self.out_channels,))} if self.bias else {"weight": kernel}

    def matrices(self, *inputs: Shape) -> list[Matrix]:
        summed = 1 if self.weight_sharing == "channels" else floordiv(inputs[0].channels, self.groups)
        return [Matrix(self.out_channels, summed * prod(self.kernel_size))]

    def products(self, *inputs: Shape) -> tuple[MatrixProduct, ...]:
        (x,) = inputs
        per_cell = floordiv(self.out_channels, self.groups) * prod(self.kernel_size)
        return (MatrixProduct(x.elements * per_cell, self.output(x).elements),)

    def window(self, *inputs: Shape) -> Window:
        (x,) = inputs
        return Window(self.kernel_size, self.stride, self._pads(x), self.dilation)

    def _pads(self, x: Shape) -> PaddingPairs:
        if self.padding == "same":  # e − s cells are cut, so that n·s stay
            reach = (effective_kernel_size(k, d) for k, d in zip(self.kernel_size, self.dilation, strict=True))
            spare = tuple(e - s + o for e, s, o in zip(reach, self.stride, self.output_padding, strict=True))
            return tuple(map(split_padding, spare))
        return resolve_padding(self.padding, x.spatial, self.kernel_size, self.stride, self.dilation)

    def warning(self, *inputs: Shape) -> str:
        return half_padding_warning(self.padding, self.window(*inputs))

    def attributes(self, *inputs: Shape) -> dict[str, Any]:
        return {**Op.attributes(self), "padding": self.window(*inputs).padding}
