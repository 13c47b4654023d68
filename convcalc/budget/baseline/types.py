"""What a baseline knows of designs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple, Protocol


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


class Baseline(Protocol):
    """Designs as they were."""

    label: str
    """In words: ``convcalc-baseline.json``, ``1a2b3c4 (merge-base with origin/main)``."""
    no_growth_reason: str
    """Why nothing can have grown since, in words; nothing where it can."""
    accepted: Iterable[AcceptedValue]

    def counts(self, design: str) -> DesignCounts | None:
        """Return what a design counted, or nothing where it is new.

        Args:
            design: its name relative to the budget file's folder, with ``/``: ``models/a.yaml@wide``.

        Raises:
            SpecErrors: where the baseline's own spec is broken or counts by another convention.
        """
