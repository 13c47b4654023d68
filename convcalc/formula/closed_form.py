"""Closed forms: the counts of a design as formulas in the symbols of its sizes, checked against the integers.

The walk that counts a network runs once on symbols. What comes out is written in its most readable form, with what it
rests on, and compared with a run on integers before anybody sees it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from random import Random
from typing import NamedTuple

from convcalc.arith import Number, recording, total
from convcalc.designs.sources import Network
from convcalc.errors import SpecError, SpecErrors, Undecided, describe_one
from convcalc.formula.expr import Assignment, Assumption, Expr, Ratio
from convcalc.formula.simplify import Simplifier
from convcalc.formula.symbolic_design import FormulaRequest, SymbolicDesign, SymbolUse, require_known
from convcalc.metrics.metric import Measure
from convcalc.metrics.registry import measures
from convcalc.report.drawn import Drawn

__all__ = ["Formula", "FormulaRequest", "FormulaRow", "MismatchError", "SymbolicDesign", "Wanted", "derive"]

MAX_TRIALS = 400
MAX_SAMPLE = 64


class MismatchError(Exception):
    """A formula that does not give what the integers give: a bug, and never shown to anybody as a formula."""


class FormulaRow(NamedTuple):
    """One layer, or the layers below one path: a formula for every metric."""

    path: str
    op: str
    layer_count: int
    values: Mapping[str, Expr]


@dataclass(frozen=True, slots=True)
class Formula(Drawn):
    """The closed forms of one design.

    ``settings`` is what ``--set`` and ``--input`` gave; ``assumptions`` are what the formulas rest on, beside that all
    symbols are positive integers; ``checked_at`` are the values at which they were compared with a run on integers
    (empty where no values were found that satisfy the assumptions).
    """

    design: str
    name: str
    batch: int
    dtype: str
    symbols: tuple[SymbolUse, ...]
    settings: Mapping[str, str]
    assumptions: tuple[Assumption, ...]
    columns: tuple[Measure, ...]
    totals: Mapping[str, Expr]
    rows: Sequence[FormulaRow]
    checked_at: Mapping[str, int]
    warnings: tuple[str, ...] = ()
    denominator: str = ""
    """The design of the denominator of ``ratios``, if any."""
    ratios: Mapping[str, Ratio | None] | None = None
    """For every metric this design over the other; nothing where the other has 0."""

    formats = "FORMULAS"
    method = "formula"

    def __repr__(self) -> str:
        return f"<Formula of {self.design} in {', '.join(use.name for use in self.symbols)}>"


class Counts(NamedTuple):
    """What one walk gave: a row per layer or group, and the totals, by metric."""

    rows: list[tuple[str, str, int, Mapping[str, Number]]]
    totals: Mapping[str, Number]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be counted, by the keys of metrics, and how; ``depth`` folds layers to so many segments of a path."""

    metrics: tuple[str, ...] = ("params", "macs")
    depth: int | None = None
    batch: int = 1
    dtype: str = "float32"

    @property
    def measures(self) -> tuple[Measure, ...]:
        """The metrics in the order of their columns."""
        return tuple(measure for measure in measures() if measure.key in self.metrics)

    def counts(self, network: Network) -> Counts:
        """Count a design in whatever kind of number its sizes are."""
        columns: dict[str, Sequence[Number]] = {}
        totals: dict[str, Number] = {}
        for measure in self.measures:
            columns[measure.key], totals[measure.key] = measure.values(network.graph, self.batch, self.dtype)
        rows: list[tuple[str, str, int, Mapping[str, Number]]] = []
        for path, op, places in self._groups(network):
            sums = {key: total(values[place] for place in places) for key, values in columns.items()}
            rows.append((path, op, len(places), sums))
        return Counts(rows, totals)

    def _groups(self, network: Network) -> Iterator[tuple[str, str, list[int]]]:
        """Give the path, the op and the places of the layers that make a row."""
        groups: dict[str, list[int]] = {}
        layers = network.graph.layers
        for place, node in enumerate(layers):
            path = ".".join(node.path.split(".")[: self.depth]) if self.depth else node.path
            groups.setdefault(path, []).append(place)
        for path, places in groups.items():
            op = layers[places[0]].op
            assert op is not None
            yield path, op.kind if len(places) == 1 else "", places


def derive(
    design: str | Network, request: FormulaRequest, wanted: Wanted | None = None, *, over: str | Network | None = None
) -> Formula:
    """Return the closed forms of a design.

    Args:
        design: as on a command line, or one that has been read from a spec.
        request: which sizes become symbols.
        wanted: which metrics are counted, and how; params and multiplies of every layer without it.
        over: a design to divide the totals by.

    Raises:
        SpecErrors: what is wrong with the spec or the symbols.
        MismatchError: the formulas are wrong, which is a bug.
    """
    bound = [SymbolicDesign(each, request) for each in (design, over) if each is not None]
    require_known(request.symbols, bound, "--symbols")
    require_known(request.settings, bound, "--set")
    uses = tuple({use.name: use for part in reversed(bound) for use in part.symbols}.values())
    uses = tuple(sorted(uses, key=lambda use: _position(use.name, request.symbols)))
    if not uses:
        hint = f"{bound[0].names_hint}; for example --symbols {next(iter(bound[0].axes), 'width')}"
        raise SpecErrors([SpecError("CC721", "a formula needs a symbol at least: --symbols names them", hint=hint)])
    try:
        return _derive(bound, uses, request, wanted or Wanted())
    except Undecided as undecided:
        raise SpecErrors([SpecError("CC411", f"no closed form: {undecided}")]) from None


