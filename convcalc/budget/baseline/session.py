"""The baseline as a check uses it: opened when a rule first needs it, its faults gathered, what is new noted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from convcalc.budget.baseline.file import DEFAULT_NAME, MISSING, DesignCounts
from convcalc.budget.baseline.sources import Baseline, open_baseline
from convcalc.budget.file.types import BaselineLocation, Budget
from convcalc.errors import Span, SpecError, SpecErrors, quoted
from convcalc.git.repository import NAME_REVISION_HINT, UNKNOWN
from convcalc.records import cached_property, dataclass, field

if TYPE_CHECKING:
    from convcalc.result_cache import ResultCache

MAX_NAMES_IN_NOTE = 3
"""Designs that a note names; of more, it tells how many."""


@dataclass
class BaselineSession:
    """What designs were."""

    location: BaselineLocation | None
    folder: str
    libraries: Sequence[str]
    is_required: bool = False
    """Whether it is an error that nothing can have grown since."""
    base: str | None = None
    cache: ResultCache | None = None
    errors: list[SpecError] = field(default_factory=list)
    label: str = ""
    _no_growth_reason: str = ""
    _new_designs: list[str] = field(default_factory=list)
    _renamed_designs: list[tuple[str, str]] = field(default_factory=list)
    _first_rule: Span | None = None
    _newer_metrics: dict[str, None] = field(default_factory=dict)

    def counts(self, design: str, needed: Span | None) -> tuple[DesignCounts | None, bool]:
        """Return what a design counted, and whether it is new to the baseline.

        Neither is known where the baseline cannot be read; its errors then stand with this object.

        Args:
            design: its name in budgets.
            needed: the rule that needs to know.
        """
        self._first_rule = self._first_rule or needed
        if self._baseline is None:
            return None, False
        try:
            past = self._baseline.counts(design)
        except SpecErrors as errors:
            self.errors += errors.errors
            return None, False
        if past is None:
            self._new_designs += [] if self._no_growth_reason else [design]
        elif past.old_name and past.old_name != design:
            self._renamed_designs.append((design, past.old_name))
        return past, past is None

    def note_newer_metrics(self, budget: Budget, past: DesignCounts) -> None:
        """Note metrics that a budget has rules of growth for, and that the baseline of a design does not have."""
        keys = [rule.metric.key for rule in budget.growth]
        self._newer_metrics.update(dict.fromkeys(key for key in keys if key not in past.totals))

    def accepted_values(self, budget: Budget, design: str, old_name: str) -> Mapping[str, int]:
        """Return the values that somebody took responsibility for, by metric, also under the name before a rename."""
        names = (old_name, design)
        return {metric: value for name in names for metric, value in self._accepted.get((budget.id, name), {}).items()}

    @cached_property
    def _baseline(self) -> Baseline | None:
        try:
            if self.location is None:
                raise SpecErrors([_no_baseline_error(self._first_rule)])
            baseline = open_baseline(
                self.location, self.folder, base=self.base, libraries=self.libraries, cache=self.cache
            )
        except SpecErrors as errors:
            self.errors += errors.errors
            return None
        if self.is_required and baseline.no_growth_reason:
            place = self.location.span or self._first_rule
            self.errors.append(SpecError(UNKNOWN, baseline.no_growth_reason, place, NAME_REVISION_HINT))
        self.label, self._no_growth_reason = baseline.label, baseline.no_growth_reason
        return baseline

    @cached_property
    def _accepted(self) -> dict[tuple[str, str], dict[str, int]]:
        found: dict[tuple[str, str], dict[str, int]] = {}
        for entry in self._baseline.accepted if self._baseline else ():
            values = found.setdefault((entry.budget, entry.design), {})
            values[entry.metric] = max(entry.value, values.get(entry.metric, 0))
        return found

    @property
    def notes(self) -> list[str]:
        """What a reader should know of designs that are not judged by what they were, or by another name."""
        found = [f"{self._no_growth_reason}; growth is not judged"] if self._no_growth_reason else []
        if len(self._new_designs) == 1:
            found.append(f"{self._new_designs[0]} is new to the baseline: rules of growth skip it")
        elif self._new_designs:
            more = len(self._new_designs) - MAX_NAMES_IN_NOTE
            names = ", ".join(self._new_designs[:MAX_NAMES_IN_NOTE]) + (f" and {more:,} more" if more > 0 else "")
            many = f"{len(self._new_designs):,} designs"
            found.append(f"{many} are new to the baseline, and rules of growth skip them: {names}")
        if self._newer_metrics:
            names = ", ".join(self._newer_metrics)
            until = "rules of growth skip these until `convcalc baseline write`"
            found.append(f"the baseline is older than {names}: {until}")
        return found + [f"{new} was {old} in the baseline" for new, old in self._renamed_designs]


def _no_baseline_error(needed: Span | None) -> SpecError:
    text = "this rule needs a baseline, and the budget file names none"
    file = f"{{file: {DEFAULT_NAME}}}"
    hint = f"add `baseline: {{git: merge-base}}`; or add {quoted(f'baseline: {file}')} and run: convcalc baseline write"
    return SpecError(MISSING, text, needed, hint)
