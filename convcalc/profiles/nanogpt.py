"""nanoGPT's FLOPs of a forward and backward pass, of which its ``mfu`` is."""

from __future__ import annotations

from collections.abc import Iterator

from convcalc.profiles import LanguageModel, LayerSizes, Profile, Term
from convcalc.profiles._training import KINDS, weight_terms


def demands(model: LanguageModel) -> None:
    """A GPT: dense, of layers and heads that share the width of a token."""
    for demanded in (model.require_attention, model.require_one_sequence, model.require_dense):
        demanded()
    model.require_whole_sequence()
    model.require_plain_heads()


def terms(layer: LayerSizes) -> Iterator[Term]:
    """(6·N + 12·L·H·Q·T)·T, N all weights but the table of positions."""
    return weight_terms(layer, layer.model.position_tables if layer.model else ())


NANOGPT = Profile(
    "nanogpt", "nanoGPT 1180444", "FLOPs",
    "six a weight and token in training, all weights but the table of positions, and six for each multiply of "
    "attention's products, masked or not",
    "karpathy/nanoGPT: model.py, get_num_params, estimate_mfu", 204, terms, demands=demands, of_tokens=True,
    more_kinds=KINDS,
)  # fmt: skip
