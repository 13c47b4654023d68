"""A brute-force oracle: convolutions carried out cell by cell, every multiplication and every weight counted.

Nothing here knows a formula for a count. Inputs, kernels and biases are tensors with a number in every cell; the window
moves over an array that really is padded; a product is counted when it is made. Formulas stand here only where a
framework *defines* a size by one: ``same`` (TensorFlow) and the rounding up of pools (PyTorch).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

Ints = tuple[int, ...]
Pads = tuple[tuple[int, int], ...]
Tensor = dict[Ints, int]


@dataclass(frozen=True)
class Case:
    """A convolution or a pool on an input ``[channels, *spatial]``; sizes have one entry for each spatial axis."""

    shape: Ints
    kernel: Ints
    stride: Ints
    dilation: Ints
    padding: str | Pads
    out: int = 1
    groups: int = 1
    bias: bool = True
    shared: bool = False
    output_padding: Ints = ()
    ceil_mode: bool = False


@dataclass(frozen=True)
class Counted:
    """What came out: its shape, how many weights there were, and how many products were made."""

    shape: Ints
    params: int = 0
    multiplies: int = 0


class Multiplier:
    """Multiplies, and counts how often."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, left: int, right: int) -> int:
        self.count += 1
        return left * right


def convolved(case: Case) -> Counted | None:
    """Carry out a convolution; nothing where the window fits nowhere or the channels do not split into groups."""
    channels = case.shape[0]
    padded, sizes = padded_input(case)
    places = [windows(n, k, s, d) for n, k, s, d in zip(sizes, case.kernel, case.stride, case.dilation, strict=True)]
    if channels % case.groups or case.out % case.groups or not all(places):
        return None
    inputs, outputs = channels // case.groups, case.out // case.groups
    depth = () if case.shared else (inputs,)
    weights, biases = tensor((case.out, *depth, *case.kernel)), tensor((case.out,) if case.bias else (0,))
    multiply, result = Multiplier(), Tensor()
    for out, place in product(range(case.out), product(*map(range, map(len, places)))):
        result[out, *place] = biases.get((out,), 0)
        for channel, tap in product(range(inputs), cells(case.kernel)):
            weight = weights[(out, *tap) if case.shared else (out, channel, *tap)]
            at = tuple(axis[start][step] for axis, start, step in zip(places, place, tap, strict=True))
            result[out, *place] += multiply(padded[out // outputs * inputs + channel, *at], weight)
    return Counted(shape_of(result), len(weights) + len(biases), multiply.count)


def transposed(case: Case) -> Counted | None:
    """Carry out a transposed convolution: each input cell spreads its kernels over a canvas, whose rim is cut off."""
    channels = case.shape[0]
    if channels % case.groups or case.out % case.groups:
        return None
    if any(o >= s and o >= d for o, s, d in zip(case.output_padding, case.stride, case.dilation, strict=True)):
        return None  # PyTorch: "output padding must be smaller than either stride or dilation"
    inputs, outputs = channels // case.groups, case.out // case.groups
    weights, biases = tensor((channels, outputs, *case.kernel)), tensor((case.out,) if case.bias else (0,))
    multiply, canvas = Multiplier(), Tensor()
    for (channel, *place), value in tensor(case.shape).items():
        for out, tap in product(range(outputs), cells(case.kernel)):
            axes = zip(place, case.stride, tap, case.dilation, strict=True)
            at = (channel // inputs * outputs + out, *(n * s + k * d for n, s, k, d in axes))
            canvas[at] = canvas.get(at, 0) + multiply(value, weights[channel, out, *tap])
    reached = [size + o for size, o in zip(shape_of(canvas)[1:], case.output_padding, strict=True)]
    cut = transposed_pads(case, reached)
    left = [size - before - after for size, (before, after) in zip(reached, cut, strict=True)]
    if min(left) < 1:
        return None
    return Counted((case.out, *left), len(weights) + len(biases), multiply.count)


def pooled(case: Case) -> Counted | None:
    """Move a pool's window; it has no weights and multiplies nothing."""
    channels, *spatial = case.shape
    _, sizes = padded_input(case)
    out = [channels]
    for axis, n in enumerate(spatial):
        kernel, stride, dilation = case.kernel[axis], case.stride[axis], case.dilation[axis]
        before, after = pads_of(case)[axis]
        if max(before, after) >= reach(kernel, dilation):
            return None  # the window would lie in the padding alone; ONNX takes all that is less
        if case.ceil_mode:
            out.append(rounded_up(n, before, after, kernel, stride, dilation))
        else:
            out.append(len(windows(sizes[axis], kernel, stride, dilation)))
    return Counted(tuple(out)) if min(out) >= 1 else None


# --- arrays and windows -----------------------------------------------------------------------------------------------


def cells(shape: Ints) -> Iterator[Ints]:
    return product(*map(range, shape))


def tensor(shape: Ints) -> Tensor:
    """A number in every cell."""
    return dict.fromkeys(cells(shape), 1)


def shape_of(array: Tensor) -> Ints:
    """One past the last cell on each axis."""
    return tuple(1 + max(axis) for axis in zip(*array, strict=True))


def padded_input(case: Case) -> tuple[Tensor, Ints]:
    """The input with rows of zeros laid around it, and its spatial sizes now."""
    pads = pads_of(case)
    sizes = tuple(n + before + after for n, (before, after) in zip(case.shape[1:], pads, strict=True))
    padded = dict.fromkeys(cells((case.shape[0], *sizes)), 0)
    for (channel, *place), value in tensor(case.shape).items():
        padded[channel, *(n + before for n, (before, _) in zip(place, pads, strict=True))] = value
    return padded, sizes


def windows(size: int, kernel: int, stride: int, dilation: int) -> list[Ints]:
    """The cells that each place of the window reads on an axis, while its last cell is inside."""
    found, start = list[Ints](), 0
    while start + (kernel - 1) * dilation < size:
        found.append(tuple(start + tap * dilation for tap in range(kernel)))
        start += stride
    return found


def reach(kernel: int, dilation: int) -> int:
    """From the first to the last cell that a window reads, with those between."""
    return 1 + max(windows(kernel * dilation, kernel, 1, dilation)[0])


# --- what frameworks define -------------------------------------------------------------------------------------------


def pads_of(case: Case) -> Pads:
    axes = zip(case.shape[1:], case.kernel, case.stride, case.dilation, strict=True)
    if case.padding == "valid":
        return ((0, 0),) * len(case.kernel)
    if case.padding == "half":
        return tuple((d * (k - 1) // 2, d * (k - 1) // 2) for _, k, _, d in axes)
    if case.padding == "same":
        return tuple(same(n, reach(k, d), s) for n, k, s, d in axes)
    assert not isinstance(case.padding, str)
    return case.padding


def same(size: int, window: int, stride: int) -> tuple[int, int]:
    """TensorFlow's notes on padding, ``SAME``."""
    along = max(window - stride, 0) if size % stride == 0 else max(window - size % stride, 0)
    return along // 2, along - along // 2


def transposed_pads(case: Case, reached: list[int]) -> Pads:
    """For ``same`` what is cut (or added, where negative) so that n·s cells stay, the odd one at the end."""
    if case.padding != "same":
        return pads_of(case)
    spare = [size - n * s for size, n, s in zip(reached, case.shape[1:], case.stride, strict=True)]
    return tuple((cut // 2, cut - cut // 2) for cut in spare)


def rounded_up(size: int, before: int, after: int, kernel: int, stride: int, dilation: int) -> int:
    """PyTorch's ``pooling_output_shape`` with ``ceil_mode``, branch for branch."""
    out = (size + before + after - dilation * (kernel - 1) - 1 + stride - 1) // stride + 1
    if (out - 1) * stride >= size + before:  # the last window would start in the padding at the end
        out -= 1
    return out
