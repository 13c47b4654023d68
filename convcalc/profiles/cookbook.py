"""EleutherAI's cookbook: ``calc_transformer_flops.py --infer``, a forward pass over ``--tokens``."""

from __future__ import annotations

from collections.abc import Iterator

from convcalc.profiles import LanguageModel, LayerSizes, Profile, Term
from convcalc.profiles._training import KINDS, logits, products_outside


def demands(model: LanguageModel) -> None:
    """A dense decoder of one sequence, whose heads share the width of a token, with a head."""
    model.require_plain()
    model.require_dense()
    model.require_whole_sequence()
    model.require_plain_heads()


def terms(layer: LayerSizes) -> Iterator[Term]:
    """2 for each multiply, but 6 for those of the head."""
    return _terms(layer, 6)


def later_terms(layer: LayerSizes) -> Iterator[Term]:
    """2 for each multiply, and 4 for each number of an embedded token."""
    yield from _terms(layer, 2)
    if layer.model is not None and layer.node is layer.model.tables[0]:
        yield "embedding", 4 * layer.output_elements


def _terms(layer: LayerSizes, each_of_head: int) -> Iterator[Term]:
    model = layer.model
    if model is None:
        return
    yield "additions", layer.macs
    if layer.node is model.head:
        yield "output layer", each_of_head * logits(layer, model) - 2 * layer.macs
    else:
        yield "missed layers", -2 * products_outside(layer, model)


SOURCE = "EleutherAI/cookbook: calc/calc_transformer_flops.py"
COOKBOOK = Profile(
    "cookbook", "EleutherAI cookbook b9f8726 (--infer)", "FLOPs",
    "two for each multiply of a forward pass, masked or not, but six for those of the head, which always counts with "
    "its backward pass; a perceptron's width is that of the design, and the command takes multiples of the model's",
    SOURCE, 207, terms, demands=demands, of_tokens=True,
    more_kinds=KINDS,
)  # fmt: skip
LATER = Profile(
    "cookbook_2025", "EleutherAI cookbook 77e2be1 (--infer)", "FLOPs",
    "two for each multiply of a forward pass, masked or not, and four for each number of an embedded token",
    SOURCE, 208, later_terms, demands=demands, of_tokens=True,
    more_kinds=KINDS,
)  # fmt: skip
