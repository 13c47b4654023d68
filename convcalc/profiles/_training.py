"""Formulas of training and running language models: by weights that meet every token, and by matrix products."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from convcalc.arith import Number, total
from convcalc.profiles._language_model import LanguageModel
from convcalc.profiles._layer_sizes import LayerSizes, Term

TRAINING = 6
"""Operations a multiply: two, forward and in both gradients."""
TABLES = ("embedding", "param")
MATRICES = ("linear", "attention", "experts")
KINDS = ("sdpa", "einsum", "experts")
"""Newer kinds with multiplies that these formulas have a rule for."""


def passes(layer: LayerSizes) -> Iterator[Term]:
    """Two operations a multiply–accumulate, forward and for both gradients."""
    yield "additions", layer.macs
    yield "backward pass", 4 * layer.macs


def weight_terms(
    layer: LayerSizes, left_out: Collection[int] = (), *, with_attention: bool = True, with_idle: bool = True
) -> Iterator[Term]:
    """The terms between multiplies and 6·tokens·weights, and 6 for each multiply of attention's products.

    Args:
        layer: a layer of a graph.
        left_out: tables that are not among the weights.
        with_attention: whether attention's two products count.
        with_idle: whether the weights of experts that do not run count.
    """
    model, node = layer.model, layer.node
    if model is None:  # a norm inside an attention, whose weights are among the attention's
        return
    yield from passes(layer)
    meeting, between = model.tokens * layer.batch, multiplies_between(layer)
    by_weights = layer.macs - between
    if node.index not in model.attention_products:
        yield "missed layers", -TRAINING * between
    elif not with_attention:
        yield "attention products", -TRAINING * between
    if node.index in left_out:
        return
    if model.weights_at[node.weight_owner] != node.index:
        yield "shared weights", -TRAINING * by_weights
        return
    for name, elements in _kinds_of_weights(layer):
        if name == "matrices":
            yield "reused weights", TRAINING * (meeting * elements - by_weights)
        elif name != "idle experts" or with_idle:
            yield name, TRAINING * meeting * elements


def _kinds_of_weights(layer: LayerSizes) -> Iterator[tuple[str, Number]]:
    """Give the weights of a layer by what they are: idle ones, norms, biases, tables, and the rest."""
    weights = layer.node.facts.weights.items()
    idle = layer.op.idle_params(*layer.node.input_shapes)
    norms = total(shape.elements for name, shape in weights if layer.kind == "norm" or "_norm." in name)
    biases = layer.biases if layer.kind != "norm" and layer.kind not in ("experts", "idle") else 0
    rest = layer.node.facts.params - idle - norms - biases
    yield from (("idle experts", idle), ("norms", norms), ("biases", biases))
    if layer.kind in TABLES:
        yield "tables", rest
    else:
        has_matrices = any(product.has_weights for product in layer.node.facts.products)
        yield ("matrices" if has_matrices else "other weights"), rest


def multiplies_between(layer: LayerSizes) -> Number:
    """Multiplies of two activations."""
    return layer.batch * total(one.multiplies for one in layer.node.facts.products if not one.has_weights)


def products_outside(layer: LayerSizes, model: LanguageModel) -> Number:
    """Multiplies of a layer that is no part of a block of attention and a perceptron, nor the head."""
    node = layer.node
    inside = layer.kind in MATRICES or node.index in model.attention_products
    return 0 if inside and node.index not in model.behind_blocks else layer.macs


def logits(layer: LayerSizes, model: LanguageModel) -> Number:
    """Multiplies of the head, if every token has logits: tokens·dim·vocabulary."""
    assert model.head is not None
    return model.tokens * layer.batch * model.head.input_shapes[0][-1] * model.head.shape[-1]
