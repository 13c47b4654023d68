"""What several tools for PyTorch have in common."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction

from convcalc.arith import Number, floordiv, prod, total
from convcalc.profiles._layer_sizes import RECURRENT, LayerSizes

MODULES = ("module", "string", "transposed", "unpadded")
"""Forms that are a layer class of the framework itself."""
PATCHED = (*MODULES, "subclass", "function")
"""Forms that end in a call of ``torch.nn.functional``, where it can be seen."""
NORMS = {name: f"{name} norm" for name in ("batch", "layer", "group", "instance", "rms", "lrn")}
"""Type of a norm → the term that its work belongs to."""


def projections(layer: LayerSizes) -> Number:
    """Multiplies of the four linear layers of an attention."""
    return layer.products("q", "k", "v", "o")


def attention_products(layer: LayerSizes) -> Number:
    """Multiplies of the two products of an attention: scores and context."""
    return layer.products("scores", "context")


def attention_scores(layer: LayerSizes) -> Number:
    """Elements that the softmax of an attention works on: heads·N·L."""
    return layer.batch * layer.product("scores").outputs


def first_operand(layer: LayerSizes) -> Number:
    """numel(A)·B[-1] of a matrix product: its multiplies, but for leading axes that only B has."""
    left, right = layer.node.input_shapes
    return layer.batch * left.elements * right[-1]


def join_operations(layer: LayerSizes) -> Number:
    """Elements of the results of ``a + b + c``, taken two at a time: y for every branch but the first."""
    return layer.output_elements * (len(layer.node.input_shapes) - 1)


def norm_elements(layer: LayerSizes, affine: int, plain: int) -> tuple[str, Number]:
    """Return the term of a norm: so many operations an element with scale and shift, so many without."""
    return NORMS[layer.type], layer.input_elements * (affine if layer.is_affine else plain)


def broadcast_matmul_correction(layer: LayerSizes) -> Iterator[tuple[str, Number]]:
    """Give what a matrix product misses where only its second operand has leading axes."""
    yield "missed layers", first_operand(layer) - layer.macs


def cell_sizes(layer: LayerSizes) -> list[tuple[Number, Number]]:
    """Return (input size, hidden size) of every cell of a recurrent layer, stacked layers and directions."""
    held = layer.node.facts.weights
    sizes = [(shape[1], layer.op.hidden_size) for name, shape in held.items() if name.endswith(".input")]  # type: ignore[attr-defined]
    assert layer.kind in RECURRENT
    return sizes


def steps(layer: LayerSizes) -> Number:
    """Samples times steps of a sequence."""
    return layer.batch * layer.node.input_shapes[0][0]


def hidden_steps(layer: LayerSizes) -> Number:
    """Σ hidden size over the cells of a recurrent layer, over all steps."""
    return steps(layer) * total(size for _, size in cell_sizes(layer))


def biases(layer: LayerSizes) -> Number:
    """Elements of the biases of a layer's weights."""
    named = layer.node.facts.weights.items()
    return total(shape.elements for name, shape in named if name.endswith("bias"))


def macs_at_output_positions(layer: LayerSizes) -> Number:
    """y·(Ci/g)·K of a transposed convolution: as if every output position cost what an input position does."""
    (x,) = layer.node.input_shapes
    return layer.output_elements * floordiv(x.channels, layer.argument("groups")) * layer.kernel_elements


def response_norm_operations(layer: LayerSizes) -> Number:
    """Operations of a local response norm: a square, a product and a sum an element, and a pool over five channels.

    The pool reads four channels of zeros beside.
    """
    (x,) = layer.node.input_shapes
    return 4 * layer.input_elements + 4 * layer.batch * x.replaced(0, 1).elements


def upsampled_elements(layer: LayerSizes, scales: Iterable[Number | Fraction]) -> Number:
    """⌊x·Π scale⌋ of an upsampling: its output, but that no axis is rounded by itself."""
    ratios = [(scale.numerator, scale.denominator) if isinstance(scale, Fraction) else (scale, 1) for scale in scales]
    return floordiv(layer.input_elements * prod(above for above, _ in ratios), prod(below for _, below in ratios))


def resizes_by_area(layer: LayerSizes) -> bool:
    """Whether a layer resizes by area, for which F.interpolate calls F.adaptive_avg_pool."""
    return layer.kind == "upsample" and layer.argument("mode") == "area"


def norm_groups(layer: LayerSizes) -> Number:
    """Groups of elements that a layer norm works on together."""
    shape = layer.node.input_shapes[0]
    for axis in layer.op.attributes(shape)["axis"]:
        shape = shape.replaced(axis, 1)
    return layer.batch * shape.elements
