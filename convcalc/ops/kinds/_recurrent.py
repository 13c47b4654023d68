"""What recurrent layers share: stacked layers, directions and gates."""

from __future__ import annotations

from collections.abc import Iterator

from convcalc.arith import Number, equal, require
from convcalc.ops.arguments import CountType, FlagType, SizeType, argument
from convcalc.ops.op import MatrixProduct, Op
from convcalc.records import dataclass
from convcalc.shapes import Shape


@dataclass(frozen=True, slots=True)
class Recurrent(Op):
    """A cell run over the steps of a sequence."""

    gates = 1
    """Matrices of one cell: 4, 3 or 1."""

    hidden_size: Number = argument("hidden", SizeType(), positional=True)
    """Features H of the state."""
    num_layers: int = argument("layers", CountType(), positional=True, default=1)
    """Stacked layers, each reading the one below."""
    bidirectional: bool = argument("bidirectional", FlagType(), default=False)
    """Whether a second cell runs backwards and both outputs are joined."""
    bias: bool = argument("bias", FlagType(), default=True)
    """Whether biases are learned."""
    single_bias: bool = argument("single_bias", FlagType(), default=False)
    """Whether a gate has one bias, as in Keras but for a GRU with reset_after, in place of two."""

    @property
    def state_size(self) -> Number:
        """Features of the state that the next step and the next layer read."""
        return self.hidden_size

    def _iter_cells(self, x: Shape) -> Iterator[tuple[int, str, Number]]:
        """Give (stacked layer, direction, size of what enters the cell) for every cell."""
        directions = ("forward", "backward")[: 1 + self.bidirectional]
        entering = x.features
        for layer in range(1, self.num_layers + 1):
            for direction in directions:
                yield layer, direction, entering
            entering = self.state_size * len(directions)

    matrix_names = ("input", "hidden", "projection")

    def output(self, *inputs: Shape) -> Shape:
        x, *states = inputs
        require(x.rank == 2, "CC401", "{} needs [steps, features], but its input is {}", self.kind, x)
        for name, state, size in zip(self.layer_arguments, states, (self.state_size, self.hidden_size), strict=False):
            text = f"{self.kind}: the first {name} {{}} has not the {{}} features of the {name}"
            require(equal(state.features, size), "CC405", text, state, size)
        return x.with_axis(-1, self.state_size * (1 + self.bidirectional))

    def weights(self, *inputs: Shape) -> dict[str, Shape]:
        x = inputs[0]
        rows, weights = self.gates * self.hidden_size, dict[str, Shape]()
        for layer, direction, entering in self._iter_cells(x):
            weights[f"{direction}{layer}.input"] = Shape((rows, entering))
            weights[f"{direction}{layer}.hidden"] = Shape((rows, self.state_size))
            if self.bias:
                weights[f"{direction}{layer}.bias"] = Shape((rows,) if self.single_bias else (2, rows))
        return weights

    def products(self, *inputs: Shape) -> tuple[MatrixProduct, ...]:
        x = inputs[0]
        outputs, state = x[0] * self.hidden_size, self.state_size
        return tuple(
            MatrixProduct(outputs * self.gates * (entering + state), outputs, layer, name=f"{direction}{layer}")
            for layer, direction, entering in self._iter_cells(x)
        )
