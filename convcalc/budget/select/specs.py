"""Specs read for a check: each once, every variant expanded once, for claims and budgets alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from convcalc.budget.file.types import Budget, ReferenceDesign
from convcalc.budget.select.plan import spec_path_from_cwd
from convcalc.designs.names import parse_pattern
from convcalc.designs.sources import NO_INPUTS, Code, Inputs, Network, SpecFile, open_spec
from convcalc.errors import Span, SpecError, SpecErrors
from convcalc.records import dataclass, field, replace
from convcalc.report.measurements import Measurements


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
        if variant not in self.networks:
            try:
                self.networks[variant] = self.spec.expand(variant)
            except SpecErrors as errors:
                self.networks[variant] = errors.errors
        found = self.networks[variant]
        if isinstance(found, list):
            raise SpecErrors(found)
        return found

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
        name = budget.against.design
        if name not in self._designs:
            try:
                self._designs[name] = self._open(budget.against, current)
            except SpecErrors as errors:
                for error in errors.errors:
                    error.notes = (*error.notes, (budget.against.span, "ratios are to this design"))
                self._designs[name] = errors.errors
        found = self._designs[name]
        if isinstance(found, list):
            raise SpecErrors(found)
        return found

    def _open(self, against: ReferenceDesign, current: CachedSpec) -> Measurements:
        target = parse_pattern(against.design)
        if target.file != current.file:
            current = self._open_file(target.file, spec_path_from_cwd(target.file, self._folder))
        return current.measured_design(target.variant, target.part)
