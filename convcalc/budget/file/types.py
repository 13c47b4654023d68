"""What a budget file says, once it has been read: plain frozen data."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

from convcalc.errors import Source, Span
from convcalc.records import NamedTuple
from convcalc.report.measurements import DEFAULT_CONDITIONS, Conditions

SEVERITIES = ("error", "warning", "note")
OFF = "off"
GRANULARITIES = ("total", "layer", "group")
SHARE_SUFFIX, RATIO_SUFFIX = "%", "/"
"""What may follow a metric: its share of the design's total, its ratio to the design it is compared with."""


class Pattern(NamedTuple):
    """A glob as it stands in the file, without its ``!``."""

    text: str
    span: Span
    is_exclusion: bool = False


class LimitedMetric(NamedTuple):
    """What is limited: ``params``, ``params%`` or ``params/``."""

    key: str
    suffix: str
    """Nothing, ``SHARE_SUFFIX`` or ``RATIO_SUFFIX``."""

    @property
    def label(self) -> str:
        return f"{self.key}{self.suffix}"


class Limit(NamedTuple):
    """One bound of ``max``, ``min`` or ``equals``."""

    metric: LimitedMetric
    value: Fraction
    """Exact: 25M is 25000000, 40% is 2/5, a ratio of 0.45 is 9/20, 22MiB is 23068672."""
    text: str
    span: Span
    """Of the value in the budget file."""


class GrowthLimit(NamedTuple):
    """How far one metric may grow: by a share of what it was or an amount, and to a floor in any case."""

    rule: str
    """``growth`` or ``ratchet``."""
    metric: LimitedMetric
    share: Fraction
    """+1% is 1/100."""
    amount: Fraction
    floor: Fraction
    text: str
    """In words, for findings."""
    span: Span

    def limit(self, before: int) -> int:
        """Return max(before·(1 + share), before + amount, floor), rounded down: what counts is whole."""
        limit = max(before * (1 + self.share), before + self.amount, self.floor)
        return limit.numerator // limit.denominator


class LayerFilter(NamedTuple):
    """Which layers a budget is about: globs over dotted paths, and kinds of layers."""

    path_globs: tuple[Pattern, ...]
    """Nothing means every path."""
    kinds: tuple[str, ...]
    """Nothing means every kind."""
    span: Span


class ReferenceDesign(NamedTuple):
    """The design that ratios are to."""

    design: str
    span: Span


class Budget(NamedTuple):
    """One entry of ``budgets``."""

    id: str
    span: Span
    designs: tuple[Pattern, ...]
    layers: LayerFilter | None = None
    per: str = "total"
    max: tuple[Limit, ...] = ()
    min: tuple[Limit, ...] = ()
    equals: tuple[Limit, ...] = ()
    growth: tuple[GrowthLimit, ...] = ()
    """Of ``growth``, then of ``ratchet``."""
    against: ReferenceDesign | None = None
    conditions: Conditions = DEFAULT_CONDITIONS
    """Those of ``max``, ``min`` and ``equals``."""
    severity: str = "error"
    unmatched: str = "error"
    """Severity of a budget that matches nothing; ``OFF`` for none."""
    loose_below: Fraction | None = None
    """A limit of which less than this share is used is noted as loose."""

    @property
    def ratchets(self) -> tuple[GrowthLimit, ...]:
        return tuple(limit for limit in self.growth if limit.rule == "ratchet")


class Waiver(NamedTuple):
    """A budget that a design may break until a day, that day included."""

    budget: str
    design: Pattern
    until: date
    reason: str
    span: Span


class BaselineLocation(NamedTuple):
    """Where the baseline is: ``git`` with a revision or ``merge-base``, or ``file`` with a path."""

    kind: str
    value: str
    span: Span | None


class BudgetFile(NamedTuple):
    """A whole budget file."""

    source: Source
    folder: str
    """Absolute; globs and paths in the file are relative to it."""
    budgets: tuple[Budget, ...]
    waivers: tuple[Waiver, ...] = ()
    baseline: BaselineLocation | None = None
    note: str = ""
