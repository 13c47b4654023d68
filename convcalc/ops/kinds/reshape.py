"""Cutting the same elements into other axes."""

from __future__ import annotations

from convcalc.arith import Number, divides, equal, floordiv, prod, require
from convcalc.ops.arguments import DimsType, argument
from convcalc.ops.op import Op
from convcalc.records import dataclass
from convcalc.shapes import Shape


@dataclass(frozen=True, slots=True)
class Reshape(Op):
    """The same elements in other axes; one axis may be -1 and is worked out.

    Formula:
        The product of the axes stays. No params, no multiplies.
    Shapes:
        Any → the given shape.
    Source:
        PyTorch reference, torch.reshape (without the batch axis).
    Examples:
        reshape: [3, 4, 64] on [12, 8, 8] -> [3, 4, 64]; 0 params, 0 multiplies
        reshape: [-1, 16] on [8, 6, 4] -> [12, 16]; 0 params, 0 multiplies
    """

    kind = "reshape"
    rearranges = True

    shape: tuple[Number, ...] = argument("shape", DimsType(wildcard=True), positional=True)
    """The axes to have, one of them -1 or none."""

    def output(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        known = prod(size for size in self.shape if not _free(size))
        if any(map(_free, self.shape)):
            text = "reshape: the {} elements of {} are not a multiple of {}"
            require(divides(known, x.elements), "CC405", text, x.elements, x, known)
            return Shape(floordiv(x.elements, known) if _free(size) else size for size in self.shape)
        shape = Shape(self.shape)
        require(
            equal(known, x.elements), "CC405", "reshape: {} has {} elements, {} has {}", x, x.elements, shape, known
        )
        return shape


def _free(size: Number) -> bool:
    """Whether an axis is to be worked out (arrays and symbols never are)."""
    return isinstance(size, int) and size == -1
