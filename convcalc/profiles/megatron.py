"""Megatron-LM's FLOPs of an iteration: all matrix products of a transformer, and later half of causal attention."""

from __future__ import annotations

from collections.abc import Iterator

from convcalc.arith import floordiv, is_plain, require, total
from convcalc.profiles import LanguageModel, LayerSizes, Profile, Term
from convcalc.profiles._training import KINDS, TRAINING, logits, multiplies_between, passes, products_outside


def causal_demands(model: LanguageModel) -> None:
    """A decoder of one sequence, with a head."""
    model.require_plain()
    model.require_whole_sequence()


def demands(model: LanguageModel) -> None:
    """A decoder without latent attention, which that release does not know."""
    causal_demands(model)
    text = "the formula has no latent attention, such as that of layer {}"
    nodes = model.graph.nodes
    require(not model.latent_norms, "CC742", text, *(nodes[index].path for index in sorted(model.latent_norms)[:1]))


def terms(layer: LayerSizes) -> Iterator[Term]:
    """6 for each multiply of attention, perceptrons, experts and logits; none for a router."""
    model = layer.model
    if model is None:
        return
    yield from passes(layer)
    if layer.node is model.head:
        yield "output layer", TRAINING * (logits(layer, model) - layer.macs)
    elif layer.node.index in model.routers:
        yield "router", -TRAINING * layer.macs
    else:
        yield "missed layers", -TRAINING * products_outside(layer, model)


def causal_terms(layer: LayerSizes) -> Iterator[Term]:
    """As before, but N²/2 pairs of a query and a key; the norms of latents count as weights."""
    yield from terms(layer)
    model = layer.model
    if model is None:
        return
    if layer.node.index in model.latent_norms:
        yield "norms", TRAINING * model.tokens * layer.batch * layer.node.facts.params
    if layer.node.index in model.attention_products:
        yield from _half(layer, model)


def _half(layer: LayerSizes, model: LanguageModel) -> Iterator[Term]:
    """Half of the pairs N²: of a causal mask those that it hides, and half of the diagonal."""
    between = multiplies_between(layer)
    masked = layer.batch * total(product.masked for product in layer.node.facts.products)
    if is_plain(masked) and masked == 0:
        yield "causal half", -TRAINING // 2 * between
        return
    diagonal = floordiv(between, model.tokens)
    yield "masked pairs", -TRAINING * masked
    yield "diagonal", -TRAINING // 2 * diagonal
    yield "window", TRAINING * masked - TRAINING // 2 * (between - diagonal)


SOURCE = "NVIDIA/Megatron-LM: megatron/training/training.py, num_floating_point_operations"
MEGATRON = Profile(
    "megatron", "Megatron-LM core_v0.9.0", "FLOPs",
    "six for each multiply in training, masked or not, of attention, perceptrons, experts that run and logits; none of "
    "the router; padded_vocab_size is the vocabulary of the design",
    SOURCE, 200, terms, demands=demands, of_tokens=True,
    more_kinds=KINDS,
)  # fmt: skip
CAUSAL = Profile(
    "megatron_causal", "Megatron-LM fc965da", "FLOPs",
    "as megatron, with half of attention's two products, whether there is a mask or not, and the norms of latents; "
    "MaxText counts so, but for experts, whose router it has",
    SOURCE, 201, causal_terms, demands=causal_demands, of_tokens=True,
    more_kinds=KINDS,
)  # fmt: skip
