"""Product of two activations."""

from __future__ import annotations

from convcalc.arith import equal, require
from convcalc.ops.kinds._checks import broadcast
from convcalc.ops.op import MatrixProduct, Op
from convcalc.records import dataclass
from convcalc.shapes import Shape


@dataclass(frozen=True, slots=True)
class Matmul(Op):
    """Matrix product of two branches.

    Formula:
        multiplies = B·n·k·m, B the product of the broadcast leading axes. No params.
    Shapes:
        [… B, n, k] and [… B, k, m] → [… B, n, m]; leading axes of size 1 broadcast.
    Source:
        PyTorch reference, torch.matmul.
    Examples:
        matmul: [{from: x}, {from: y}] on x [5, 8], y [8, 6] -> [5, 6]; 0 params, 240 multiplies
        matmul: [{from: x}, {from: y}] on x [1, 5, 8], y [3, 8, 6] -> [3, 5, 6]; 0 params, 720 multiplies
    """

    kind = "matmul"
    source_form = "function"
    arity = (2, 2)
    rearranges = True

    def output(self, *inputs: Shape) -> Shape:
        left, right = inputs
        matrices = left.rank >= 2 and right.rank >= 2
        require(matrices, "CC401", "matmul needs [… n, k] and [… k, m], but has {} and {}", left, right)
        inner = left[-1], right[-2]
        require(equal(*inner), "CC405", "matmul: the inner axes of {} and {} differ: {} vs {}", left, right, *inner)
        leading = broadcast("matmul", Shape(left[:-2]), Shape(right[:-2]), whole=(left, right))
        return Shape((*leading, left[-2], right[-1]))

    def products(self, *inputs: Shape) -> tuple[MatrixProduct, ...]:
        outputs = self.output(*inputs).elements
        return (MatrixProduct(outputs * inputs[0][-1], outputs, has_weights=False),)
