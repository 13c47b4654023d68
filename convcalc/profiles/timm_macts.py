"""timm's ``macts``: fvcore's activations, before timm rounds them to hundredths of a million."""

from __future__ import annotations

from convcalc.profiles import Profile
from convcalc.profiles.fvcore_activations import terms

PROFILE = Profile(
    "timm_macts", "timm 1.0 (macts)", "elements",
    "what fvcore counts as activations; its tables round to hundredths of a million",
    "huggingface/pytorch-image-models: benchmark.py", 13, terms, base="activations",
)  # fmt: skip
