"""PaLM's model FLOPs, of which a utilization (MFU) is: by weights, and by the products of attention."""

from __future__ import annotations

from collections.abc import Iterator

from convcalc.profiles import LanguageModel, LayerSizes, Profile, Term
from convcalc.profiles._training import KINDS, weight_terms


def demands(model: LanguageModel) -> None:
    """A dense decoder of one sequence."""
    for demanded in (model.require_attention, model.require_one_sequence, model.require_dense):
        demanded()
    model.require_whole_sequence()


def terms(layer: LayerSizes) -> Iterator[Term]:
    """6·N a token for weights N, those of input tables left out unless they are the head's, and 12·L·H·Q·T."""
    model = layer.model
    left_out = {table.index for table in model.tables} | model.position_tables if model else ()
    return weight_terms(layer, left_out)


PALM = Profile(
    "palm", "PaLM (appendix B)", "FLOPs",
    "six a weight and token in training, norms and biases too, and six for each multiply of attention's products, "
    "masked or not; no input tables",
    "https://arxiv.org/abs/2204.02311, appendix B", 203, terms, demands=demands, of_tokens=True,
    more_kinds=KINDS,
)  # fmt: skip
