"""Cyclic shift."""

from __future__ import annotations

from convcalc.arith import Number
from convcalc.errors import SpecError
from convcalc.ops.arguments import AxesType, DimsType, argument
from convcalc.ops.op import Op
from convcalc.records import dataclass
from convcalc.shapes import Shape


@dataclass(frozen=True, slots=True)
class Roll(Op):
    """Shift elements along axes; what leaves at the end comes back at the start, as windows of Swin are shifted.

    Formula:
        No params, no multiplies.
    Shapes:
        Unchanged.
    Source:
        PyTorch reference, torch.roll; Liu et al., Swin Transformer, section 3.2.
    Examples:
        roll: {shift: -3, axis: [0, 1]} on [56, 56, 96] -> [56, 56, 96]; 0 params, 0 multiplies
        roll: {shift: [1, 2], axis: [-2, -1]} on [4, 8, 9] -> [4, 8, 9]; 0 params, 0 multiplies
    """

    kind = "roll"

    shift: tuple[Number, ...] = argument("shift", DimsType(minimum=None), positional=True)
    """Places to move by, negative to the front: one for all axes, or one for each."""
    axis: int | tuple[int, ...] = argument("axis", AxesType(several=True))
    """The axis, or list of axes, to shift along."""

    def output(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        axes = self._axes(x)
        if 1 != len(self.shift) != len(axes):
            raise SpecError("CC410", f"roll: {len(self.shift)} shifts for {len(axes)} axes")
        return x

    def rearranged_axes(self, *inputs: Shape) -> frozenset[int]:
        return frozenset(self._axes(inputs[0]))

    def _axes(self, x: Shape) -> list[int]:
        return [x.axis(axis) for axis in (self.axis if isinstance(self.axis, tuple) else (self.axis,))]
