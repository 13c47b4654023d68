"""Learned scaling."""

from __future__ import annotations

from convcalc.ops.arguments import AxesType, ChoiceType, argument
from convcalc.ops.op import Op
from convcalc.records import dataclass
from convcalc.shapes import Shape


@dataclass(frozen=True, slots=True)
class Scale(Op):
    """Learned scale: one factor per channel (layer scale) or one for all.

    Formula:
        params = size of the axis, or 1. Elementwise: no multiplies counted.
    Shapes:
        Unchanged.
    Source:
        Touvron et al., Going deeper with Image Transformers, section 2 (LayerScale).
    Examples:
        scale: channel on [96, 56, 56] -> [96, 56, 56]; 96 params, 0 multiplies
        scale: {per: channel, axis: -1} on [197, 384] -> [197, 384]; 384 params, 0 multiplies
        scale: scalar on [8, 4] -> [8, 4]; 1 params, 0 multiplies
    """

    kind = "scale"
    source_form = "operator"

    per: str = argument("per", ChoiceType(("channel", "scalar")), positional=True, default="channel")
    """``channel`` or ``scalar``."""
    axis: int = argument("axis", AxesType(), default=0)
    """The axis of the channels: 0, or -1 for tokens."""

    def output(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        x.axis(self.axis)
        return x

    def weights(self, *inputs: Shape) -> dict[str, Shape]:
        (x,) = inputs
        return {"weight": Shape((x[self.axis],) if self.per == "channel" else (1,))}
