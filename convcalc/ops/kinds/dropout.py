"""Dropout."""

from __future__ import annotations

from fractions import Fraction

from convcalc.ops.arguments import RealType, argument
from convcalc.ops.op import Op
from convcalc.records import dataclass
from convcalc.shapes import Shape


@dataclass(frozen=True, slots=True)
class Dropout(Op):
    """Dropout: passes its input on in inference; costs nothing that is counted.

    Formula:
        No params, no multiplies.
    Shapes:
        Unchanged.
    Source:
        Srivastava et al., JMLR 15, 2014.
    Examples:
        dropout: 0.5 on [4096] -> [4096]; 0 params, 0 multiplies
    """

    kind = "dropout"

    p: int | Fraction = argument("p", RealType(inclusive=True, most=1), positional=True, default=Fraction(1, 2))
    """Probability that an element is dropped."""

    def output(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        return x
