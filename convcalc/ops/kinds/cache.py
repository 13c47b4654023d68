"""What is kept of the tokens before."""

from __future__ import annotations

from convcalc.arith import Number
from convcalc.ops.arguments import SizeType, argument
from convcalc.ops.op import Op
from convcalc.records import dataclass
from convcalc.shapes import Shape


@dataclass(frozen=True, slots=True)
class Cache(Op):
    """The tokens of earlier runs before those of the input, kept for later runs: of a model that writes token by token.

    Formula:
        No params, no multiplies. The cache is the output; the input is written to it.
    Shapes:
        [n, …] → [p + n, …].
    Source:
        Pope et al., Efficiently Scaling Transformer Inference, section 3.3; DeepSeek-V2, section 2.1 (what is kept is a
        latent and a rotary key).
    Examples:
        cache: 7 on [1, 64] -> [8, 64]; 0 params, 0 multiplies
        cache: 0 on [5, 2, 16] -> [5, 2, 16]; 0 params, 0 multiplies
    """

    kind = "cache"

    past: Number = argument("past", SizeType(0), positional=True)
    """Tokens p before the input's."""

    def output(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        return x.with_axis(0, self.past + x[0])

    def cached(self, *inputs: Shape) -> Number:
        return self.output(*inputs).elements

    def moved(self, *inputs: Shape) -> tuple[Number, Number]:
        """The tokens of the input, written to the cache; what reads the output reads those before."""
        (x,) = inputs
        return 0, x.elements

    def rearranged_axes(self, *inputs: Shape) -> frozenset[int]:
        return frozenset((0,))
