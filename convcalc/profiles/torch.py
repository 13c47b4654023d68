"""torch.utils.flop_counter where no operator hides its work: on the meta device or with the math backend."""

from __future__ import annotations

from collections.abc import Iterator

from convcalc.profiles import Profile, Term
from convcalc.profiles._layer_sizes import LayerSizes


def terms(layer: LayerSizes) -> Iterator[Term]:
    """2 for each multiply–accumulate, but for an attention's fast path, which has no rule."""
    if layer.kind == "attention" and layer.via == "fast_path":
        yield "missed layers", -layer.macs
    else:
        yield "additions", layer.macs


PROFILE = Profile(
    "torch", "torch.utils.flop_counter 2.14", "FLOPs",
    "two for each multiply–accumulate of convolutions, linear layers and matrix products, without bias; nothing else",
    "pytorch/pytorch: torch/utils/flop_counter.py", 20, terms,
)  # fmt: skip
