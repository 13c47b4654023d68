"""DeepSpeed's second number: multiply–accumulates."""

from __future__ import annotations

from collections.abc import Iterator

from convcalc.profiles import Profile, Term
from convcalc.profiles._layer_sizes import LayerSizes
from convcalc.profiles._patched_functions import multiplies
from convcalc.profiles.deepspeed import missed_macs


def terms(layer: LayerSizes) -> Iterator[Term]:
    """1 for each multiply–accumulate that it sees."""
    return multiplies(layer, missed_macs(layer))


PROFILE = Profile(
    "deepspeed_macs", "DeepSpeed flops profiler (MACs)", "MACs",
    "one for each multiply–accumulate of convolutions, linear layers and matrix products, without bias",
    "deepspeedai/DeepSpeed: deepspeed/profiling/flops_profiler/profiler.py", 63, terms,
)  # fmt: skip
