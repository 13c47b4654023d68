"""Join: concatenation."""

from __future__ import annotations

from convcalc.arith import equal, require, total
from convcalc.ops.arguments import AxesType, argument
from convcalc.ops.op import Op
from convcalc.records import dataclass
from convcalc.shapes import Shape


@dataclass(frozen=True, slots=True)
class Concat(Op):
    """Concatenation of branches along one axis.

    Formula:
        out[axis] = Σ in[axis]; all other axes are equal. No params, no multiplies.
    Shapes:
        [C₁, …], [C₂, …], … → [C₁ + C₂ + …, …] for axis 0.
    Source:
        Szegedy et al., Going Deeper with Convolutions, section 4 (DepthConcat).
    Examples:
        concat: [{from: x}, {from: y}] on x [64, 28, 28], y [32, 28, 28] -> [96, 28, 28]; 0 params, 0 multiplies
        concat: {axis: 1, branches: [{from: x}, {from: y}]} on x [7, 3], y [7, 5] -> [7, 8]; 0 params, 0 multiplies
    """

    kind = "concat"
    source_form = "operator"
    arity = (1, None)

    axis: int = argument("axis", AxesType(), default=0)
    """The axis that grows; 0 are channels (or tokens)."""

    def output(self, *inputs: Shape) -> Shape:
        first = inputs[0]
        axis = first.axis(self.axis)
        for other in inputs[1:]:
            require(first.rank == other.rank, "CC405", "concat: shapes differ in rank: {} vs {}", first, other)
            for position, sizes in enumerate(zip(first, other, strict=True)):
                if position != axis:
                    text = "concat: shapes differ beside axis {}: {} vs {}"
                    require(equal(*sizes), "CC405", text, axis, first, other)
        return first.with_axis(axis, total(shape[axis] for shape in inputs))

    def rearranged_axes(self, *inputs: Shape) -> frozenset[int]:
        return frozenset((inputs[0].axis(self.axis),))
