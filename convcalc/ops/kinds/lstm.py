"""Long short-term memory."""

from __future__ import annotations

from convcalc.arith import Number, less_equal
from convcalc.ops.arguments import FlagType, SizeType, argument
from convcalc.ops.kinds._recurrent import Recurrent
from convcalc.ops.op import MatrixProduct
from convcalc.records import dataclass
from convcalc.shapes import Shape


@dataclass(frozen=True, slots=True)
class Lstm(Recurrent):
    """Long short-term memory over a sequence; the last step is ``slice: {start: -1}``.

    Formula:
        Per stacked layer and direction, with R features of the state, which are H or ``proj_size``: params =
        4·(H·I + H·R + 2·H) + R·H + 3·H (2·H with bias, or H with ``single_bias``; R·H with ``proj_size``; 3·H with
        ``peepholes``); multiplies = steps·(4·H·(I + R) + R·H).
    Shapes:
        [steps, I] → [steps, R·directions].
    Source:
        Hochreiter & Schmidhuber 1997; Gers & Schmidhuber 2000 for peepholes; Sak et al. 2014 for the projection;
        PyTorch reference, torch.nn.LSTM.
    Examples:
        lstm: 20 on [7, 10] -> [7, 20]; 2560 params, 16800 multiplies
        lstm: {hidden: 8, layers: 2, bidirectional: true} on [5, 6] -> [5, 16]; 2688 params, 12160 multiplies
        lstm: {hidden: 8, layers: 2, proj_size: 3} on [5, 6] -> [5, 3]; 656 params, 2640 multiplies
        lstm: {hidden: 8, peepholes: true} on [5, 6] -> [5, 8]; 536 params, 2240 multiplies
        lstm: {hidden: 8, single_bias: true} on [5, 6] -> [5, 8]; 480 params, 2240 multiplies
        lstm: {hidden: 8, state: h, cell: c} on x [5, 6], h [8], c [8] -> [5, 8]; 512 params, 2240 multiplies
    """

    kind = "lstm"
    layer_arguments = ("state", "cell")
    gates = 4

    proj_size: Number | None = argument("proj_size", SizeType(), default=None)
    """Features that the state is projected to after every step."""
    peepholes: bool = argument("peepholes", FlagType(), default=False)
    """Whether three of the gates see the cell, element by element, as in ONNX."""

    @property
    def state_size(self) -> Number:
        return self.hidden_size if self.proj_size is None else self.proj_size

    def weights(self, *inputs: Shape) -> dict[str, Shape]:
        weights = Recurrent.weights(self, *inputs)
        for layer, direction, _ in self._iter_cells(inputs[0]):
            if self.proj_size is not None:
                weights[f"{direction}{layer}.projection"] = Shape((self.proj_size, self.hidden_size))
            if self.peepholes:
                weights[f"{direction}{layer}.peepholes"] = Shape((3, self.hidden_size))
        return weights

    def products(self, *inputs: Shape) -> tuple[MatrixProduct, ...]:
        products = Recurrent.products(self, *inputs)
        if self.proj_size is None:
            return products
        outputs = inputs[0][0] * self.proj_size
        multiplies = outputs * self.hidden_size
        return products + tuple(
            cell._replace(multiplies=multiplies, outputs=outputs, name=f"{cell.name}.projection") for cell in products
        )

    def pytorch_refusal(self, via: str, *inputs: Shape) -> str:
        if self.proj_size is None or less_equal(self.hidden_size, self.proj_size) is not True:
            return ""
        return f"a projection to {self.proj_size} features is no smaller than the hidden size {self.hidden_size}"
