"""Max pooling."""

from __future__ import annotations

from convcalc.ops.arguments import FlagType, PaddingType, SizesType, argument
from convcalc.ops.kinds._pool import Pool
from convcalc.ops.kinds._window import AxisSizes, PaddingPairs
from convcalc.records import dataclass


@dataclass(frozen=True, slots=True)
class MaxPool(Pool):
    """Max pooling: the largest value of each window, channel by channel.

    Formula:
        No params, no multiplies. Size as conv; with ceil_mode min(⌈(n + p₀ + p₁ − e)/s⌉ + 1, ⌈(n + p₀)/s⌉);
        ``global``: one window over the whole input; ``out``: the given size.
    Shapes:
        [C, spatial …] → [C, spatial …].
    Source:
        PyTorch reference, torch.nn.MaxPool2d and AdaptiveMaxPool2d.
    Examples:
        maxpool: {kernel: 3, stride: 2, padding: 1} on [64, 112, 112] -> [64, 56, 56]; 0 params, 0 multiplies
        maxpool: {kernel: 3, stride: 2, ceil_mode: true} on [8, 8, 7] -> [8, 4, 3]; 0 params, 0 multiplies
    """

    kind = "maxpool"

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
    dilation: AxisSizes = argument("dilation", SizesType(), default=1)
    """Distance between the cells that a window reads."""
    out_size: AxisSizes | None = argument("out", SizesType(), default=None)
    """Adaptive pooling: the size to reach, in place of a kernel."""

    def dilations(self, axes: int) -> AxisSizes:
        return self.dilation
