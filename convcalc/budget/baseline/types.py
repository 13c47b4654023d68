"""What a baseline knows of designs."""

from __future__ import annotations

from collections.abc import Mapping

from convcalc.records import NamedTuple


class DesignCounts(NamedTuple):
    """What one design counted in the baseline."""

    totals: Mapping[str, int]
    """By metric."""
    layers: Mapping[str, Mapping[str, int]]
    """Path of every layer that counts anything → metric → value, additive metrics alone, zeros left out."""
    old_name: str = ""
    """How the baseline calls it, where that is another name: the file was renamed since."""


class AcceptedValue(NamedTuple):
    """A value above the limit that somebody took responsibility for."""

    budget: str
    design: str
    metric: str
    value: int
    reason: str
