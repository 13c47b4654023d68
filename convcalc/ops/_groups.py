"""What layers that split their channels into groups share."""

from __future__ import annotations

from convcalc.arith import Number, divides, require


def require_groups(groups: Number, channels: Number, which: str = "channels") -> None:
    """Demand that the groups are of equal size."""
    require(divides(groups, channels), "CC404", f"groups = {{}} does not divide the {{}} {which}", groups, channels)
