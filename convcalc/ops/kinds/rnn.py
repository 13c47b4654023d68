"""Plain recurrent layer."""

from __future__ import annotations

from convcalc.ops.kinds._recurrent import Recurrent
from convcalc.records import dataclass


@dataclass(frozen=True, slots=True)
class Rnn(Recurrent):
    """Plain recurrent layer over a sequence; the last step is ``slice: {start: -1}``.

    Formula:
        Per stacked layer and direction: params = 1·(H·I + H·H + 2·H) (2·H with bias, or H with ``single_bias``);
        multiplies = steps·1·H·(I + H).
    Shapes:
        [steps, I] → [steps, H·directions].
    Source:
        Elman 1990; PyTorch reference, torch.nn.RNN.
    Examples:
        rnn: 20 on [7, 10] -> [7, 20]; 640 params, 4200 multiplies
        rnn: [8, 2] on [5, 6] -> [5, 8]; 272 params, 1200 multiplies
    """

    kind = "rnn"
    layer_arguments = ("state",)
    gates = 1
