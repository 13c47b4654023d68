"""Selection by indices."""

from __future__ import annotations

from convcalc.arith import Number
from convcalc.errors import SpecError
from convcalc.ops.arguments import AxesType, DimsType, argument
from convcalc.ops.kinds._checks import distinct_axes
from convcalc.ops.op import Op
from convcalc.records import dataclass
from convcalc.shapes import Shape


@dataclass(frozen=True, slots=True)
class Gather(Op):
    """Take elements of an axis by their indices: a look-up in a table that is no embedding.

    Formula:
        out = the input's shape with ``size``, or the shape of ``indices``, in place of the axis. No params, no
        multiplies.
    Shapes:
        [C, N] at M indices of axis 1 → [C, M]. Several axes share one index and are replaced by its shape, at the
        place of the first; where they are not neighbours, before all others.
    Source:
        PyTorch reference, torch.index_select; NumPy reference, advanced indexing; ONNX operators, Gather and GatherND.
    Examples:
        gather: {axis: 1, size: 3} on [4, 10] -> [4, 3]; 0 params, 0 multiplies
        gather: {indices: y} on x [169, 6], y [49, 49] -> [49, 49, 6]; 0 params, 0 multiplies
        gather: {axis: [1, 2], size: 5} on [8, 14, 14] -> [8, 5]; 0 params, 0 multiplies
    """

    kind = "gather"
    layer_arguments = ("indices",)

    axis: int | tuple[int, ...] = argument("axis", AxesType(several=True), default=0)
    """The axis, or list of axes, that indices count along."""
    size: tuple[Number, ...] | None = argument("size", DimsType(), positional=True, default=None)
    """How many indices there are, or their shape."""

    def output(self, *inputs: Shape) -> Shape:
        x, *indices = inputs
        if (self.size is None) != bool(indices):
            raise SpecError("CC408", "gather needs a size or indices, and not both")
        axes = distinct_axes("gather", self.axis, x)
        first: int = axes[0]
        place = first if axes == tuple(range(first, first + len(axes))) else 0
        kept = [size for axis, size in enumerate(x) if axis not in axes]
        return Shape((*kept[:place], *(indices[0] if indices else self.size or ()), *kept[place:]))

    def rearranged_axes(self, *inputs: Shape) -> frozenset[int]:
        x = inputs[0]
        axes = distinct_axes("gather", self.axis, x)
        return frozenset(axes) if self.output(*inputs).rank == x.rank else frozenset(range(x.rank))
