"""A learned tensor that is a layer of its own."""

from __future__ import annotations

from typing import Any

from convcalc.arith import Number
from convcalc.ops.arguments import DimsType, FlagType, argument
from convcalc.ops.op import Op
from convcalc.records import dataclass
from convcalc.shapes import Shape


@dataclass(frozen=True, slots=True)
class Param(Op):
    """A learned tensor: class token, position table. It ignores its input's value.

    Formula:
        params = product of its axes; buffers = that, where it is not learned. No multiplies.
    Shapes:
        The given shape; without one, the shape of its input.
    Source:
        Dosovitskiy et al., An Image is Worth 16x16 Words, section 3.1.
    Examples:
        param: [1, 768] on [196, 768] -> [1, 768]; 768 params, 0 multiplies
        param: on [197, 64] -> [197, 64]; 12608 params, 0 multiplies
        param: {shape: [9], learned: false} on [197, 64] -> [9]; 0 params, 0 multiplies
    """

    kind = "param"
    depends_on_values = False

    shape: tuple[Number, ...] | None = argument("shape", DimsType(), positional=True, default=None)
    """Its axes, without batch."""
    learned: bool = argument("learned", FlagType(), default=True)
    """Whether it is learned: false for a table that is computed once, such as sines of positions."""

    def output(self, *inputs: Shape) -> Shape:
        return inputs[0] if self.shape is None else Shape(self.shape)

    def weights(self, *inputs: Shape) -> dict[str, Shape]:
        return {"weight": self.output(*inputs)} if self.learned else {}

    def buffers(self, *inputs: Shape) -> dict[str, Shape]:
        return {} if self.learned else {"values": self.output(*inputs)}

    def attributes(self, *inputs: Shape) -> dict[str, Any]:
        return {"shape": tuple(self.output(*inputs)), **({} if self.learned else {"learned": False})}
