"""Scaled dot-product attention of given queries, keys and values."""

from __future__ import annotations

from dataclasses import dataclass

from convcalc.arith import divides, either, equal, require
from convcalc.ops.arguments import FlagType, argument
from convcalc.ops.kinds._checks import broadcast
from convcalc.ops.op import MatrixProduct, Op
from convcalc.shapes import Shape


@dataclass(frozen=True, slots=True)
class ScaledDotProductAttention(Op):
    """Attention without projections: of three branches, queries, keys and values.

    Formula:
        multiplies = W·H·N·L·(E + Ev), over W windows and H query heads of N queries and L keys: scores E, context Ev
        for each pair, whether masked or not. No params; scaling, mask and softmax are not counted.
    Shapes:
        q [windows …, H heads, N, E], k [windows …, h, L, E], v [windows …, h, L, Ev] → [windows …, H, N, Ev]; h divides
        H, or none has heads. A fourth branch is the mask, or the bias of the scores: it broadcasts to [… H, N, L].
    Source:
        PyTorch reference, torch.nn.functional.scaled_dot_product_attention.
    Examples:
        sdpa: [identity, {from: x}, {from: x}] on x [12, 197, 64] -> [12, 197, 64]; 0 params, 59610624 multiplies
        sdpa: [identity, {from: k}, {from: v}] on q [5, 6], k [7, 6], v [7, 4] -> [5, 4]; 0 params, 350 multiplies
        sdpa: {causal: true, branches: [identity, {from: k}, {from: k}]} on q [8, 5, 6], k [2, 7, 6] -> [8, 5, 6]; 0 params, 3360 multiplies
        sdpa: [identity, {from: k}, {from: k}, {from: b}] on q [3, 6], k [5, 6], b [1, 5] -> [3, 6]; 0 params, 180 multiplies
    """  # noqa: E501

    kind = "sdpa"
    arity = (3, 4)
    source_form = "function"

    causal: bool = argument("causal", FlagType(), default=False)
    """Whether a query sees no later key; it changes no count."""

    def output(self, *inputs: Shape) -> Shape:
        return self._scores(*inputs).with_axis(-1, inputs[2].features)

    def _scores(self, *inputs: Shape) -> Shape:
        """Return [windows …, heads, queries, keys], given that all branches fit."""
        q, k, v = inputs[:3]
        ranks = q.rank >= 2 and q.rank == k.rank == v.rank
        require(ranks, "CC401", "sdpa needs [… heads, tokens, features] three times, but has {}, {} and {}", q, k, v)
        require(equal(q[-1], k[-1]), "CC405", "sdpa: the features of queries {} and keys {} differ", q, k)
        require(equal(k[-2], v[-2]), "CC405", "sdpa: the tokens of keys {} and values {} differ", k, v)
        for name, heads, other in (("keys", k[-3:-2], k), ("values", v[-3:-2], v)):
            fits = not heads or divides(heads[0], q[-3])
            require(fits, "CC404", f"sdpa: the heads of {name} {{}} do not divide those of queries {{}}", other, q)
        leading = broadcast("sdpa", Shape(q[:-3]), Shape(k[:-3]), Shape(v[:-3]), whole=(q, k, v))
        scores = Shape((*leading, *q[-3:-1], k[-2]))
        for mask in inputs[3:]:
            self._require_mask(mask, scores)
        return scores

    def _require_mask(self, mask: Shape, scores: Shape) -> None:
        text = "sdpa: the mask {} does not broadcast to the scores {}"
        require(mask.rank <= scores.rank, "CC405", text, mask, scores)
        for own, size in zip(mask, scores[scores.rank - mask.rank :], strict=True):
            require(either(equal(own, 1), equal(own, size)), "CC405", text, mask, scores)

    def products(self, *inputs: Shape) -> tuple[MatrixProduct, ...]:
        scores, context = self._scores(*inputs).elements, self.output(*inputs).elements
        return (
            MatrixProduct(scores * inputs[0].features, scores, 1, has_weights=False, name="scores"),
            MatrixProduct(scores * inputs[2].features, context, 2, has_weights=False, name="context"),
        )
