"""Results of a check: claims, limits and findings, as values that formats show."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from convcalc.errors import Span, SpecError
from convcalc.records import NamedTuple

CountOrShape = int | tuple[int, ...]
"""A count, or a shape."""


class ClaimResult(NamedTuple):
    """Result of one claimed number: the published value and the computed one."""

    id: str
    """``claim:VARIANT:PATH:METRIC``, without the parts that the claim does not name."""
    design: str
    metric: str
    value: CountOrShape
    published: str
    """As the source prints it."""
    agrees: bool
    """Whether the value rounds or truncates to the printed digits; shapes must be equal."""
    expected_to_disagree: bool
    """Whether the claim has ``expect: disagrees``."""
    ratio: Fraction | None
    """The value as a share of the printed number, where that is not zero."""
    source: str
    quote: str
    reason: str
    span: Span
    original: str = ""
    """Where the claim does not hold: the bundled spec that makes it too, and that this spec differs from."""

    @property
    def as_expected(self) -> bool:
        """Whether the outcome is the expected one: the claim agrees, or is expected to disagree."""
        return self.agrees is not self.expected_to_disagree


class LayerMetricChange(NamedTuple):
    """A layer with a large share of a metric, or its change since the baseline."""

    path: str
    metric: str
    change: str = ""
    """grew, shrank, new, removed or moved; empty where it is unchanged or there is no baseline."""
    before: int | None = None
    """Its value in the baseline, if it changed."""
    after: int | None = None
    """Its value now, if it exists."""
    old_path: str = ""
    """The path in the baseline, if it was another."""


class Finding(NamedTuple):
    """A limit or claim that does not hold, with its place."""

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
    """Path of the layer or group; empty for the whole design."""
    value: int | Fraction | None = None
    limit: int | Fraction | None = None
    heaviest: tuple[LayerMetricChange, ...] = ()
    """The three layers with the largest values of the metric, or that grew most; none for a value below its limit."""
    rule: Span | None = None
    """The line of the budget."""

    @property
    def excess(self) -> int | Fraction | None:
        """How far the value is beyond the limit; negative where it is below a minimum."""
        return None if self.value is None or self.limit is None else self.value - self.limit


class LimitResult(NamedTuple):
    """Result of one limit for one design."""

    id: str
    design: str
    path: str
    metric: str
    """As written in the budget: ``params``, ``params%``, ``params/``."""
    rule: str
    """max, min, equals, growth or ratchet."""
    value: int | Fraction
    limit: int | Fraction
    holds: bool
    used: Fraction | None = None
    """The value as a share of the limit, where that is above zero."""
    under: str = ""
    """Conditions of the measurement: ``batch 8, int8, on h100-sxm``; empty for one sample in float32."""

    @property
    def metric_label(self) -> str:
        """The metric with the conditions of the measurement."""
        return f"{self.metric} ({self.under})" if self.under else self.metric


class DesignResult(NamedTuple):
    """One design that was checked."""

    design: str
    totals: dict[str, int]
    past: dict[str, int] | None = None
    """Its totals in the baseline; ``None`` without a baseline, or where the design is new."""
    changes: tuple[LayerMetricChange, ...] = ()
    """Its changed layers, the largest change first."""
    is_new: bool = False


class CheckResult(NamedTuple):
    """Result of a check of all designs."""

    files: int
    claims: Sequence[ClaimResult] = ()
    findings: Sequence[Finding] = ()
    errors: Sequence[SpecError] = ()
    """Errors of designs and budgets that could not be evaluated."""
    limits: Sequence[LimitResult] = ()
    designs: Sequence[DesignResult] = ()
    baseline: str = ""
    """In words; empty where none was needed."""
    notes: Sequence[str] = ()
    """Sentences for the reader: no budget file was found, designs that are new to the baseline."""
    failing_severities: tuple[str, ...] = ("error",)
    """The severities of findings that make the check fail."""
    open_report: Callable[[str], Any] | None = None
    """Returns the report of one of ``designs`` by its name, counted anew."""
