"""Linear (fully connected) layer."""

from __future__ import annotations

from typing import Any

from convcalc.arith import Number
from convcalc.errors import SpecError
from convcalc.ops.arguments import AxesType, FlagType, SizeType, argument
from convcalc.ops.op import MatrixProduct, Op
from convcalc.records import dataclass
from convcalc.shapes import Shape


@dataclass(frozen=True, slots=True)
class Linear(Op):
    """Linear layer: every output feature is a weighted sum of all input features, position by position.

    Formula:
        params = Fin·Fout + Fout (the last term with bias); multiplies = rows·Fin·Fout.
    Shapes:
        [… rows, Fin] → [… rows, Fout]. On rank 3 and more only with ``axis: -1`` written, because there a flatten is
        usually meant.
    Source:
        PyTorch reference, torch.nn.Linear.
    Examples:
        linear: 10 on [84] -> [10]; 850 params, 840 multiplies
        linear: {out: 32, bias: false} on [7, 16] -> [7, 32]; 512 params, 3584 multiplies
        linear: {out: 8, axis: -1} on [4, 4, 6] -> [4, 4, 8]; 56 params, 768 multiplies
    """

    kind = "linear"
    accepts_norm_act = True

    out_features: Number = argument("out", SizeType(), positional=True)
    """Output features Fout."""
    bias: bool = argument("bias", FlagType(), default=True)
    """Whether one learned number is added per output feature; false by default with a fused norm."""
    axis: int | None = argument("axis", AxesType(), default=None)
    """The axis it acts on: -1, to be written on rank 3 and more."""

    def output(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        if self.axis is None and x.rank >= 3:
            hint = "add `flatten`, or `axis: -1` to act on the last axis alone"
            raise SpecError("CC401", f"linear on the shape {x}: {hint}")
        if self.axis is not None and x.axis(self.axis) != x.rank - 1:
            other = f"axis = {self.axis} of {x} is another (permute first)"
            raise SpecError("CC402", f"linear acts on the last axis; {other}")
        return x.with_axis(-1, self.out_features)

    def weights(self, *inputs: Shape) -> dict[str, Shape]:
        (x,) = inputs
        matrix = Shape((self.out_features, x.features))
        return {"weight": matrix, "bias": Shape((self.out_features,))} if self.bias else {"weight": matrix}

    def products(self, *inputs: Shape) -> tuple[MatrixProduct, ...]:
        return self.products_for(self.output(*inputs), *inputs)

    def products_for(self, output: Shape, *inputs: Shape) -> tuple[MatrixProduct, ...]:
        (x,), outputs = inputs, output.elements
        return (MatrixProduct(outputs * x.features, outputs),)

    def mixed_axes(self, *inputs: Shape) -> frozenset[int]:
        return frozenset((inputs[0].rank - 1,))

    def attributes(self, *inputs: Shape) -> dict[str, Any]:
        (x,) = inputs
        return {"in_features": x.features, "out_features": self.out_features, "bias": self.bias}
