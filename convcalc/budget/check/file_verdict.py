"""What a check found in one file: as values, and in a cache until something that it depends on changes."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from fractions import Fraction
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from convcalc.budget.file.types import Budget
from convcalc.budget.select.plan import FileToCheck
from convcalc.designs.imports import Imports
from convcalc.designs.names import is_named_as_spec, spec_path
from convcalc.errors import Source, Span, SpecError
from convcalc.findings import ClaimResult, DesignResult, Finding, LayerMetricChange, LimitResult
from convcalc.records import dataclass, field
from convcalc.spec.yaml.text import read_text

if TYPE_CHECKING:
    from convcalc.result_cache import ResultCache

RECORDS: Mapping[str, Any] = {
    each.__name__: each for each in (ClaimResult, DesignResult, Finding, LayerMetricChange, LimitResult)
}


@dataclass(slots=True)
class Verdict:
    """What a check found, of a budget on a design, in a file or in all, and what it must know when it has seen all."""

    claims: list[ClaimResult] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    limits: list[LimitResult] = field(default_factory=list)
    designs: list[DesignResult] = field(default_factory=list)
    measured: list[tuple[str, int]] = field(default_factory=list)
    """The names of the designs that were measured, with the places of those that were wanted."""
    past: list[str] = field(default_factory=list)
    """Of each of these, a digest of what it was in the baseline."""
    budgets_with_layers: list[str] = field(default_factory=list)
    matched_globs: list[tuple[str, int]] = field(default_factory=list)
    """Of which budgets which globs of layers match some."""
    unused_dtype_globs: dict[str, list[str]] = field(default_factory=dict)
    """Of every budget, the globs of its number formats that no layer fits."""
    errors: list[SpecError] = field(default_factory=list)
    depends_on: list[Imports | None] = field(default_factory=list)
    """What the spec imports, and designs that it is compared with; ``None`` for what is not known."""

    def add(self, other: Verdict) -> None:
        """Add what was found elsewhere."""
        self.claims += other.claims
        self.findings += other.findings
        self.limits += other.limits
        self.designs += other.designs
        self.budgets_with_layers += other.budgets_with_layers
        self.matched_globs += other.matched_globs
        self.errors += other.errors
        for id_, unused in other.unused_dtype_globs.items():
            before = self.unused_dtype_globs.setdefault(id_, unused)
            self.unused_dtype_globs[id_] = [glob for glob in before if glob in unused]


def digest(*parts: object) -> str:
    """Return a digest of values, to see whether they have changed."""
    return blake2b(repr(parts).encode("utf-8", "surrogatepass"), digest_size=20).hexdigest()


class StoredVerdicts:
    """The verdicts on files in a cache: without errors, and on specs alone."""

    def __init__(self, cache: ResultCache, options: Iterable[object], budget_file: Source | None) -> None:
        self._cache = cache
        self._options = (os.getcwd(), *options)
        self._sources = {budget_file.name: budget_file} if budget_file else {}
        self._budgets: dict[int, tuple[Budget, str]] = {}

    def address(self, wanted: FileToCheck) -> tuple[str, Source] | None:
        """Return where the verdict on a file is, and its text; nothing for what is not kept."""
        if wanted.path == "-" or not is_named_as_spec(wanted.path):
            return None
        try:
            source = read_text(spec_path(wanted.path))
        except SpecError:
            return None
        budgets = [(design, [self._identity(each) for each in given]) for design, given in wanted.budgets.items()]
        parts = (self._options, wanted.name, wanted.path, wanted.requested, budgets, source.text)
        return self._cache.address("check", *parts), source

    def _identity(self, budget: Budget) -> str:
        """Return a budget with its places as text, without the text of the whole file in each of them."""
        if id(budget) not in self._budgets:
            self._budgets[id(budget)] = budget, repr(_placed(budget))
        return self._budgets[id(budget)][1]

    def get(self, address: str, source: Source) -> Verdict | None:
        """Return the verdict on a file, if it is there and what the file imports is what it was.

        Its ``past`` has yet to be compared with what the designs were in the baseline.
        """
        found = self._cache.get(address)
        if found is None:
            return None
        verdict = Verdict(*_decoded(found, {**self._sources, source.name: source}))
        verdict.depends_on = [Imports(*each) for each in verdict.depends_on if each]
        return verdict if all(each.are_unchanged for each in verdict.depends_on if each) else None

    def put(self, address: str, source: Source, verdict: Verdict) -> None:
        """Keep the verdict on a file."""
        bundled = any(claim.original for claim in verdict.claims)  # which the file does not depend on by its imports
        if verdict.errors or bundled or None in verdict.depends_on:
            return
        fields = [getattr(verdict, name) for name in verdict.__slots__]
        self._cache.put(address, _encoded(fields, {**self._sources, source.name: source}))


def _placed(value: Any) -> Any:
    """Return a value in which places are numbers."""
    if isinstance(value, Span):
        return (value.file, *value[1:], value.source.line(value.line))
    return tuple(map(_placed, value)) if isinstance(value, tuple) else value


def _encoded(value: Any, sources: Mapping[str, Source]) -> Any:
    """Return a value as JSON: what JSON has not is a list that begins with the name of its type."""
    if isinstance(value, Span):
        text = None if sources.get(value.file) == value.source else value.source.text
        return ["Span", value.file, text, *value[1:]]
    if isinstance(value, Fraction):
        return ["Fraction", str(value)]
    if isinstance(value, Mapping):
        return ["dict", *([key, _encoded(each, sources)] for key, each in value.items())]
    if isinstance(value, list | tuple):
        name = type(value).__name__
        return [name if name in (*RECORDS, "list") else "tuple", *(_encoded(each, sources) for each in value)]
    return value


def _decoded(value: Any, sources: Mapping[str, Source]) -> Any:
    if not isinstance(value, list):
        return value
    kind, *parts = value
    if kind == "Span":
        name, text, *place = parts
        return Span(sources[name] if text is None else Source(name, text), *place)
    if kind == "Fraction":
        return Fraction(parts[0])
    if kind == "dict":
        return {key: _decoded(each, sources) for key, each in parts}
    inner = [_decoded(each, sources) for each in parts]
    return inner if kind == "list" else RECORDS[kind](*inner) if kind in RECORDS else tuple(inner)
