"""What max and average pooling share: windows, adaptive output sizes and the global window."""

from __future__ import annotations

from typing import Any

from convcalc.arith import largest, less_equal, require
from convcalc.errors import SpecError
from convcalc.ops.kinds._window import (
    AxisSizes,
    PaddingPairs,
    ceil_output_sizes,
    effective_kernel_size,
    half_padding_warning,
    output_sizes,
    require_spatial,
    resolve_padding,
)
from convcalc.ops.op import Op, Window
from convcalc.shapes import Shape


class Pool(Op):
    """A window that keeps the channels. The fields are declared by the ops."""

    __slots__ = ()

    kernel_size: str | AxisSizes | None
    stride: AxisSizes | None
    padding: str | PaddingPairs
    ceil_mode: bool
    out_size: AxisSizes | None

    def output(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        require_spatial(self.kind, x)
        if (self.kernel_size is None) == (self.out_size is None):
            raise SpecError("CC408", f"{self.kind} needs a kernel or out (adaptive), and not both")
        window = self.window(x)
        if self.out_size is not None or window is None:
            return Shape((x.channels, *(self.out_size or ())))
        if not isinstance(self.padding, str):
            self._require_padding(window)
        sizes = (ceil_output_sizes if self.ceil_mode else output_sizes)(self.padding, x.spatial, window)
        return Shape((x.channels, *sizes))

    def _require_padding(self, window: Window) -> None:
        """Padding as wide as the window would leave windows with nothing in them, and so nothing to give."""
        for kernel, dilation, pads in zip(window.kernel_size, window.dilation, window.padding, strict=True):
            reach = effective_kernel_size(kernel, dilation)
            for pad in pads:
                text = "padding = {} must be less than the kernel's reach of {}"
                require(less_equal(pad + 1, reach), "CC403", text, pad, reach)

    def dilations(self, axes: int) -> AxisSizes:
        """Return the dilation of the window on each axis."""
        return (1,) * axes

    def window(self, *inputs: Shape) -> Window | None:
        """Return the window; an adaptive pool has none, for its windows differ from place to place."""
        (x,) = inputs
        ones = (1,) * len(x.spatial)
        if self.kernel_size == "global":
            return Window(x.spatial, ones, ((0, 0),) * len(x.spatial), ones)
        if self.out_size is not None:
            return None
        kernel: AxisSizes = self.kernel_size  # type: ignore[assignment]
        stride = kernel if self.stride is None else self.stride
        dilation = self.dilations(len(x.spatial))
        return Window(kernel, stride, resolve_padding(self.padding, x.spatial, kernel, stride, dilation), dilation)

    def warning(self, *inputs: Shape) -> str:
        window = self.window(*inputs)
        return half_padding_warning(self.padding, window) if window is not None else ""

    def pytorch_refusal(self, via: str, *inputs: Shape) -> str:
        """Pools may be padded by half of their kernel, dilated or not; average pools over three axes fit inside."""
        (x,) = inputs
        window = self.window(x)
        if window is None:
            return ""
        axes = list(zip(x.spatial, window.kernel_size, window.padding, strict=True))
        wide = [(pads, k) for _, k, pads in axes if any(less_equal(pad + pad, k) is False for pad in pads)]
        if wide:
            return f"a padding of {largest(wide[0][0])} is more than half of the kernel of {wide[0][1]}, dilated or not"
        over = [(k, n) for n, k, _ in axes if less_equal(k, n) is False]
        if self.kind == "avgpool" and len(axes) == 3 and over:
            return f"the kernel of {over[0][0]} is larger than the input of {over[0][1]} cells without its padding"
        return ""

    def attributes(self, *inputs: Shape) -> dict[str, Any]:
        window = self.window(*inputs)
        modes = {
            "ceil_mode": self.ceil_mode,
            "global": self.kernel_size == "global",
            "adaptive": self.out_size is not None,
        }
        return {**(window._asdict() if window is not None else {"out_size": self.out_size}), **modes}
