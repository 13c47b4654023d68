"""Gated recurrent unit."""

from __future__ import annotations

from convcalc.ops.kinds._recurrent import Recurrent
from convcalc.records import dataclass


@dataclass(frozen=True, slots=True)
class Gru(Recurrent):
    """Gated recurrent unit over a sequence; the last step is ``slice: {start: -1}``.

    Formula:
        Per stacked layer and direction: params = 3·(H·I + H·H + 2·H) (2·H with bias, or H with ``single_bias``);
        multiplies = steps·3·H·(I + H).
    Shapes:
        [steps, I] → [steps, H·directions].
    Source:
        Cho et al. 2014; PyTorch reference, torch.nn.GRU.
    Examples:
        gru: 20 on [7, 10] -> [7, 20]; 1920 params, 12600 multiplies
        gru: {hidden: 8, bias: false} on [5, 6] -> [5, 8]; 336 params, 1680 multiplies
        gru: {hidden: 8, single_bias: true} on [5, 6] -> [5, 8]; 360 params, 1680 multiplies
        gru: {hidden: 8, state: h} on x [5, 6], h [8] -> [5, 8]; 384 params, 1680 multiplies
    """

    kind = "gru"
    layer_arguments = ("state",)
    gates = 3
