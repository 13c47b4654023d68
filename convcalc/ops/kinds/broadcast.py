"""Repetition of elements along axes."""

from __future__ import annotations

from typing import Any

from convcalc.arith import Number, either, equal, is_plain, require
from convcalc.errors import SpecError
from convcalc.ops.arguments import DimsType, argument
from convcalc.ops.op import Op
from convcalc.records import dataclass
from convcalc.shapes import Shape


@dataclass(frozen=True, slots=True)
class Broadcast(Op):
    """Repeat elements: stretch axes of size 1 to a shape (expand), or copy the tensor along its axes (repeat, tile).

    Formula:
        out = ``shape``, or n·times on each axis. No params, no multiplies.
    Shapes:
        Axes line up with the last ones; those that the input lacks are put before its own. With ``shape`` and ``like``
        an axis of the input has the size 1 or that of the output.
    Source:
        PyTorch reference, torch.Tensor.expand, torch.tile, torch.repeat_interleave; ONNX operators, Expand and Tile.
    Examples:
        broadcast: [16, 8, 4] on [16, 1, 4] -> [16, 8, 4]; 0 params, 0 multiplies
        broadcast: {times: [3, 1, 2]} on [5, 4] -> [3, 5, 8]; 0 params, 0 multiplies
        broadcast: {like: y} on x [1, 8], y [12, 8] -> [12, 8]; 0 params, 0 multiplies
    """

    kind = "broadcast"
    layer_arguments = ("like",)

    shape: tuple[Number, ...] | None = argument("shape", DimsType(), positional=True, default=None)
    """The axes to have."""
    times: tuple[Number, ...] | None = argument("times", DimsType(), default=None)
    """Copies along each axis; of fewer numbers than axes, they are those of the last ones."""

    def output(self, *inputs: Shape) -> Shape:
        x, *like = inputs
        if [self.shape is not None, self.times is not None, bool(like)].count(True) != 1:
            raise SpecError("CC408", "broadcast needs exactly one of shape, times and like")
        if self.times is not None:
            times = _padded(self.times, x.rank)
            return Shape(n * copies for n, copies in zip(_padded(x, len(times)), times, strict=True))
        target = like[0] if like else Shape(self.shape or ())
        text = "broadcast: {} does not stretch to {}"
        require(x.rank <= target.rank, "CC405", text, x, target)
        for n, size in zip(_padded(x, target.rank), target, strict=True):
            require(either(equal(n, 1), equal(n, size)), "CC405", text, x, target)
        return target

    def mixed_axes(self, *inputs: Shape) -> frozenset[int]:
        """Axes of one element, which is at every place of the output."""
        x, out = inputs[0], self.output(*inputs)
        return frozenset(axis for axis in self._repeated(x, out) if is_plain(x[axis]) and x[axis] == 1)

    def rearranged_axes(self, *inputs: Shape) -> frozenset[int]:
        x, out = inputs[0], self.output(*inputs)
        return self._repeated(x, out) - self.mixed_axes(*inputs) if x.rank == out.rank else frozenset(range(x.rank))

    def _repeated(self, x: Shape, out: Shape) -> frozenset[int]:
        """The axes of the input that are larger in the output, or may be."""
        behind = range(out.rank - x.rank, out.rank)
        return frozenset(axis for axis, at in enumerate(behind) if equal(x[axis], out[at]) is not True)

    def attributes(self, *inputs: Shape) -> dict[str, Any]:
        return {"shape": tuple(self.output(*inputs))}


def _padded(sizes: tuple[Number, ...], rank: int) -> tuple[Number, ...]:
    """Put axes of 1 before the sizes until there are at least so many."""
    return (*(1,) * (rank - len(sizes)), *sizes)
