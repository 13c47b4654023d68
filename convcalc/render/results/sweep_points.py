"""Points of a sweep as lines: csv, jsonl, json and markdown, a column at a time, because there may be millions.

The functions of ``ROW_WRITERS`` give the rows of some points and nothing else, so that any process can write its part;
``document_head`` and ``document_tail`` are what stands around all of them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import partial
from typing import Any

from convcalc import __version__
from convcalc.number_format import format_exact
from convcalc.render.results.row_list import TextColumn
from convcalc.render.tables.blocks import fit_message
from convcalc.render.tables.surface import Surface
from convcalc.report.report import CONVENTION_ID, SCHEMA_VERSION
from convcalc.sweep.axes import Axis
from convcalc.sweep.job import SweepJob
from convcalc.sweep.selection import SelectedPoints

Cell = Callable[[Any], str]


def axis_places(job: SweepJob, points: SelectedPoints) -> Iterator[tuple[Axis, Any]]:
    """Give every axis with the places of the points in it."""
    stride = job.point_count
    for axis in job.axes:
        stride //= len(axis.values)
        yield axis, points.numbers // stride % len(axis.values)


def columns_of(job: SweepJob, points: SelectedPoints, cell: Cell) -> list[list[str]]:
    """Return the texts of all columns: the axes, then the metrics."""
    found = []
    for axis, places in axis_places(job, points):
        within, texts = _distinct(axis.value, places, cell)
        found.append([texts[place] for place in within.tolist()])
    return [*found, *([cell(value) for value in column.tolist()] for column in shown(job, points))]


def arrays_of(job: SweepJob, points: SelectedPoints) -> dict[str, Any]:
    """Return all columns by their headings: arrays of integers, and labels for axes of other values."""
    found: dict[str, Any] = {}
    for axis, places in axis_places(job, points):
        whole = axis.is_numeric and axis.denominator == 1
        found[axis.name] = axis.integers(places) if whole else TextColumn(*_distinct(axis.value, places, plain))
    return found | dict(zip(job.output_metrics, shown(job, points), strict=True))


def shown(job: SweepJob, points: SelectedPoints) -> list[Any]:
    """Return the columns of the metrics that were asked for."""
    return [points.metrics[key] for key in job.output_metrics]


def _distinct(value: Callable[[int], Any], places: Any, cell: Cell) -> tuple[Any, list[str]]:
    """Return the places of texts in a list, and that; neighbours share few values, and each is written once."""
    first, last = (int(places.min()), int(places.max())) if len(places) else (0, -1)
    if last - first > 4 * len(places):
        import numpy

        return numpy.arange(len(places)), [cell(value(place)) for place in places.tolist()]
    return places - first, [cell(value(place)) for place in range(first, last + 1)]


def plain(value: Any) -> str:
    """Write a value as a spec would: 0.25, relu, [2, 2], nothing for a file without a variant."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Fraction):
        return decimal(value)
    if isinstance(value, tuple):
        return f"[{', '.join(map(plain, value))}]"
    return "" if value is None else str(value)


