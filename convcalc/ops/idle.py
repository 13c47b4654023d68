"""The experts of a join that do not run: what ``each: k, of: E`` adds beside the k branches that do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from convcalc.arith import Number, at_most, prod, total
from convcalc.ops.op import Matrix, Op
from convcalc.records import NamedTuple, dataclass
from convcalc.shapes import Shape


class ExpertLayer(NamedTuple):
    """A layer of an expert that has weights or buffers of its own: its path in the expert, its op, what enters it."""

    path: str
    op: Op
    entering: tuple[Shape, ...]

    @property
    def params(self) -> Number:
        return total(shape.elements for shape in self.op.weights(*self.entering).values())

    @property
    def buffers(self) -> Number:
        return total(shape.elements for shape in self.op.buffers(*self.entering).values())

    def params_read(self, batch: Number) -> Number:
        """Return how many elements of its weights a batch reads."""
        read = self.op.weights_read(batch, *self.entering)
        return self.params if read is None else read


@dataclass(frozen=True, slots=True)
class Idle(Op):
    """Experts that are there and that a token does not run through: weights without multiplies and without an output.

    Formula:
        params = (E − k)·params of an expert, none of them active. Of all E experts a batch reads at most
        min(E, tokens·batch·k): k in the branches, the others here.
    Shapes:
        [… tokens, F] → nothing.
    Source:
        Shazeer et al., arXiv:1701.06538.
    """

    kind = "idle"
    depends_on_values = False
    has_output = False

    experts: Number
    """All experts E."""
    running: int
    """Those that a token runs through, k."""
    layers: tuple[ExpertLayer, ...]
    """The layers of one expert."""

    def output(self, *inputs: Shape) -> Shape:
        return Shape((0,))

    def weights(self, *inputs: Shape) -> dict[str, Shape]:
        return dict(self._of_all((layer.path, layer.op.weights(*layer.entering)) for layer in self.layers))

    def buffers(self, *inputs: Shape) -> dict[str, Shape]:
        return dict(self._of_all((layer.path, layer.op.buffers(*layer.entering)) for layer in self.layers))

    def _of_all(self, kept: Iterator[tuple[str, dict[str, Shape]]]) -> Iterator[tuple[str, Shape]]:
        for path, shapes in kept:
            for name, shape in shapes.items():
                yield f"{path}.{name}".lstrip("."), Shape((self.experts - self.running, *shape))

    def matrices(self, *inputs: Shape) -> list[Matrix]:
        one = (matrix for layer in self.layers for matrix in layer.op.matrices(*layer.entering))
        return [Matrix((self.experts - self.running) * matrix.rows, matrix.length) for matrix in one]

    def idle_params(self, *inputs: Shape) -> Number:
        return total(shape.elements for shape in self.weights().values())

    def weights_read(self, batch: Number, *inputs: Shape) -> Number:
        """Those of the experts that tokens reach beside the k: each reads as much as one that runs."""
        reached = at_most(batch * prod(inputs[0][:-1]) * self.running, self.experts)
        return (reached - self.running) * total(layer.params_read(batch) for layer in self.layers)

    @property
    def has_unknown_weights(self) -> bool:
        return any(layer.op.has_unknown_weights for layer in self.layers)

    @property
    def is_counted(self) -> bool:  # type: ignore[override]
        return not self.has_unknown_weights

    def attributes(self, *inputs: Shape) -> dict[str, Any]:
        return {"count": self.experts - self.running, "of": self.experts}
