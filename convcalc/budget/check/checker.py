"""A whole check: designs × budgets × baseline, and the claims of the same specs, to one verdict."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from datetime import date

from convcalc.budget.baseline.session import BaselineSession
from convcalc.budget.check.file_judge import FileJudge, Options
from convcalc.budget.check.file_verdict import StoredVerdicts, Verdict
from convcalc.budget.check.whole_check import apply_waivers, designs_without_budget, loose_limits
from convcalc.budget.file.types import OFF, Budget, BudgetFile, LayerFilter
from convcalc.budget.select.plan import CheckPlan, FileToCheck, open_cached_spec, plan_check, unmatched_finding
from convcalc.designs.names import DesignName
from convcalc.errors import SpecError, quoted
from convcalc.findings import CheckResult, Finding
from convcalc.memory import paused
from convcalc.report.report import Report

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
        location = options.baseline or (file.baseline if file else None)
        self.history = BaselineSession(
            location, found.folder, options.libraries, options.require_baseline, options.base, options.cache
        )
        self.judge = FileJudge(options, found.folder, self.history)
        self.stored: StoredVerdicts | None = None
        if options.cache is not None:
            inputs = sorted(options.inputs.items())
            conditions = tuple(options.libraries), inputs, options.baseline is None, options.code is None
            self.stored = StoredVerdicts(options.cache, conditions, file and file.source)
        self.found = Verdict(errors=[*found.errors])
        """In all files so far."""
        self.checked: dict[str, tuple[FileToCheck, DesignName]] = {}
        """Where the designs under budgets are, by their names."""

    def check_file(self, wanted: FileToCheck) -> None:
        """Judge a file, or take the verdict on it that was kept, and add it to what has been found."""
        place = self.stored.address(wanted) if self.stored else None
        verdict = self.stored.get(*place) if self.stored and place else None
        if verdict is None or self.judge.past_of(wanted, verdict) != verdict.past:
            verdict = self.judge.judge(wanted)
            if self.stored and place:
                verdict.past = self.judge.past_of(wanted, verdict)
                self.stored.put(*place, verdict)
        self.found.add(verdict)
        designs = list(wanted.budgets)
        self.checked.update((name, (wanted, designs[at])) for name, at in verdict.measured)

    def report(self, name: str) -> Report:
        """Count a design under budgets again, by its name, with every layer."""
        wanted, design = self.checked[name]
        options = self.options
        spec = open_cached_spec(wanted.name, wanted.path, options.libraries, options.inputs, options.code)
        return spec.expand(design.variant, design.part).report(extra=["peak"])

    # --- at the end ---------------------------------------------------------------------------------------------------

    def verdict(self) -> CheckResult:
        """Return everything, with what can be told only when all designs have been seen."""
        found = self.found
        findings = [*found.findings, *self.scope.findings, *(() if self.confined else self._ineffective_rules())]
        if self.options.require_coverage:
            findings += designs_without_budget(self.file, self.scope, confined=self.confined)
        if self.file is not None:
            among = [outcome.design for outcome in found.designs] if self.confined else None
            findings = apply_waivers(self.file.waivers, findings, self.options.today or date.today(), among)
        return CheckResult(
            files=len(self.scope.files),
            claims=found.claims,
            findings=findings,
            errors=list(_deduplicated([*found.errors, *self.history.errors])),
            limits=found.limits,
            designs=found.designs,
            baseline=self.history.label,
            notes=[*self.history.notes, *self._unused_dtype_notes()],
            open_report=self.report,
        )

    def _unused_dtype_notes(self) -> Iterator[str]:
        """Give a note for every number format that was meant for layers, and for which there are none."""
        for id_, globs in self.found.unused_dtype_globs.items():
            for glob in globs:
                yield f"{quoted(glob)} of the number formats of {id_} fits no layer of the designs that were checked"

    def _ineffective_rules(self) -> Iterator[Finding]:
        """Give the rules without effect: layers that are in no design, limits that nothing comes near."""
        budgets = self.file.budgets if self.file else ()
        used, matched = {*self.found.budgets_with_layers}, {*self.found.matched_globs}
        for budget in budgets:
            if budget.unmatched != OFF and budget.layers is not None and budget.id in self.found.unused_dtype_globs:
                yield from _without_layers(budget, budget.layers, used, matched)
        if not self.found.errors:
            yield from loose_limits(budgets, self.found.limits)


def _without_layers(
    budget: Budget, layers: LayerFilter, used: Container[str], matched: Container[tuple[str, int]]
) -> Iterator[Finding]:
    """Give the findings of a budget whose layers, or some of whose globs, are in no design."""
    if budget.id not in used:
        yield unmatched_finding(budget, layers.span, f"the layers of the budget {budget.id} are in no design")
        return
    for at, pattern in enumerate(layers.path_globs):
        if not pattern.is_exclusion and (budget.id, at) not in matched:
            text = f"{quoted(pattern.text)} of the budget {budget.id} matches no layer"
            yield unmatched_finding(budget, pattern.span, text)


def _deduplicated(errors: Iterable[SpecError]) -> Iterator[SpecError]:
    """Give every error once, however many designs and rules met with it."""
    seen: set[tuple[object, ...]] = set()
    for error in errors:
        key = (*error.sort_key, error.code, error.text)
        if key not in seen:
            seen.add(key)
            yield error
