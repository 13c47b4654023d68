"""6·N·D: six operations for every weight and token, attention's products and kinds of layers aside."""

from __future__ import annotations

from collections.abc import Iterator

from convcalc.profiles import LanguageModel, LayerSizes, Profile, Term
from convcalc.profiles._training import KINDS, weight_terms


def terms(layer: LayerSizes) -> Iterator[Term]:
    """6·tokens·params, all of them; without an embedding and without attention a sample is one token."""
    return weight_terms(layer, with_attention=False)


SIX_ND = Profile(
    "6nd", "6·N·D (Kaplan et al. 2020)", "FLOPs",
    "six a weight and token in training, whatever the weight does: tables, norms and biases count, and experts that do "
    "not run; the two products of attention do not",
    "https://arxiv.org/abs/2001.08361, section 2.1, with all parameters as N", 206, terms,
    demands=LanguageModel.require_one_sequence, more_kinds=KINDS,
)  # fmt: skip
