"""timm's ``gmacs`` and ``macts``: fvcore's counts, before timm rounds them."""

from __future__ import annotations

from convcalc.profiles import Profile
from convcalc.profiles.fvcore import activation_terms, terms

SOURCE = "huggingface/pytorch-image-models: benchmark.py"

GMACS = Profile(
    "timm", "timm 1.0 (gmacs)", "MACs",
    "what fvcore counts: batch norm 2 and layer norm 5 an element too; its tables round to hundredths of a billion",
    SOURCE, 12, terms, more_kinds=("sdpa",),
)  # fmt: skip
MACTS = Profile(
    "timm_macts", "timm 1.0 (macts)", "elements",
    "what fvcore counts as activations; its tables round to hundredths of a million",
    SOURCE, 13, activation_terms, base="activations", more_kinds=("sdpa",),
)  # fmt: skip
