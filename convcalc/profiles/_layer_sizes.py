"""A layer as the rules of other tools see it: sizes of a batch, and how the model's source writes it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any, TypeAlias

from convcalc.arith import Number, floordiv, prod, total
from convcalc.graph.graph import Node
from convcalc.ops.op import Op, Window
from convcalc.profiles._language_model import LanguageModel
from convcalc.shapes import Shape

Term: TypeAlias = tuple[str, Number]
"""Name and amount of a difference between two counts."""

MODULES = ("module", "string", "transposed", "unpadded")


class LayerSizes:
    """One layer with the sizes that rules are written in, for a batch of N samples.

    x: elements of the first input, y: elements of the output, K: the product of the kernel sizes.
    """

    __slots__ = ("batch", "input", "kind", "model", "node", "op", "output", "via")

    def __init__(self, node: Node, batch: int = 1, model: LanguageModel | None = None) -> None:
        assert node.op is not None
        self.op: Op = node.op
        self.node, self.kind = node, node.op.kind
        self.via = node.source_form or node.op.source_form
        self.batch, self.model = batch, model
        self.input: Shape = node.input_shapes[0]
        """Shape of the first input, without batch; ``output`` that of the output."""
        self.output: Shape = node.shape

    def argument(self, name: str) -> Any:
        """Return an argument of the op; ``None`` where the op has no such argument."""
        return getattr(self.op, name, None)

    @property
    def type(self) -> str:
        """The type of a norm or an activation."""
        return str(self.argument("type"))

    # --- how the source writes it -------------------------------------------------------------------------------------

    @property
    def is_framework_module(self) -> bool:
        """Whether it is a layer class of the framework itself."""
        return self.via in MODULES

    @property
    def is_module(self) -> bool:
        """Whether it is a layer class of the framework, or one derived from it."""
        return self.via in MODULES or self.via == "subclass"

    @property
    def calls_functional(self) -> bool:
        """Whether it ends in a call of ``torch.nn.functional``, where it can be seen."""
        return self.is_module or self.via == "function"

    @property
    def is_call(self) -> bool:
        """Whether it is a call of a function or a method, and no operator of Python."""
        return self.via in ("function", "method")

    # --- sizes --------------------------------------------------------------------------------------------------------

    @property
    def input_elements(self) -> Number:
        """Elements of the first input."""
        return self.input.elements * self.batch

    @property
    def output_elements(self) -> Number:
        """Elements of the output."""
        return self.output.elements * self.batch

    @property
    def axes(self) -> int:
        """How many axes are spatial."""
        return self.output.rank - 1

    @property
    def spatial_sizes(self) -> list[tuple[Number, Number]]:
        """(Input size, output size) of every spatial axis."""
        return list(zip(self.input.spatial, self.output.spatial, strict=True))

    @property
    def weights(self) -> Number:
        """Elements of all weights and biases, of an attention those of its four linear layers."""
        return self.node.facts.params if self.kind != "attention" else self._elements_of(".weight") + self.biases

    @property
    def biases(self) -> Number:
        """Elements of the biases among the weights."""
        return self._elements_of("bias")

    def _elements_of(self, ending: str) -> Number:
        weights = self.node.facts.weights.items()
        return total(shape.elements for name, shape in weights if name.endswith(ending) and "_norm." not in name)

    @property
    def bias_additions(self) -> Number:
        """Elements that a bias is added to; nothing without one. A recurrent layer adds all of its at every step."""
        if self.kind == "norm" or not self.argument("bias"):
            return 0
        if self.is_recurrent:
            return self.steps * self.biases
        if self.kind == "attention":
            return self.product_outputs(*(name for name in "qkvo" if f"{name}.bias" in self.node.facts.weights))
        return self.output_elements

    # --- products -----------------------------------------------------------------------------------------------------

    @property
    def macs(self) -> Number:
        """Multiplies, as ``report`` counts them."""
        return self.batch * self.node.facts.multiplies

    @property
    def outputs(self) -> Number:
        """Elements of the outputs of all products."""
        return self.batch * self.node.facts.product_outputs

    def products(self, *names: str) -> Number:
        """Multiplies of the products of these names."""
        return self.batch * total(one.multiplies for one in self.node.facts.products if one.name in names)

    def product_outputs(self, *names: str) -> Number:
        """Elements of the outputs of the products of these names."""
        return self.batch * total(one.outputs for one in self.node.facts.products if one.name in names)

    @property
    def projections(self) -> Number:
        """Multiplies of the four linear layers of an attention."""
        return self.products(*"qkvo")

    @property
    def attention_products(self) -> Number:
        """Multiplies of the two products of an attention: scores and context."""
        return self.products("scores", "context")

    @property
    def is_fused(self) -> bool:
        """Whether all multiplies are inside one operator for attention."""
        return self.kind == "sdpa" or (self.kind, self.via) in (("attention", "fast_path"), ("matmul", "fused"))

    @property
    def fused_macs(self) -> Number:
        """Multiplies inside one operator, which many tools have no rule for: a whole attention, or its two products."""
        if self.is_fused:
            return self.macs
        return self.attention_products if (self.kind, self.via) == ("attention", "fused") else 0

    @property
    def attention_scores(self) -> Number:
        """Elements that the softmax of an attention works on: heads·N·L."""
        return self.product_outputs("scores")

    @property
    def appended_keys(self) -> int:
        """Keys of an attention that are not projected: a learned one, and one of zeros."""
        return bool(self.argument("add_bias_kv")) + bool(self.argument("add_zero_attn"))

    @property
    def softmax_of_scores(self) -> Number:
        """Operations of the softmax of an attention: L exponentials, L − 1 sums and L divisions for a row of L."""
        return 3 * self.attention_scores - self.batch * self.input.with_axis(-1, self.argument("heads")).elements

    @property
    def seen_in_first_operand(self) -> Number:
        """numel(A)·B[-1] of a matrix product: its multiplies, but for leading axes that only B has."""
        left, right = self.node.input_shapes
        return self.batch * left.elements * right[-1]

    # --- convolutions, pools, resizing --------------------------------------------------------------------------------

    @property
    def is_convolution(self) -> bool:
        return self.kind in ("conv", "dwconv")

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
    def macs_at_output_positions(self) -> Number:
        """y·(Ci/g)·K of a transposed convolution: as if every output position cost what an input position does."""
        return self.output_elements * floordiv(self.input.channels, self.argument("groups")) * self.kernel_elements

    @property
    def is_adaptive(self) -> bool:
        """Whether a pool has an output size (adaptive) rather than a kernel."""
        return self.argument("out_size") is not None or self.argument("kernel_size") == "global"

    @property
    def resizes_by_area(self) -> bool:
        """Whether a layer resizes by area, for which F.interpolate calls F.adaptive_avg_pool."""
        return self.kind == "upsample" and self.argument("mode") == "area"

    def upsampling(self, prices: Mapping[str, int]) -> Term:
        """Return the term of an upsampling: so many operations an output in each mode."""
        return "upsampling", prices.get(self.argument("mode"), 0) * self.output_elements

    def upsampled_elements(self, scales: Iterable[Number | Fraction]) -> Number:
        """⌊x·Π scale⌋ of an upsampling: its output, but that no axis is rounded by itself."""
        ratios = [
            (scale.numerator, scale.denominator) if isinstance(scale, Fraction) else (scale, 1) for scale in scales
        ]
        return floordiv(self.input_elements * prod(above for above, _ in ratios), prod(below for _, below in ratios))

    # --- recurrent layers ---------------------------------------------------------------------------------------------

    @property
    def is_recurrent(self) -> bool:
        return self.kind in ("lstm", "gru", "rnn")

    @property
    def is_projected(self) -> bool:
        """Whether an LSTM projects its state; PyTorch has no kernel of its own for it on a CPU."""
        return self.argument("proj_size") is not None

    @property
    def state_projections(self) -> Number:
        """Multiplies of the projections of an LSTM's state."""
        named = (one for one in self.node.facts.products if one.name.endswith(".projection"))
        return self.batch * total(one.multiplies for one in named)

    @property
    def steps(self) -> Number:
        """Samples times steps of a sequence."""
        return self.batch * self.input[0]

    @property
    def hidden_units(self) -> Number:
        """Σ hidden size over the cells of a recurrent layer: stacked layers and directions."""
        cells = self.argument("num_layers") * (1 + self.argument("bidirectional"))
        return self.argument("hidden_size") * cells  # type: ignore[no-any-return]

    @property
    def hidden_steps(self) -> Number:
        """Σ hidden size over the cells of a recurrent layer, over all steps."""
        return self.steps * self.hidden_units

    # --- work on each element -----------------------------------------------------------------------------------------

    @property
    def term(self) -> str:
        """The term of elementwise work of the layer, or an empty text."""
        if self.kind == "norm":
            return f"{self.type} norm"
        return {"act": "activation functions", "softmax": "softmax"}.get(self.kind, "")

    @property
    def is_affine(self) -> bool:
        """Whether a norm learns a scale."""
        return "weight" in self.node.facts.weights

    @property
    def norm_channels(self) -> Number:
        """Channels of a batch, group or instance norm."""
        return self.input[self.argument("channel_axis") or 0]

    def norm(self, affine: int, plain: int) -> Term:
        """Return the term of a norm: so many operations an element with scale and shift, so many without."""
        return self.term, self.input_elements * (affine if self.is_affine else plain)

    @property
    def functional_norm(self) -> Term:
        """The term of a norm by PyTorch's functions: 5 an element (4 without affine), or 2 (1) with kept statistics."""
        return self.norm(2, 1) if self.type == "batch" and self.node.facts.buffers else self.norm(5, 4)

    @property
    def response_norm_operations(self) -> Number:
        """Operations of a local response norm: 3 each, and a pool over five channels, with four of zeros beside."""
        return 4 * self.input_elements + 4 * self.batch * self.input.with_axis(0, 1).elements

    @property
    def join_operations(self) -> Number:
        """Elements of the results of ``a + b + c``, two at a time: y for each more branch, as a scale's factors are."""
        return self.output_elements * (1 if self.kind == "scale" else len(self.node.input_shapes) - 1)

    def function_operations(self, prices: Mapping[str, int]) -> Number:
        """Operations of an elementwise function at a price an element: of many branches two at a time.

        A constant is a second branch; the bounds of a clamp are in its price.
        """
        pairs = 1 if self.type == "clamp" else max(1, len(self.node.input_shapes) - 1)
        return prices.get(self.type, 0) * pairs * self.output_elements
