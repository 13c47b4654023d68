"""calflops: DeepSpeed's flops profiler, taken out, as it was then."""

from __future__ import annotations

from collections.abc import Iterator

from convcalc.arith import Number, equal, floordiv, prod, require
from convcalc.ops.arguments import SameOnAllAxes
from convcalc.profiles import LayerSizes, Profile, Term
from convcalc.profiles.deepspeed import flops_terms, multiplies, operations, positions, upsampled_size

UNSEEN_PRODUCTS = ("operator", "subclass", "module", "fused")


def missed_macs(layer: LayerSizes) -> Number:
    """Multiplies that it does not see: ``@``, bmm, scaled_dot_product_attention, and attention's fast path."""
    if layer.kind == "matmul":
        return layer.macs - (layer.seen_in_first_operand if layer.is_call else 0)
    if layer.kind == "sdpa" or (layer.kind, layer.via) == ("attention", "fast_path"):
        return layer.macs
    return layer.attention_products if layer.kind == "attention" and layer.via in UNSEEN_PRODUCTS else 0


def macs_lost_to_groups(layer: LayerSizes) -> Number:
    """Multiplies of a transposed convolution that are lost because groups divide twice: Co/g, and again by g."""
    groups = layer.argument("groups")
    inner = floordiv(layer.argument("out_channels"), groups)
    return layer.input_elements * layer.kernel_elements * (inner - floordiv(inner, groups))


def _bias_at_conv_positions(layer: LayerSizes) -> Number:
    """Bias of a transposed convolution: Co/g times the positions that a convolution would have, not it.

    There the kernel may reach over the input: negative sizes are floored and multiplied like others.
    """
    if not layer.argument("bias"):
        return 0
    return layer.batch * floordiv(layer.argument("out_channels"), layer.argument("groups")) * prod(positions(layer))


def upsample_operations(layer: LayerSizes) -> Number:
    """x where a scale is given (its product is thrown away); the size alone, no channels, where a size is.

    A list of scales is compared with the batch, and where that is another number raised to its power, which Python
    refuses.
    """
    scales = layer.argument("scale")
    if scales is None:
        return upsampled_size(layer)
    if not isinstance(scales, SameOnAllAxes):
        text = "calflops stops at a list of {} scales, where the batch is {}"
        require(equal(layer.batch, len(scales)), "CC742", text, len(scales), layer.batch)
    return layer.input_elements


def terms(layer: LayerSizes) -> Iterator[Term]:
    """2 for each multiply–accumulate that it sees, and elementwise work."""
    if layer.kind == "deconv":
        return flops_terms(layer, "repeated groups", macs_lost_to_groups(layer), _bias_at_conv_positions(layer))
    return operations(layer, missed_macs(layer), upsample_operations)


def macs_terms(layer: LayerSizes) -> Iterator[Term]:
    """1 for each multiply–accumulate that it sees."""
    if layer.kind == "deconv":
        return iter([("repeated groups", -macs_lost_to_groups(layer))])
    return multiplies(layer, missed_macs(layer))


SOURCE = "MrYxJ/calculate-flops.pytorch: calflops/pytorch_ops.py"
FLOPS = Profile(
    "calflops", "calflops 0.3.2", "FLOPs",
    "two for each multiply–accumulate, the bias of convolutions, and so many for each element of norms, activations "
    "and pools; the operators @, + and * count nothing",
    SOURCE, 60, terms, more_kinds=("sdpa",),
)  # fmt: skip
MACS = Profile(
    "calflops_macs", "calflops 0.3.2 (MACs)", "MACs",
    "one for each multiply–accumulate that it sees; the operator @ and fused attention count nothing",
    SOURCE, 61, macs_terms, more_kinds=("sdpa", "einsum"),
)  # fmt: skip
