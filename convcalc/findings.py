"""What a check finds: the verdict between what judges designs and what shows it."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from convcalc.errors import Span, SpecError

Value = int | tuple[int, ...]
"""A count, or a shape."""


class ClaimResult(NamedTuple):
    """One number of one claim beside what the arithmetic gives."""

    id: str
    """``claim:VARIANT:PATH:METRIC``; what a claim does not name is left out."""
    design: str
    metric: str
    value: Value
    printed: str
    """As the source prints it."""
    agrees: bool
    """Whether the value rounds or truncates to the printed digits; a shape is the same or not."""
    expected_to_disagree: bool
    """Whether the claim says of itself that it disagrees."""
    ratio: Fraction | None
    """The value as a share of the printed number, where that is not zero."""
    source: str
    quote: str
    reason: str
    span: Span
    original: str = ""
    """Where the claim does not hold: the bundled spec that makes it too, and that this spec differs from."""

    @property
    def holds(self) -> bool:
        """Whether the claim is what it says of itself: it agrees, or is known not to."""
        return self.agrees is not self.expected_to_disagree


class LayerMetricChange(NamedTuple):
    """A layer that weighs much in a metric, or what became of it since the baseline."""

    path: str
    metric: str
    change: str = ""
    """grew, shrank, new, removed or moved; nothing where it is as it was, or there is nothing to compare with."""
    before: int | None = None
    """What it was in the baseline, where it was there and has changed."""
    after: int | None = None
    """What it counts now, where it is there."""
    old_path: str = ""
    """The path before, where it was another."""


class Finding(NamedTuple):
    """Something that a check does not let pass, with the place to look at."""

    id: str
    """Of the budget or the claim."""
    code: str
    severity: str
    """error, warning or note; ``waived`` where a waiver covers it."""
    design: str
    metric: str
    text: str
    """One sentence with both numbers."""
    span: Span | None
    """The place in the spec."""
    hint: str = ""
    path: str = ""
    """The layer or group of layers that is meant; nothing for the whole design."""
    value: int | Fraction | None = None
    limit: int | Fraction | None = None
    heaviest: tuple[LayerMetricChange, ...] = ()
    """The three layers that weigh most in the metric, or that grew most."""
    rule: Span | None = None
    """The line of the budget."""

    @property
    def excess(self) -> int | Fraction | None:
        """How far the value is beyond the limit; negative where it is below a minimum."""
        return None if self.value is None or self.limit is None else self.value - self.limit


class LimitResult(NamedTuple):
    """Where one design stands under one limit, kept or broken."""

    id: str
    design: str
    path: str
    metric: str
    """As the budget writes it: ``params``, ``params%``, ``params/``."""
    rule: str
    """max, min, equals, growth or ratchet."""
    value: int | Fraction
    limit: int | Fraction
    holds: bool
    used: Fraction | None = None
    """The value as a share of the limit, where that is above zero."""
    under: str = ""
    """``batch 8, int8, on h100-sxm``: what it is measured for; nothing for one sample in float32."""

    @property
    def metric_label(self) -> str:
        """The metric with what it is measured for."""
        return f"{self.metric} ({self.under})" if self.under else self.metric


class DesignResult(NamedTuple):
    """One design that was checked."""

    design: str
    totals: dict[str, int]
    past: dict[str, int] | None = None
    """Its totals in the baseline; nothing where there is none, or where the design is new to it."""
    changes: tuple[LayerMetricChange, ...] = ()
    """Its layers that changed, most first."""
    is_new: bool = False


class Verdict(NamedTuple):
    """What a check says of all that it was given."""

    files: int
    judgements: Sequence[ClaimResult] = ()
    findings: Sequence[Finding] = ()
    errors: Sequence[SpecError] = ()
    """Why something could not be judged."""
    standings: Sequence[LimitResult] = ()
    outcomes: Sequence[DesignResult] = ()
    baseline: str = ""
    """In words; nothing where none was needed."""
    notes: Sequence[str] = ()
    """What a reader should know: no budget file was found, designs that are new to the baseline."""
    failing_severities: tuple[str, ...] = ("error",)
    """The severities of findings that make the check fail."""
