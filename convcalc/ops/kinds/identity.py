"""The layer that does nothing."""

from __future__ import annotations

from convcalc.ops.op import Op
from convcalc.records import dataclass
from convcalc.shapes import Shape


@dataclass(frozen=True, slots=True)
class Identity(Op):
    """Passes its input on: the shortcut of a residual block.

    Formula:
        No params, no multiplies.
    Shapes:
        Unchanged.
    Source:
        He et al., Deep Residual Learning, section 3.2.
    Examples:
        identity: on [64, 56, 56] -> [64, 56, 56]; 0 params, 0 multiplies
    """

    kind = "identity"
    is_identity = True

    def output(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        return x
