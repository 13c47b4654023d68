"""calflops' second number: multiply–accumulates."""

from __future__ import annotations

from collections.abc import Iterator

from convcalc.profiles import Profile, Term
from convcalc.profiles._layer_sizes import LayerSizes
from convcalc.profiles._patched_functions import multiplies
from convcalc.profiles.calflops import macs_lost_to_groups, missed_macs


def terms(layer: LayerSizes) -> Iterator[Term]:
    """1 for each multiply–accumulate that it sees."""
    if layer.kind == "deconv":
        return iter([("repeated groups", -macs_lost_to_groups(layer))])
    return multiplies(layer, missed_macs(layer))


PROFILE = Profile(
    "calflops_macs", "calflops 0.3.2 (MACs)", "MACs",
    "one for each multiply–accumulate that it sees; the operator @ and fused attention count nothing",
    "MrYxJ/calculate-flops.pytorch: calflops/pytorch_ops.py", 61, terms,
)  # fmt: skip
