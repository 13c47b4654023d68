"""Cutting an axis into parts."""

from __future__ import annotations

from convcalc.arith import Number, divides, equal, floordiv, less, require, total
from convcalc.errors import SpecError
from convcalc.ops.arguments import AxesType, DimsType, SizeType, argument
from convcalc.ops.op import Op
from convcalc.records import dataclass
from convcalc.shapes import Shape


@dataclass(frozen=True, slots=True)
class Split(Op):
    """Cut an axis into equal parts, or into parts of given sizes; a layer gives one of them.

    Formula:
        out[axis] = n/into, or the size of the part. No params, no multiplies.
    Shapes:
        [C, …] → [C/into, …] for axis 0.
    Source:
        PyTorch reference, torch.chunk and torch.split; ONNX operators, Split.
    Examples:
        split: {into: 2, part: 0} on [116, 28, 28] -> [58, 28, 28]; 0 params, 0 multiplies
        split: {sizes: [64, 64, 32], axis: -1, part: -1} on [50, 160] -> [50, 32]; 0 params, 0 multiplies
    """

    kind = "split"
    part_arguments = ("part", "into")

    into: Number | None = argument("into", SizeType(), positional=True, default=None)
    """How many parts there are, equal ones unless there are ``sizes``."""
    part: int = argument("part", AxesType(), positional=True)
    """Which part it is, counted from 0; negative counts from the end. In a spec, ``names: [q, k, v]`` in place of part
    and into makes a layer of each.
    """
    sizes: tuple[Number, ...] | None = argument("sizes", DimsType(), default=None)
    """The sizes of the parts, together that of the axis."""
    axis: int = argument("axis", AxesType(), default=0)
    """The axis that is cut."""

    def output(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        return x.with_axis(self.axis, self._start_and_size(x)[1])

    def strided_axis(self, x: Shape) -> tuple[int, Number, Number]:
        """As of a slice."""
        return x.axis(self.axis), self._start_and_size(x)[0], 1

    def _start_and_size(self, x: Shape) -> tuple[Number, Number]:
        n, into = x[x.axis(self.axis)], self.into
        if self.sizes is not None:
            parts = len(self.sizes)
            require(into is None or equal(into, parts), "CC405", "split: {} sizes for {} parts", parts, into)
            text = "split: the sizes {} are not {} together"
            require(equal(total(self.sizes), n), "CC405", text, Shape(self.sizes), n)
            place = self._place(parts)
            return total(self.sizes[:place]), self.sizes[place]
        if into is None:
            raise SpecError("CC408", "split needs into, the number of its parts, or their sizes")
        require(divides(into, n), "CC404", "split: {} equal parts of an axis of {} are not whole", into, n)
        size = floordiv(n, into)
        return self._place(into) * size, size

    def _place(self, parts: Number) -> Number:
        """The part counted from 0."""
        place = self.part if self.part >= 0 else self.part + parts
        for fits in (less(place, parts), less(-1, place)):
            require(fits, "CC402", "split: there is no part {} of {}", self.part, parts)
        return place
