"""torch-scan's MACs by module."""

from __future__ import annotations

from collections.abc import Iterator

from convcalc.arith import Number, divides, floordiv, modulo, prod, select
from convcalc.ops.arguments import Alike
from convcalc.profiles import Profile, Term
from convcalc.profiles._layer_sizes import POOLS, RECURRENT, LayerSizes
from convcalc.profiles._pytorch_layers import MODULES, attention_products, macs_at_output_positions, norm_elements

CLASSES = (*MODULES, "subclass")


def pool_operations(layer: LayerSizes) -> Number:
    """y·(k − 1), of an average pool y·(k − 1 + spatial axes).

    A kernel size written as one integer counts as k, and one written as a list as the product of its sizes.
    """
    sizes = layer.argument("kernel_size")
    if layer.argument("out_size") is not None:
        cells = prod(_kernel_of_adaptive(layer))
    else:
        cells = sizes[0] if isinstance(sizes, Alike) else layer.kernel_elements
    return layer.output_elements * (cells - 1 + (layer.axes if layer.kind == "avgpool" else 0))


def _kernel_of_adaptive(layer: LayerSizes) -> Iterator[Number]:
    """n/o where the output size divides the input's, else the remainder and one: what it takes a kernel to be."""
    for size, places in zip(layer.node.input_shapes[0].spatial, layer.node.shape.spatial, strict=True):
        yield select(divides(places, size), floordiv(size, places), modulo(size, places) + 1)


def terms(layer: LayerSizes) -> Iterator[Term]:
    """Batch norm 2 an element (1 without affine) and pools; recurrent layers and nn.MultiheadAttention have no rule."""
    if layer.kind == "attention":
        yield "missed layers", -(attention_products(layer) if layer.via in ("operator", "subclass") else layer.macs)
    elif layer.kind in ("matmul", *RECURRENT) or layer.via not in CLASSES:
        yield "missed layers", -layer.macs
    elif layer.kind == "norm" and layer.type == "batch":
        yield norm_elements(layer, 2, 1)
    elif layer.kind in POOLS:
        yield "pooling", pool_operations(layer)
    elif layer.kind == "deconv":
        yield "output positions", macs_at_output_positions(layer) - layer.macs
        yield "padding arithmetic", 4 * layer.axes


PROFILE = Profile(
    "torchscan_module_macs", "torch-scan 0.2 (modules)", "MACs",
    "multiply–accumulates without bias, 2 operations an element of batch norms, and comparisons of pools",
    "frgfm/torch-scan: torchscan/modules/macs.py", 71, terms,
)  # fmt: skip
