"""timm's ``gmacs``: fvcore's count, before timm rounds it to hundredths of a billion."""

from __future__ import annotations

from convcalc.profiles import Profile
from convcalc.profiles.fvcore import terms

PROFILE = Profile(
    "timm", "timm 1.0 (gmacs)", "MACs",
    "what fvcore counts: batch norm 2 and layer norm 5 an element too; its tables round to hundredths of a billion",
    "huggingface/pytorch-image-models: benchmark.py", 12, terms,
)  # fmt: skip
