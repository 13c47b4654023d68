"""The rows of a comparison that are worth a person's time: what weighs something, unfolded where designs differ."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise

from convcalc.records import NamedTuple
from convcalc.report.align_layers import AlignedCell, AlignedRow

MIN_RUN = 3
"""So many neighbours and more that tell the same story are one row."""


class ComparisonRows(NamedTuple):
    """The chosen rows, and what the others hold."""

    rows: tuple[AlignedRow, ...]
    without_value: int
    """Layers without a value in the chosen metrics on any side."""
    collapsed_groups: int
    """Groups that stand as sums: alike in all designs that have them."""
    remainder: AlignedRow | None = None
    """The sum of what ``--top`` leaves out."""


def select_rows(matches: Sequence[AlignedRow], keys: Sequence[str]) -> ComparisonRows:
    """Choose the rows: with a value in ``keys`` on some side, unfolded only where designs differ, and runs summed.

    Rows of one level still add up to the row above them, except for the layers that split up what elsewhere is one.
    """
    rows: list[AlignedRow] = []
    free = folded = 0
    closed: int | None = None
    for match in matches:
        if closed is not None and match.level > closed:
            continue
        closed = None
        if not any(value for key in keys for value in match.values(key)):
            free += max(cell.layers for cell in match.cells if cell)
            closed = match.level
            continue
        rows.append(match)
        if match.group and not _unfolds(match):
            folded += not match.layer
            closed = match.level
    return ComparisonRows(tuple(_merge_runs(rows)), free, folded)


def first(chosen: ComparisonRows, key: str, most: int) -> ComparisonRows:
    """Keep the rows that differ most from the first design in a metric, and sum the others.

    Groups give way to what is in them, except for a group that is a single layer elsewhere.
    """
    rows = [row for row in chosen.rows if not row.splits_a_layer]
    after = [*(row.level for row in rows[1:]), 0]
    lowest = [row._replace(level=0) for row, level in zip(rows, after, strict=True) if level <= row.level]
    order = sorted(range(len(lowest)), key=lambda place: -_apart(lowest[place], key))
    left = [lowest[place] for place in sorted(order[most:])]
    return chosen._replace(
        rows=tuple(lowest[place] for place in order[:most]), remainder=_merged(left) if left else None
    )


def _apart(row: AlignedRow, key: str) -> int:
    """How far a design is from the first at a place, at most."""
    base, *others = (value or 0 for value in row.values(key))
    return max(abs(value - base) for value in others)


def _unfolds(match: AlignedRow) -> bool:
    return not match.layer and (match.splits_a_layer or not match.has_equal_values)


def _merge_runs(rows: Sequence[AlignedRow]) -> Iterator[AlignedRow]:
    """Sum neighbours below the top that are all equal, or that the same designs alone have in the same size."""
    shown_below = {row.path for row, after in pairwise(rows) if after.level > row.level}
    for story, group in groupby(rows, key=lambda row: _run_key(row, unfolded=row.path in shown_below)):
        run = list(group)
        if story and len(run) >= MIN_RUN:
            yield _merged(run)
        else:
            yield from run


def _run_key(row: AlignedRow, *, unfolded: bool) -> tuple[object, ...]:
    if row.level == 0 or row.splits_a_layer or unfolded or not row.has_equal_values:
        return ()
    return (row.level, row.path.rpartition(".")[0], row.present)


def _merged(run: Sequence[AlignedRow]) -> AlignedRow:
    cells = zip(*(match.cells for match in run), strict=True)
    return run[0]._replace(cells=tuple(map(_sum, cells)), last_segment=run[-1].path.rpartition(".")[2])


def _sum(cells: Sequence[AlignedCell | None]) -> AlignedCell | None:
    there = [cell for cell in cells if cell]
    if not there:
        return None
    values: dict[str, int] = {}
    for cell in there:
        for key, value in cell.values.items():
            values[key] = values.get(key, 0) + value
    return there[0]._replace(
        layers=sum(cell.layers for cell in there),
        output_shape=there[-1].output_shape,
        values=values,
        op=None,
        layer=False,
        unknown=frozenset().union(*[cell.unknown for cell in there]),
    )
