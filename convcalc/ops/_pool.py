"""What max and average pooling share: windows, adaptive output sizes and the global window."""

from __future__ import annotations

from typing import Any

from convcalc.arith import floordiv, less_equal, require
from convcalc.errors import SpecError
from convcalc.ops._op import Op, Window
from convcalc.ops._window import Pads, Sides, ceil_places, extent, places, require_spatial, resolved, uneven
from convcalc.shapes import Shape


class Pool(Op):
    """A window that keeps the channels. The fields are declared by the ops."""

    __slots__ = ()

    kernel_size: str | Sides | None
    stride: Sides | None
    padding: str | Pads
    ceil_mode: bool
    out_size: Sides | None

    def output(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        require_spatial(self.kind, x)
        if (self.kernel_size is None) == (self.out_size is None):
            raise SpecError("CC408", f"{self.kind} needs a kernel or out (adaptive), and not both")
        if self.out_size is not None:
            return Shape((x.channels, *self.out_size))
        window = self.window(x)
        if not isinstance(self.padding, str):
            self._require_padding(window)
        sizes = (ceil_places if self.ceil_mode else places)(self.padding, x.spatial, window)
        return Shape((x.channels, *sizes))

    def _require_padding(self, window: Window) -> None:
        """Padding of more than half the window would leave windows with nothing in them."""
        for kernel, dilation, pads in zip(window.kernel_size, window.dilation, window.padding, strict=True):
            reach = extent(kernel, dilation)
            for pad in pads:
                text = "padding = {} is more than half of the kernel's reach of {}"
                require(less_equal(pad + pad, reach), "CC403", text, pad, reach)

    def dilations(self, axes: int) -> Sides:
        """Return the dilation of the window on each axis."""
        return (1,) * axes

    def window(self, *inputs: Shape) -> Window:
        (x,) = inputs
        ones = (1,) * len(x.spatial)
        if self.kernel_size == "global":
            return Window(x.spatial, ones, ((0, 0),) * len(x.spatial), ones)
        if self.out_size is not None:
            steps = tuple(floordiv(n, o) for n, o in zip(x.spatial, self.out_size, strict=True))
            kernels = tuple(n - (o - 1) * s for n, o, s in zip(x.spatial, self.out_size, steps, strict=True))
            return Window(kernels, steps, ((0, 0),) * len(x.spatial), ones)
        kernel: Sides = self.kernel_size  # type: ignore[assignment]
        stride = kernel if self.stride is None else self.stride
        dilation = self.dilations(len(x.spatial))
        return Window(kernel, stride, resolved(self.padding, x.spatial, kernel, stride, dilation), dilation)

    def doubt(self, *inputs: Shape) -> str:
        return uneven(self.padding, self.window(*inputs))

    def attributes(self, *inputs: Shape) -> dict[str, Any]:
        modes = {
            "ceil_mode": self.ceil_mode,
            "global": self.kernel_size == "global",
            "adaptive": self.out_size is not None,
        }
        return {**self.window(*inputs)._asdict(), **modes}
