"""Average pooling."""

from __future__ import annotations

from typing import Any

from convcalc.arith import equal
from convcalc.ops.arguments import FlagType, PaddingType, SizesType, argument
from convcalc.ops.kinds._pool import Pool
from convcalc.ops.kinds._window import AxisSizes, PaddingPairs
from convcalc.records import dataclass
from convcalc.shapes import Shape


@dataclass(frozen=True, slots=True)
class AvgPool(Pool):
    """Average pooling: the mean of each window, channel by channel.

    Formula:
        No params, no multiplies (a mean is additions and one scaling). Size as for maxpool.
    Shapes:
        [C, spatial …] → [C, spatial …]; ``global`` → [C, 1 …].
    Source:
        PyTorch reference, torch.nn.AvgPool2d and AdaptiveAvgPool2d; Lin et al., Network in Network, section 3.2.
    Examples:
        avgpool: 2 on [16, 10, 11] -> [16, 5, 5]; 0 params, 0 multiplies
        avgpool: global on [512, 7, 7] -> [512, 1, 1]; 0 params, 0 multiplies
        avgpool: {kernel: 3, padding: 1, count_include_pad: false} on [16, 9, 9] -> [16, 3, 3]; 0 params, 0 multiplies
        avgpool: {out: [3, 2]} on [4, 7, 8] -> [4, 3, 2]; 0 params, 0 multiplies
    """

    kind = "avgpool"

    kernel_size: str | AxisSizes | None = argument(
        "kernel", SizesType(words=("global",)), positional=True, default=None
    )
    """Window size, or ``global``."""
    stride: AxisSizes | None = argument("stride", SizesType(), positional=True, default=None)
    """Step between windows; the kernel's size by default."""
    padding: str | PaddingPairs = argument("padding", PaddingType(), default=0)
    """As for conv, at most half the kernel."""
    ceil_mode: bool = argument("ceil_mode", FlagType(), default=False)
    """Whether the size rounds up; a window that would start in the padding at the end is dropped."""
    dilation: AxisSizes | None = argument("dilation", SizesType(), default=None)
    """Distance between the cells that a window reads, which ONNX has; 1 by default."""
    count_include_pad: bool | None = argument("count_include_pad", FlagType(), default=None)
    """Whether padding is among the cells that a window averages: true by default. It changes no count of ours."""
    out_size: AxisSizes | None = argument("out", SizesType(), default=None)
    """Adaptive pooling: the size to reach, in place of a kernel."""

    def dilations(self, axes: int) -> AxisSizes:
        return (1,) * axes if self.dilation is None else self.dilation

    def pytorch_refusal(self, via: str, *inputs: Shape) -> str:
        if self.dilation is not None and any(equal(dilation, 1) is False for dilation in self.dilation):
            return "an average pool has no dilation"
        return Pool.pytorch_refusal(self, via, *inputs)

    def attributes(self, *inputs: Shape) -> dict[str, Any]:
        padding = {} if self.count_include_pad is None else {"count_include_pad": self.count_include_pad}
        return Pool.attributes(self, *inputs) | padding
