"""A layer whose cost is not known."""

from __future__ import annotations

from typing import Any

from convcalc.arith import Number
from convcalc.ops.arguments import DimsType, FlagType, SizeType, argument
from convcalc.ops.op import Op
from convcalc.records import dataclass
from convcalc.shapes import Shape


@dataclass(frozen=True, slots=True)
class Opaque(Op):
    """An operation of which only shapes are known: totals of multiplies are then lower bounds.

    Formula:
        params = as given; multiplies are not known and in no total: reports mark it with ≥, checks refuse it.
    Shapes:
        Any → ``out``, which is the shape of the first input by default.
    Source:
        The model: the operation is of another package, or its cost depends on values.
    Examples:
        opaque: {out: [8, 4], params: 10} on [8, 4, 4] -> [8, 4]; 10 params, 0 multiplies
    """

    kind = "opaque"
    arity = (1, None)
    rearranges = True
    is_counted = False

    out_shape: tuple[Number, ...] | None = argument("out", DimsType(), positional=True, default=None)
    """Shape of the output, without batch."""
    params: Number = argument("params", SizeType(0), default=0)
    """Learnable weights."""
    more_params: bool = argument("more_params", FlagType(), default=False)
    """Whether it has weights beside ``params``, how many is not known: then totals of params are lower bounds, too."""

    def output(self, *inputs: Shape) -> Shape:
        return inputs[0] if self.out_shape is None else Shape(self.out_shape)

    def weights(self, *inputs: Shape) -> dict[str, Shape]:
        return {"weight": Shape((self.params,))}

    def attributes(self, *inputs: Shape) -> dict[str, Any]:
        more = {"more_params": True} if self.more_params else {}
        return {"out": tuple(self.output(*inputs)), "params": self.params, **more}

    @property
    def has_unknown_weights(self) -> bool:
        return self.more_params