def decimal(value: Fraction) -> str:
    """Write a fraction as a decimal where that is exact, else as a quotient."""
    places = next((places for places in range(40) if 10**places % value.denominator == 0), None)
    if places is None:
        return f"{value.numerator}/{value.denominator}"
    sign, digits = "-" if value < 0 else "", str(abs(value.numerator) * 10**places // value.denominator)
    digits = digits.rjust(places + 1, "0")
    return f"{sign}{digits[:-places]}.{digits[-places:]}" if places else sign + digits


def _quoted(value: Any) -> str:
    text = plain(value)
    return f'"{text}"' if "," in text else text


def _encoded(value: Any) -> str:
    """Write a value for JSON: a decimal keeps all its digits."""
    if isinstance(value, Fraction):
        text = decimal(value)
        return json.dumps(text) if "/" in text else text
    if isinstance(value, tuple):
        return f"[{', '.join(map(_encoded, value))}]"
    return json.dumps(value)


def conditions(job: SweepJob) -> dict[str, Any]:
    """Return what all points are counted for, by the keys of JSON."""
    device = {} if job.device is None else {"device": job.device[0]}
    return {"batch": None if job.by_batch else job.batch, "dtype": job.dtype, **device}


def keys(job: SweepJob) -> list[str]:
    """Return the headings of the columns."""
    return [*(axis.name for axis in job.axes), *job.output_metrics]


# --- formats ----------------------------------------------------------------------------------------------------------


def csv(job: SweepJob, points: SelectedPoints) -> str:
    """A point a line, RFC 4180."""
    return "".join(f"{','.join(row)}\r\n" for row in zip(*columns_of(job, points, _quoted), strict=True))


def _objects(job: SweepJob, points: SelectedPoints, before: str, behind: str) -> str:
    """A point a line, an object each."""
    names = [json.dumps(key).replace("%", "%%") for key in keys(job)]
    template = f"{before}{{{', '.join(f'{name}: %s' for name in names)}}}{behind}"
    return "".join([template % row for row in zip(*columns_of(job, points, _encoded), strict=True)])


def _markdown_cell(value: Any) -> str:
    return (format_exact(value) if type(value) is int else plain(value)).replace("|", "\\|")


def markdown(job: SweepJob, points: SelectedPoints) -> str:
    """A row of a table a point."""
    return "".join(f"| {' | '.join(row)} |\n" for row in zip(*columns_of(job, points, _markdown_cell), strict=True))


ROW_WRITERS: Mapping[str, Callable[[SweepJob, SelectedPoints], str]] = {
    "csv": csv,
    "jsonl": partial(_objects, before="", behind="\n"),
    "json": partial(_objects, before=",\n  ", behind=""),  # the first comma of all is for the writer to leave out
    "markdown": markdown,
}
"""Format → what writes its lines."""


def document_head(name: str, job: SweepJob) -> str:
    """Return what stands before all points."""
    if name == "csv":
        return f"{','.join(keys(job))}\r\n"
    if name == "markdown":
        titles = keys(job)
        return f"| {' | '.join(titles)} |\n| {' | '.join('--:' for _ in titles)} |\n"
    if name == "json":
        facts = {
            "schema_version": SCHEMA_VERSION, "convention": CONVENTION_ID,
            "tool": {"name": "convcalc", "version": __version__},
            "design": job.design,
            **conditions(job), "where": job.where,
            **({"given_inputs": job.given_inputs} if job.inputs else {}),
            "axes": [{"name": axis.name, "values": len(axis.values)} for axis in job.axes],
            "metrics": list(job.output_metrics),
        }  # fmt: skip
        written = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in facts.items()]
        return "{" + ",\n ".join([*written, '"points": ['])
    return ""


def document_tail(name: str, counts: Mapping[str, int], dropped: Sequence[Mapping[str, Any]]) -> str:
    """Return what stands behind all points."""
    if name == "json":
        reasons = ",\n  ".join(map(json.dumps, dropped))
        listed = f"[\n  {reasons}\n ]" if dropped else "[]"
        return f'\n ],\n "counts": {json.dumps(counts)},\n "dropped": {listed}}}\n'
    return ""


SCATTER_COLUMNS, SCATTER_LINES = 60, 14
SHORTEST_SCATTER = 10

WIDE = 10
"""A metric that spans more than this factor is drawn by its logarithm."""


def scatter(across: Sequence[int], up: Sequence[int], titles: tuple[str, str], surface: Surface) -> str:
    """Return the picture, with the ends of both axes."""
    mark, corner, side, ground = ("*", "+", "|", "-") if surface.ascii_only else ("●", "└", "│", "─")
    names = [format_exact(max(up)), *[""] * (SCATTER_LINES - 2), format_exact(min(up))]
    width = max(map(len, names))
    columns = max(SHORTEST_SCATTER, min(SCATTER_COLUMNS, (surface.width or 1000) - width - 2))
    cells = [[" "] * columns for _ in range(SCATTER_LINES)]
    for column, line in zip(_places(across, columns), _places(up, SCATTER_LINES), strict=True):
        cells[SCATTER_LINES - 1 - line][column] = mark
    lines = [f"{name:>{width}} {side}{''.join(row).rstrip()}".rstrip() for name, row in zip(names, cells, strict=True)]
    low, high = format_exact(min(across)), format_exact(max(across))
    blank = " " * (width + 2)
    lines = [titles[1], *lines, f"{' ' * (width + 1)}{corner}{ground * columns}"]
    lines.append(f"{blank}{low}{' ' * max(1, columns - len(low) - len(high))}{high}  {titles[0]}")
    return fit_message("\n".join(lines) + "\n", surface.width, surface.glyphs)


def _places(values: Sequence[int], cells: int) -> list[int]:
    """Return the cell of every value between the least and the greatest."""
    least, most = min(values), max(values)
    logarithmic = least > 0 and most > WIDE * least
    low, high = (math.log(least), math.log(most)) if logarithmic else (0, most - least)
    if low == high:
        return [0] * len(values)
    at = [math.log(value) - low if logarithmic else value - least for value in values]
    return [min(cells - 1, int(place / (high - low) * cells)) for place in at]
