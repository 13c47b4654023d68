"""calflops' second number: multiply–accumulates."""

from __future__ import annotations

from collections.abc import Iterator

from convcalc.profiles import Profile, Term
from convcalc.profiles._functional import repeated
from convcalc.profiles._layer import RECURRENT, Layer
from convcalc.profiles.calflops import missed


def terms(layer: Layer) -> Iterator[Term]:
    """What it does not see is missing; recurrent layers have no multiplies there."""
    if layer.kind in RECURRENT:
        yield "missed layers", -layer.macs
    elif layer.kind == "deconv":
        yield "repeated groups", -repeated(layer)
    else:
        yield "missed layers", -missed(layer)


PROFILE = Profile(
    "calflops_macs", "calflops 0.3.2 (MACs)", "MACs",
    "one for each multiply–accumulate that it sees; the operator @ and fused attention count nothing",
    "MrYxJ/calculate-flops.pytorch: calflops/pytorch_ops.py", 61, terms,
)  # fmt: skip
