"""Which input cells a cell of a layer reads, axis by axis, for layers that have a window or resize."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import gcd

from convcalc.arith import Number, at_least, is_plain
from convcalc.ops.op import Op
from convcalc.records import NamedTuple
from convcalc.shapes import Shape

WHOLE = "whole"


class ReadPattern(NamedTuple):
    """Along one axis: the first and the last cell that a cell reads; ``period`` cells further, ``step`` further.

    Between these it reads every ``dilation``-th cell.
    """

    cells: Callable[[int], tuple[Number, Number]]
    period: int
    step: Number
    dilation: Number = 1

    @property
    def is_identity(self) -> bool:
        """Whether every cell reads the one at its own place."""
        if self.period != 1 or not is_plain(self.step) or self.step != 1:
            return False
        first, last = self.cells(0)
        return is_plain(first) and is_plain(last) and first == last == 0


def read_patterns(op: Op, entering: Sequence[Shape], leaving: Shape) -> list[ReadPattern | str | None] | None:
    """Return how every spatial axis is read, ``whole`` for all of it; ``None`` for a layer that does not move cells."""
    x = entering[0]
    if op.is_resized:
        sizes = zip(x.spatial, leaving.spatial, strict=True)
        return [_resized(n, m, getattr(op, "mode", "nearest")) for n, m in sizes]
    if op.kind == "pad":
        return [_shifted(-before, 1) for before, _ in op.pads(x)[1:]]  # type: ignore[attr-defined]
    if op.kind in ("slice", "split"):
        return _sliced(x, *op.strided_axis(x))  # type: ignore[attr-defined]
    if getattr(op, "out_size", None) is not None:
        return [_adaptive(n, m) for n, m in zip(x.spatial, leaving.spatial, strict=True)]
    window = op.window(*entering)
    if window is None:
        return None
    if getattr(op, "kernel_size", None) == "global":
        return [WHOLE] * len(x.spatial)
    read = _transposed if op.kind == "deconv" else _window
    axes = zip(window.kernel_size, window.stride, window.padding, window.dilation, strict=True)
    return [read(size, dilation, stride, before) for size, stride, (before, _), dilation in axes]


def _window(size: Number, dilation: Number, stride: Number, before: Number) -> ReadPattern:
    """Cell i reads i·s − p … i·s − p + d·(k − 1)."""
    return ReadPattern(
        lambda i: (i * stride - before, i * stride - before + dilation * (size - 1)), 1, stride, dilation
    )


def _transposed(size: Number, dilation: Number, stride: Number, before: Number) -> ReadPattern | None:
    """Cell i reads every whole n = (i + p − d·t)/s, for taps t from 0 to k − 1; in a gap nothing (last < first).

    With g = gcd(d, s), taps are t₀, t₀ + s/g, …, where d·t₀ ≡ i + p (mod s); there are none unless g divides i + p.
    """
    if not all(map(is_plain, (size, dilation, stride, before))):
        return None
    shared = gcd(dilation, stride)
    every = stride // shared
    inverse = pow(dilation // shared, -1, every)

    def cells(i: int) -> tuple[int, int]:
        place = i + before
        first = place // shared * inverse % every
        if place % shared or first >= size:
            return place // stride + 1, place // stride
        last = first + (size - 1 - first) // every * every
        return (place - dilation * last) // stride, (place - dilation * first) // stride

    return ReadPattern(cells, stride, 1, dilation // shared)


def _shifted(start: Number, step: Number) -> ReadPattern:
    return ReadPattern(lambda i: (start + i * step, start + i * step), 1, step)


def _sliced(x: Shape, axis: int, start: Number, step: Number) -> list[ReadPattern | str | None]:
    read: list[ReadPattern | str | None] = [_shifted(0, 1) for _ in x.spatial]
    if axis:
        known = is_plain(start)
        read[axis - 1] = _shifted(start if start >= 0 else at_least(x[axis] + start, 0), step) if known else None
    return read


def _adaptive(n: Number, m: Number) -> ReadPattern | str | None:
    """Cell i of m reads ⌊i·n/m⌋ … ⌈(i + 1)·n/m⌉ − 1 of n cells."""
    if is_plain(m) and m == 1:
        return WHOLE
    if not (is_plain(n) and is_plain(m)):
        return None
    shared = gcd(n, m)
    return ReadPattern(lambda i: (i * n // m, -(-(i + 1) * n // m) - 1), m // shared, n // shared)


def _resized(n: Number, m: Number, mode: str) -> ReadPattern | None:
    """Cell i of m lies at x = (i + ½)·n/m − ½ of n cells; ``nearest`` reads ⌊i·n/m⌋, others the cells around x.

    Linear modes read ⌊x⌋ and ⌈x⌉, bicubic one more on both sides (none where x is a whole number), ``area`` as adaptive
    pooling does. Source: PyTorch reference, torch.nn.Upsample, with align_corners false.
    """
    if not (is_plain(n) and is_plain(m)):
        return None
    if mode == "area":
        read = _adaptive(n, m)
        return read if isinstance(read, ReadPattern) else None
    shared, more = gcd(n, m), int(mode == "bicubic")

    def around(i: int) -> tuple[int, int]:
        first, rest = divmod((2 * i + 1) * n - m, 2 * m)
        return (first - more, first + 1 + more) if rest else (first, first)

    def nearest(i: int) -> tuple[int, int]:
        return i * n // m, i * n // m

    return ReadPattern(nearest if mode == "nearest" else around, m // shared, n // shared)
