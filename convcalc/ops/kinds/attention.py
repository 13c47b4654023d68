"""Multi-head attention."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from convcalc.arith import Number, divides, equal, floordiv, prod, require
from convcalc.ops.arguments import FlagType, SizeType, argument
from convcalc.ops.op import MatrixProduct, Op
from convcalc.shapes import Shape


@dataclass(frozen=True, slots=True)
class Attention(Op):
    """Multi-head attention: queries from the input, keys and values from it too or from ``kv``.

    Formula:
        Four projections, each as a linear layer: q Fin → h·d, k and v Fkv → h_kv·d, o h·d → dim; params = theirs;
        multiplies = theirs + 2·W·N·L·h·d for scores and context, over W windows of N queries and L keys.
    Shapes:
        [windows …, N tokens, Fin] → [windows …, N, dim]; leading axes are windows, each attended alone.
    Source:
        Vaswani et al., Attention Is All You Need, section 3.2; Ainslie et al. 2023 for fewer key–value heads.
    Examples:
        attention: 12 on [197, 768] -> [197, 768]; 2362368 params, 524391936 multiplies
        attention: {heads: 2, kv: y} on x [5, 8], y [7, 6] -> [5, 8]; 256 params, 1872 multiplies
        attention: {heads: 4, kv_heads: 2, bias: false} on [9, 10, 32] -> [9, 10, 32]; 3072 params, 334080 multiplies
    """

    kind = "attention"
    layer_arguments = ("kv",)

    heads: Number = argument("heads", SizeType(), positional=True)
    """Query heads h."""
    dim: Number | None = argument("dim", SizeType(), default=None)
    """Width of the output; the input's by default."""
    head_dim: Number | None = argument("head_dim", SizeType(), default=None)
    """Width d of one head; dim/heads by default."""
    kv_heads: Number | None = argument("kv_heads", SizeType(), default=None)
    """Heads of keys and values; divides ``heads``, which it is by default."""
    bias: bool = argument("bias", FlagType(), default=True)
    """Whether the four projections add a bias."""

    def output(self, *inputs: Shape) -> Shape:
        x, memory = inputs[0], inputs[-1]
        require(x.rank >= 2 and memory.rank >= 2, "CC401", "attention needs [tokens, features], but its input is {}", x)
        dim, kv_heads = self._dim(x), self._kv_heads()
        if self.head_dim is None:
            require(divides(self.heads, dim), "CC404", "heads = {} does not divide the width {}", self.heads, dim)
        fits = divides(kv_heads, self.heads)
        require(fits, "CC404", "kv_heads = {} does not divide the {} heads", kv_heads, self.heads)
        require(x.rank == memory.rank, "CC405", "attention: the windows of {} and of its kv {} differ", x, memory)
        for window, other in zip(x[:-2], memory[:-2], strict=True):
            require(equal(window, other), "CC405", "attention: the windows of {} and of its kv {} differ", x, memory)
        return x.with_axis(-1, dim)

    def _dim(self, x: Shape) -> Number:
        return x.features if self.dim is None else self.dim

    def _head_dim(self, x: Shape) -> Number:
        return floordiv(self._dim(x), self.heads) if self.head_dim is None else self.head_dim

    def _kv_heads(self) -> Number:
        return self.heads if self.kv_heads is None else self.kv_heads

    def _widths(self, x: Shape) -> tuple[Number, Number]:
        """Return the width of the queries and that of the keys (or values)."""
        return self.heads * self._head_dim(x), self._kv_heads() * self._head_dim(x)

    def weights(self, *inputs: Shape) -> dict[str, Shape]:
        x, memory = inputs[0], inputs[-1]
        queries, keys = self._widths(x)
        read = Shape((keys, memory.features))
        matrices = {"q": Shape((queries, x.features)), "k": read, "v": read, "o": Shape((self._dim(x), queries))}
        weights = {f"{name}.weight": matrix for name, matrix in matrices.items()}
        biases = {f"{name}.bias": Shape(matrix[:1]) for name, matrix in matrices.items()} if self.bias else {}
        return weights | biases

    def products(self, *inputs: Shape) -> tuple[MatrixProduct, ...]:
        x, memory = inputs[0], inputs[-1]
        (queries, keys), dim = self._widths(x), self._dim(x)
        windows = prod(x[:-2])
        here, there = windows * x[-2], windows * memory[-2]
        scores = here * memory[-2]
        return (
            MatrixProduct(here * x.features * queries, here * queries, 1, name="q"),
            MatrixProduct(there * memory.features * keys, there * keys, 1, name="k"),
            MatrixProduct(there * memory.features * keys, there * keys, 1, name="v"),
            MatrixProduct(scores * queries, self.heads * scores, 2, has_weights=False, name="scores"),
            MatrixProduct(scores * queries, here * queries, 3, has_weights=False, name="context"),
            MatrixProduct(here * queries * dim, here * dim, 4, name="o"),
        )

    def attributes(self, *inputs: Shape) -> dict[str, Any]:
        x = inputs[0]
        sizes = {"heads": self.heads, "dim": self._dim(x), "head_dim": self._head_dim(x), "kv_heads": self._kv_heads()}
        return {**sizes, "bias": self.bias}
