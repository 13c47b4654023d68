"""Activation functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from convcalc.arith import Number, either, equal, require
from convcalc.ops.arguments import ChoiceType, DimsType, argument
from convcalc.ops.op import Op
from convcalc.records import dataclass
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
        No params but for prelu, which learns one slope per channel: C, or the product of ``slopes`` (nn.PReLU() has 1).
        No multiplies.
    Shapes:
        Unchanged.
    Source:
        PyTorch reference, torch.nn, non-linear activations; He et al. 2015 for prelu; ONNX operators, PRelu, for a
        shape of slopes.
    Examples:
        act: relu on [64, 8, 8] -> [64, 8, 8]; 0 params, 0 multiplies
        act: prelu on [16, 5] -> [16, 5]; 16 params, 0 multiplies
        act: {type: prelu, slopes: 1} on [16, 5] -> [16, 5]; 1 params, 0 multiplies
        act: {type: prelu, slopes: [1, 5]} on [3, 16, 5] -> [3, 16, 5]; 5 params, 0 multiplies
    """

    kind = "act"
    nonlinear = True

    type: str = argument("type", ChoiceType(TYPES), positional=True)
    """Which function."""
    slopes: tuple[Number, ...] | None = argument("slopes", DimsType(), default=None)
    """Slopes of prelu: 1 for all, or one a channel (the default); a list is their shape, which broadcasts to the input.

    Its axes line up with the last of the input, as in ONNX; each is 1 or the input's size.
    """

    @classmethod
    def unused_arguments(cls, given: Mapping[str, Any]) -> frozenset[str]:
        return frozenset({"slopes"} & given.keys()) if given.get("type") != "prelu" else frozenset()

    def output(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        if self.slopes is not None:
            self._require_slopes(x, self.slopes)
        return x

    def _require_slopes(self, x: Shape, slopes: tuple[Number, ...]) -> None:
        text = "prelu: slopes = {} do not broadcast to {}, where they meet {}"
        require(len(slopes) <= x.rank, "CC405", text, Shape(slopes), x, "no axis")
        facing = (x.channels,) if len(slopes) == 1 else x[len(x) - len(slopes) :]
        for slope, size in zip(slopes, facing, strict=True):
            require(either(equal(slope, 1), equal(slope, size)), "CC405", text, Shape(slopes), x, size)

    def weights(self, *inputs: Shape) -> dict[str, Shape]:
        (x,) = inputs
        return {"weight": Shape(self.slopes or (x.channels,))} if self.type == "prelu" else {}

    def attributes(self, *inputs: Shape) -> dict[str, Any]:
        weights = self.weights(*inputs)
        return {"type": self.type, "slopes": tuple(weights["weight"])} if weights else {"type": self.type}
