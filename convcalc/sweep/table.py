"""All points of a sweep in memory: a table of NumPy columns, as the Python interface returns it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from fractions import Fraction
from typing import Any

from convcalc.errors import Source, Span, SpecError, quoted
from convcalc.extras import numpy
from convcalc.sweep.axes import AXIS, AXIS_HINTS, BAD_AXIS, Axis, join_values, read_axis, read_value
from convcalc.sweep.block_task import BlockTask
from convcalc.sweep.evaluator import InvalidPoints, merge_invalid
from convcalc.sweep.executors import processes, require_arrays
from convcalc.sweep.grid import blocks
from convcalc.sweep.job import SweepJob
from convcalc.sweep.selection import SelectedPoints
from convcalc.sweep.where import metrics_used


class SweepTable:
    """The points of a sweep that are networks: a column for each axis and each metric, and a row for each point.

    ``table["params"]`` is a NumPy array; ``len`` is the number of points. Integers are exact: those beyond 64 bits are
    Python integers in an array of objects. Fractions of an axis are floats.
    """

    def __init__(self, columns: Mapping[str, Any], dropped: Mapping[str, int]) -> None:
        self._columns = dict(columns)
        self.dropped = dict(dropped)
        """Why other points are no networks: how many there are for each reason."""

    def keys(self) -> tuple[str, ...]:
        """Return the names of the columns: the axes, then the metrics."""
        return tuple(self._columns)

    def __getitem__(self, name: str) -> Any:
        return self._columns[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __contains__(self, name: object) -> bool:
        return name in self._columns

    def __len__(self) -> int:
        return len(next(iter(self._columns.values())))

    def to_dataframe(self, library: str = "pandas") -> Any:
        """Return the table as a data frame of ``pandas`` or ``polars``.

        Raises:
            ValueError: for another library.
            SpecErrors: CC719, where the library is not installed.
        """
        from convcalc.extras import data_frame

        return data_frame(self._columns, library)

    def __repr__(self) -> str:
        dropped = sum(self.dropped.values())
        others = f", {dropped:,} invalid" if dropped else ""
        return f"<SweepTable of {len(self):,} points{others}: {', '.join(self._columns)}>"


def swept(job: SweepJob, jobs: int, device: str | None = None) -> SweepTable:
    """Count every point of a sweep in so many processes, and keep all that fulfil its condition."""
    job = job.with_metrics(metrics_used(job.where, job.axes)).on_device(device)
    points: list[SelectedPoints] = []
    dropped: dict[str, InvalidPoints] = {}
    with closing(processes(jobs).run(BlockTask(job), blocks(job.axes))) as results:
        for result in results:
            points.append(result.points)
            dropped = merge_invalid(dropped, result.invalid)
    numbers = numpy.concatenate([each.numbers for each in points])
    places = numpy.unravel_index(numbers, [len(axis.values) for axis in job.axes])
    columns = {axis.name: _values(axis)[at] for axis, at in zip(job.axes, places, strict=True)}
    columns |= {key: numpy.concatenate([each.metrics[key] for each in points]) for key in job.output_metrics}
    return SweepTable(columns, {why: each.points for why, each in dropped.items()})


def _values(axis: Axis) -> Any:
    """Return the values of an axis as an array."""
    values = [axis.value(place) for place in range(len(axis.values))]
    if axis.is_numeric and axis.denominator == 1:
        return numpy.array(values, "int64" if all(-(2**63) <= value < 2**63 for value in values) else object)
    if axis.is_numeric:
        return numpy.array([float(value) for value in values])
    if all(isinstance(value, bool) for value in values):
        return numpy.array(values)
    array = numpy.empty(len(values), object)
    array[:] = [str(value) if isinstance(value, str) else value for value in values]
    return array


def axis_of(name: str, values: Iterable[Any] | str) -> Axis:
    """Return the axis of a variable: values of any kind, or the text of an axis such as ``32..128:8``.

    Raises:
        SpecError: CC711 for what is not an axis or no value, CC713 for an axis without values.
    """
    require_arrays()
    if isinstance(values, str):
        return read_axis(f"{name}={values}")
    if isinstance(values, range) and values:
        return Axis(name, values)
    span = Span(Source(AXIS, name), 1, 1, len(name))
    try:
        given = [_value(value, span) for value in values]
    except TypeError:
        text = f"the axis {quoted(name)} takes several values, and {quoted(repr(values))} is one"
        raise SpecError(BAD_AXIS, text, span, hint=f"{name}=[{values!r}], or a range") from None
    if not given:
        raise SpecError("CC713", f"the axis {quoted(name)} has no values", span, hint=AXIS_HINTS[AXIS].format(name))
    return join_values(name, given)


def _value(value: Any, span: Span) -> Any:
    """Return a value as expressions know it: exact numbers, words, lists."""
    if getattr(value, "ndim", None) == 0 and hasattr(value, "item"):  # a number of NumPy
        value = value.item()
    if isinstance(value, list | tuple):
        return tuple(_value(each, span) for each in value)
    if isinstance(value, str | float):
        return read_value(str(value), span)
    if isinstance(value, Fraction):
        return value.numerator if value.denominator == 1 else value
    if value is None or isinstance(value, int):
        return value
    raise SpecError(BAD_AXIS, f"{quoted(repr(value))} is not a value of an axis", span, hint=AXIS_HINTS[AXIS])
