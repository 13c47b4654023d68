"""Table look-up."""

from __future__ import annotations

from convcalc.arith import Number, at_most
from convcalc.ops.arguments import SizeType, argument
from convcalc.ops.op import Matrix, Op
from convcalc.records import dataclass
from convcalc.shapes import Shape


@dataclass(frozen=True, slots=True)
class Embedding(Op):
    """Embedding: one learned vector per word of a vocabulary, looked up for every token.

    Formula:
        params = vocab·dim. No multiplies: a look-up multiplies nothing, and reads as
        many rows of the table as there are look-ups, at most all.
    Shapes:
        [n …] → [n …, dim].
    Source:
        PyTorch reference, torch.nn.Embedding.
    Examples:
        embedding: [1000, 64] on [12] -> [12, 64]; 64000 params, 0 multiplies
    """

    kind = "embedding"
    is_table = True

    vocab: Number = argument("vocab", SizeType(), positional=True)
    """Rows of the table."""
    dim: Number = argument("dim", SizeType(), positional=True)
    """Width of a row."""

    def output(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        return Shape((*x, self.dim))

    def weights(self, *inputs: Shape) -> dict[str, Shape]:
        return {"weight": Shape((self.vocab, self.dim))}

    def matrices(self, *inputs: Shape) -> list[Matrix]:
        return [Matrix(self.vocab, self.dim)]

    def weights_read(self, batch: Number, *inputs: Shape) -> Number:
        """A row a look-up, each row once: min(batch·n, vocab)·dim."""
        (x,) = inputs
        return at_most(batch * x.elements, self.vocab) * self.dim
