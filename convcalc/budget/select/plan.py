"""What a check covers: files, their designs, and the budgets that each design is under."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from typing import Any, TypeVar

from convcalc.budget.file.types import OFF, Budget, BudgetFile, Pattern, ReferenceDesign
from convcalc.budget.select.match_designs import SpecFinder, matches_by_pattern
from convcalc.designs.names import NOT_FILES, DesignName, parse_design, parse_pattern
from convcalc.designs.sources import NO_INPUTS, Code, Inputs, Network, SpecFile, open_spec
from convcalc.errors import Span, SpecError, SpecErrors, quoted
from convcalc.findings import Finding
from convcalc.paths import leaves_repository
from convcalc.records import dataclass, field, replace
from convcalc.report.measurements import Measurements

UNMATCHED = "CC616"
STANDARD_INPUT = "-"


@dataclass(slots=True)
class FileToCheck:
    """A file to look at."""

    name: str
    """As budgets and baselines call it: relative to the budget file's folder, with ``/``."""
    path: str
    """As it is opened and shown."""
    requested: list[DesignName] = field(default_factory=list)
    """Which of its designs were asked for; none where budgets alone lead to the file."""
    budgets: dict[DesignName, list[Budget]] = field(default_factory=dict)

    def requests(self, design: DesignName) -> bool:
        """Whether a design is one of those asked for: a file stands for all of its variants and parts."""
        return any(
            (asked.is_whole_file or asked.variant == design.variant)
            and (asked.part is None or f"{design.part or ''}.".startswith(f"{asked.part}."))
            for asked in self.requested
        )


@dataclass(slots=True)
class CheckPlan:
    """All that a check covers, by the names of the files."""

    folder: str
    files: dict[str, FileToCheck] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    errors: list[SpecError] = field(default_factory=list)


def plan_check(
    file: BudgetFile | None, given: Sequence[str] | None, always: Sequence[Budget] = (), libraries: Sequence[str] = ()
) -> CheckPlan:
    """Return what is to be checked.

    Args:
        file: the budgets.
        given: designs that the check is confined to, as they are named on the command line; ``None`` for all designs
            of all budgets. Only then is a budget that matches nothing a finding.
        always: budgets that every given design is under.
        libraries: folders that specs may import from.
    """
    found = CheckPlan(file.folder if file else os.getcwd())
    for text in given or ():
        design = parse_design(text)
        name = name_in_budgets(design.file, found.folder) if file else design.file
        wanted = found.files.setdefault(name, FileToCheck(name, design.file))
        design = design._replace(text=name + text.removeprefix(design.file), file=name)
        wanted.requested.append(design)
        if always:
            wanted.budgets.setdefault(design, []).extend(always)
    if file:
        finder = SpecFinder(file.folder, libraries, None if given is None else list(found.files))
        for budget in file.budgets:
            _add_designs(found, budget, finder)
    return found


def _add_designs(found: CheckPlan, budget: Budget, finder: SpecFinder) -> None:
    try:
        names = matches_by_pattern(budget, finder)
    except SpecErrors as errors:
        found.errors += errors.errors
        return
    for name in dict.fromkeys(chain(*names.values())):
        design = parse_pattern(name)
        if finder.only is not None and not found.files[design.file].requests(design):
            continue
        if design.file not in found.files:
            found.files[design.file] = FileToCheck(design.file, spec_path_from_cwd(design.file, found.folder))
        found.files[design.file].budgets.setdefault(design, []).append(budget)
    if finder.only is None and budget.unmatched != OFF:
        found.findings += _unmatched_findings(budget, names)


def spec_path_from_cwd(file: str, folder: str) -> str:
    """Return the path of a file from the current folder, given its name in budgets."""
    return file if file.startswith(NOT_FILES) else os.path.relpath(os.path.join(folder, file))


def name_in_budgets(file: str, folder: str) -> str:
    """Return how budgets call a file; one outside their repository is called what it is."""
    if file == STANDARD_INPUT or file.startswith(NOT_FILES) or "\0" in file:
        return file
    try:
        relative = os.path.relpath(file, folder).replace(os.sep, "/")
    except ValueError:  # on another drive
        return file
    return file if leaves_repository(relative, folder) else relative


