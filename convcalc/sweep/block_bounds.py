"""Bounds of a block's totals, by interval arithmetic, without evaluating its points."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from itertools import islice
from math import prod

from convcalc.errors import SpecErrors, Undecided
from convcalc.records import NamedTuple
from convcalc.sweep.bounds.interval import Interval
from convcalc.sweep.bounds.rules import Bounds
from convcalc.sweep.bounds.symbolic_terms import AtomTable
from convcalc.sweep.evaluator import Evaluator, axis_values, evaluator, structural_errors
from convcalc.sweep.grid import Block
from convcalc.sweep.job import SweepJob

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


def bound_block(job: SweepJob, block: Block) -> BlockBounds | None:
    """Return the bounds of a block; ``None`` where a condition is undecided or there are many graphs."""
    works = evaluator(job)
    while True:
        parts = list(islice(block.split(works.structural), MAX_BOUNDED_GRAPHS + 1))
        if len(parts) > MAX_BOUNDED_GRAPHS:
            return None
        known = set(works.structural)
        bounds = [_bound_part(works, part) for part in parts]
        if works.structural == known:
            break
    decided = [each for each in bounds if each is not None]
    return reduce(BlockBounds.merge, decided) if len(decided) == len(bounds) else None


def graph_count(job: SweepJob, block: Block) -> int:
    """Return how many graphs a block has, as far as is known yet."""
    return prod(size for axis, size in enumerate(block.shape) if axis in evaluator(job).structural)


def _bound_part(works: Evaluator, block: Block) -> BlockBounds | None:
    """Return the bounds of a block of one graph; ``None`` where a condition is undecided or it has several graphs."""
    known: AtomTable = {}

    def interval(axis: int, values: Sequence[int]) -> Interval:
        return Interval((min(values[0], values[-1]), max(values[0], values[-1])), (works.job.axes[axis].name,), known)

    try:
        totals, ledger = works.totals(axis_values(works.job.axes, block, interval))
    except SpecErrors as errors:
        structural = structural_errors(errors)
        works.mark_structural(block, structural)
        return None if structural else NO_VALID_POINT
    except Undecided:
        return None
    bounds = {
        key: total.tight_bounds if isinstance(total, Interval) else (total, total) for key, total in totals.items()
    }
    return BlockBounds(bounds, not ledger.violations)