def _position(name: str, order: Sequence[str]) -> int:
    return order.index(name) if name in order else len(order)


def _derive(
    bound: Sequence[SymbolicDesign], uses: tuple[SymbolUse, ...], request: FormulaRequest, wanted: Wanted
) -> Formula:
    """Walk over the designs with symbols, write what comes out, and check it."""
    from convcalc.symbols import symbol

    symbols = {use.name: symbol(use.name) for use in uses}
    with recording() as ledger:
        networks = [part.network(symbols) for part in bound]
        counted = [wanted.counts(network) for network in networks]
    forms = Simplifier(list(symbols), ledger.assumptions)
    network, counts = networks[0], counted[0]
    lines = [
        FormulaRow(path, op, layers, {key: forms.simplify(value) for key, value in values.items()})
        for path, op, layers, values in counts.rows
    ]
    totals = {key: forms.simplify(value) for key, value in counts.totals.items()}
    ratios = None
    if len(counted) > 1:
        ratios = {key: forms.ratio(value, counted[1].totals[key]) for key, value in counts.totals.items()}
    found = Formula(
        design=bound[0].design.text,
        name=network.title,
        batch=wanted.batch,
        dtype=wanted.dtype,
        symbols=uses,
        settings=dict(request.settings) | {name or "input": text for name, text in request.inputs.items()},
        assumptions=forms.assumptions(),
        columns=wanted.measures,
        totals=totals,
        rows=lines,
        checked_at={},
        warnings=tuple(describe_one(warning) for each in networks for warning in each.graph.warnings),
        denominator=bound[1].design.text if len(bound) > 1 else "",
        ratios=ratios,
    )
    return _verify(found, bound, wanted)


# --- the check --------------------------------------------------------------------------------------------------------


def _verify(formula: Formula, bound: Sequence[SymbolicDesign], wanted: Wanted) -> Formula:
    """Compare with a run on integers, at values that the assumptions allow.

    Raises:
        MismatchError: a count differs, or what the assumptions allow is no network.
    """
    values = next(_samples(formula), None)
    if values is None:
        return formula
    try:
        counted = [wanted.counts(part.network(values)) for part in bound]
    except SpecErrors as errors:
        raise MismatchError(f"the assumptions hold at {dict(values)}, and yet: {errors.errors[0]}") from None
    require_equal(formula, counted, values)
    return replace(formula, checked_at=dict(values))


def require_equal(formula: Formula, counted: Sequence[Counts], values: Assignment) -> None:
    """Demand that the formulas give what was counted.

    Raises:
        MismatchError: where they do not.
    """
    counts = counted[0]
    pairs = [(line.path, line.values, row[3]) for line, row in zip(formula.rows, counts.rows, strict=True)]
    for path, trees, expected in [*pairs, ("the total", formula.totals, counts.totals)]:
        for key, tree in trees.items():
            if (found := tree.value(values)) != expected[key]:
                raise MismatchError(f"{key} of {path} is {expected[key]} at {dict(values)}, the formula gives {found}")
    for key, ratio in (formula.ratios or {}).items():
        if ratio is None:
            continue
        share = Fraction(ratio.numerator.value(values), ratio.denominator.value(values))
        if share != Fraction(counts.totals[key], counted[1].totals[key]):
            raise MismatchError(f"the ratio of {key} is not {share} at {dict(values)}")


def _samples(formula: Formula) -> Iterator[dict[str, int]]:
    """Give values that the assumptions allow: first some that differ from those of the spec, then those themselves.

    Multiples of the spec's own values are tried first, because they satisfy most divisibilities.
    """
    dice = Random(formula.design)  # noqa: S311 - the same design is checked at the same values
    for _ in range(MAX_TRIALS):
        values = {use.name: _sample(dice, use.value) for use in formula.symbols}
        if all(assumption.holds(values) for assumption in formula.assumptions):
            yield values
    own = {use.name: use.value or 1 for use in formula.symbols}
    if all(assumption.holds(own) for assumption in formula.assumptions):
        yield own


def _sample(dice: Random, own: int | None) -> int:
    """Return a value: near to that of the spec, a multiple of it, or any small one."""
    near, anything = (own or 0) + dice.randint(1, MAX_SAMPLE), dice.randint(1, MAX_SAMPLE)
    return int(dice.choice((near, anything, (own or 1) * dice.randint(1, 4))))
