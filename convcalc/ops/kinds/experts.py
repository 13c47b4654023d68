"""Experts: products of which every row takes some."""

from __future__ import annotations

from typing import Any

from convcalc.arith import Number, at_most, equal, less_equal, prod, require, total
from convcalc.errors import SpecError
from convcalc.ops.arguments import FlagType, SizeType, argument
from convcalc.ops.op import Matrix, MatrixProduct, Op
from convcalc.records import dataclass
from convcalc.shapes import Shape


@dataclass(frozen=True, slots=True)
class Experts(Op):
    """Mixture of experts: every row runs through ``top`` of ``count`` linear layers, or feed-forward networks.

    Formula:
        An expert is one matrix Fin·Fout; with ``width`` w it is Fin·w and w·Fout, with ``gated`` twice Fin·w. params =
        count·expert (and a bias of each matrix with bias); active_params = top·expert; multiplies = rows·top·expert.
        Choosing the experts and the sum of what they give are not counted.
    Shapes:
        [… rows, Fin] → [… rows, Fout].
    Source:
        Shazeer et al., arXiv:1701.06538; Jiang et al., Mixtral of Experts, arXiv:2401.04088.
    Examples:
        experts: {count: 8, top: 2, width: 14, gated: true} on [5, 4] -> [5, 4]; 1344 params, 1680 multiplies
        experts: {count: 8, out: 6} on [10, 4] -> [10, 6]; 192 params, 240 multiplies
        experts: {count: 4, top: 2, width: 6, bias: true, router: r} on x [7, 3], r [7, 4] -> [7, 3]; 180 params, 504 multiplies
    """  # noqa: E501

    kind = "experts"
    layer_arguments = ("router",)

    count: Number = argument("count", SizeType(), positional=True)
    """Experts that there are."""
    top: Number = argument("top", SizeType(), positional=True, default=1)
    """Experts that a row runs through, at most all."""
    width: Number | None = argument("width", SizeType(), default=None)
    """Features w between the two matrices of an expert; one matrix by default."""
    gated: bool = argument("gated", FlagType(), default=False)
    """Whether a second matrix Fin·w gates the first; needs ``width``."""
    out_features: Number | None = argument("out", SizeType(), default=None)
    """Output features Fout; the input's by default."""
    bias: bool = argument("bias", FlagType(), default=False)
    """Whether every matrix of an expert has a bias."""

    def output(self, *inputs: Shape) -> Shape:
        x = inputs[0]
        if self.gated and self.width is None:
            raise SpecError("CC408", "experts: gated needs width")
        require(less_equal(self.top, self.count), "CC410", "top = {} is more than the {} experts", self.top, self.count)
        for router in inputs[1:]:
            text = "experts: the router gives {}, which are not the scores of {} experts"
            require(equal(router.features, self.count), "CC405", text, router, self.count)
        return x.with_axis(-1, self._out(x))

    def _out(self, x: Shape) -> Number:
        return x.features if self.out_features is None else self.out_features

    def _matrices(self, x: Shape) -> dict[str, tuple[Number, Number]]:
        """Return the matrices of one expert: name → outputs and inputs."""
        if self.width is None:
            return {"": (self._out(x), x.features)}
        first = dict.fromkeys(("up", "gate") if self.gated else ("up",), (self.width, x.features))
        return {**first, "down": (self._out(x), self.width)}

    def weights(self, *inputs: Shape) -> dict[str, Shape]:
        weights: dict[str, Shape] = {}
        for name, (outputs, entering) in self._matrices(inputs[0]).items():
            dot = f"{name}." if name else ""
            weights[f"{dot}weight"] = Shape((self.count, outputs, entering))
            if self.bias:
                weights[f"{dot}bias"] = Shape((self.count, outputs))
        return weights

    def matrices(self, *inputs: Shape) -> list[Matrix]:
        return [Matrix(self.count * outputs, entering) for outputs, entering in self._matrices(inputs[0]).values()]

    def weights_read(self, batch: Number, *inputs: Shape) -> Number:
        """Those of the experts that rows reach: at most one for each row and choice, and at most all."""
        return at_most(batch * prod(inputs[0][:-1]) * self.top, self.count) * self._params_of_one(*inputs)

    def idle_params(self, *inputs: Shape) -> Number:
        return (self.count - self.top) * self._params_of_one(*inputs)

    def _params_of_one(self, *inputs: Shape) -> Number:
        return total(prod(shape[1:]) for shape in self.weights(*inputs).values())

    def products(self, *inputs: Shape) -> tuple[MatrixProduct, ...]:
        rows = prod(inputs[0][:-1]) * self.top
        return tuple(
            MatrixProduct(rows * outputs * entering, rows * outputs, 2 if name == "down" else 1, name=name)
            for name, (outputs, entering) in self._matrices(inputs[0]).items()
        )

    def mixed_axes(self, *inputs: Shape) -> frozenset[int]:
        return frozenset((inputs[0].rank - 1,))

    def attributes(self, *inputs: Shape) -> dict[str, Any]:
        sizes = {"in_features": inputs[0].features, "out_features": self._out(inputs[0])}
        return {**sizes, **{name: getattr(self, name) for name in ("count", "top", "width", "gated", "bias")}}
