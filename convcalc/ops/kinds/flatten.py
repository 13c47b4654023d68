"""Merging axes."""

from __future__ import annotations

from convcalc.arith import prod
from convcalc.errors import SpecError
from convcalc.ops.arguments import AxesType, argument
from convcalc.ops.op import Op
from convcalc.records import dataclass
from convcalc.shapes import Shape


@dataclass(frozen=True, slots=True)
class Flatten(Op):
    """Merge axes ``start`` to ``end`` into one.

    Formula:
        The merged axis is the product of the axes. No params, no multiplies.
    Shapes:
        [C, H, W] → [C·H·W]; with ``start: 1`` → [C, H·W].
    Source:
        PyTorch reference, torch.flatten (without the batch axis).
    Examples:
        flatten: on [16, 5, 5] -> [400]; 0 params, 0 multiplies
        flatten: {start: 1} on [768, 14, 14] -> [768, 196]; 0 params, 0 multiplies
    """

    kind = "flatten"
    rearranges = True

    start: int = argument("start", AxesType(), positional=True, default=0)
    """First axis to merge."""
    end: int = argument("end", AxesType(), positional=True, default=-1)
    """Last axis to merge."""

    def output(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        start, end = x.axis(self.start, "start"), x.axis(self.end, "end")
        if len(x[start : end + 1]) == 0:
            raise SpecError("CC402", f"flatten: start = {self.start} lies behind end = {self.end} in {x}")
        return Shape((*x[:start], prod(x[start : end + 1]), *x[end + 1 :]))
