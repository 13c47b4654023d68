"""Join: a function of its branches, element by element."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from convcalc.errors import SpecError
from convcalc.ops.arguments import AxesType, ChoiceType, argument
from convcalc.ops.kinds._checks import broadcast
from convcalc.ops.op import Op
from convcalc.records import dataclass
from convcalc.shapes import Shape

OF_ONE = (
    "abs", "neg", "sign", "reciprocal", "square", "sqrt", "rsqrt", "exp", "log", "log2", "sin", "cos", "tan", "asin",
    "acos", "atan", "sinh", "cosh", "asinh", "acosh", "atanh", "erf", "floor", "ceil", "round", "isnan", "isinf",
    "logical_not", "bitwise_not",
)  # fmt: skip
OF_TWO = (
    "sub", "div", "pow", "mod", "atan2", "eq", "ne", "lt", "le", "gt", "ge", "logical_and", "logical_or",
    "logical_xor", "bitwise_and", "bitwise_or", "bitwise_xor", "bitwise_shift",
)  # fmt: skip
OF_THREE = ("where", "clamp")
OF_ANY = ("max", "min", "mean")
ALONG_AXIS = ("cumsum", "cumprod")
MOST_INPUTS: Mapping[str, int | None] = {
    **dict.fromkeys((*OF_ONE, *ALONG_AXIS), 1), **dict.fromkeys(OF_TWO, 2), **dict.fromkeys(OF_THREE, 3),
    **dict.fromkeys(OF_ANY),
}  # fmt: skip
"""Function → the most branches that it reads; those that are constants are left out."""


@dataclass(frozen=True, slots=True)
class Elementwise(Op):
    """A function of its branches, element by element; sums are ``add``, products ``mul``, activations ``act``.

    Formula:
        No params; elementwise work is not counted among the multiplies.
    Shapes:
        Equal shapes, or axes of size 1 that broadcast. A constant operand is no branch.
    Source:
        PyTorch reference, torch, math operations; ONNX operators; NumPy reference, broadcasting.
    Examples:
        elementwise: exp on [64, 8, 8] -> [64, 8, 8]; 0 params, 0 multiplies
        elementwise: {type: sub, branches: [identity, from: y]} on x [8, 4], y [1, 4] -> [8, 4]; 0 params, 0 multiplies
        elementwise: {type: cumsum, axis: 0} on [12, 5] -> [12, 5]; 0 params, 0 multiplies
    """

    kind = "elementwise"
    arity = (1, None)

    type: str = argument("type", ChoiceType(tuple(MOST_INPUTS)), positional=True)
    """Which function."""
    axis: int | None = argument("axis", AxesType(), default=None)
    """The axis that cumsum and cumprod run along."""

    @classmethod
    def unused_arguments(cls, given: Mapping[str, Any]) -> frozenset[str]:
        return frozenset({"axis"} & given.keys()) if given.get("type") not in ALONG_AXIS else frozenset()

    def output(self, *inputs: Shape) -> Shape:
        most: int | None = MOST_INPUTS[self.type]
        if most is not None and len(inputs) > most:
            raise SpecError("CC415", f"{self.type} reads at most {most}, not {len(inputs)} branches")
        if self.type in ALONG_AXIS and self.axis is None:
            raise SpecError("CC408", f"{self.type} needs its axis: {{type: {self.type}, axis: 0}}")
        self.mixed_axes(*inputs)
        return broadcast(self.type, *inputs)

    def mixed_axes(self, *inputs: Shape) -> frozenset[int]:
        return frozenset() if self.axis is None else frozenset((inputs[0].axis(self.axis),))

    def attributes(self, *inputs: Shape) -> dict[str, Any]:
        return {"type": self.type, **({} if self.axis is None else {"axis": self.axis})}
