"""A layer as the rules of other tools see it: sizes of a batch, and how the model's source writes it."""

from __future__ import annotations

from typing import Any

from convcalc.arith import Number, prod, total
from convcalc.graph.graph import Node
from convcalc.ops.op import Op, Product, Window
from convcalc.ops.source_form import default_via

CONVOLUTIONS = ("conv", "dwconv")
RECURRENT = ("lstm", "gru", "rnn")
POOLS = ("maxpool", "avgpool")
JOINS = ("add", "mul")


class LayerSizes:
    """One layer with the sizes that rules are written in, for a batch of N samples.

    x elements that enter, y elements that leave, K the product of the kernel sizes.
    """

    __slots__ = ("batch", "kind", "node", "op", "via")

    def __init__(self, node: Node, batch: int = 1) -> None:
        assert node.op is not None
        self.node = node
        self.op: Op = node.op
        self.kind = node.op.kind
        self.via = node.via or default_via(node.op.kind)
        self.batch = batch

    @property
    def input_elements(self) -> Number:
        """Elements that enter, of the first input."""
        return self.node.input_shapes[0].elements * self.batch

    @property
    def output_elements(self) -> Number:
        """Elements that leave."""
        return self.node.facts.elements * self.batch

    @property
    def axes(self) -> int:
        """How many axes are spatial."""
        return self.node.shape.rank - 1

    @property
    def macs(self) -> Number:
        """Multiplies, as ``report`` counts them."""
        return self.batch * self.node.facts.multiplies

    @property
    def outputs(self) -> Number:
        """Elements that the products put out."""
        return self.batch * self.node.facts.outputs

    def products(self, *names: str) -> Number:
        """Multiplies of the products of these names."""
        return self.batch * total(one.multiplies for one in self.node.facts.products if one.name in names)

    def product(self, name: str) -> Product:
        """Return the product of a name, of one sample."""
        return next(one for one in self.node.facts.products if one.name == name)

    @property
    def bias_additions(self) -> Number:
        """Elements that a bias is added to; nothing without one."""
        if self.kind == "attention":
            return self.batch * total(self.product(name).outputs for name in "qkvo") if self.argument("bias") else 0
        return self.output_elements if self.argument("bias") else 0

    @property
    def weights(self) -> Number:
        """Elements of all weights and biases."""
        return self.node.facts.params

    @property
    def is_affine(self) -> bool:
        """Whether a norm learns scale and shift."""
        return bool(self.node.facts.weights)

    @property
    def window(self) -> Window:
        window = self.op.window(*self.node.input_shapes)
        assert window is not None
        return window

    @property
    def kernel_elements(self) -> Number:
        """K."""
        return prod(self.window.kernel_size)

    @property
    def is_adaptive(self) -> bool:
        """Whether a pool is told the size to reach (adaptive), rather than a kernel."""
        return self.argument("out_size") is not None or self.argument("kernel_size") == "global"

    def argument(self, name: str) -> Any:
        """Return an argument of the op, or nothing where the op has no such."""
        return getattr(self.op, name, None)

    @property
    def term(self) -> str:
        """The term that work on each element of the layer belongs to, or nothing where it has none."""
        if self.kind == "norm":
            return f"{self.type} norm"
        return {"act": "activation functions", "softmax": "softmax"}.get(self.kind, "")

    @property
    def type(self) -> str:
        """The type of a norm or an activation."""
        return str(self.argument("type"))
