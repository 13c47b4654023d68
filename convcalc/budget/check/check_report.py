"""A check from Python: what is found, as values and in every format."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from convcalc.budget.check.checker import check as judged
from convcalc.budget.check.file_judge import Options
from convcalc.budget.file.reader import find_budget_file, read_budget_file
from convcalc.budget.file.types import BaselineLocation
from convcalc.designs.patterns import spec_files
from convcalc.errors import SpecError, SpecErrors, quoted
from convcalc.findings import CheckResult, ClaimResult, DesignResult, Finding, LimitResult
from convcalc.records import dataclass
from convcalc.report.drawn import Drawn

GIT = "git:"


@dataclass(frozen=True, slots=True)
class CheckReport(Drawn):
    """What a check of budgets and claims found; it is true where nothing fails."""

    verdict: CheckResult

    formats = "VERDICTS"
    method = "verdict"

    @property
    def findings(self) -> Sequence[Finding]:
        """What the check does not let pass: limits and claims that do not hold, with their places."""
        return self.verdict.findings

    @property
    def errors(self) -> Sequence[SpecError]:
        """Why something could not be judged."""
        return self.verdict.errors

    @property
    def limits(self) -> Sequence[LimitResult]:
        """Every limit for every design, met or violated."""
        return self.verdict.limits

    @property
    def claims(self) -> Sequence[ClaimResult]:
        """Every number that a spec claims, beside what the arithmetic gives."""
        return self.verdict.claims

    @property
    def designs(self) -> Sequence[DesignResult]:
        """The designs under budgets, with their totals now and in the baseline."""
        return self.verdict.designs

    def __bool__(self) -> bool:
        failing = any(finding.severity in self.verdict.failing_severities for finding in self.findings)
        return not self.errors and not failing

    def to(self, format: str) -> str:  # noqa: A002 - the word that the command line uses
        """Return the findings in a format of ``convcalc check``, such as ``text``, ``json`` or ``sarif``.

        Raises:
            UnknownNameError: where there is no such format.
        """
        return self._draw(format, of=self.verdict)

    def __repr__(self) -> str:
        word = "passed" if self else "failed"
        return f"<CheckReport {word}: {len(self.findings):,} findings, {len(self.errors):,} errors>"


def check(
    paths: Iterable[str | os.PathLike[str]] | str | os.PathLike[str] | None = None,
    *,
    budget: str | os.PathLike[str] | None = None,
    baseline: str | None = None,
) -> CheckReport:
    """Judge designs by the limits of a budget file, and by the claims that their specs make of themselves.

    Args:
        paths: files, folders or designs, one or several; by default all designs of all budgets.
        budget: the budget file; by default ``convcalc-budget.yaml`` here or above, if there is one.
        baseline: ``git:REV``, ``git:merge-base`` or a file; overrides the budget file.

    Raises:
        SpecErrors: CC705 where there is nothing to check, CC641 for a baseline without a name, or what is wrong with
            the budget file.

    >>> check("zoo:lenet")
    <CheckReport passed: 0 findings, 0 errors>
    """
    given = [paths] if isinstance(paths, str | os.PathLike) else paths
    found = find_budget_file(".") if budget is None else os.fspath(budget)
    try:
        names = None if given is None else spec_files([os.fspath(path) for path in given])
        if not names and (names is not None or found is None):
            raise SpecError("CC705", "there is nothing to check", hint="name designs, or a budget file")
        where = parse_baseline_location(baseline)
    except SpecError as error:
        raise SpecErrors([error]) from None
    return CheckReport(judged(read_budget_file(found) if found else None, names, Options(where)))


def parse_baseline_location(text: str | None) -> BaselineLocation | None:
    """Return where a baseline is, as ``git:REV``, ``git:merge-base`` or a file names it.

    Raises:
        SpecError: CC641, where it names nothing.
    """
    if text is None:
        return None
    kind, value = ("git", text.removeprefix(GIT)) if text.startswith(GIT) else ("file", text)
    if not value:
        raise SpecError("CC641", f"{quoted(text)} names no revision and no file")
    return BaselineLocation(kind, value, None)
