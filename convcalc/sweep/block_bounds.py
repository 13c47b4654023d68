"""Bounds of a block's totals, by interval arithmetic, without evaluating its points.

The network is worked out once for a large block. What that gives are the totals as polynomials (see
:mod:`convcalc.sweep.bounds.symbolic_terms`), and the parts of the block are bounded by these alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from itertools import islice
from math import prod
from types import MappingProxyType
from typing import Any, TypeAlias

from convcalc.errors import SpecErrors, Undecided
from convcalc.records import NamedTuple
from convcalc.sweep.bounds.interval import Interval, bounds_of, terms_of
from convcalc.sweep.bounds.rules import Bounds
from convcalc.sweep.bounds.symbolic_terms import Atom, AtomTable, Narrowing, Terms, atoms_of, differences_in
from convcalc.sweep.evaluator import Evaluator, evaluator, structural_errors
from convcalc.sweep.grid import Block, axis_values
from convcalc.sweep.job import SweepJob

MAX_BOUNDED_GRAPHS = 64
"""Most graphs that are bounded one by one where the values of a block shape the graph."""
REFRESH_RATIO = 64
"""An inexact form is worked out again for a part that is so many times smaller."""


class BlockForm(NamedTuple):
    """The totals of a block of one graph in terms of its axes."""

    block: Block
    axes: dict[int, Atom]
    """Those of which the block has several values."""
    totals: dict[str, tuple[Terms, Bounds]]
    failures: tuple[Any, ...]
    """Conditions under which a point is invalid, as in ``UnknownBoolean.what``."""
    atoms: list[Atom]
    is_exact: bool
    """Whether it knows of a part all that working out the network for the part would tell."""

    def covers(self, part: Block) -> bool:
        """Whether a part of its block is bounded by the form as well as by one of its own."""
        return self.is_exact or part.size * REFRESH_RATIO > self.block.size

    def bounds(self, job: SweepJob, part: Block) -> BlockBounds:
        """Return the bounds of a part of its block."""
        narrowed = Narrowing(self.atoms, {atom: _axis_bounds(job, part, axis) for axis, atom in self.axes.items()})
        failed = [narrowed.decide(what) for what in self.failures]
        if True in failed:
            return NO_VALID_POINT
        totals = {}
        for key, (terms, (low, high)) in self.totals.items():
            least, most = narrowed.of_terms(terms)
            totals[key] = max(low, least), min(high, most)
        return BlockBounds(totals, None not in failed)


Forms: TypeAlias = Mapping[tuple[tuple[int, int], ...], BlockForm]
"""Values of the axes that shape the graph → the form for them."""


class BlockBounds(NamedTuple):
    """Bounds of the totals of a block."""

    totals: dict[str, Bounds] | None
    """Metric → (lower, upper) bound over valid points; ``None`` if no point is valid."""
    all_valid: bool
    """Whether every point is valid."""
    forms: Forms = MappingProxyType({})
    """By which parts of the block are bounded."""

    def merge(self, other: BlockBounds) -> BlockBounds:
        """Return the bounds of two blocks together."""
        forms = {**self.forms, **other.forms}
        if self.totals is None or other.totals is None:
            return BlockBounds(other.totals if self.totals is None else self.totals, False, forms)
        both = {key: (self.totals[key], other.totals[key]) for key in self.totals}
        totals = {key: (min(a, c), max(b, d)) for key, ((a, b), (c, d)) in both.items()}
        return BlockBounds(totals, self.all_valid and other.all_valid, forms)


NO_VALID_POINT = BlockBounds(None, all_valid=False)
"""The bounds of a block without a valid point."""


def bound_block(job: SweepJob, block: Block, forms: Forms | None = None, *, renew: bool = True) -> BlockBounds | None:
    """Return the bounds of a block; ``None`` where a condition is undecided or there are many graphs.

    Args:
        job: whose axes and metrics.
        block: the block.
        forms: of a block that it is a part of.
        renew: work out the network again where that tells much more than the forms.
    """
    works = evaluator(job)
    while True:
        parts = list(islice(block.split(works.structural), MAX_BOUNDED_GRAPHS + 1))
        if len(parts) > MAX_BOUNDED_GRAPHS:
            return None
        known = set(works.structural)
        bounds = [_bound_part(works, part, forms or {}, renew=renew) for part in parts]
        if works.structural == known:
            break
    decided = [each for each in bounds if each is not None]
    return reduce(BlockBounds.merge, decided) if len(decided) == len(bounds) else None


def graph_count(job: SweepJob, block: Block) -> int:
    """Return how many graphs a block has, as far as is known yet."""
    return prod(size for axis, size in enumerate(block.shape) if axis in evaluator(job).structural)


def _bound_part(works: Evaluator, block: Block, forms: Forms, *, renew: bool) -> BlockBounds | None:
    """Return the bounds of a block of one graph; ``None`` where a condition is undecided or it has several graphs."""
    graph = tuple(block.ranges[axis] for axis in sorted(works.structural))
    form = forms.get(graph)
    if form is None or (renew and not form.covers(block)):
        found = _form(works, block)
        if not isinstance(found, BlockForm):
            return found
        form = found
    return form.bounds(works.job, block)._replace(forms={graph: form})


def _form(works: Evaluator, block: Block) -> BlockForm | BlockBounds | None:
    """Work out the totals of a block of one graph; the bounds if no point is valid, ``None`` as in ``bound_block``."""
    known: AtomTable = {}
    axes = {axis: Atom(_axis_bounds(works.job, block, axis)) for axis in block.wide}

    def interval(axis: int, _: Sequence[int]) -> Interval:
        return Interval(axes[axis].bounds, (works.job.axes[axis].name,), known, {(axes[axis],): 1})

    try:
        totals, ledger = works.totals(axis_values(works.job.axes, block, interval))
    except SpecErrors as errors:
        structural = structural_errors(errors)
        works.mark_structural(block, structural)
        return None if structural else NO_VALID_POINT
    except Undecided:
        return None
    violations: list[tuple[Any, str, str]] = list(ledger.violations)
    failures = tuple(failed.what for failed, _, _ in violations)
    terms = {key: (terms_of(total), bounds_of(total)) for key, total in totals.items()}
    compared = [each for what in failures for each in differences_in(what)]
    atoms = atoms_of([*(each for each, _ in terms.values()), *compared])
    is_exact = all(atom.definition is None or atom.definition.is_exact for atom in atoms)
    return BlockForm(block, axes, terms, failures, atoms, is_exact)


def _axis_bounds(job: SweepJob, block: Block, axis: int) -> Bounds:
    """Return the bounds of the numerators of an axis in a block."""
    first, end = block.ranges[axis]
    ends = job.axes[axis].values[first], job.axes[axis].values[end - 1]
    return min(ends), max(ends)
