"""A layer whose cost is written in the spec."""

from __future__ import annotations

from typing import Any

from convcalc.arith import Number, equal, less_equal, require, select
from convcalc.ops.arguments import DimsType, SizeType, argument
from convcalc.ops.op import MatrixProduct, Op
from convcalc.records import dataclass
from convcalc.shapes import Shape


@dataclass(frozen=True, slots=True)
class Custom(Op):
    """What the language has no word for: shape, params, buffers and multiplies as the spec says.

    Formula:
        As given; all 0 by default. Weights that multiply nothing are idle: unless it is said, none of them is read.
    Shapes:
        Any → ``out``, which is the input's shape by default.
    Source:
        The spec's author.
    Examples:
        custom: {out: [8, 4], params: 10, macs: 320} on [8, 4, 4] -> [8, 4]; 10 params, 320 multiplies
        custom: {buffers: 7} on [3, 8, 8] -> [3, 8, 8]; 0 params, 0 multiplies
    """

    kind = "custom"
    rearranges = True

    out_shape: tuple[Number, ...] | None = argument("out", DimsType(), default=None)
    """Shape of the output, without batch."""
    params: Number = argument("params", SizeType(0), default=0)
    """Learnable weights."""
    macs: Number = argument("macs", SizeType(0), default=0)
    """Multiplications of one sample."""
    read_params: Number | None = argument("reads", SizeType(0), default=None)
    """Weights that a run reads: all of them by default, but none where ``macs`` is 0."""
    buffer_elements: Number = argument("buffers", SizeType(0), default=0)
    """State that is kept but not learned."""

    def output(self, *inputs: Shape) -> Shape:
        if self.read_params is not None:
            text = "custom cannot read {} of its {} params"
            require(less_equal(self.read_params, self.params), "CC410", text, self.read_params, self.params)
        return inputs[0] if self.out_shape is None else Shape(self.out_shape)

    def weights(self, *inputs: Shape) -> dict[str, Shape]:
        return {"weight": Shape((self.params,))}

    def buffers(self, *inputs: Shape) -> dict[str, Shape]:
        return {"state": Shape((self.buffer_elements,))}

    def weights_read(self, batch: Number, *inputs: Shape) -> Number:
        if self.read_params is not None:
            return self.read_params
        return select(equal(self.macs, 0), 0, self.params)

    def products(self, *inputs: Shape) -> tuple[MatrixProduct, ...]:
        # what a layer puts out counts as its products' outputs only where it multiplies at all
        outputs = select(equal(self.macs, 0), 0, self.output(*inputs).elements)
        return (MatrixProduct(self.macs, outputs, has_weights=False),)

    def attributes(self, *inputs: Shape) -> dict[str, Any]:
        reads = {"reads": self.weights_read(1, *inputs)} if self.read_params is not None else {}
        sizes = {"params": self.params, "macs": self.macs, "buffers": self.buffer_elements}
        return {"out": tuple(self.output(*inputs)), **sizes, **reads}
