"""One file of a check: its claims judged, and each of its designs by its budgets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import chain
from typing import TYPE_CHECKING

from convcalc.budget.baseline.file import DesignCounts, count_graph
from convcalc.budget.baseline.session import BaselineSession
from convcalc.budget.check.file_verdict import Verdict, digest
from convcalc.budget.check.finding_text import BudgetOnDesign
from convcalc.budget.check.limits import evaluate
from convcalc.budget.diff.layers import metric_changes
from convcalc.budget.file.types import BaselineLocation, Budget
from convcalc.budget.select.match_designs import PartFinder
from convcalc.budget.select.plan import CachedSpec, FileToCheck, ReferenceDesigns, open_cached_spec
from convcalc.designs.claims import check_claims
from convcalc.designs.claims import claim_finding as claimed
from convcalc.designs.imports import Imports, imports_of
from convcalc.designs.names import DesignName, parse_pattern
from convcalc.designs.sources import NO_INPUTS, Code, Inputs
from convcalc.dtypes import unmatched_globs as unmatched_formats
from convcalc.errors import SpecErrors
from convcalc.findings import DesignResult
from convcalc.metrics.registry import core_metrics
from convcalc.records import NamedTuple
from convcalc.report.measurements import Measurements
from convcalc.report.metrics import is_additive
from convcalc.spec.document.claims import Claim

if TYPE_CHECKING:
    from convcalc.result_cache import ResultCache

SUMMARY_METRICS = ("params", "macs")
"""What is told of every design's changes, beside what its budgets limit."""


class Options(NamedTuple):
    """How a check is made."""

    baseline: BaselineLocation | None = None
    """Goes before that of the budget file, and is looked at for every design under a budget."""
    command_line_budgets: tuple[Budget, ...] = ()
    """Budgets that every given design is under."""
    require_coverage: bool = False
    """Whether a design under no budget is a finding."""
    libraries: tuple[str, ...] = ()
    """Folders that specs may import from."""
    today: date | None = None
    """The day by which waivers are judged; nothing for the present one."""
    require_baseline: bool = False
    """Whether it is an error that there is nothing to compare with: the first commit, or HEAD compared with itself."""
    inputs: Inputs = NO_INPUTS
    """Shapes in place of those of the designs, as text."""
    code: Code = None
    """How code of models is run, where it may be."""
    base: str | None = None
    """The branch to be merged into, for a baseline at the merge base; nothing for what CI or origin says."""
    cache: ResultCache | None = None
    """Has the verdicts on files of earlier checks, and takes those of this one."""


