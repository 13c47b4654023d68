"""Taking a part of an axis."""

from __future__ import annotations

from convcalc.arith import Number, at_least, at_most, ceildiv, less, less_equal, require, select
from convcalc.ops.arguments import AxesType, SizeType, argument
from convcalc.ops.op import Op
from convcalc.records import dataclass
from convcalc.shapes import Shape


@dataclass(frozen=True, slots=True)
class Slice(Op):
    """Every ``step``-th element of one axis from ``start`` up to, without, ``stop``; both may count from the end.

    Formula:
        out[axis] = ⌈(stop − start)/step⌉ after clipping both to the axis. No params, no multiplies.
    Shapes:
        [C, …] → [C', …].
    Source:
        Python reference, slicings.
    Examples:
        slice: {start: -32} on [128, 8, 8] -> [32, 8, 8]; 0 params, 0 multiplies
        slice: {axis: 1, start: 1, stop: 8, step: 2} on [4, 10] -> [4, 4]; 0 params, 0 multiplies
    """

    kind = "slice"

    axis: int = argument("axis", AxesType(), default=0)
    """The axis to take from."""
    start: Number = argument("start", SizeType(None), default=0)
    """First element; negative counts from the end."""
    stop: Number | None = argument("stop", SizeType(None), default=None)
    """One past the last element; the end by default."""
    step: Number = argument("step", SizeType(), default=1)
    """Distance between the elements taken."""

    def output(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        size = x[x.axis(self.axis)]
        start = _clipped(self.start, size)
        stop = size if self.stop is None else _clipped(self.stop, size)
        text = "slice takes nothing: start {} is not before stop {} on an axis of {}"
        require(less(start, stop), "CC406", text, start, stop, size)
        return x.with_axis(self.axis, ceildiv(stop - start, self.step))

    def strided_axis(self, x: Shape) -> tuple[int, Number, Number]:
        """Return the axis that is cut, the first element taken, which may count from the end, and the step."""
        return x.axis(self.axis), self.start, self.step


def _clipped(position: Number, size: Number) -> Number:
    from_start = select(less_equal(0, position), position, position + size)
    return at_most(at_least(from_start, 0), size)
