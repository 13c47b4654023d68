"""Reduction over axes."""

from __future__ import annotations

from convcalc.errors import SpecError
from convcalc.ops.arguments import AxesType, ChoiceType, FlagType, argument
from convcalc.ops.kinds._checks import distinct_axes
from convcalc.ops.op import Op
from convcalc.records import dataclass
from convcalc.shapes import Shape

INDEX = ("argmax", "argmin")
TYPES = (
    "mean", "sum", "prod", "max", "min", "any", "all", "norm", "l1", "l2", "var", "std", "sum_square", "log_sum",
    "log_sum_exp", *INDEX,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reduce(Op):
    """One number for all elements along some axes: their mean, sum, maximum, norm and others.

    Formula:
        out[axis] = 1, or the axis is gone. No params, no multiplies: what it adds and compares is not counted, as of
        pools.
    Shapes:
        [C, H, W] over axes 1 and 2 → [C]; with ``keepdims`` → [C, 1, 1]. Over all axes → [1].
    Source:
        PyTorch reference, torch.mean, torch.amax, torch.argmax, torch.linalg.vector_norm; ONNX operators, ReduceMean
        and its like.
    Examples:
        reduce: mean on [4, 6] -> [1]; 0 params, 0 multiplies
        reduce: {type: prod, axis: [1, -1]} on [64, 7, 5] -> [64]; 0 params, 0 multiplies
        reduce: {type: l2, axis: 0, keepdims: true} on [64, 7, 5] -> [1, 7, 5]; 0 params, 0 multiplies
        reduce: {type: argmax, axis: -1} on [196, 10] -> [196]; 0 params, 0 multiplies
    """

    kind = "reduce"

    type: str = argument("type", ChoiceType(TYPES), positional=True)
    """What is made of the elements; norm is of any order, argmax and argmin give a place."""
    axis: int | tuple[int, ...] | None = argument("axis", AxesType(several=True), positional=True, default=None)
    """The axis, or list of axes, to reduce; all by default."""
    keepdims: bool = argument("keepdims", FlagType(), default=False)
    """Whether reduced axes stay, with the size 1."""

    def output(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        reduced = self.mixed_axes(x)
        if self.type in INDEX and 1 < len(reduced) < x.rank:
            raise SpecError("CC402", f"reduce: {self.type} works on one axis or on all, not on {len(reduced)} of {x}")
        if self.keepdims:
            return Shape(1 if axis in reduced else size for axis, size in enumerate(x))
        return Shape([size for axis, size in enumerate(x) if axis not in reduced] or (1,))

    def mixed_axes(self, *inputs: Shape) -> frozenset[int]:
        (x,) = inputs
        return frozenset(range(x.rank) if self.axis is None else distinct_axes("reduce", self.axis, x))

    def rearranged_axes(self, *inputs: Shape) -> frozenset[int]:
        """Axes that move up because one before them is gone."""
        kept = frozenset(range(inputs[0].rank)) - self.mixed_axes(*inputs)
        return frozenset() if self.keepdims else frozenset(a for place, a in enumerate(sorted(kept)) if place != a)
