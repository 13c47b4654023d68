"""What a budget is judged on, and what comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import NamedTuple

from convcalc.budget.baseline.types import DesignCounts
from convcalc.budget.file.types import Budget
from convcalc.budget.select.parts import PartFinder
from convcalc.errors import SpecError
from convcalc.findings import Finding, LimitResult
from convcalc.report.measurements import Measurements

Size = int | Fraction


class Case(NamedTuple):
    """A budget with everything that it needs to know of one design."""

    budget: Budget
    measured: Measurements
    places: PartFinder
    against: Measurements | None = None
    """The design that ratios are to."""
    past: DesignCounts | None = None
    """What the design counted in the baseline; without it no growth is judged."""
    accepted: Mapping[str, int] = {}
    """By metric, values above what may be grown to that somebody took responsibility for."""


class Judged(NamedTuple):
    """What came of a case."""

    standings: list[LimitResult]
    findings: list[Finding]
    errors: list[SpecError]
