"""Closed forms: the counts of a design as formulas in the symbols of its sizes, checked against the integers.

A network is counted once with symbols. The counts are written in their most readable form, with their assumptions, and
compared with a count in integers before anybody sees them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from random import Random
from typing import Any

from convcalc.arith import Number, is_plain, record_constraints, total
from convcalc.designs.sources import CountOptions, Network
from convcalc.errors import SpecError, SpecErrors, Undecided, format_error
from convcalc.formula.expr import Assignment, Assumption, Expr, IntegerLiteral, Ratio
from convcalc.formula.simplify import Simplifier
from convcalc.formula.symbolic_design import FormulaRequest, SymbolicDesign, SymbolUse, require_known
from convcalc.metrics.metric import Metric
from convcalc.records import NamedTuple, dataclass, replace
from convcalc.report.drawn import Drawn

MAX_TRIALS = 400
MAX_SAMPLE = 64


class MismatchError(Exception):
    """A formula that differs from the count in integers: a bug, and never shown to anybody as a formula."""


class FormulaRow(NamedTuple):
    """One layer, or the layers below one path: for every metric an ``Expr``, or while they are counted a number."""

    path: str
    op: str
    layer_count: int
    values: Mapping[str, Any]
    times: Any = 1
    """How often the network has it, an ``Expr`` or a number; more than once where a number of repeats is a symbol."""


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
    columns: tuple[Metric, ...]
    totals: Mapping[str, Expr]
    rows: Sequence[FormulaRow]
    groups: Sequence[tuple[FormulaRow, Expr]]
    """The rows that count anything, those that share op and formulas as one, with how many each stands for."""
    silent_layers: Expr
    """How many layers count nothing."""
    terms: Mapping[str, Expr]
    """Totals multiplied out, where a number of repeats is a symbol: what grows with it is a term of its own."""
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
    """Counts of one design, with numbers for symbols or with symbols."""

    rows: list[FormulaRow]
    totals: Mapping[str, Number]


def count(network: Network, request: FormulaRequest) -> Counts:
    """Count a design in whatever kind of number its sizes are."""
    columns: dict[str, Sequence[Number]] = {}
    totals: dict[str, Number] = {}
    options = request.options
    for measure in request.measures:
        totals[measure.key] = measure.values(network.graph, options.batch, options.dtype)[1]
        columns[measure.key] = measure.values_of_one(network.graph, options.batch, options.dtype)[0]
    layers = network.graph.layers
    groups: dict[str, list[int]] = {}
    for place, node in enumerate(layers):
        path = ".".join(node.path.split(".")[: request.depth]) if request.depth else node.path
        groups.setdefault(path, []).append(place)
    rows: list[FormulaRow] = []
    for path, places in groups.items():
        op = layers[places[0]].op
        assert op is not None
        times = [layers[place].times for place in places]
        shared, each_by = _shared_factor(times)
        sums = {
            key: total(values[place] * each for place, each in zip(places, each_by, strict=True))
            for key, values in columns.items()
        }
        rows.append(FormulaRow(path, op.kind if len(places) == 1 else "", len(places), sums, shared))
    return Counts(rows, totals)


def _shared_factor(times: Sequence[Any]) -> tuple[Any, Sequence[Any]]:
    """Return how often a group of layers is there, by its first layer, and each layer in it, if that divides."""
    first = times[0]
    if all(each == first for each in times):
        return first, [1] * len(times)
    if first == 1:
        return 1, times
    from convcalc.arith.symbols import exact_quotient

    within = [exact_quotient(each, first) for each in times]
    return (1, times) if any(each is None for each in within) else (first, within)


def derive(
    design: str | Network,
    request: FormulaRequest,
    *,
    over: str | Network | None = None,
    over_options: CountOptions | None = None,
) -> Formula:
    """Return the closed forms of a design.

    Args:
        design: as on a command line, or one that has been read from a spec.
        request: which sizes become symbols, which metrics are counted, and how.
        over: a design to divide the totals by.
        over_options: what is set for that design, where it is not the same.

    Raises:
        SpecErrors: what is wrong with the spec or the symbols.
        MismatchError: the formulas are wrong, which is a bug.
    """
    designs = [SymbolicDesign(design, request)]
    if over is not None:
        designs.append(SymbolicDesign(over, replace(request, options=over_options or request.options)))
    require_known(request.symbols, designs, "--symbols")
    require_known(request.options.overrides, designs, "--set")
    uses = {use.name: use for each in reversed(designs) for use in each.symbols}
    ranks = {name: rank for rank, name in enumerate(request.symbols)}
    symbols = tuple(sorted(uses.values(), key=lambda use: ranks.get(use.name, len(ranks))))
    if not symbols:
        hint = f"{designs[0].names_hint}; for example --symbols {next(iter(designs[0].axes), 'width')}"
        raise SpecErrors([SpecError("CC721", "a formula needs a symbol at least: --symbols names them", hint=hint)])
    try:
        return _verify(_derive(designs, symbols, request), designs, request)
    except Undecided as undecided:
        raise SpecErrors([SpecError("CC411", f"no closed form: {undecided}")]) from None


def _derive(designs: Sequence[SymbolicDesign], uses: tuple[SymbolUse, ...], request: FormulaRequest) -> Formula:
    """Count the designs with symbols, and simplify the counts."""
    from convcalc.arith.symbols import symbol

    symbols = {use.name: symbol(use.name) for use in uses}
    with record_constraints() as ledger:
        networks = [each.network(symbols) for each in designs]
        for network in networks:
            network.require_counted(request.metrics)
        counts, *others = [count(network, request) for network in networks]
    forms = Simplifier(list(symbols), ledger.assumptions)
    rows = [
        row._replace(
            values={key: forms.simplify(value) for key, value in row.values.items()}, times=forms.simplify(row.times)
        )
        for row in counts.rows
    ]
    groups, silent = _merged(rows, [row.times for row in counts.rows])
    totals = {key: forms.simplify(value) for key, value in counts.totals.items()}
    ratios = None
    if others:
        ratios = {key: forms.ratio(value, others[0].totals[key]) for key, value in counts.totals.items()}
    options = request.options
    return Formula(
        design=designs[0].design.text,
        name=networks[0].title,
        batch=options.batch,
        dtype=options.dtype,
        symbols=uses,
        settings={**options.overrides, **{name or "input": text for name, text in options.inputs.items()}},
        assumptions=forms.assumptions(),
        columns=request.measures,
        totals=totals,
        rows=rows,
        groups=[(row, forms.simplify(number)) for row, number in groups],
        silent_layers=forms.simplify(silent),
        terms=_terms(counts, forms),
        checked_at={},
        warnings=tuple(format_error(warning) for each in networks for warning in each.graph.warnings),
        denominator=designs[1].design.text if others else "",
        ratios=ratios,
    )


def _terms(counts: Counts, forms: Simplifier) -> dict[str, Expr]:
    """Multiply out the totals of a network with a symbolic number of repeats."""
    if all(row.times == 1 for row in counts.rows):
        return {}
    found = ((key, forms.terms(value)) for key, value in counts.totals.items() if not is_plain(value))
    return {key: tree for key, tree in found if tree is not None}


def _merged(rows: Sequence[FormulaRow], times: Sequence[Any]) -> tuple[list[tuple[FormulaRow, Any]], Any]:
    """Return the rows that count anything, equal ones as one with how many they are, and how many layers are left."""
    groups: dict[tuple[object, ...], tuple[FormulaRow, Any]] = {}
    silent: Any = 0
    for row, number in zip(rows, times, strict=True):
        if all(tree == IntegerLiteral(0) for tree in row.values.values()):
            silent += row.layer_count * number
            continue
        key = (row.op, *row.values.values())
        first, count = groups.get(key, (row, 0))
        groups[key] = (first, count + number)
    return list(groups.values()), silent


# --- the check --------------------------------------------------------------------------------------------------------


def _verify(formula: Formula, designs: Sequence[SymbolicDesign], request: FormulaRequest) -> Formula:
    """Compare with a run on integers, at values that the assumptions allow.

    Raises:
        MismatchError: a count differs, or the assumptions allow values that are invalid.
    """
    values = next(_samples(formula), None)
    if values is None:
        return formula
    try:
        counts = [count(each.network(values), request) for each in designs]
    except SpecErrors as errors:
        raise MismatchError(f"the assumptions hold at {dict(values)}, and yet: {errors.errors[0]}") from None
    require_equal(formula, counts, values)
    return replace(formula, checked_at=dict(values))


def require_equal(formula: Formula, counts: Sequence[Counts], values: Assignment) -> None:
    """Demand that the formulas agree with counts in integers.

    Raises:
        MismatchError: where they do not.
    """
    own = counts[0]
    rows = {row.path: row.values for row in own.rows}  # of a model, layers that change nothing may lack at some sizes
    is_folded = any(row.times != IntegerLiteral(1) for row in formula.rows)
    forms_of = {row.path: row.values for row in formula.rows if not is_folded or row.path in rows}
    paths = forms_of if is_folded else {**forms_of, **rows}  # turns that are as one are known by the path of the first
    pairs = [(path, forms_of.get(path, {}), rows.get(path, {})) for path in paths]
    for path, forms, numbers in [*pairs, ("the total", formula.totals, own.totals)]:
        for key in {**forms, **numbers}:
            value, number = forms[key].value(values) if key in forms else 0, numbers.get(key, 0)
            if value != number:
                raise MismatchError(f"{key} of {path} is {number} at {dict(values)}, the formula gives {value}")
    for key, ratio in (formula.ratios or {}).items():
        if ratio is None:
            continue
        share = Fraction(ratio.numerator.value(values), ratio.denominator.value(values))
        if share != Fraction(own.totals[key], counts[1].totals[key]):
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
