"""torchtitan's FLOPs a token, times the tokens: by the weights of the model, and by the products of attention."""

from __future__ import annotations

from collections.abc import Iterator

from convcalc.profiles import LanguageModel, LayerSizes, Profile, Term
from convcalc.profiles._training import KINDS, weight_terms


def demands(model: LanguageModel) -> None:
    """A decoder of one sequence."""
    model.require_attention()
    model.require_one_sequence()
    model.require_whole_sequence()


def terms(layer: LayerSizes) -> Iterator[Term]:
    """6·tokens·weights without embeddings, all of them where one is tied; of experts those that run."""
    model = layer.model
    left_out = {table.index for table in model.tables} if model and not model.is_tied else ()
    return weight_terms(layer, left_out, with_idle=False)


TORCHTITAN = Profile(
    "torchtitan", "torchtitan 7238a9c", "FLOPs",
    "six a weight and token in training, norms and biases too, and six for each multiply of attention's products, "
    "masked or not; no embeddings; of experts those that run, and their router",
    "pytorch/torchtitan: torchtitan/models/utils.py, get_dense_model_nparams_and_flops, "
    "get_moe_model_nparams_and_flops", 202, terms, demands=demands, of_tokens=True,
    more_kinds=KINDS,
)  # fmt: skip
