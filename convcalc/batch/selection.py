"""Which rows, and in which order: sorted by a metric, or only those that no other one beats in every metric."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import IO, Any

from convcalc.batch.run import Result

ROWS_PER_WRITE = 512
"""Rows that are given back together."""


def pareto_front(results: Iterable[Sequence[Result]], metrics: Sequence[str]) -> list[Result]:
    """Return the designs that are not dominated, in their order; equal ones all stay.

    Smaller is better, of a metric with a minus before it larger.

    One design dominates another when no metric of it is larger and one is smaller. Only the front is kept meanwhile.
    """
    kept: list[tuple[tuple[int, ...], Result]] = []
    for some in results:
        for result in some:
            if not result.faults:
                values = tuple(_signed_value(result.row, metric) for metric in metrics)
                if not any(dominates(other, values) for other, _ in kept):
                    kept = [(other, held) for other, held in kept if not dominates(values, other)]
                    kept.append((values, result))
    return [result for _, result in kept]


def _signed_value(row: Mapping[str, Any], metric: str) -> int:
    """Return the value of a metric, negative where larger is better."""
    value: int = row[metric.removeprefix("-")]
    return -value if metric.startswith("-") else value


def dominates(one: Sequence[int], other: Sequence[int]) -> bool:
    """Whether ``one`` is nowhere larger than ``other``, and somewhere smaller."""
    return tuple(one) != tuple(other) and all(mine <= theirs for mine, theirs in zip(one, other, strict=True))


def sort_rows(results: Iterable[Sequence[Result]], metric: str, file: IO[bytes]) -> Iterator[list[dict[str, Any]]]:
    """Give rows with the smallest value of a metric first; equal ones in their order, broken ones last.

    Args:
        results: what is to be sorted.
        metric: by what; with a minus before it the largest comes first.
        file: holds the rows meanwhile: only the numbers that are compared, and where rows stand, are kept in memory.
    """
    places: list[tuple[int, int, int]] = []
    broken = []
    for some in results:
        for result in some:
            text = json.dumps(result.row).encode() + b"\n"
            if result.faults:
                broken.append(file.tell())
            else:
                places.append((_signed_value(result.row, metric), len(places), file.tell()))
            file.write(text)
    places.sort()
    wanted = [place for _, _, place in places] + broken
    for start in range(0, len(wanted), ROWS_PER_WRITE):
        yield [_read_row(file, place) for place in wanted[start : start + ROWS_PER_WRITE]]


def _read_row(file: IO[bytes], place: int) -> dict[str, Any]:
    file.seek(place)
    row: dict[str, Any] = json.loads(file.readline())
    if isinstance(row["input"], list):
        row["input"] = tuple(row["input"])
    elif row["input"]:
        row["input"] = {name: tuple(axes) for name, axes in row["input"].items()}
    return row


def first_rows(rows: Iterable[list[dict[str, Any]]], most: int | None) -> Iterator[list[dict[str, Any]]]:
    """Give no more rows than are wanted; without a number all of them, as they come."""
    if most is None:
        yield from rows
    else:
        yield list(islice(chain.from_iterable(rows), most))
