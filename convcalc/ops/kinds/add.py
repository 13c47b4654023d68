"""Join: sum of its branches, element by element: the residual connection."""

from __future__ import annotations

from convcalc.ops.kinds._checks import broadcast
from convcalc.ops.op import Op
from convcalc.records import dataclass
from convcalc.shapes import Shape


@dataclass(frozen=True, slots=True)
class Add(Op):
    """The sum of its branches, element by element: the residual connection.

    Formula:
        No params; elementwise work is not counted among the multiplies.
    Shapes:
        Equal shapes, or axes of size 1 that broadcast.
    Source:
        He et al., Deep Residual Learning, section 3.2.
    Examples:
        add: [{from: x}, {from: y}] on x [64, 8, 8], y [64, 8, 8] -> [64, 8, 8]; 0 params, 0 multiplies
        add: [{from: x}, {from: y}] on x [16, 4, 4], y [16, 1, 1] -> [16, 4, 4]; 0 params, 0 multiplies
    """

    kind = "add"
    source_form = "operator"
    arity = (1, None)

    def output(self, *inputs: Shape) -> Shape:
        return broadcast("add", *inputs)
