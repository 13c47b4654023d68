"""Reordering axes."""

from __future__ import annotations

from convcalc.errors import SpecError
from convcalc.ops.arguments import AxesType, argument
from convcalc.ops.op import Op
from convcalc.records import dataclass
from convcalc.shapes import Shape


@dataclass(frozen=True, slots=True)
class Permute(Op):
    """Reorder axes: output axis i is input axis ``axes[i]``.

    Formula:
        No params, no multiplies.
    Shapes:
        [a, b, c] with axes [2, 0, 1] → [c, a, b].
    Source:
        PyTorch reference, torch.permute (without the batch axis).
    Examples:
        permute: [1, 0] on [768, 196] -> [196, 768]; 0 params, 0 multiplies
        permute: [2, 0, 1] on [3, 4, 5] -> [5, 3, 4]; 0 params, 0 multiplies
    """

    kind = "permute"
    rearranges = True

    axes: tuple[int, ...] = argument("axes", AxesType(whole=True), positional=True)
    """Each input axis once, in the order of the output."""

    def output(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        order = [x.axis(axis) for axis in self.axes]
        if sorted(order) != list(range(x.rank)):
            raise SpecError("CC402", f"permute: {list(self.axes)} does not name each of the {x.rank} axes of {x} once")
        return Shape(x[axis] for axis in order)
