"""Softmax."""

from __future__ import annotations

from convcalc.ops.arguments import AxesType, argument
from convcalc.ops.op import Op
from convcalc.records import dataclass
from convcalc.shapes import Shape


@dataclass(frozen=True, slots=True)
class Softmax(Op):
    """Softmax over one axis.

    Formula:
        No params, no multiplies.
    Shapes:
        Unchanged.
    Source:
        PyTorch reference, torch.nn.Softmax.
    Examples:
        softmax: on [1000] -> [1000]; 0 params, 0 multiplies
    """

    kind = "softmax"

    axis: int = argument("axis", AxesType(), positional=True, default=-1)
    """The axis whose values sum to one."""

    def output(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        x.axis(self.axis)
        return x

    def mixed_axes(self, *inputs: Shape) -> frozenset[int]:
        return frozenset((inputs[0].axis(self.axis),))
