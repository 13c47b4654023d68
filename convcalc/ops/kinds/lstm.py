"""Long short-term memory."""

from __future__ import annotations

from dataclasses import dataclass

from convcalc.ops.kinds._recurrent import Recurrent


@dataclass(frozen=True, slots=True)
class Lstm(Recurrent):
    """Long short-term memory over a sequence; the last step is ``slice: {start: -1}``.

    Formula:
        Per stacked layer and direction: params = 4·(H·I + H·H + 2·H) (the last term with bias: two, as PyTorch has);
        multiplies = steps·4·H·(I + H).
    Shapes:
        [steps, I] → [steps, H·directions].
    Source:
        Hochreiter & Schmidhuber 1997; PyTorch reference, torch.nn.LSTM.
    Examples:
        lstm: 20 on [7, 10] -> [7, 20]; 2560 params, 16800 multiplies
        lstm: {hidden: 8, layers: 2, bidirectional: true} on [5, 6] -> [5, 16]; 2688 params, 12160 multiplies
    """

    kind = "lstm"
    gates = 4
