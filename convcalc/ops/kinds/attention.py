"""Multi-head attention."""

from __future__ import annotations

from itertools import product
from typing import Any

from convcalc.arith import Number, divides, equal, floordiv, less_equal, prod, require, total
from convcalc.ops.arguments import ChoiceType, FlagsType, FlagType, SizeType, argument
from convcalc.ops.kinds._mask import MASKS, held_keys, hidden_products, require_mask
from convcalc.ops.op import Held, MatrixProduct, Op
from convcalc.ops.source_form import FUSED_FORMS, SCALED_FORMS
from convcalc.records import dataclass
from convcalc.shapes import Shape

PROJECTIONS = ("q", "k", "v", "o")
NORM_WEIGHTS = {"none": (), "layer": ("weight", "bias"), "rms": ("weight",)}
CACHES = ("none", "write", "read")
ACROSS_HEADS = "_across_heads"
QK_NORMS = (*NORM_WEIGHTS, "layer" + ACROSS_HEADS, "rms" + ACROSS_HEADS)


@dataclass(frozen=True, slots=True)
class Attention(Op):
    """Multi-head attention: queries from the input; keys and values from it too, or from ``kv`` and ``values``.

    Formula:
        Four projections, each as a linear layer: q Fin → h·d, k Fk → h_kv·d, v Fv → h_kv·d_v, o h·d_v → dim;
        params = theirs, those of the norms of ``qk_norm``, h_kv·(d + d_v) with ``add_bias_kv``, and h numbers for each
        of ``position_bias``;
        multiplies = theirs + W·N·L·h·(d + d_v) for scores and context, over W windows of N queries and L keys: of
        the tokens of the input or of ``kv``, the p of ``past``, and the appended ones. A mask changes none of it; with
        a causal one query i sees min(p + i + 1, w) keys and the appended ones, w being ``window``. With ``cache: read``
        L = p, and keys and values are not projected.
    Shapes:
        [windows …, N tokens, Fin] → [windows …, N, dim]; leading axes are windows, each attended alone.
    Source:
        Vaswani et al., Attention Is All You Need, section 3.2; Ainslie et al. 2023 for fewer key–value heads;
        Dehghani et al. 2023 for norms of queries and keys; Liu et al. 2021 for a bias of positions; Jiang et al.,
        Mistral 7B, section 2 for a sliding window; PyTorch reference, torch.nn.MultiheadAttention; Keras reference,
        MultiHeadAttention.
    Examples:
        attention: 12 on [197, 768] -> [197, 768]; 2362368 params, 524391936 multiplies
        attention: {heads: 2, kv: y} on x [5, 8], y [7, 6] -> [5, 8]; 256 params, 1872 multiplies
        attention: {heads: 4, kv_heads: 2, bias: false} on [9, 10, 32] -> [9, 10, 32]; 3072 params, 334080 multiplies
        attention: {heads: 2, kv: y, values: z} on x [5, 8], y [7, 6], z [7, 3] -> [5, 8]; 232 params, 1704 multiplies
        attention: {heads: 2, add_bias_kv: true, add_zero_attn: true} on [5, 8] -> [5, 8]; 304 params, 1840 multiplies
        attention: {heads: 3, head_dim: 4, value_dim: 5, qk_norm: rms} on [6, 8] -> [6, 8]; 487 params, 3564 multiplies
        attention: {heads: 3, position_bias: 169} on [64, 49, 96] -> [64, 49, 96]; 37755 params, 145108992 multiplies
        attention: {heads: 2, bias: qkv} on [5, 8] -> [5, 8]; 280 params, 1680 multiplies
        attention: {heads: 4, kv_heads: 2, past: 7, bias: [q, o]} on [3, 8] -> [3, 8]; 208 params, 1056 multiplies
        attention: {heads: 2, past: 7, cache: read} on [1, 8] -> [1, 8]; 288 params, 240 multiplies
        attention: {heads: 2, past: 7, mask: causal, window: 4} on [2, 3, 8] -> [2, 3, 8]; 288 params, 2496 multiplies
    """

    kind = "attention"
    layer_arguments = ("kv", "values")

    heads: Number = argument("heads", SizeType(), positional=True)
    """Query heads h."""
    dim: Number | None = argument("dim", SizeType(), default=None)
    """Width of the output; the input's by default."""
    head_dim: Number | None = argument("head_dim", SizeType(), default=None)
    """Width d of one head of queries and keys; dim/heads by default."""
    value_dim: Number | None = argument("value_dim", SizeType(), default=None)
    """Width d_v of one head of values; ``head_dim`` by default."""
    kv_heads: Number | None = argument("kv_heads", SizeType(), default=None)
    """Heads of keys and values; divides ``heads``, which it is by default."""
    bias: bool | tuple[bool, ...] = argument("bias", FlagsType(PROJECTIONS, {"qkv": tuple("qkv")}), default=True)
    """Whether the four projections add a bias, or which of them: ``qkv``, ``[q, v, o]``, or true or false for each."""
    qk_norm: str = argument("qk_norm", ChoiceType(QK_NORMS), default="none")
    """The norm of projected queries and of keys: over each head with the same weights, or over all heads together."""
    add_bias_kv: bool = argument("add_bias_kv", FlagType(), default=False)
    """Whether one learned key and value are appended to the projected ones."""
    add_zero_attn: bool = argument("add_zero_attn", FlagType(), default=False)
    """Whether one key and value of zeros are appended to the projected ones."""
    position_bias: Number | None = argument("position_bias", SizeType(), default=None)
    """Numbers a head of a learned table that is added to the scores: (2·7 − 1)² of windows of 7×7."""
    past: Number | None = argument("past", SizeType(0), default=None)
    """Tokens p before the input's, whose keys and values are in a cache, which is also kept where p is 0."""
    mask: str = argument("mask", ChoiceType(MASKS), default="none")
    """``causal``: a query sees its own token and those before, and keys and values are kept for those to come.

    ``local``: it sees its own token and those nearby on both sides, as many as ``window`` says.
    """
    key_window: Number | None = argument("window", SizeType(), default=None)
    """Keys w that a query sees at most: its own, and the w − 1 before; with ``mask: local`` as many behind, too."""
    cache: str = argument("cache", ChoiceType(CACHES), default="none")
    """``write`` keeps keys and values of ``kv`` for later runs, ``read`` has those of ``past`` from an earlier one."""
    kdim: Number | None = argument("kdim", SizeType(), default=None)
    """Width Fk of the tensor that keys are projected from, to check it."""
    vdim: Number | None = argument("vdim", SizeType(), default=None)
    """Width Fv of the tensor that values are projected from, to check it."""

    def output(self, *inputs: Shape) -> Shape:
        x, dim, kv_heads = inputs[0], self._dim(inputs[0]), self._kv_heads()
        fits = all(source.rank >= 2 for source in inputs)
        require(fits, "CC401", "attention needs [tokens, features], but its input is {}", x)
        if self.head_dim is None:
            require(divides(self.heads, dim), "CC404", "heads = {} does not divide the width {}", self.heads, dim)
        fits = divides(kv_heads, self.heads)
        require(fits, "CC404", "kv_heads = {} does not divide the {} heads", kv_heads, self.heads)
        self._require_sources(*_sources(*inputs))
        text = "attention: cache is of other tokens: `write` needs kv, `read` needs past, and neither has a mask"
        is_alone, is_new = len(inputs) == 1, self.past is None
        require(self.cache != "write" or (not is_alone and is_new), "CC408", text)
        require(self.cache != "read" or is_alone, "CC408", text)
        require(self.mask == "none" or not self._is_kept, "CC408", text)
        if self.cache == "read":
            require(less_equal(1, self._past), "CC408", text)
        require_mask("attention", self.mask, self.key_window, self.past)
        return x.with_axis(-1, dim)

    def _require_sources(self, x: Shape, keys: Shape, values: Shape) -> None:
        """Demand windows and tokens that agree, and the widths that ``kdim`` and ``vdim`` state."""
        for name, source in (("kv", keys), ("values", values)):
            text = f"attention: the windows of {{}} and of its {name} {{}} differ"
            require(x.rank == source.rank, "CC405", text, x, source)
            for window, other in zip(x[:-2], source[:-2], strict=True):
                require(equal(window, other), "CC405", text, x, source)
        text = "attention: the tokens of its keys {} and of its values {} differ"
        require(equal(keys[-2], values[-2]), "CC405", text, keys, values)
        for name, width, source in (("k", self.kdim, keys), ("v", self.vdim, values)):
            if width is not None:
                text = f"attention: {name}dim = {{}}, but {name} is projected from {{}}"
                require(equal(width, source.features), "CC405", text, width, source)
        if self._is_ordered or self.mask == "local":
            text = "attention: past and mask are of queries and keys of the same tokens, but there are {} and {}"
            require(equal(x[-2], keys[-2]), "CC405", text, x[-2], keys[-2])

    @property
    def is_causal(self) -> bool:
        """Whether a mask hides later keys."""
        return self.mask == "causal"

    @property
    def _is_ordered(self) -> bool:
        """Whether queries and keys are of the same tokens, one after another, so that later ones need a cache."""
        return self.is_causal or (self.past is not None and not self._is_kept)

    @property
    def _is_kept(self) -> bool:
        """Whether keys and values of other tokens are in a cache."""
        return self.cache != "none"

    @property
    def _past(self) -> Number:
        return 0 if self.past is None else self.past

    def _tokens(self, keys: Shape) -> Number:
        """Return the tokens that there is a key of: those of the input and those before."""
        return self._past if self.cache == "read" else keys[-2] + self._past

    def _all_keys(self, keys: Shape) -> Number:
        """Return the keys that each query is multiplied with."""
        return self._tokens(keys) + (self.add_bias_kv + self.add_zero_attn)

    def _dim(self, x: Shape) -> Number:
        return x.features if self.dim is None else self.dim

    def _head_dim(self, x: Shape) -> Number:
        return floordiv(self._dim(x), self.heads) if self.head_dim is None else self.head_dim

    def _value_dim(self, x: Shape) -> Number:
        return self._head_dim(x) if self.value_dim is None else self.value_dim

    def _kv_heads(self) -> Number:
        return self.heads if self.kv_heads is None else self.kv_heads

    def _matrices(self, *inputs: Shape) -> dict[str, Shape]:
        """Return the matrices of the projections: [width of its output, width of its input]."""
        (x, keys, values), kv_heads = _sources(*inputs), self._kv_heads()
        head_dim, value_dim = self._head_dim(x), self._value_dim(x)
        return {
            "q": Shape((self.heads * head_dim, x.features)),
            "k": Shape((kv_heads * head_dim, keys.features)),
            "v": Shape((kv_heads * value_dim, values.features)),
            "o": Shape((self._dim(x), self.heads * value_dim)),
        }

    def weights(self, *inputs: Shape) -> dict[str, Shape]:
        matrices = self._matrices(*inputs)
        weights = {f"{name}.weight": matrix for name, matrix in matrices.items()}
        flags = self.bias if isinstance(self.bias, tuple) else (self.bias,) * len(PROJECTIONS)
        biased = [name for name, flag in zip(PROJECTIONS, flags, strict=True) if flag]
        weights |= {f"{name}.bias": Shape(matrices[name][:1]) for name in biased}
        for name, part in product("qk", NORM_WEIGHTS[self.qk_norm.removesuffix(ACROSS_HEADS)]):
            size = matrices[name][0] if self.qk_norm.endswith(ACROSS_HEADS) else self._head_dim(inputs[0])
            weights[f"{name}_norm.{part}"] = Shape((size,))
        if self.add_bias_kv:
            weights |= {f"bias_{name}": Shape(matrices[name][:1]) for name in "kv"}
        if self.position_bias is not None:
            weights["position_bias"] = Shape((self.position_bias, self.heads))
        return weights

    def weights_read(self, batch: Number, *inputs: Shape) -> Number | None:
        """All, but not those of keys and values that an earlier run has projected."""
        if self.cache != "read":
            return None
        return total(shape.elements for name, shape in self.weights(*inputs).items() if not name.startswith(("k", "v")))

    def products(self, *inputs: Shape) -> tuple[MatrixProduct, ...]:
        (x, keys, _), matrices = _sources(*inputs), self._matrices(*inputs)
        windows = prod(x[:-2])
        projected = 0 if self.cache == "read" else keys[-2]
        rows = dict.fromkeys("qo", windows * x[-2]) | dict.fromkeys("kv", windows * projected)
        q, k, v, o = (
            MatrixProduct(rows[name] * matrix.elements, rows[name] * matrix[0], 4 if name == "o" else 1, name=name)
            for name, matrix in matrices.items()
        )
        tokens, queries, context = self._tokens(keys), matrices["q"][0], matrices["o"][1]
        pairs = rows["q"] * self._all_keys(keys)
        hidden = [
            hidden_products(self.mask, x[-2], tokens, self._past, self.key_window, windows * width)
            for width in (queries, context)
        ]
        return (
            q, k, v,
            MatrixProduct(
                pairs * queries, self.heads * pairs, 2, has_weights=False, name="scores", masked=hidden[0]
            ),
            MatrixProduct(
                pairs * context, rows["q"] * context, 3, has_weights=False, name="context", masked=hidden[1]
            ),
            o,
        )  # fmt: skip

    def cached(self, *inputs: Shape) -> Number:
        """Keys and values of all tokens up to now, or of the last w: h_kv·(d + d_v)·min(p + N, w) a window."""
        _, keys, _ = _sources(*inputs)
        is_cached = self._is_ordered or self._is_kept
        return self._kept(held_keys(self._tokens(keys), self.key_window), *inputs) if is_cached else 0

    def moved(self, *inputs: Shape) -> tuple[Number, Number] | None:
        """The output; N keys and values written, and those read that some query sees: min(p + N, w + N − 1)."""
        _, keys, _ = _sources(*inputs)
        if self._is_kept:
            return self.output(*inputs).elements, self._kept(
                self._tokens(keys) * (2 if self.cache == "write" else 1), *inputs
            )
        window = None if self.key_window is None else self.key_window + keys[-2] - 1
        tokens = keys[-2] + held_keys(self._tokens(keys), window)
        return (self.output(*inputs).elements, self._kept(tokens, *inputs)) if self._is_ordered else None

    def steps(self, via: str, *inputs: Shape) -> tuple[Held, ...]:
        """Queries, keys and values; then with scores; scores, their softmax, values; context; output.

        In one kernel: queries, keys, values, context and a number a query and head, then context and output.
        """
        size = self._inside(*inputs)
        projected = size["q"] + size["k"] + size["v"]
        last = Held(size["context"] + self.output(*inputs).elements)
        if via in FUSED_FORMS:
            return Held(projected, 0, True), Held(projected + size["context"], size["log_sums"]), last
        scores = size["scores"]
        return (
            Held(projected, 0, True), Held(projected + scores), Held(2 * scores + size["v"]),
            Held(scores + size["v"] + size["context"]), last,
        )  # fmt: skip

    def kept(self, via: str, *inputs: Shape) -> Held:
        """Queries, keys, values, context, and the softmax of the scores or a number a query and head in its place.

        Queries are kept twice where they are scaled or normed, keys where they are normed.
        """
        size, is_normed = self._inside(*inputs), self.qk_norm != "none"
        again = "qk" if is_normed else "q" if via in SCALED_FORMS else ""
        kept = total(size[name] for name in (*"qkv", "context", *again))
        return Held(kept, size["log_sums"]) if via in FUSED_FORMS else Held(kept + size["scores"])

    def _inside(self, *inputs: Shape) -> dict[str, Number]:
        """Return the elements of the tensors inside: keys and values of all tokens, scores of all pairs."""
        outputs, matrices = {one.name: one.outputs for one in self.products(*inputs)}, self._matrices(*inputs)
        log_sums = prod(inputs[0][:-1]) * self.heads
        keys = prod(inputs[0][:-2]) * self._all_keys(_sources(*inputs)[1])
        return {**outputs, "k": keys * matrices["k"][0], "v": keys * matrices["v"][0], "log_sums": log_sums}

    def _kept(self, tokens: Number, *inputs: Shape) -> Number:
        """Return the elements of keys and values of so many tokens."""
        matrices = self._matrices(*inputs)
        return prod(inputs[0][:-2]) * tokens * (matrices["k"][0] + matrices["v"][0])

    def attributes(self, *inputs: Shape) -> dict[str, Any]:
        x = inputs[0]
        sizes = {"heads": self.heads, "dim": self._dim(x), "head_dim": self._head_dim(x), "kv_heads": self._kv_heads()}
        value_dim = {} if self.value_dim is None else {"value_dim": self.value_dim}
        norm = {} if self.qk_norm == "none" else {"qk_norm": self.qk_norm}
        appended = {name: True for name in ("add_bias_kv", "add_zero_attn") if getattr(self, name)}
        optional = {"position_bias": self.position_bias, "past": self.past, "window": self.key_window}
        given = {name: size for name, size in optional.items() if size is not None}
        mask = {"mask": self.mask} if self.mask != "none" else {"cache": self.cache} if self._is_kept else {}
        return {**sizes, **value_dim, "bias": self.bias, **norm, **appended, **mask, **given}


def _sources(x: Shape, keys: Shape | None = None, values: Shape | None = None) -> tuple[Shape, Shape, Shape]:
    """Return the shapes that queries, keys and values are projected from."""
    keys = x if keys is None else keys
    return x, keys, keys if values is None else values
