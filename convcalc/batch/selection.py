"""Which rows, and in which order: sorted by a metric, or only the Pareto-optimal ones."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import IO, Any

from convcalc.batch.count import BatchRow

ROWS_PER_WRITE = 512
"""Rows that are given together."""


def pareto_front(rows: Iterable[Sequence[BatchRow]], keys: Sequence[str], metrics: Sequence[str]) -> list[BatchRow]:
    """Return the rows that are not dominated, in their order; ties are all kept.

    One row dominates another when no metric of it is larger and one is smaller; of ``-KEY`` larger is better. Only the
    front is kept meanwhile.
    """
    values_of = [_signed(key, metrics) for key in keys]
    front: list[tuple[tuple[int, ...], BatchRow]] = []
    for some in rows:
        for row in some:
            if not row.errors:
                values = tuple(value(row) for value in values_of)
                if not any(dominates(other, values) for other, _ in front):
                    front = [(other, kept) for other, kept in front if not dominates(values, other)]
                    front.append((values, row))
    return [row for _, row in front]


def _signed(key: str, metrics: Sequence[str]) -> Callable[[BatchRow], int]:
    """Return what gives the total of a metric, negative where larger is better."""
    place, sign = metrics.index(key.removeprefix("-")), -1 if key.startswith("-") else 1
    return lambda row: sign * row.totals[place]


def dominates(one: Sequence[int], other: Sequence[int]) -> bool:
    """Whether ``one`` is nowhere larger than ``other``, and somewhere smaller."""
    return tuple(one) != tuple(other) and all(mine <= theirs for mine, theirs in zip(one, other, strict=True))


def sort_rows(
    rows: Iterable[Sequence[BatchRow]], key: str, metrics: Sequence[str], top: int | None, file: IO[bytes]
) -> Iterator[list[dict[str, Any]]]:
    """Give the facts of rows, the smallest value of a metric first; ties keep their order, invalid designs are last.

    Args:
        rows: what to sort.
        key: the metric; with a minus before it the largest comes first.
        metrics: those of the totals of rows.
        top: how many rows to give; all without it.
        file: holds the rows meanwhile: only the numbers that are compared, and offsets of rows, are kept in memory.
    """
    value = _signed(key, metrics)
    offsets: list[tuple[int, int, int]] = []
    invalid = []
    for some in rows:
        for row in some:
            if row.errors:
                invalid.append(file.tell())
            else:
                offsets.append((value(row), len(offsets), file.tell()))
            file.write(json.dumps(row.facts(metrics)).encode() + b"\n")
    offsets.sort()
    wanted = [*(offset for _, _, offset in offsets), *invalid][:top]
    for start in range(0, len(wanted), ROWS_PER_WRITE):
        yield [_read_row(file, offset) for offset in wanted[start : start + ROWS_PER_WRITE]]


def _read_row(file: IO[bytes], offset: int) -> dict[str, Any]:
    file.seek(offset)
    row: dict[str, Any] = json.loads(file.readline())
    if isinstance(row["input"], list):
        row["input"] = tuple(row["input"])
    elif row["input"]:
        row["input"] = {name: tuple(axes) for name, axes in row["input"].items()}
    return row
