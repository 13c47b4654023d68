"""Bounds of a block's totals, by interval arithmetic, without evaluating its points."""

from __future__ import annotations

from itertools import islice
from math import prod
from typing import Any, NamedTuple

from convcalc.errors import SpecError, SpecErrors, Undecided
from convcalc.spec.document.value_nodes import StructuralError
from convcalc.spec.expressions.values import Quotient
from convcalc.sweep.axes import Ranges
from convcalc.sweep.bounds.interval import Interval
from convcalc.sweep.bounds.rules import Bounds
from convcalc.sweep.bounds.symbolic_terms import AtomTable
from convcalc.sweep.evaluator import Evaluator, evaluator
from convcalc.sweep.job import VARIANT, SweepJob

MAX_BOUNDED_GRAPHS = 64
"""Most graphs that are bounded one by one where the values of a block shape the graph."""


class BlockBounds(NamedTuple):
    """Bounds of the totals of a block."""

    totals: dict[str, Bounds] | None
    """Metric → (lower, upper) bound over valid points; ``None`` if no point is valid."""
    all_valid: bool
    """Whether every point is valid."""

    def merge(self, other: BlockBounds) -> BlockBounds:
        """Return the bounds of two blocks together."""
        if self.totals is None or other.totals is None:
            return BlockBounds(other.totals if self.totals is None else self.totals, all_valid=False)
        both = {key: (self.totals[key], other.totals[key]) for key in self.totals}
        totals = {key: (min(a, c), max(b, d)) for key, ((a, b), (c, d)) in both.items()}
        return BlockBounds(totals, self.all_valid and other.all_valid)


NO_VALID_POINT = BlockBounds(None, all_valid=False)
"""The bounds of a block without a valid point."""


def bound_block(job: SweepJob, block: Ranges) -> BlockBounds | None:
    """Return the bounds of a block; ``None`` where a condition is undecided or there are many graphs."""
    works = evaluator(job)
    while True:
        parts = list(islice(works.split_structural(block), MAX_BOUNDED_GRAPHS + 1))
        if len(parts) > MAX_BOUNDED_GRAPHS:
            return None
        known = set(works.structural)
        found = [_bound_part(works, part) for part in parts]
        if works.structural == known:
            break
    joined: BlockBounds | None = None
    for each in found:
        if each is None:
            return None
        joined = each if joined is None else joined.merge(each)
    return joined


def structural_axes(job: SweepJob) -> set[int]:
    """Return the axes that are known to shape the graph."""
    return evaluator(job).structural


def graph_count(job: SweepJob, block: Ranges) -> int:
    """Return how many graphs a block has, as far as is known yet."""
    return prod(end - first for place, (first, end) in enumerate(block) if place in structural_axes(job))


def _bound_part(works: Evaluator, block: Ranges) -> BlockBounds | None:
    try:
        totals, ledger = works.totals(_values(works.job, block))
    except SpecErrors as errors:
        asked = [error for error in errors.errors if isinstance(error, StructuralError)]
        if not asked:
            return NO_VALID_POINT
        names = {name for error in asked if not error.is_condition for name in error.names}
        works.structural.update(place for place, axis in enumerate(works.job.axes)
                                if axis.name in names and block[place][1] - block[place][0] > 1)  # fmt: skip
        return None
    except SpecError:
        return NO_VALID_POINT
    except Undecided:
        return None
    return BlockBounds({key: _bounds_of_total(total) for key, total in totals.items()}, not ledger.refused)


def _bounds_of_total(total: Any) -> Bounds:
    return total.tight_bounds if isinstance(total, Interval) else (total, total)


def _values(job: SweepJob, block: Ranges) -> dict[str, Any]:
    """Return the values of the axes: plain where there is one, else an interval. Values rise or fall along an axis."""
    values: dict[str, Any] = {}
    known: AtomTable = {}
    for axis, (first, end) in zip(job.axes, block, strict=True):
        if end - first == 1 or axis.name == VARIANT:
            values[axis.name] = axis.value(first)
            continue
        edges = axis.values[first], axis.values[end - 1]
        interval = Interval((min(edges), max(edges)), (axis.name,), known)
        values[axis.name] = interval if axis.denominator == 1 else Quotient(interval, axis.denominator)
    return values
