"""The sliding window: how padding words become numbers and how many places a window has on an axis.

Symbols: n input size, k kernel, s stride, p₀ and p₁ padding before and after, d dilation, e = d·(k − 1) + 1 the extent.
Sources: PyTorch's ``torch.nn.Conv2d``, ``MaxPool2d`` and ``ConvTranspose2d`` reference pages; TensorFlow's notes on
padding for ``same``.
"""

from __future__ import annotations

from typing import TypeAlias

from convcalc.arith import Number, at_least, at_most, ceildiv, floordiv, less_equal, modulo, require
from convcalc.ops.op import Window
from convcalc.shapes import Shape

PaddingPairs: TypeAlias = tuple[tuple[Number, Number], ...]
AxisSizes: TypeAlias = tuple[Number, ...]


def effective_kernel_size(kernel_size: Number, dilation: Number) -> Number:
    """e = d·(k − 1) + 1: how far a dilated kernel reaches."""
    return dilation * (kernel_size - 1) + 1


def resolve_padding(
    padding: str | PaddingPairs, sizes: AxisSizes, kernel_size: AxisSizes, stride: AxisSizes, dilation: AxisSizes
) -> PaddingPairs:
    """Return (before, after) for each axis.

    ``half``: ⌊d·(k − 1)/2⌋ on both sides.
    ``same``: out = ⌈n/s⌉, so max((⌈n/s⌉ − 1)·s + e − n, 0) in all, the odd one after.
    """
    if padding == "half":
        return tuple([(floordiv(d * (k - 1), 2),) * 2 for k, d in zip(kernel_size, dilation, strict=True)])
    if padding == "same":
        axes = zip(sizes, kernel_size, stride, dilation, strict=True)
        return tuple(
            split_padding(at_least((ceildiv(n, s) - 1) * s + effective_kernel_size(k, d) - n, 0)) for n, k, s, d in axes
        )
    return padding  # type: ignore[return-value]


def half_padding_warning(padding: object, window: Window) -> str:
    """Say that ``half`` of an even kernel pads one cell too few to keep the size; an even dilation makes up for it."""
    sides = zip(window.kernel_size, window.dilation, strict=True) if padding == "half" else ()
    even = [
        k
        for k, d in sides
        if isinstance(effective_kernel_size(k, d), int) and modulo(effective_kernel_size(k, d), 2) == 0
    ]
    return (
        f"`padding: half` on an even kernel ({even[0]}) does not keep the size: it pads (k - 1)//2 on both sides"
        if even
        else ""
    )


def split_padding(whole: Number) -> tuple[Number, Number]:
    """Return a padding in all as (before, after), the odd one after."""
    before = floordiv(whole, 2)
    return before, whole - before


def output_sizes(padding: str | PaddingPairs, sizes: AxisSizes, window: Window) -> AxisSizes:
    """⌊(n + p₀ + p₁ − e)/s⌋ + 1 on each axis; ``same`` is made so that this is ⌈n/s⌉."""
    if padding == "same":
        return tuple(ceildiv(n, s) for n, s in zip(sizes, window.stride, strict=True))
    return tuple([floordiv(_free_span(n, k, p, d), s) + 1 for n, k, s, p, d in zip(sizes, *window, strict=True)])


def ceil_output_sizes(padding: str | PaddingPairs, sizes: AxisSizes, window: Window) -> AxisSizes:
    """min(⌈(n + p₀ + p₁ − e)/s⌉ + 1, ⌈(n + p₀)/s⌉): rounds up, but no window may start in the padding at the end.

    The last window may reach over the end by s − 1 cells, even where it is the only one. ``same`` leaves nothing to
    round.
    """
    if padding == "same":
        return output_sizes(padding, sizes, window)
    axes = zip(sizes, *window, strict=True)
    return tuple(
        at_most(floordiv(_free_span(n, k, p, d, s - 1), s) + 1, ceildiv(n + p[0], s)) for n, k, s, p, d in axes
    )


def _free_span(
    size: Number, kernel_size: Number, pads: tuple[Number, Number], dilation: Number, over: Number = 0
) -> Number:
    """n + p₀ + p₁ + over − e, which must not be negative: ``over`` cells of the window may lie behind the end."""
    reach, padded = effective_kernel_size(kernel_size, dilation), size + pads[0] + pads[1]
    text = "the kernel reaches over {} but the padded input has only {}"
    require(less_equal(reach, padded + over), "CC403", text, reach, padded)
    return padded + over - reach


def transposed_output_sizes(sizes: AxisSizes, window: Window, output_padding: AxisSizes) -> AxisSizes:
    """(n − 1)·s − p₀ − p₁ + e + output_padding on each axis."""
    axes = zip(sizes, *window, output_padding, strict=True)
    return tuple((n - 1) * s - p[0] - p[1] + effective_kernel_size(k, d) + o for n, k, s, p, d, o in axes)


def require_spatial(kind: str, entering: Shape) -> None:
    """Demand a channel axis and at least one spatial axis."""
    require(entering.rank >= 2, "CC401", "{} needs [channels, spatial …], but its input is {}", kind, entering)
