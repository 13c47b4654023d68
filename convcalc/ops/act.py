"""Activation functions."""

from __future__ import annotations

from dataclasses import dataclass

from convcalc.ops._arguments import Choice, argument
from convcalc.ops._op import Op
from convcalc.shapes import Shape

TYPES = (
    "relu", "relu6", "leaky_relu", "prelu", "rrelu", "elu", "selu", "celu", "gelu", "quick_gelu", "silu", "swish",
    "mish", "sigmoid", "logsigmoid", "tanh", "tanhshrink", "hardswish", "hardsigmoid", "hardtanh", "hardshrink",
    "softshrink", "softplus", "softsign", "threshold",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Act(Op):
    """Activation function, element by element. Its name alone is the layer: ``relu`` is ``act: relu``.

    Formula:
        No params but for prelu, which learns one slope per channel: C. No multiplies.
    Shapes:
        Unchanged.
    Source:
        PyTorch reference, torch.nn, non-linear activations; He et al. 2015 for prelu.
    Examples:
        act: relu on [64, 8, 8] -> [64, 8, 8]; 0 params, 0 multiplies
        act: prelu on [16, 5] -> [16, 5]; 16 params, 0 multiplies
    """

    kind = "act"
    nonlinear = True

    type: str = argument("type", Choice(TYPES), positional=True)
    """Which function."""

    def output(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        return x

    def weights(self, *inputs: Shape) -> dict[str, Shape]:
        (x,) = inputs
        return {"weight": Shape((x.channels,))} if self.type == "prelu" else {}