class FileJudge:
    """Judges files one after the other."""

    def __init__(self, options: Options, folder: str, history: BaselineSession) -> None:
        self.options = options
        self.history = history
        self.places = PartFinder()
        self.others = ReferenceDesigns(folder, self._open)
        self._past: dict[str, tuple[DesignCounts | None, bool]] = {}
        self._read: dict[str, Imports | None] = {}
        """What was read of the files that were opened, by their names."""

    def judge(self, wanted: FileToCheck) -> Verdict:
        """Judge a file's claims, and each of its designs by its budgets."""
        found = Verdict()
        self.places.matched = set()
        try:
            spec = self._open(wanted.name, wanted.path)
        except SpecErrors as faults:
            found.errors += faults.errors
            return found
        found.depends_on.append(imports_of(spec.files))
        for choice in {**dict.fromkeys(wanted.requested), **wanted.budgets}:
            if spec.variants or not choice.is_whole_file:  # else it is a library of blocks
                self._check_design(spec, wanted, choice, found)
        judged, errors = check_claims(spec, _requested_claims(wanted, spec.document.claims))
        found.claims += judged
        found.errors += errors
        found.findings += [claimed(each) for each in judged if not each.as_expected]
        found.matched_globs += self._matched_globs(chain(*wanted.budgets.values()))
        return found

    def _matched_globs(self, budgets: Iterable[Budget]) -> Iterator[tuple[str, int]]:
        """Give the globs of layers that have matched any of a file."""
        for budget in budgets:
            for at, pattern in enumerate(budget.layers.path_globs if budget.layers else ()):
                if id(pattern) in self.places.matched:
                    yield budget.id, at

    def _open(self, name: str, path: str) -> CachedSpec:
        options = self.options
        spec = open_cached_spec(name, path, options.libraries, options.inputs, options.code)
        self._read[name] = imports_of(spec.files, with_root=True)
        return spec

    def _check_design(self, spec: CachedSpec, wanted: FileToCheck, design: DesignName, found: Verdict) -> None:
        budgets = wanted.budgets.get(design, ())
        try:
            measured = spec.measured_design(design.variant, design.part)
        except SpecErrors as faults:
            found.errors += faults.errors
            return
        if not budgets:
            return
        found.measured.append((measured.design, list(wanted.budgets).index(design)))
        past, is_new = self._baseline_counts(measured.design, budgets)
        for budget in budgets:
            self._judge(budget, measured, past, spec, found)
        found.designs.append(_design_result(measured, past, budgets, is_new=is_new))

    def _baseline_counts(self, design: str, budgets: Sequence[Budget]) -> tuple[DesignCounts | None, bool]:
        """Return what a design was, where a rule needs it or the command line asks for it."""
        rules = [rule for budget in budgets for rule in budget.growth]
        if not rules and self.options.baseline is None:
            return None, False
        if design not in self._past:
            self._past[design] = self.history.counts(design, rules[0].span if rules else None)
        past, is_new = self._past[design]
        if past is not None:
            for budget in budgets:
                self.history.note_newer_metrics(budget, past)
        return past, is_new

    def _accepted(self, budget: Budget, design: str, past: DesignCounts | None) -> Mapping[str, int]:
        return self.history.accepted_values(budget, design, past.old_name) if past and budget.growth else {}

    def _judge(
        self, budget: Budget, measured: Measurements, past: DesignCounts | None, spec: CachedSpec, found: Verdict
    ) -> None:
        try:
            against = self.others.get(budget, spec)
        except SpecErrors as faults:
            found.errors += faults.errors
            return
        if budget.against and (other := parse_pattern(budget.against.design).file) != spec.file:
            found.depends_on.append(self._read.get(other))
        accepted = self._accepted(budget, measured.design, past)
        judged = evaluate(BudgetOnDesign(budget, measured, self.places, against, past, accepted))
        if self.places.parts(budget, measured):
            judged.budgets_with_layers.append(budget.id)
        paths = [path for path, _ in measured.layer_kinds]
        judged.unused_dtype_globs[budget.id] = unmatched_formats(budget.conditions.dtype, paths)
        found.add(judged)

    def past_of(self, wanted: FileToCheck, verdict: Verdict) -> list[str]:
        """Return digests of what the designs of a file were in the baseline, and of what was accepted of them."""
        digests = []
        for design, at in verdict.measured:
            budgets = list(wanted.budgets.values())[at]
            past, is_new = self._baseline_counts(design, budgets)
            accepted = [self._accepted(budget, design, past) for budget in budgets]
            digests.append(digest(past, is_new, accepted))
        return digests


def _requested_claims(wanted: FileToCheck, claims: Iterable[Claim]) -> Iterator[Claim]:
    """Give the claims that are about what was asked for: those of its variant, at its part or below."""
    requests = [(design.variant, design.part) for design in wanted.requested] or [(None, None)]
    for claim in claims:
        at = f"{claim.texts.get('at', '')}."
        if any(
            variant in (None, claim.texts.get("variant")) and at.startswith(f"{part or at[:-1]}.")
            for variant, part in requests
        ):
            yield claim


def _design_result(
    measured: Measurements, past: DesignCounts | None, budgets: Sequence[Budget], *, is_new: bool
) -> DesignResult:
    totals = measured.totals()
    if past is None:
        return DesignResult(measured.design, totals, is_new=is_new)
    limited = {*SUMMARY_METRICS}
    for budget in budgets:
        limited |= {rule.metric.key for rules in (budget.max, budget.min, budget.equals) for rule in rules}
        limited |= {rule.metric.key for rule in budget.growth}
    keys = [key for key in core_metrics() if key in limited and is_additive(key)]
    known = [key for key in keys if key in past.totals]
    changes = metric_changes(past, count_graph(measured.graph, past.totals), known)
    return DesignResult(measured.design, totals, dict(past.totals), changes)
