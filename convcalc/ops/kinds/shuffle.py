"""Channel shuffle."""

from __future__ import annotations

from convcalc.arith import Number
from convcalc.ops.arguments import SizeType, argument
from convcalc.ops.kinds._checks import require_groups
from convcalc.ops.op import Op
from convcalc.records import dataclass
from convcalc.shapes import Shape


@dataclass(frozen=True, slots=True)
class Shuffle(Op):
    """Channel shuffle: interleave the channels of ``groups`` groups.

    Formula:
        No params, no multiplies.
    Shapes:
        Unchanged; groups divides the channels.
    Source:
        Zhang et al., ShuffleNet, arXiv:1707.01083, section 3.1.
    Examples:
        shuffle: 2 on [116, 28, 28] -> [116, 28, 28]; 0 params, 0 multiplies
    """

    kind = "shuffle"

    groups: Number = argument("groups", SizeType(), positional=True)
    """Groups to interleave."""

    def output(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        require_groups(self.groups, x.channels)
        return x
