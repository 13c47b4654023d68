"""LLM-Viewer's OPs of a prompt, or of one token after others: products, softmax, and blocks of a Llama."""

from __future__ import annotations

from collections.abc import Iterator

from convcalc.arith import floordiv
from convcalc.profiles import LanguageModel, LayerSizes, Profile, Term
from convcalc.profiles._training import KINDS, logits, products_outside


def demands(model: LanguageModel) -> None:
    """A dense decoder whose heads share the width of a token, over a prompt or one token after a cache."""
    model.require_plain()
    model.require_dense()
    model.require_whole_sequence(or_one_token=True)
    model.require_plain_heads()


def terms(layer: LayerSizes) -> Iterator[Term]:
    """2 for each multiply, 5 for each score, and of every block 2 norms of 7, 2 sums, and an activation of 2.

    They are of the width of the model, whatever that of the perceptron, and stand at the block's attention. The head
    counts once for each multiply, and for one token alone; the last norm does not.
    """
    model = layer.model
    if model is None:
        return
    yield "additions", layer.macs
    if layer.node is model.head:
        yield "output layer", floordiv(logits(layer, model), model.tokens) - 2 * layer.macs
        return
    yield "missed layers", -2 * products_outside(layer, model)
    for one in model.attentions:
        if layer.node is one.nodes[-1]:
            assert one.in_features is not None
            elements = layer.batch * model.tokens * one.in_features
            yield "softmax", 5 * layer.batch * one.scores
            yield "block norms", 2 * 7 * elements
            yield "elementwise", 2 * elements
            yield "activation functions", 2 * elements


LLM_VIEWER = Profile(
    "llm_viewer", "LLM-Viewer 472f71f", "OPs",
    "two for each multiply, masked or not, 5 for each score of the softmax, and for every block 2 norms of 7, 2 sums "
    "of 1 and an activation of 2 an element as wide as the model; one for each multiply of the head, for one token",
    "hahnyuan/LLM-Viewer: model_analyzer.py, configs/Llama.py", 205, terms, demands=demands, of_tokens=True,
    more_kinds=KINDS,
)  # fmt: skip
