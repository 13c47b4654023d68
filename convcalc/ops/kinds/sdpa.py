"""Scaled dot-product attention of given queries, keys and values."""

from __future__ import annotations

from typing import Any

from convcalc.arith import Number, divides, either, equal, prod, require
from convcalc.ops.arguments import ChoiceType, FlagType, SizeType, argument
from convcalc.ops.kinds._checks import broadcast
from convcalc.ops.kinds._mask import MASKS, hidden_products, require_mask
from convcalc.ops.op import Held, MatrixProduct, Op
from convcalc.records import dataclass
from convcalc.shapes import Shape


@dataclass(frozen=True, slots=True)
class ScaledDotProductAttention(Op):
    """Attention without projections: of three branches, queries, keys and values.

    Formula:
        multiplies = W·H·N·L·(E + Ev), over W windows and H query heads of N queries and L keys: scores E, context Ev
        for each pair, whether masked or not. No params; scaling, mask and softmax are not counted. With a causal mask
        query i sees the first p + i + 1 keys, or with ``window`` the w last of these.
    Shapes:
        q [windows …, H heads, N, E], k [windows …, h, L, E], v [windows …, h, L, Ev] → [windows …, H, N, Ev]; h divides
        H, or none has heads. A fourth branch is the mask, or the bias of the scores: it broadcasts to [… H, N, L].
    Source:
        PyTorch reference, torch.nn.functional.scaled_dot_product_attention (``is_causal`` has p = 0).
    Examples:
        sdpa: [identity, {from: x}, {from: x}] on x [12, 197, 64] -> [12, 197, 64]; 0 params, 59610624 multiplies
        sdpa: [identity, {from: k}, {from: v}] on q [5, 6], k [7, 6], v [7, 4] -> [5, 4]; 0 params, 350 multiplies
        sdpa: {causal: true, branches: [identity, {from: k}, {from: k}]} on q [8, 5, 6], k [2, 7, 6] -> [8, 5, 6]; 0 params, 3360 multiplies
        sdpa: {mask: causal, past: 4, branches: [identity, {from: k}, {from: k}]} on q [8, 3, 6], k [2, 7, 6] -> [8, 3, 6]; 0 params, 2016 multiplies
        sdpa: [identity, {from: k}, {from: k}, {from: b}] on q [3, 6], k [5, 6], b [1, 5] -> [3, 6]; 0 params, 180 multiplies
    """  # noqa: E501

    kind = "sdpa"
    arity = (3, 4)
    source_form = "function"

    causal: bool = argument("causal", FlagType(), default=False)
    """The same as ``mask: causal``."""
    mask: str = argument("mask", ChoiceType(MASKS), default="none")
    """``causal``: a query sees its own token and those before; ``local``: as many of both sides as ``window`` says."""
    past: Number | None = argument("past", SizeType(0), default=None)
    """Tokens p before the first query, whose keys come first; 0 by default."""
    key_window: Number | None = argument("window", SizeType(), default=None)
    """Keys w that a query sees at most: its own, and the w − 1 before; with ``mask: local`` as many behind, too."""

    def output(self, *inputs: Shape) -> Shape:
        require_mask("sdpa", self._mask, self.key_window, self.past)
        scores = self._scores(*inputs)
        text = "sdpa: mask: local is of queries and keys of the same tokens, but there are {} and {}"
        require(self._mask != "local" or equal(scores[-2], scores[-1]), "CC405", text, scores[-2], scores[-1])
        return scores.with_axis(-1, inputs[2].features)

    @property
    def is_causal(self) -> bool:
        """Whether a mask hides later keys."""
        return self.causal or self.mask == "causal"

    @property
    def _mask(self) -> str:
        return "causal" if self.causal else self.mask

    @property
    def _past(self) -> Number:
        return 0 if self.past is None else self.past

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
        pairs, context = self._scores(*inputs), self.output(*inputs).elements
        scores, widths, rows = pairs.elements, (inputs[0].features, inputs[2].features), prod(pairs[:-2])
        hidden = [
            hidden_products(self._mask, pairs[-2], pairs[-1], self._past, self.key_window, rows * width)
            for width in widths
        ]
        return (
            MatrixProduct(scores * widths[0], scores, 1, has_weights=False, name="scores", masked=hidden[0]),
            MatrixProduct(scores * widths[1], context, 2, has_weights=False, name="context", masked=hidden[1]),
        )

    def steps(self, via: str, *inputs: Shape) -> tuple[Held, ...]:
        """The output and, as one kernel has it, a number a query and head; scores are nowhere."""
        return (Held(self.output(*inputs).elements, self._log_sums(*inputs), True),)

    def kept(self, via: str, *inputs: Shape) -> Held:
        return Held(0, self._log_sums(*inputs))

    def _log_sums(self, *inputs: Shape) -> Number:
        return prod(self._scores(*inputs)[:-1])

    def warning(self, *inputs: Shape) -> str:
        """Name a mask that ends before or behind the last key, as that of queries behind a cache does without past."""
        queries, keys = inputs[0][-2], inputs[1][-2]
        if not self.is_causal or equal(queries + self._past, keys) is not False:
            return ""
        return f"past + queries = {self._past} + {queries}, but there are {keys} keys: the last query sees no last key"

    def attributes(self, *inputs: Shape) -> dict[str, Any]:
        sizes = {"past": self.past, "window": self.key_window}
        local = {"mask": self.mask} if self._mask == "local" else {}
        return {
            "causal": self.is_causal,
            **local,
            **{name: value for name, value in sizes.items() if value is not None},
        }