def _unmatched_findings(budget: Budget, matches: Mapping[Pattern, Sequence[str]]) -> Iterator[Finding]:
    """Give a finding for a budget without designs, or for each of its globs that adds none."""
    if not any(matches.values()):
        globs = ", ".join(pattern.text for pattern in matches)
        text = f"the budget {budget.id} matches no design: {quoted(globs)}"
        yield unmatched_finding(budget, next((pattern.span for pattern in matches), budget.span), text)
        return
    for pattern, names in matches.items():
        if not names:
            text = f"{quoted(pattern.text)} of the budget {budget.id} matches no design"
            yield unmatched_finding(budget, pattern.span, text)


def unmatched_finding(budget: Budget, span: Span, text: str) -> Finding:
    """Return the finding of a budget that covers no design, or fewer than it names."""
    hint = "fix the glob, or set `unmatched: off`"
    return Finding(budget.id, UNMATCHED, budget.unmatched, "", "", text, span, hint, rule=span)


# --- specs ------------------------------------------------------------------------------------------------------------

Key = TypeVar("Key")
Value = TypeVar("Value")


def _remembered(known: dict[Key, Value | list[SpecError]], key: Key, make: Callable[[], Value]) -> Value:
    """Return what was made once, or raise what was wrong with it once more."""
    if key not in known:
        try:
            known[key] = make()
        except SpecErrors as errors:
            known[key] = errors.errors
    found = known[key]
    if isinstance(found, list):
        raise SpecErrors(found)
    return found


@dataclass(frozen=True, slots=True)
class CachedSpec(SpecFile):
    """A spec whose variants are expanded when they are first asked for, and then kept."""

    spec: SpecFile | None = None
    """The same without the networks that are kept."""
    networks: dict[str | None, Network | list[SpecError]] = field(default_factory=dict)
    designs: dict[str, Measurements] = field(default_factory=dict)

    def expand(self, variant: str | None = None, part: str | None = None, **choices: Any) -> Network:
        """Return one design of the file, as :meth:`SpecFile.expand` does."""
        assert self.spec is not None
        if part is not None or any(choices.values()):
            return self.spec.expand(variant, part, **choices)
        return _remembered(self.networks, variant, partial(self.spec.expand, variant))

    def measured_design(self, variant: str | None, part: str | None) -> Measurements:
        """Return one design to be measured.

        Raises:
            SpecErrors: where there is no such variant or part, or where it is broken.
        """
        name, source = self.design(variant, part).text, self.document.source
        if name not in self.designs:
            graph = self.expand(variant).graph
            try:
                graph = graph if part is None else graph.subgraph(part)
            except SpecError as error:
                error.span = Span(source)
                raise SpecErrors([error]) from None
            self.designs[name] = Measurements(name, graph, source)
        return self.designs[name]


def open_cached_spec(
    name: str, path: str, libraries: Sequence[str] = (), inputs: Inputs = NO_INPUTS, code: Code = None
) -> CachedSpec:
    """Read a spec; its designs are called by ``name``.

    Raises:
        SpecErrors: what is wrong with its form and its names.
    """
    spec = replace(open_spec(path, libraries=libraries, inputs=inputs, code=code), file=name)
    return CachedSpec(name, spec.document, spec.files, spec.inputs, spec.shapes, spec)


class ReferenceDesigns:
    """The designs that ratios are to, each measured once."""

    def __init__(self, folder: str, open_: Callable[[str, str], CachedSpec]) -> None:
        self._folder = folder
        self._open_file = open_
        self._designs: dict[str, Measurements | list[SpecError]] = {}

    def get(self, budget: Budget, current: CachedSpec) -> Measurements | None:
        """Return the design that a budget holds others against, which may be one of the file at hand.

        Raises:
            SpecErrors: where it cannot be measured.
        """
        if budget.against is None:
            return None
        return _remembered(self._designs, budget.against.design, partial(self._open, budget.against, current))

    def _open(self, against: ReferenceDesign, current: CachedSpec) -> Measurements:
        target = parse_pattern(against.design)
        try:
            if target.file != current.file:
                current = self._open_file(target.file, spec_path_from_cwd(target.file, self._folder))
            return current.measured_design(target.variant, target.part)
        except SpecErrors as errors:
            for error in errors.errors:
                error.notes = (*error.notes, (against.span, "ratios are to this design"))
            raise
