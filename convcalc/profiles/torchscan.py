"""torch-scan's operator FLOPs, for which it asks torch.utils.flop_counter."""

from __future__ import annotations

from convcalc.profiles import Profile
from convcalc.profiles.torch import terms

PROFILE = Profile(
    "torchscan", "torch-scan 0.2 (operators)", "FLOPs",
    "as torch, which it asks; its module formulas, which it prints beside, are two tools of their own here",
    "frgfm/torch-scan: torchscan/flops.py", 70, terms,
)  # fmt: skip
