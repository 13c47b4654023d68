"""DeepSpeed's second number: multiply–accumulates."""

from __future__ import annotations

from collections.abc import Iterator

from convcalc.profiles import Profile, Term
from convcalc.profiles._functional import repeated
from convcalc.profiles._layer import RECURRENT, Layer
from convcalc.profiles.deepspeed import missed


def terms(layer: Layer) -> Iterator[Term]:
    """What it does not see is missing; recurrent layers have no multiplies there."""
    if layer.kind in RECURRENT:
        yield "missed layers", -layer.macs
    elif layer.kind == "deconv":
        yield "repeated groups", -repeated(layer)
    else:
        yield "missed layers", -missed(layer)


PROFILE = Profile(
    "deepspeed_macs", "DeepSpeed flops profiler (MACs)", "MACs",
    "one for each multiply–accumulate of convolutions, linear layers and matrix products, without bias",
    "deepspeedai/DeepSpeed: deepspeed/profiling/flops_profiler/profiler.py", 63, terms,
)  # fmt: skip
