"""A whole check: designs × budgets × baseline, and the claims of the same specs, to one verdict."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date

from convcalc.budget.baseline.counts import count_graph
from convcalc.budget.baseline.session import BaselineSession
from convcalc.budget.baseline.types import DesignCounts
from convcalc.budget.check.coverage import designs_without_budget
from convcalc.budget.check.finding_text import BudgetOnDesign
from convcalc.budget.check.limits import evaluate, highest_use, loose_limit_findings
from convcalc.budget.check.waivers import apply_waivers
from convcalc.budget.diff.match_layers import metric_changes
from convcalc.budget.file.types import OFF, BaselineLocation, Budget, BudgetFile, LayerFilter
from convcalc.budget.select.parts import PartFinder
from convcalc.budget.select.plan import CheckPlan, FileToCheck, plan_check, unmatched_finding
from convcalc.budget.select.specs import CachedSpec, ReferenceDesigns, open_cached_spec
from convcalc.designs.claims import check_claims
from convcalc.designs.claims import claim_finding as claimed
from convcalc.designs.names import DesignName
from convcalc.designs.sources import NO_INPUTS, Code, Inputs
from convcalc.dtypes import unmatched_globs as unmatched_formats
from convcalc.errors import SpecError, SpecErrors, quoted
from convcalc.findings import CheckResult, ClaimResult, DesignResult, Finding, LimitResult
from convcalc.memory import paused
from convcalc.metrics.registry import core_metrics
from convcalc.records import NamedTuple
from convcalc.report.measurements import Measurements
from convcalc.report.metrics import is_additive
from convcalc.report.report import Report
from convcalc.spec.document.claims import Claim

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
    """Whether it is an error that there is nothing to compare with: the first commit, or HEAD held against itself."""
    inputs: Inputs = NO_INPUTS
    """Shapes in place of those of the designs, as text."""
    code: Code = None
    """How code of models is run, where it may be."""
    base: str | None = None
    """The branch to be merged into, for a baseline at the merge base; nothing for what CI or origin says."""


DEFAULT_OPTIONS = Options()


def check(
    file: BudgetFile | None,
    given: Sequence[str] | None = None,
    options: Options = DEFAULT_OPTIONS,
    advance: Callable[[Sequence[FileToCheck]], Iterable[FileToCheck]] = iter,
) -> CheckResult:
    """Judge budgets and claims. Whatever cannot be judged is an error of the verdict, and everything else is judged.

    Args:
        file: the budgets; nothing to judge claims alone.
        given: designs that the check is confined to, as they are named on a command line; ``None`` for all designs of
            all budgets.
        options: how it is made.
        advance: gives the files one after the other, as a progress bar does.
    """
    found = plan_check(file, given, options.command_line_budgets, options.libraries)
    run = _Checker(file, found, options, confined=given is not None)
    with paused():
        for wanted in advance(list(found.files.values())):
            run.check_file(wanted)
        return run.verdict()


class _Checker:
    """What one check knows and has found so far."""

    def __init__(self, file: BudgetFile | None, found: CheckPlan, options: Options, *, confined: bool) -> None:
        self.file = file
        self.scope = found
        self.options = options
        self.confined = confined
        self.places = PartFinder()
        self.others = ReferenceDesigns(found.folder, self._open)
        location = options.baseline or (file.baseline if file else None)
        self.history = BaselineSession(
            location, found.folder, options.libraries, options.require_baseline, options.base
        )
        self.budgets_with_layers: set[str] = set()
        """Budgets with a layer or group in any design."""
        self.unused_dtype_globs: dict[str, list[str]] = {}
        """Of every budget that was judged on a design, the globs of its number formats that no layer has fitted."""
        self.judgements: list[ClaimResult] = []
        self.findings: list[Finding] = []
        self.errors: list[SpecError] = [*found.errors]
        self.standings: list[LimitResult] = []
        self.outcomes: list[DesignResult] = []
        self.checked: dict[str, tuple[FileToCheck, DesignName]] = {}
        """Where the designs under budgets are, by their names."""

    def check_file(self, wanted: FileToCheck) -> None:
        """Judge a file's claims, and each of its designs by its budgets."""
        try:
            spec = self._open(wanted.name, wanted.path)
        except SpecErrors as faults:
            self.errors += faults.errors
            return
        for choice in {**dict.fromkeys(wanted.requested), **wanted.budgets}:
            if spec.variants or not choice.is_whole_file:  # else it is a library of blocks
                self._check_design(spec, wanted, choice)
        judged, errors = check_claims(spec, _requested_claims(wanted, spec.document.claims))
        self.judgements += judged
        self.errors += errors
        self.findings += [claimed(each) for each in judged if not each.as_expected]

    def _open(self, name: str, path: str) -> CachedSpec:
        options = self.options
        return open_cached_spec(name, path, options.libraries, options.inputs, options.code)

    def _check_design(self, spec: CachedSpec, wanted: FileToCheck, design: DesignName) -> None:
        budgets = wanted.budgets.get(design, ())
        try:
            measured = spec.measured_design(design.variant, design.part)
        except SpecErrors as faults:
            self.errors += faults.errors
            return
        if not budgets:
            return
        self.checked[measured.design] = wanted, design
        past, is_new = self._baseline_counts(measured.design, budgets)
        for budget in budgets:
            self._judge(budget, measured, past, spec)
        self.outcomes.append(_design_result(measured, past, budgets, is_new=is_new))

    def _baseline_counts(self, design: str, budgets: Sequence[Budget]) -> tuple[DesignCounts | None, bool]:
        """Return what a design was, where a rule needs it or the command line asks for it."""
        rules = [rule for budget in budgets for rule in budget.growth]
        if not rules and self.options.baseline is None:
            return None, False
        return self.history.counts(design, rules[0].span if rules else None)

    def _judge(self, budget: Budget, measured: Measurements, past: DesignCounts | None, spec: CachedSpec) -> None:
        try:
            against = self.others.get(budget, spec)
        except SpecErrors as faults:
            self.errors += faults.errors
            return
        accepted: Mapping[str, int] = {}
        if past and budget.growth:
            self.history.note_newer_metrics(budget, past)
            accepted = self.history.accepted_values(budget, measured.design, past.old_name)
        judged = evaluate(BudgetOnDesign(budget, measured, self.places, against, past, accepted))
        if self.places.parts(budget, measured):
            self.budgets_with_layers.add(budget.id)
        idle = self.unused_dtype_globs.setdefault(budget.id, unmatched_formats(budget.conditions.dtype, ()))
        if idle:
            unmatched = unmatched_formats(budget.conditions.dtype, [path for path, _ in measured.layer_kinds])
            self.unused_dtype_globs[budget.id] = [glob for glob in unmatched if glob in idle]
        self.standings += judged.standings
        self.findings += judged.findings
        self.errors += judged.errors

    def report(self, name: str) -> Report:
        """Count a design under budgets again, by its name, with every layer."""
        wanted, design = self.checked[name]
        spec = open_cached_spec(
            wanted.name, wanted.path, self.options.libraries, self.options.inputs, self.options.code
        )  # fmt: skip
        return spec.expand(design.variant, design.part).report(extra=["peak"])

    # --- at the end ---------------------------------------------------------------------------------------------------

    def verdict(self) -> CheckResult:
        """Return everything, with what can be told only when all designs have been seen."""
        findings = [*self.findings, *self.scope.findings, *(() if self.confined else self._ineffective_rules())]
        if self.options.require_coverage:
            findings += designs_without_budget(self.file, self.scope, confined=self.confined)
        if self.file is not None:
            among = [outcome.design for outcome in self.outcomes] if self.confined else None
            findings = apply_waivers(self.file.waivers, findings, self.options.today or date.today(), among)
        return CheckResult(
            files=len(self.scope.files),
            claims=self.judgements,
            findings=findings,
            errors=list(_deduplicated([*self.errors, *self.history.errors])),
            limits=self.standings,
            designs=self.outcomes,
            baseline=self.history.label,
            notes=[*self.history.notes, *self._unused_dtype_notes()],
            open_report=self.report,
        )

    def _unused_dtype_notes(self) -> Iterator[str]:
        """Give a note for every number format that was meant for layers, and for which there are none."""
        for id_, globs in self.unused_dtype_globs.items():
            for glob in globs:
                yield f"{quoted(glob)} of the number formats of {id_} fits no layer of the designs that were checked"

    def _ineffective_rules(self) -> Iterator[Finding]:
        """Give what guards nothing: layers that are in no design, limits that nothing comes near."""
        budgets = self.file.budgets if self.file else ()
        for budget in budgets:
            if budget.unmatched != OFF and budget.layers is not None and budget.id in self.unused_dtype_globs:
                yield from self._without_layers(budget, budget.layers)
        if not self.errors:
            yield from loose_limit_findings(budgets, highest_use(self.standings))

    def _without_layers(self, budget: Budget, layers: LayerFilter) -> Iterator[Finding]:
        if budget.id not in self.budgets_with_layers:
            yield unmatched_finding(budget, layers.span, f"the layers of the budget {budget.id} are in no design")
            return
        for pattern in layers.path_globs:
            if not pattern.is_exclusion and not self.places.was_matched(pattern):
                text = f"{quoted(pattern.text)} of the budget {budget.id} matches no layer"
                yield unmatched_finding(budget, pattern.span, text)


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


def _deduplicated(errors: Iterable[SpecError]) -> Iterator[SpecError]:
    """Give every error once, however many designs and rules met with it."""
    seen: set[tuple[object, ...]] = set()
    for error in errors:
        key = (*error.sort_key, error.code, error.text)
        if key not in seen:
            seen.add(key)
            yield error
